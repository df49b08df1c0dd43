"""The viewer in the middle: one photo, its name, and what the model saw of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSlider, QToolButton, QVBoxLayout, QWidget

from core.files import readable
from core.language import figure, percent, tr
from gui import theme
from gui.images.beside import BesideView
from gui.images.photo_canvas import PhotoCanvas
from gui.widgets.breaking_row import BreakingRow
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import ElidedLabel, PlainLabel, literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PySide6.QtGui import QAction

    from core.images.viewing import ViewedPhoto

_LEAST_NAME_PX, _ROW_PX = 60, 340


class PhotoViewer(QWidget):
    """Shows a photo upright, with the tools to look closer."""

    opacity_changed = Signal(int)
    """Of the map over the photo, in percent."""
    map_removed = Signal()
    page_wanted = Signal(int)
    """Of a file with several pages, from 0."""
    pages_wanted_apart = Signal()
    """Each page of the file is to become a photo."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = PhotoCanvas()
        self.beside = BesideView(self.canvas)
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._facts = ElidedLabel()
        self._facts.setProperty("muted", True)
        for label in (self._name, self._facts):
            label.setMinimumWidth(_LEAST_NAME_PX)
        self._hint = PlainLabel(wordWrap=True)
        self._hint.hide()
        self._hint.setProperty("muted", True)
        self._overlay = self._make_overlay_row()
        self._pages = self._make_page_row()
        self._page, self._page_count = 0, 1
        self._tools = QHBoxLayout()
        self._tools.setSpacing(2)
        top = BreakingRow(_ROW_PX)
        top.row.setContentsMargins(12, 8, 8, 6)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self._name)
        names.addWidget(self._facts)
        top.add(names, 1)
        top.add(self._tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(top)
        photos = QHBoxLayout()
        photos.setSpacing(4)
        photos.addWidget(self.canvas, 1)
        photos.addWidget(self.beside, 1)
        layout.addLayout(photos, 1)
        layout.addWidget(self._pages)
        layout.addWidget(self._overlay)
        layout.addWidget(self._hint)
        self._hint.setContentsMargins(12, 4, 12, 6)
        self._size_text = ""
        self._shrunk = 1.0
        self.canvas.zoom_changed.connect(self._show_facts)

    def add_tools(self, actions: list[QAction]) -> None:
        """Put buttons for actions beside the name."""
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setIconSize(theme.ICON_SIZE)
            self._tools.addWidget(button)

    @Slot(object)
    def show_photo(self, photo: ViewedPhoto) -> None:
        """Show a decoded photo."""
        self._name.setText(readable(photo.path.name))
        self._name.setToolTip(literal(readable(str(photo.path))))
        width, height = photo.photo.size
        self._size_text = f"{width} × {height}"
        self._shrunk = photo.pixels.shape[1] / width
        seen = QImage() if photo.seen is None else to_image(photo.seen)
        box = None
        if photo.box is not None:
            left, top, right, bottom = photo.box
            box = QRectF(left, top, right - left, bottom - top)
        self.canvas.set_photo(to_image(photo.pixels), seen, box)
        hints = self._hints(photo)
        self._hint.setVisible(bool(hints))
        self._hint.setText(" ".join(hints))
        self._show_pages(photo)
        self._overlay.hide()

    def _hints(self, photo: ViewedPhoto) -> list[str]:
        """Return what is odd about a photo, or about how the model is given it, in sentences."""
        shown, hints = photo.photo, []
        if shown.damage is not None:
            hints.append(
                tr(
                    "Only a part of this photo could be decoded, so the model is not given it: "
                    "{reason}.",
                    reason=shown.damage,
                )
            )
        if photo.seen is not None and photo.box is None:
            hints.append(
                tr(
                    "This photo is stored turned. You see it upright; the model sees it as it "
                    "is stored, as its preprocessing says."
                )
            )
        if shown.is_preview:
            hints.append(tr("This is a RAW photo: you and the model see the preview in it."))
        if shown.values is not None:
            low, high = shown.values
            hints.append(
                tr(
                    "Values from {low} to {high} are shown as black to white.",
                    low=figure(low, 6),
                    high=figure(high, 6),
                )
            )
        return hints

    def _show_pages(self, photo: ViewedPhoto) -> None:
        self._page, self._page_count = photo.photo.frame, photo.photo.frames
        self._pages.setVisible(self._page_count > 1)
        self._page_text.setText(tr("{n} of {all}", n=self._page + 1, all=self._page_count))
        self._page_before.setEnabled(self._page > 0)
        self._page_after.setEnabled(self._page + 1 < self._page_count)

    @Slot()
    def _step_back(self) -> None:
        self.page_wanted.emit(self._page - 1)

    @Slot()
    def _step_on(self) -> None:
        self.page_wanted.emit(self._page + 1)

    def _make_page_row(self) -> QWidget:
        row = QWidget()
        row.hide()
        self._page_text = PlainLabel()
        self._page_before, self._page_after = QToolButton(), QToolButton()
        for button, name, text, key, step in (
            (
                self._page_before,
                "chevron-left",
                tr("Page before (Alt+Page Up)"),
                "Alt+PgUp",
                self._step_back,
            ),
            (
                self._page_after,
                "chevron-right",
                tr("Next page (Alt+Page Down)"),
                "Alt+PgDown",
                self._step_on,
            ),
        ):
            theme.set_icon(button, name)
            button.setToolTip(literal(text))
            button.setAccessibleName(text)
            button.setShortcut(key)
            button.clicked.connect(step)
        told = PlainLabel(tr("The model and your label are for the first."), wordWrap=True)
        told.setProperty("muted", True)
        apart = QPushButton(tr("Make a photo of each"))
        apart.setToolTip(tr("Each page becomes a photo of its own, in a folder beside it"))
        apart.clicked.connect(self.pages_wanted_apart)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(8, 4, 12, 4)
        layout.addWidget(self._page_before)
        layout.addWidget(self._page_text)
        layout.addWidget(self._page_after)
        layout.addWidget(told, 1)
        layout.addWidget(apart)
        return row

    def show_error(self, sentence: str) -> None:
        """Say in the photo's place why it cannot be shown."""
        self._facts.clear()
        self._hint.hide()
        self._pages.hide()
        self._overlay.hide()
        self.canvas.set_message(sentence)

    def announce(self, name: str) -> None:
        """Show the name of the photo that is being decoded."""
        self._name.setText(readable(name))

    def clear(self) -> None:
        """Show nothing."""
        self._name.clear()
        self._facts.clear()
        self._hint.hide()
        self._pages.hide()
        self._overlay.hide()
        self.canvas.set_message("")

    def show_map(self, picture: npt.NDArray[np.uint8], title: str) -> None:
        """Lay a feature map over the photo.

        Args:
            picture: uint8, shape (h, w, 3) for RGB or (h, w) for grey.
            title: which map it is.
        """
        self._map_title.setText(title)
        self.canvas.set_map(to_image(picture))
        self._overlay.show()

    @Slot()
    def remove_map(self) -> bool:
        """Take the feature map away; return whether there was one."""
        if self._overlay.isHidden():
            return False
        self._overlay.hide()
        self.canvas.set_map(QImage())
        self.map_removed.emit()
        return True

    def set_opacity(self, percent: int) -> None:
        """Set how strongly the map covers the photo."""
        self._opacity.setValue(percent)

    def _make_overlay_row(self) -> QWidget:
        row = BreakingRow(_ROW_PX)
        row.hide()
        self._map_title = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        caption = PlainLabel(tr("Opacity"))
        caption.setProperty("muted", True)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setValue(70)
        self._opacity.setFixedWidth(160)
        self._opacity.setAccessibleName(tr("Opacity of the feature map"))
        close = QToolButton()
        theme.set_icon(close, "x")
        close.setToolTip(tr("Take the feature map away (Esc)"))
        close.setAccessibleName(close.toolTip())
        row.row.setContentsMargins(12, 6, 8, 6)
        row.add(self._map_title, 1)
        layout = QHBoxLayout()
        row.add(layout)
        layout.addWidget(caption)
        layout.addWidget(self._opacity)
        layout.addWidget(close)
        self._opacity.valueChanged.connect(self._apply_opacity)
        close.clicked.connect(self.remove_map)
        return row

    @Slot(int)
    def _apply_opacity(self, percent: int) -> None:
        self.canvas.set_opacity(percent / 100)
        self.opacity_changed.emit(percent)

    @Slot(float)
    def _show_facts(self, zoom: float) -> None:
        shown = zoom * self.devicePixelRatioF() * self._shrunk
        self._facts.setText(f"{self._size_text}  ·  {percent(shown)}")
