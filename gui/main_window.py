"""The window: bar, docks, menus, drag and drop; the rooms fill it.

It stands at once with menus, model bar and drop target; the panels come after the first paint,
so that nobody waits for what an empty window does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QVBoxLayout, QWidget

from core.errors import DroplensError
from core.language import tr
from gui import theme
from gui.actions import Actions
from gui.dropping import paths_in
from gui.images.empty_view import EmptyView
from gui.models.model_bar import ModelBar
from gui.widgets.page_stack import PageStack
from gui.workspaces import Panel, Workspaces

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractItemView

    from gui.drop_hint import DropHint
    from gui.problem_reporter import ProblemReporter


class MainWindow(QMainWindow):
    """Everything that is seen.

    Attributes:
        actions_table: what can be chosen.
        workspaces: which panels stand where.
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

    def __init__(
        self, geometry: str = "", workspace: str = "", layouts: Mapping[str, str] | None = None
    ) -> None:
        """Make the window.

        Args:
            geometry: of last time, as ``left_as`` gave it.
            workspace: of last time.
            layouts: of the workspaces last time, likewise.
        """
        super().__init__()
        self.setWindowTitle("Droplens")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setAnimated(False)  # nothing moves by itself: some people are made ill by it
        for corner, side in (
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            self.setCorner(corner, side)
        self.actions_table = Actions(self)
        self.workspaces = Workspaces(self, workspace, layouts or {})
        self.model_bar = ModelBar(self.workspaces.summary)
        self.addToolBar(self.workspaces)
        self.addToolBarBreak()
        self.addToolBar(self.model_bar)
        self.empty_view = EmptyView()
        self.empty_view.action_chosen.connect(self.choose)
        self._stack = PageStack()
        self._stack.addWidget(self.empty_view)
        middle = QWidget()
        self._middle = QVBoxLayout(middle)
        self._middle.setContentsMargins(4, 4, 4, 4)
        self._middle.addWidget(self._stack, 1)
        self.setCentralWidget(middle)
        self.statusBar().setSizeGripEnabled(False)
        self._docks: list[QDockWidget] = []
        self.photo_menu: list[Callable[[QMenu], object]] = []
        """What rooms put into the menu of a photo, in their order."""
        self.resize(QSize(1360, 860).boundedTo(self.screen().availableSize() * 0.94))
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
            self._stay_within(self.screen().availableGeometry())

    def _stay_within(self, screen: QRect) -> None:
        """Become no larger than a screen, which may not be that of last time."""
        self.resize(self.size().boundedTo(screen.size()))
        left = min(self.x(), screen.right() + 1 - self.width())
        top = min(self.y(), screen.bottom() + 1 - self.height())
        self.move(max(screen.left(), left), max(screen.top(), top))

    def focusNextPrevChild(self, forward: bool) -> bool:
        from gui.tab_order import tab_order  # nothing to wait for while the window appears

        order, focused = tab_order(self), self.focusWidget()
        if not order:
            return False
        at = order.index(focused) if focused in order else -1 if forward else 0
        step = 1 if forward else -1
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        order[(at + step) % len(order)].setFocus(reason)
        return True

    @cached_property
    def reporter(self) -> ProblemReporter:
        """Return the banner above the photos, made when it is first needed."""
        from gui.problem_reporter import ProblemReporter

        banner = ProblemReporter()
        self._middle.insertWidget(0, banner)
        return banner

    @cached_property
    def _drop_hint(self) -> DropHint:
        from gui.drop_hint import DropHint

        return DropHint(self)

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
        panels_menu = self.actions_table.menus["view"].addMenu(tr("Pan&els"))
        for panel, dock in zip(panels, self._docks, strict=True):
            if panel.key:
                dock.toggleViewAction().setShortcut(panel.key)
                panels_menu.addAction(dock.toggleViewAction())
        self.workspaces.furnish({dock.objectName(): dock for dock in self._docks}, panels)

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

    def give_photo_menu(self, widget: QWidget) -> None:
        """Let the photo's menu open over a widget that shows the current photo or the selection."""

        def open_menu(place: QPoint) -> None:
            if self.is_empty:
                return
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            for fill in self.photo_menu:
                fill(menu)
            menu.popup(widget.mapToGlobal(place))

        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        widget.customContextMenuRequested.connect(open_menu)

    def show_empty(self, empty: bool) -> None:
        """Show the drop target alone, or the photos with all panels."""
        if empty == self.is_empty:
            return
        self._stack.setCurrentIndex(0 if empty else 1)
        self.workspaces.show_panels(not empty)

    def set_only(self, name: str) -> None:
        """Fill the screen with the photo and one panel; "" brings everything back."""
        self.workspaces.show_only(name)
        if name:
            self.showFullScreen()
        else:
            self.showNormal()
        for bar in (self.menuBar(), self.workspaces):
            bar.setVisible(not name)
        self.model_bar.setVisible(not name and self.workspaces.summary.isChecked())

    def left_as(self) -> dict[str, object]:
        """Return the settings that speak of the window, as it is now."""
        return {
            "window_geometry": bytes(self.saveGeometry().toBase64().data()).decode(),
            "workspace": self.workspaces.current,
            "layouts": self.workspaces.left_as(),
        }

    def follow_scheme(self) -> None:
        """Draw again what holds colours of its own, after light and dark have changed."""
        self.actions_table.paint_icons()
        for widget in self.findChildren(QWidget):
            theme.follow_scheme(widget)

    def _dock(self, panel: Panel) -> QDockWidget:
        dock = QDockWidget(panel.title, self)
        dock.setObjectName(panel.name)
        dock.setWidget(panel.widget)
        features = QDockWidget.DockWidgetFeature.DockWidgetMovable
        if panel.key:  # what nothing brings back cannot be closed
            features |= QDockWidget.DockWidgetFeature.DockWidgetClosable
        dock.setFeatures(features)
        dock.hide()  # all at once would need more room than any workspace, and the window grow
        self.addDockWidget(panel.side, dock)
        return dock

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and event.source() is None:  # not our own photos
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.empty_view.set_lit(True)
            self._drop_hint.show_for(paths_in(event.mimeData()))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._end_drag()

    def _end_drag(self) -> None:
        self.empty_view.set_lit(False)
        self._drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._end_drag()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.paths_dropped.emit(paths_in(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        event.accept()
