"""The window: bar, docks, menus, drag and drop; the rooms fill it.

It stands at once with menus, model bar and drop target; the panels come after the first paint,
so that nobody waits for what an empty window does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QByteArray, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from core.errors import DroplensError
from core.language import tr
from gui import theme
from gui.actions import Actions
from gui.images.empty_view import EmptyView
from gui.models.model_bar import ModelBar

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractItemView

    from gui.problem_reporter import ProblemReporter

_LAYOUT_VERSION = 2
_SIDES = (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea)


class Panel(NamedTuple):
    """A widget that becomes a dock; ``height`` counts among those on the same side.

    ``width`` counts for those on the left and on the right.
    """

    name: str
    title: str
    widget: QWidget
    side: Qt.DockWidgetArea
    width: int
    height: int


class MainWindow(QMainWindow):
    """Everything that is seen.

    Attributes:
        actions_table: what can be chosen.
        gallery_view: the list of photos.
        gallery_bars: above that list, where rooms put theirs.
    """

    gallery_view: QAbstractItemView
    gallery_bars: QVBoxLayout

    paths_dropped = Signal(list)
    """Paths of the files and folders dropped; empty where none is on this computer."""
    noted = Signal(str)
    """What is going on or was done, for the bar at the bottom."""
    escaped = Signal()
    closing = Signal()

    def __init__(self, geometry: str = "", layout: str = "") -> None:
        """Make the window.

        Args:
            geometry: of last time, as ``saved_layout`` gave it.
            layout: of the panels last time, likewise.
        """
        super().__init__()
        self.setWindowTitle("Droplens")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        for corner, side in (
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            self.setCorner(corner, side)
        self.actions_table = Actions(self)
        self.model_bar = ModelBar()
        self.addToolBar(self.model_bar)
        self.empty_view = EmptyView()
        self.empty_view.action_chosen.connect(self.choose)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty_view)
        middle = QWidget()
        self._middle = QVBoxLayout(middle)
        self._middle.setContentsMargins(4, 4, 4, 4)
        self._middle.addWidget(self._stack, 1)
        self.setCentralWidget(middle)
        self.statusBar().setSizeGripEnabled(False)
        self._docks: list[QDockWidget] = []
        self._whole_layout = b""
        self._shown_layout = bytes(QByteArray.fromBase64(layout.encode()).data())
        self.resize(QSize(1360, 860).boundedTo(self.screen().availableSize() * 0.94))
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))

    @cached_property
    def reporter(self) -> ProblemReporter:
        """Return the banner above the photos, made when it is first needed."""
        from gui.problem_reporter import ProblemReporter

        banner = ProblemReporter()
        self._middle.insertWidget(0, banner)
        return banner

    def set_viewer(
        self, viewer: QWidget, canvas: QWidget, gallery: QAbstractItemView, bars: QVBoxLayout
    ) -> None:
        """Take what shows the photos.

        Args:
            viewer: the current photo and its tools.
            canvas: the photo itself.
            gallery: the list of photos.
            bars: above the list, where rooms put theirs.
        """
        self._viewer, self._canvas = viewer, canvas
        self.gallery_view, self.gallery_bars = gallery, bars
        self._stack.addWidget(viewer)

    def set_bottom(self, bar: QWidget) -> None:
        """Take the bar at the bottom."""
        bar.setMinimumHeight(self.statusBar().height())
        self.statusBar().addWidget(bar, 1)

    def furnish(self, panels: Sequence[Panel]) -> None:
        """Add the panels; they stay hidden until there are photos."""
        self.model_bar.draw_icons()
        self.setWindowIcon(theme.app_icon())  # drawn in many sizes, so not before the first paint
        self.actions_table.paint_icons()
        self.actions_table.bind_to_photos((self.gallery_view, self._canvas))
        self.empty_view.set_tool_tips(self.actions_table)
        self._docks = [self._dock(panel) for panel in panels]
        for dock in self._docks:  # shown for a moment without being painted, to be laid out
            dock.show()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        beside = [n for n, panel in enumerate(panels) if panel.side in _SIDES]
        self.resizeDocks(
            [self._docks[n] for n in beside], [panels[n].width for n in beside], across
        )
        self.resizeDocks(self._docks, [panel.height for panel in panels], down)
        if not self._shown_layout:
            self._shown_layout = self._state()
        panels_menu = self.actions_table.menus["view"].addMenu(tr("Pan&els"))
        for number, dock in enumerate(self._docks):
            dock.toggleViewAction().setShortcut(f"F{6 + number}")
            panels_menu.addAction(dock.toggleViewAction())
            dock.hide()

    def rehearse(self) -> None:
        """Draw what is hidden once, unseen: icons, letters and styles then stand ready.

        The first photos, which let all panels appear at once, are shown so without a pause.
        """
        for widget in (*self._docks, self._viewer, self.statusBar()):
            widget.grab()

    @Slot(str)
    def choose(self, action: str) -> None:
        """Do as if an action had been chosen in its menu."""
        self.actions_table[action].trigger()

    def note(self, text: str) -> None:
        """Say in the bar at the bottom what is going on or was done."""
        self.noted.emit(text)

    def escape(self) -> None:
        """End what Escape ends."""
        self.escaped.emit()

    def expected(self, error: BaseException) -> str:
        """Return the sentence of an error for a panel; an unexpected one is reported as well."""
        if isinstance(error, DroplensError):
            return str(error)
        self.reporter.report(error)
        return tr("This did not work; see the message above.")

    def focus_photo(self) -> None:
        """Give the keys to the photo."""
        self._canvas.setFocus()

    @property
    def is_empty(self) -> bool:
        """Return whether the drop target is shown."""
        return self._stack.currentWidget() is self.empty_view

    def show_empty(self, empty: bool) -> None:
        """Show the drop target alone, or the photos with all panels."""
        if empty == self.is_empty:
            return
        if empty:
            self._shown_layout = self._state()
            for dock in self._docks:
                dock.hide()
            self._stack.setCurrentIndex(0)
        else:
            self._stack.setCurrentIndex(1)
            self.restoreState(QByteArray(self._shown_layout), _LAYOUT_VERSION)
            self._docks[0].widget().setFocus()

    def set_only(self, name: str) -> None:
        """Fill the screen with the photo and one panel; "" brings everything back."""
        if name and not self._whole_layout:
            self._whole_layout = self._state()
            for dock in self._docks:
                dock.setVisible(dock.objectName() == name)
            self.showFullScreen()
        elif self._whole_layout and not name:
            self.restoreState(QByteArray(self._whole_layout), _LAYOUT_VERSION)
            self._whole_layout = b""
            self.showNormal()
        for bar in (self.menuBar(), self.model_bar):
            bar.setVisible(not name)

    def saved_layout(self) -> tuple[str, str]:
        """Return geometry of the window and layout of the panels as text."""
        state = self._shown_layout if self.is_empty else self._whole_layout or self._state()
        return (
            bytes(self.saveGeometry().toBase64().data()).decode(),
            bytes(QByteArray(state).toBase64().data()).decode(),
        )

    def follow_scheme(self) -> None:
        """Draw again what holds colours of its own, after light and dark have changed."""
        self.actions_table.paint_icons()
        for widget in self.findChildren(QWidget):
            theme.follow_scheme(widget)

    def _state(self) -> bytes:
        return bytes(self.saveState(_LAYOUT_VERSION).data())

    def _dock(self, panel: Panel) -> QDockWidget:
        dock = QDockWidget(panel.title, self)
        dock.setObjectName(panel.name)
        dock.setWidget(panel.widget)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
        )
        self.addDockWidget(panel.side, dock)
        return dock

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and event.source() is None:  # not our own photos
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.empty_view.set_lit(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.empty_view.set_lit(False)

    def dropEvent(self, event: QDropEvent) -> None:
        from gui.dropping import paths_in

        self.empty_view.set_lit(False)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.paths_dropped.emit(paths_in(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        event.accept()
