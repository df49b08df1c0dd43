"""Workspaces: which panels stand where for what a person does, and the strip that chooses one.

All show one state, the photos and the model in use; they differ in panels and in their sizes. Each
is left as it was arranged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSizePolicy, QTabBar, QToolBar, QWidget

from core.language import tr
from gui.widgets.fold_button import FoldButton

_LAYOUT_VERSION = 4
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class Panel(NamedTuple):
    """A widget that becomes a dock.

    Attributes:
        name: unique.
        title: above it.
        widget: that it shows.
        side: where it is to stand.
        shares: of the window's width, or of its height for one at the bottom, by the workspaces in
            which it stands at first.
        key: shows and hides it; "" for one that cannot be closed.
    """

    name: str
    title: str
    widget: QWidget
    side: Qt.DockWidgetArea
    shares: Mapping[str, float]
    key: str = ""


CLASSIFY, INSIDE, LABEL, TEACH, CHECK = "classify", "inside", "label", "teach", "check"


def titles() -> dict[str, str]:
    """Return the titles of the workspaces by their names, in their order."""
    return {
        CLASSIFY: tr("Classify"),
        INSIDE: tr("Inside"),
        LABEL: tr("Label"),
        TEACH: tr("Teach"),
        CHECK: tr("Check"),
    }


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
        self._names = list(titles())
        self._current = current if current in self._names else CLASSIFY
        self._layouts = dict(layouts)
        self._docks: dict[str, QDockWidget] = {}
        self._panels: dict[str, Panel] = {}
        self._is_wanted, self._only = False, ""
        self._enter: dict[str, Callable[[], object]] = {}
        self._leave: dict[str, Callable[[], object]] = {}
        self._tabs = QTabBar(drawBase=False, expanding=False)
        self._tabs.setAccessibleName(tr("Workspaces"))
        self._tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for title in titles().values():
            self._tabs.addTab(title)
        self._tabs.setCurrentIndex(self._names.index(self._current))
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

    def attend(
        self, name: str, enter: Callable[[], object], leave: Callable[[], object] = lambda: None
    ) -> None:
        """Let something be done whenever a workspace is shown, and when it is left."""
        self._enter[name], self._leave[name] = enter, leave

    def furnish(self, docks: Mapping[str, QDockWidget], panels: Sequence[Panel]) -> None:
        """Take the panels, and the docks that they have become by their names."""
        self._docks = dict(docks)
        self._panels = {panel.name: panel for panel in panels}
        for dock in self._docks.values():
            dock.hide()

    def choose(self, name: str) -> None:
        """Show another workspace."""
        self._tabs.setCurrentIndex(self._names.index(name))

    def reveal(self, panel: str) -> None:
        """Show a panel, in the workspace that it belongs to where this one does not show it."""
        if self._is_seen and not self._docks[panel].isVisible():
            self.choose(next(iter(self._panels[panel].shares)))

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
        self._current = self._names[at]
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
        current = self._current
        for name, dock in self._docks.items():
            self._window.addDockWidget(self._panels[name].side, dock)
            dock.setVisible(current in self._panels[name].shares)
        shown = [one for one in self._panels.values() if current in one.shares]
        below = Qt.DockWidgetArea.BottomDockWidgetArea
        width, height = self._window.width(), self._window.height()
        for is_below, whole, way in ((False, width, _ACROSS), (True, height, _DOWN)):
            panels = [one for one in shown if (one.side == below) == is_below]
            self._window.resizeDocks(
                [self._docks[one.name] for one in panels],
                [round(one.shares[current] * whole) for one in panels],
                way,
            )
