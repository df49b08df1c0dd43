"""A second photo beside the one that is shown, to compare the two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from core.files import readable
from core.images.requests import ViewBeside
from core.language import tr
from gui import theme
from gui.images.photo_canvas import PhotoCanvas
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import ElidedLabel

if TYPE_CHECKING:
    from core.images.viewing import ViewedPhoto
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class BesideView(QWidget):
    """A photo with its name and what the model says of it; it is as near as the other one."""

    def __init__(self, other: PhotoCanvas) -> None:
        super().__init__()
        self.canvas = PhotoCanvas()
        self.canvas.setAccessibleName(tr("Photo beside"))
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._said = ElidedLabel()
        self._said.setProperty("muted", True)
        self.close_button = QToolButton()
        theme.set_icon(self.close_button, "x")
        self.close_button.setToolTip(tr("Show one photo alone"))
        self.close_button.setAccessibleName(self.close_button.toolTip())
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self._name)
        names.addWidget(self._said)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 4, 4)
        top.addLayout(names, 1)
        top.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.canvas, 1)
        other.zoom_changed.connect(self._follow_zoom)
        self.hide()

    def show_photo(self, photo: ViewedPhoto) -> None:
        """Show a decoded photo."""
        self.canvas.set_photo(to_image(photo.pixels), QImage(), None)

    def show_names(self, name: str, said: str) -> None:
        """Show the name of the file, and what the model says."""
        self._name.setText(name)
        self._said.setText(said)

    @Slot(float)
    def _follow_zoom(self, zoom: float) -> None:
        if self.isVisible():
            self.canvas.zoom_to(zoom)


class Beside(QObject):
    """Keeps a photo beside while one goes on to others."""

    def __init__(
        self, view: BesideView, session: Session, tasks: Tasks, window: MainWindow
    ) -> None:
        super().__init__()
        self._view, self._session, self._tasks, self._window = view, session, tasks, window
        self._path: Path | None = None
        session.photos_removed.connect(self._follow_removed)
        session.predicted.connect(self._tell)
        session.model_changed.connect(self._tell)

    def set_wanted(self, wanted: bool) -> None:
        """Keep a photo beside: the other one of two that are selected, else the one shown."""
        others = [path for path in self._session.selected() if path != self._session.current]
        path = others[0] if len(others) == 1 else self._session.current
        self._path = path if wanted else None
        self._view.setVisible(self._path is not None)
        if self._path is not None:
            self._tell()
            self._view.canvas.set_message("")  # until it is decoded
            if path == self._session.current:
                self._window.note(tr("Choose another photo: this one stays beside it."))
            self._tasks.ask(ViewBeside(self._path), self._show, self._refuse)

    def _show(self, photo: ViewedPhoto) -> None:
        if photo.path == self._path:
            self._view.show_photo(photo)

    def _refuse(self, error: BaseException) -> None:
        self._view.canvas.set_message(self._window.expected(error))

    @Slot()
    def _tell(self) -> None:
        row = None if self._path is None else self._session.photos.row(self._path)
        if row is not None:
            said = f"{row.class_name} {row.figure(1)}" if row.class_name else ""
            self._view.show_names(readable(row.name), said)

    @Slot(list)
    def _follow_removed(self, paths: list[Path]) -> None:
        if self._path in paths:
            self._window.actions_table["side_by_side"].setChecked(False)
