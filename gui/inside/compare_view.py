"""One channel of the chosen layer over several photos, those that excite it most first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.files import readable
from core.language import figure, tr
from gui.inside.picture_row import Captioned, PictureRow
from gui.inside.scrolling import scrolling
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from pathlib import Path

    from core.inside.lens import ComparedPhoto

_SHOWN_PHOTOS = 24
_SIDE_PX = 192
_GAP_PX = 4


class CompareView(QWidget):
    """All pictures at one scale; grows while photos are looked at."""

    photo_chosen = Signal(object)
    """Path."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: list[ComparedPhoto] = []
        self._asked: tuple[tuple[Path, ...], str, int, int | None] | None = None
        self.changes = PictureRow(4)
        self._change_facts = PlainLabel(wordWrap=True)
        self._change_facts.setProperty("muted", True)
        self._change_facts.hide()
        self._facts = PlainLabel(wordWrap=True)
        self._facts.setProperty("muted", True)
        self.pictures = PictureRow(3, chooses=True, ratio=2.0)
        area = scrolling(self._facts, self.pictures, self._change_facts, self.changes, margin_px=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(area)
        self.pictures.clicked.connect(self._choose)

    def begin(self, images: tuple[Path, ...], layer: str, call: int, channel: int | None) -> bool:
        """Start anew; return False where this very comparison is shown already."""
        asked = (images, layer, call, channel)
        if asked == self._asked:
            return False
        self._asked = asked
        self._found = []
        self._draw()
        return True

    @Slot(list)
    def add(self, found: list[ComparedPhoto]) -> None:
        """Show more photos."""
        if self._asked is not None:
            self._found += [one for one in found if one.photo in self._asked[0]]
            self._draw()

    @Slot(object)
    def show_before_and_after(self, pair: tuple[ComparedPhoto, ComparedPhoto] | None) -> None:
        """Show what the user's preprocessing changes for the current photo; None is nothing."""
        from core.inside.colouring import colour

        self._change_facts.setVisible(pair is not None)
        if pair is None or pair[0].reason:
            self.changes.set_entries([])
            return
        before, after = pair
        self._change_facts.setText(
            tr(
                "{name} under the checkpoint's own preprocessing, and under yours:",
                name=readable(before.photo.name),
            )
        )
        low = min(float(one.values.min()) for one in pair)
        high = max(float(one.values.max()) for one in pair)
        entries = []
        for one, title in ((before, tr("Before")), (after, tr("After"))):
            height, width = one.seen.shape[:2]
            line = tr("max {n}", n=figure(one.values.max(), 3))
            entries.append(Captioned(to_image(one.seen), title, f"{width}×{height}"))
            entries.append(
                Captioned(to_image(colour(one.values, "viridis", low, high)), title, line)
            )
        self.changes.set_entries(entries)

    def forget(self) -> None:
        """Forget what was compared: the model is another one."""
        self._asked = None
        self._found = []
        self._draw()

    def show_error(self, sentence: str) -> None:
        """Say why there is nothing."""
        self.forget()
        self._facts.setText(sentence)

    @property
    def images(self) -> tuple[Path, ...]:
        """Return the photos that are compared."""
        return () if self._asked is None else self._asked[0]

    @property
    def shown(self) -> list[ComparedPhoto]:
        """Return the photos that are shown, the most excited first."""
        good = [one for one in self._found if not one.reason]
        return sorted(good, key=lambda one: -float(one.values.max()))[:_SHOWN_PHOTOS]

    def _draw(self) -> None:
        from core.inside.colouring import colour

        shown = self.shown
        if self._asked is None:
            self._facts.setText(tr("One layer over several photos appears here."))
            self.pictures.set_entries([])
            return
        images, layer, _, channel = self._asked
        what = tr("mean of all channels") if channel is None else f"channel {channel}"
        self._facts.setText(
            tr(
                "{layer}, {what}, for {done} of {total} photos: the largest value first, where "
                "the ring is; one scale for all maps. Select photos to compare those alone, a map "
                "for its channel.",
                layer=layer,
                what=what,
                done=len(self._found),
                total=len(images),
            )
        )
        low = min((float(one.values.min()) for one in shown), default=0.0)
        high = max((float(one.values.max()) for one in shown), default=1.0)
        self.pictures.set_entries(
            [
                Captioned(
                    _beside(
                        to_image(one.seen),
                        to_image(colour(one.values, "viridis", low, high)),
                        _place_of_most(one),
                    ),
                    readable(one.photo.name),
                    tr("max {n}", n=figure(one.values.max(), 3)),
                )
                for one in shown
            ]
        )

    @Slot(int)
    def _choose(self, number: int) -> None:
        self.photo_chosen.emit(self.shown[number].photo)


def _place_of_most(one: ComparedPhoto) -> tuple[float, float, float]:
    """Return where the largest value of a map is, and how wide a cell is, as shares of the map."""
    height, width = one.values.shape
    row, column = divmod(int(one.values.argmax()), width)
    return (column + 0.5) / width, (row + 0.5) / height, 1 / max(width, height)


def _beside(photo: QImage, grid: QImage, place: tuple[float, float, float]) -> QImage:
    """Return a photo with a ring where most is, and beside it a map."""
    side = _SIDE_PX
    result = QImage(2 * side + _GAP_PX, side, QImage.Format.Format_ARGB32_Premultiplied)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(0, 0, side, side), photo)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(QRectF(side + _GAP_PX, 0, side, side), grid)
    radius = min(side / 3, max(9.0, place[2] * side * 0.75))
    for colour, width in ((Qt.GlobalColor.black, 4), (Qt.GlobalColor.white, 2)):
        painter.setPen(QPen(colour, width))  # seen on any photo
        painter.drawEllipse(QPointF(place[0] * side, place[1] * side), radius, radius)
    painter.end()
    return result
