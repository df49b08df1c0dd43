"""Where in the photo the evidence for each of the top classes lies, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.language import number, tr
from gui.inside.picture_row import Captioned, PictureRow
from gui.inside.scrolling import scrolling
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from core.inside.class_activation import ClassActivation
    from core.inside.lens import EvidenceOfPhoto
    from core.values.predictions import Prediction

_SHOWN_CLASSES = 5
_WIDE = 3
_OPACITY = 0.6
_LEAST_PX = 448
_MOST_PX = 1024
"""Larger maps look no smoother, and take long to colour."""


class EvidenceView(QWidget):
    """One picture a class; a click lays it over the photo."""

    map_chosen = Signal(object, str)
    """The map, uint8 of shape (h, w, 3), and its title."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: EvidenceOfPhoto | None = None
        self._names: dict[int, str] = {}
        self._chosen = -1
        self.pictures = PictureRow(_WIDE, chooses=True)
        self._facts = PlainLabel(wordWrap=True)
        self._facts.setProperty("muted", True)
        area = scrolling(self._facts, self.pictures, margin_px=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(area)
        self.pictures.clicked.connect(self._choose)
        self.clear()

    def wanted(self, prediction: Prediction | None) -> tuple[int, ...]:
        """Return the classes to look at for a prediction, and note their names."""
        if prediction is None or not prediction.top:
            return ()
        top = prediction.top[:_SHOWN_CLASSES]
        self._names = {one.class_index: f"{one.class_name} {one.figure(0)}" for one in top}
        if prediction.model.inspection.num_classes == 1:
            return (0,)
        return tuple(one.class_index for one in top)

    @Slot(object)
    def show_evidence(self, found: EvidenceOfPhoto) -> None:
        """Show the maps of a photo."""
        self._found = found
        self._facts.setText(_described(found.found))
        self._draw()
        if 0 <= self._chosen < len(found.found.classes):
            self._send()

    def show_error(self, sentence: str) -> None:
        """Say why there is nothing."""
        self.clear()
        self._facts.setText(sentence)

    def clear(self) -> None:
        """Show nothing; the chosen place stays for the next photo."""
        self._found = None
        self.pictures.set_entries([])
        self._facts.setText(tr("Where the evidence for the top classes lies appears here."))

    @Slot()
    def forget_choice(self) -> None:
        """Lay no map over the next photo."""
        self._chosen = -1
        if self._found is not None:
            self._draw()

    def enlarge_again(self, image: Path) -> None:
        """Lay the chosen map over a photo that has just appeared."""
        if self._found is not None and self._found.photo == image and self._chosen >= 0:
            self._send()

    def _draw(self) -> None:
        found = self._found
        if found is None:
            return
        entries = []
        for at, index in enumerate(found.found.classes):
            side = max(_LEAST_PX, *found.seen.shape[:2])
            photo = to_image(found.seen).scaled(
                side, side, Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )  # fmt: skip
            over = to_image(self._coloured(at, (photo.height(), photo.width())))
            picture = _laid_over(photo, over)
            logit = found.found.logits[at]
            name = self._names.get(index, str(index))
            entries.append(Captioned(picture, name, tr("logit {n}", n=number(logit, 2))))
        self.pictures.set_entries(entries, self._chosen)

    def _coloured(self, number: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Return a class's map in colours, smooth, (height, width) large."""
        from core.inside.colouring import colour
        from core.inside.rendering import smoothed

        assert self._found is not None
        values = self._found.found.maps[number]
        signed = self._found.found.method in ("CAM", "covering")
        low, high = float(values.min()), float(values.max())
        return colour(smoothed(values, size), "signed" if signed else "viridis", low, high)

    def _size_over_photo(self) -> tuple[int, int]:
        """Return the height and width of the part of the photo that the model saw."""
        assert self._found is not None
        box = self._found.box
        height, width = self._found.seen.shape[:2]
        if box is not None:
            width, height = round(box[2] - box[0]), round(box[3] - box[1])
        shrink = min(1.0, _MOST_PX / max(width, height))
        return max(1, round(height * shrink)), max(1, round(width * shrink))

    @Slot(int)
    def _choose(self, number: int) -> None:
        self._chosen = number
        self._draw()
        self._send()

    def _send(self) -> None:
        found = self._found
        if found is None or not 0 <= self._chosen < len(found.found.classes):
            return
        index = found.found.classes[self._chosen]
        title = tr("Evidence for {name}", name=self._names.get(index, str(index)))
        self.map_chosen.emit(self._coloured(self._chosen, self._size_over_photo()), title)


def _described(found: ClassActivation) -> str:
    """Return how the maps were made."""
    if found.method == "CAM":
        return tr(
            "The class's weights over the maps of {layer} (CAM): red speaks for the class, blue "
            "against it. The sum of a map is the class's logit, less its bias.",
            layer=found.layer,
        )
    if found.method == "Grad-CAM":
        return tr(
            "Grad-CAM at {layer}: the brighter, the more the place speaks for the class.",
            layer=found.layer,
        )
    done, count = found.passes
    if found.method == "Score-CAM":
        how = tr(
            "Score-CAM at {layer}: the network is given what each of the {n} strongest maps shows "
            "of the photo. The brighter, the more the place speaks for the class.",
            layer=found.layer,
            n=count,
        )
    else:
        how = tr(
            "Found by blurring {n} parts of the photo, one after the other: red where the class "
            "loses by that, blue where it gains.",
            n=count,
        )
    so_far = tr("So far: {done} of {n}.", done=done, n=count)
    return how if done == count else f"{how} {so_far}"


def _laid_over(photo: QImage, over: QImage) -> QImage:
    """Return a photo with a map of its size over it."""
    result = photo.convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(result)
    painter.setOpacity(_OPACITY)
    painter.drawImage(0, 0, over)
    painter.end()
    return result
