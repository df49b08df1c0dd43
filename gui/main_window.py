"""The window: bar, docks, menus, drag and drop. No logic; ``app`` joins it to the rest."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from gui import theme
from gui.actions import Actions
from gui.images.drop import paths_in
from gui.images.empty_view import EmptyView
from gui.images.gallery_model import GalleryModel
from gui.images.gallery_panel import GalleryPanel
from gui.images.viewer import PhotoViewer
from gui.inference.predictions_panel import PredictionsPanel
from gui.inference.run_bar import RunBar
from gui.inside.feature_maps_panel import FeatureMapsPanel
from gui.models.model_bar import ModelBar
from gui.problem_reporter import ProblemReporter

_LAYOUT_VERSION = 1


class MainWindow(QMainWindow):
    """Everything that is seen."""

    paths_dropped = Signal(list)
    closing = Signal()

    def __init__(self, gallery_model: GalleryModel) -> None:
        super().__init__()
        self.setWindowTitle("Droplens")
        self.setWindowIcon(theme.app_icon())
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.actions_table = Actions(self)
        self.model_bar = ModelBar()
        self.addToolBar(self.model_bar)
        self.reporter = ProblemReporter()
        self.viewer = PhotoViewer()
        self.viewer.add_tools(
            self.actions_table.some("previous", "next", "zoom_out", "zoom_in", "fit", "show_seen")
        )
        self.empty_view = EmptyView(
            self.actions_table.some("open_photos", "open_folder", "open_samples")
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty_view)
        self._stack.addWidget(self.viewer)
        middle = QWidget()
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.reporter)
        layout.addWidget(self._stack, 1)
        self.setCentralWidget(middle)
        self.gallery = GalleryPanel(gallery_model)
        self.predictions = PredictionsPanel()
        self.feature_maps = FeatureMapsPanel()
        self._docks = [
            self._dock("gallery", self.tr("Photos"), self.gallery, left=True),
            self._dock("predictions", self.tr("Predictions"), self.predictions, left=False),
            self._dock("featureMaps", self.tr("Feature maps"), self.feature_maps, left=False),
        ]
        self._add_panel_entries()
        self.run_bar = RunBar()
        self.statusBar().addWidget(self.run_bar, 1)
        self.statusBar().setSizeGripEnabled(False)
        self.resize(QSize(1360, 860).boundedTo(self.screen().availableSize() * 0.94))
        self.resizeDocks(self._docks[:2], [330, 340], Qt.Orientation.Horizontal)
        self.resizeDocks(self._docks[1:], [330, 420], Qt.Orientation.Vertical)
        self._shown_layout = b""
        self._is_empty = False
        self.show_empty(True)

    def follow_scheme(self) -> None:
        """Draw again what holds colours of its own, after light and dark have changed."""
        self.actions_table.paint_icons()
        for widget in self.findChildren(QWidget):
            widget.update()

    # Layout

    def show_empty(self, empty: bool) -> None:
        """Show the drop target alone, or the photos with all panels."""
        if empty == self._is_empty:
            return
        if empty:
            self._shown_layout = self._state()
            for dock in self._docks:
                dock.hide()
        self._is_empty = empty
        self._stack.setCurrentWidget(self.empty_view if empty else self.viewer)
        if not empty:
            for dock in self._docks:
                dock.show()
            if self._shown_layout:
                self.restoreState(QByteArray(self._shown_layout), _LAYOUT_VERSION)
            self.gallery.view.setFocus()

    @property
    def is_empty(self) -> bool:
        """Return whether the drop target is shown."""
        return self._is_empty

    def saved_layout(self) -> tuple[str, str]:
        """Return geometry and state of the window as text."""
        state = self._shown_layout if self._is_empty else self._state()
        return (
            bytes(self.saveGeometry().toBase64().data()).decode(),
            bytes(QByteArray(state).toBase64().data()).decode(),
        )

    def restore_layout(self, geometry: str, state: str) -> None:
        """Take up geometry and state of last time; what is damaged is passed over."""
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        if state:
            self._shown_layout = bytes(QByteArray.fromBase64(state.encode()).data())

    def _state(self) -> bytes:
        return bytes(self.saveState(_LAYOUT_VERSION).data())

    def _dock(self, name: str, title: str, panel: QWidget, *, left: bool) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(panel)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
        )
        area = (
            Qt.DockWidgetArea.LeftDockWidgetArea if left else Qt.DockWidgetArea.RightDockWidgetArea
        )
        self.addDockWidget(area, dock)
        return dock

    def _add_panel_entries(self) -> None:
        view = list(self.actions_table.menus.values())[2]
        panels = view.addMenu(self.tr("&Panels"))
        for number, dock in enumerate(self._docks, start=1):
            entry = dock.toggleViewAction()
            entry.setShortcut(f"F{5 + number}")
            panels.addAction(entry)

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.empty_view.set_lit(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.empty_view.set_lit(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.empty_view.set_lit(False)
        paths: list[Path] = paths_in(event.mimeData())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.paths_dropped.emit(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        event.accept()
