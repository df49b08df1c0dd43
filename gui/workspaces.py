"""Workspaces: which panels stand where for what a person does, and the strip that chooses one.

All show one state, the photos and the model in use; they differ in panels and in their sizes. Each
is left as it was arranged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSizePolicy, QTabBar, QToolBar, QWidget

from core.language import tr
from gui.widgets.fold_button import FoldButton

_LAYOUT_VERSION = 3
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class Workspace(NamedTuple):
    """What a person does, and what is seen meanwhile.

    Attributes:
        name: unique.
        title: on the strip.
        panels: by their names, each with its share of the window's width, or of its height for one
            at the bottom.
    """

    name: str
    title: str
    panels: Mapping[str, float]


CLASSIFY = "classify"


def workspaces() -> tuple[Workspace, ...]:
    """Return the workspaces in their order."""
    return (
        Workspace(CLASSIFY, tr("Classify"), {"gallery": 0.25, "predictions": 0.33}),
        Workspace("inside", tr("Inside"), {"gallery": 0.17, "inside": 0.53}),
        Workspace("label", tr("Label"), {"gallery": 0.45, "labels": 0.27}),
        Workspace("teach", tr("Teach"), {"gallery": 0.36, "labels": 0.27, "teach": 0.3}),
        Workspace("check", tr("Check"), {"gallery": 0.2, "check": 0.55}),
    )


class Workspaces(QToolBar):
    """The strip at the top: the workspaces, and the model in one line.

    Attributes:
        summary: unfolds what is known of the model in use.
    """

    def __init__(self, window: QMainWindow, current: str, layouts: Mapping[str, str]) -> None:
        """Make the strip.

        Args:
            window: whose panels are arranged.
            current: name of the workspace of last time.
            layouts: of last time by name, as ``left_as`` gave them.
        """
        super().__init__()
        self.setObjectName("workspaces")
        self.setWindowTitle(tr("Workspaces"))
        self.setMovable(False)
        self.toggleViewAction().setVisible(False)  # of the menu in which it could be hidden
        self._window = window
        self._all = {one.name: one for one in workspaces()}
        self._current = current if current in self._all else CLASSIFY
        self._layouts = dict(layouts)
        self._docks: dict[str, QDockWidget] = {}
        self._sides: dict[str, Qt.DockWidgetArea] = {}
        self._is_wanted, self._only = False, ""
        self._enter: dict[str, Callable[[], object]] = {}
        self._leave: dict[str, Callable[[], object]] = {}
        self._tabs = QTabBar(drawBase=False, expanding=False)
        self._tabs.setAccessibleName(tr("Workspaces"))
        self._tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for one in self._all.values():
            self._tabs.addTab(one.title)
        self._tabs.setCurrentIndex(list(self._all).index(self._current))
        self._tabs.currentChanged.connect(self._follow_tab)
        self.summary = FoldButton()
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        for widget in (self._tabs, gap, self.summary):
            self.addWidget(widget)

    @property
    def current(self) -> str:
        """Return the name of the workspace in use."""
        return self._current

    def attend(self, name: str, enter: Callable[[], object], leave: Callable[[], object]) -> None:
        """Let something be done whenever a workspace is shown, and when it is left."""
        self._enter[name], self._leave[name] = enter, leave

    def furnish(self, docks: Mapping[str, QDockWidget]) -> None:
        """Take the panels by their names, each at the side where it is to stand."""
        self._docks = dict(docks)
        self._sides = {name: self._window.dockWidgetArea(dock) for name, dock in docks.items()}
        for dock in self._docks.values():
            dock.hide()

    def choose(self, name: str) -> None:
        """Show another workspace."""
        self._tabs.setCurrentIndex(list(self._all).index(name))

    def reveal(self, panel: str) -> None:
        """Show a panel, in the workspace that it belongs to where this one does not show it."""
        if self._is_seen and not self._docks[panel].isVisible():
            self.choose(next(one.name for one in self._all.values() if panel in one.panels))

    def show_panels(self, wanted: bool) -> None:
        """Show the panels of the workspace in use, or none."""
        if wanted == self._is_wanted:
            return
        self._keep()
        self._is_wanted = wanted
        if self._is_seen:
            self._arrange()
        elif not wanted:
            for dock in self._docks.values():
                dock.hide()

    def reset(self) -> None:
        """Arrange all workspaces as at first."""
        self._layouts.clear()
        if self._is_seen:
            self._arrange_anew()

    def show_only(self, name: str) -> None:
        """Show one panel beside the photo; "" brings the others back."""
        if name == self._only:
            return
        self._keep()
        self._only = name
        for dock in self._docks.values():
            dock.setVisible(self._is_wanted and dock.objectName() == name)
        if self._is_seen:
            self._arrange()

    def left_as(self) -> dict[str, str]:
        """Return how each workspace that was shown was left, as text."""
        self._keep()
        return dict(self._layouts)

    @Slot(int)
    def _follow_tab(self, at: int) -> None:
        self._keep()
        if self._current in self._leave:
            self._leave[self._current]()
        self._current = list(self._all)[at]
        if self._is_seen:
            self._arrange()

    @property
    def _is_seen(self) -> bool:
        """Return whether the panels are those of the workspace."""
        return self._is_wanted and not self._only

    def _keep(self) -> None:
        if self._is_seen:
            state = self._window.saveState(_LAYOUT_VERSION)
            self._layouts[self._current] = bytes(state.toBase64().data()).decode()

    def _arrange(self) -> None:
        """Arrange the panels as they were left, else as the workspace has them at first."""
        state = QByteArray.fromBase64(self._layouts.get(self._current, "").encode())
        for dock in self._docks.values():  # a state of before there was one says nothing of it
            dock.hide()
        unfolded = self.summary.isChecked()  # the state speaks of tool bars as well
        if state.isEmpty() or not self._window.restoreState(state, _LAYOUT_VERSION):
            self._arrange_anew()
        self.summary.unfold(unfolded)
        if not self._tabs.hasFocus():  # else arrows walk along the strip
            self._docks["gallery"].widget().setFocus()
        if self._current in self._enter:
            self._enter[self._current]()

    def _arrange_anew(self) -> None:
        panels = self._all[self._current].panels
        for name, dock in self._docks.items():
            self._window.addDockWidget(self._sides[name], dock)
            dock.setVisible(name in panels)
        width, height = self._window.width(), self._window.height()
        shown = [dock for name, dock in self._docks.items() if name in panels]
        below = Qt.DockWidgetArea.BottomDockWidgetArea
        for is_below, whole, way in ((False, width, _ACROSS), (True, height, _DOWN)):
            docks = [d for d in shown if (self._window.dockWidgetArea(d) == below) == is_below]
            sizes = [round(panels[dock.objectName()] * whole) for dock in docks]
            self._window.resizeDocks(docks, sizes, way)
