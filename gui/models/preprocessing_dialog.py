"""The preprocessing editor: every step from photo to input, and what comes of it, live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.errors import PreprocessingError
from core.images.preprocessing import CHANNEL_ORDERS, INTERPOLATIONS, NORMALISATIONS, Preprocessing
from core.language import tr
from core.models.families import BY_NAME
from gui.models.preprocessing_words import in_words
from gui.widgets.fields import choices, number_box, pixels_box, row
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import PlainLabel, literal

if TYPE_CHECKING:
    from core.images.viewing import ViewedPhoto

_PREVIEW_PX = 300
_LIVE_MS = 60
_SHORTER, _SQUASH, _AS_IS = "shorter", "squash", "none"


class PreprocessingDialog(QDialog):
    """Asks for a preview at each change; what is applied is used and remembered."""

    preview_wanted = Signal(object)
    """Preprocessing as it stands now."""
    applied = Signal(object)
    """Preprocessing, or None to go back to the checkpoint's."""

    def __init__(
        self, found: Preprocessing, used: Preprocessing, architecture: str, parent: QWidget
    ) -> None:
        """Make the editor.

        Args:
            found: what the checkpoint or its architecture says.
            used: what is used now.
            architecture: torchvision's name.
            parent: the window.
        """
        super().__init__(parent)
        self.found = found
        self._used = used
        self._filling = False
        self.setWindowTitle(tr("Preprocessing"))
        self._live = QTimer(self, singleShot=True, interval=_LIVE_MS)
        self._live.timeout.connect(self._ask_for_preview)
        self._make_fields()
        known = BY_NAME.get(architecture)
        self.transform.setEnabled(known is not None and known.family.transforms_input)
        self._lay_out()
        self.show_value(used)
        self._connect()
        self.resize_kind.setFocus()

    @property
    def value(self) -> Preprocessing:
        """Return the preprocessing as the fields have it.

        Raises:
            PreprocessingError: it makes no sense, in one sentence.
        """
        kind = self.resize_kind.currentData()
        crop = (self.crop_height.value(), self.crop_width.value())
        resize: Any = None
        if kind == _SHORTER:
            resize = self.side.value()
        elif kind == _SQUASH:
            resize = (self.squash_height.value(), self.squash_width.value())
        channels = self._channels()
        return Preprocessing(
            resize=resize,
            crop=crop if self.crops.isChecked() else None,
            interpolation=self.interpolation.currentData(),
            channel_order=self.order.currentData(),
            scale=self.scale.currentData(),
            mean=tuple(round(box.value(), 6) for box in self.mean[:channels]),
            std=tuple(round(box.value(), 6) for box in self.std[:channels]),
            apply_orientation=self.upright.isChecked(),
            transparency=self.transparency.currentData(),
            transform_input=self.transform.isChecked(),
        )

    def show_value(self, value: Preprocessing) -> None:
        """Put a preprocessing into the fields."""
        self._filling = True
        kind = _SHORTER if isinstance(value.resize, int) else _SQUASH
        if value.resize is None:
            kind = _AS_IS
        self.resize_kind.setCurrentIndex(self.resize_kind.findData(kind))
        if isinstance(value.resize, int):
            self.side.setValue(value.resize)
        elif value.resize is not None:
            self.squash_height.setValue(value.resize[0])
            self.squash_width.setValue(value.resize[1])
        self.crops.setChecked(value.crop is not None)
        height, width = value.input_size
        self.crop_height.setValue(height)
        self.crop_width.setValue(width)
        self.interpolation.setCurrentIndex(self.interpolation.findData(value.interpolation))
        self.order.setCurrentIndex(self.order.findData(value.channel_order))
        if self.scale.findData(value.scale) < 0:
            self.scale.addItem(f"0 – {value.scale:g}", value.scale)
        self.scale.setCurrentIndex(self.scale.findData(value.scale))
        for boxes, numbers in ((self.mean, value.mean), (self.std, value.std)):
            for box, number in zip(boxes, numbers, strict=False):
                box.setValue(number)
        self.upright.setChecked(value.apply_orientation)
        self.transparency.setCurrentIndex(self.transparency.findData(value.transparency))
        self.transform.setChecked(value.transform_input)
        self._filling = False
        self._follow()

    def show_preview(self, photo: ViewedPhoto) -> None:
        """Show what comes of a photo."""
        if photo.seen is None:
            self._preview.setText(tr("This photo gives no input."))
            return
        ratio = self.devicePixelRatioF()
        side = round(_PREVIEW_PX * ratio)
        picture = QPixmap.fromImage(to_image(photo.seen)).scaled(
            QSize(side, side),
            Qt.AspectRatioMode.KeepAspectRatio,
            # Small inputs show their pixels as they are.
            Qt.TransformationMode.FastTransformation
            if photo.seen.shape[1] < _PREVIEW_PX
            else Qt.TransformationMode.SmoothTransformation,
        )
        picture.setDevicePixelRatio(ratio)
        self._preview.setPixmap(picture)
        height, width = photo.seen.shape[:2]
        self._preview_text.setText(
            tr(
                "What the model sees of {name}: {w}×{h} pixels",
                name=photo.path.name,
                w=width,
                h=height,
            )
        )

    def show_no_photo(self) -> None:
        """Say that a preview needs a photo."""
        self._preview.setText(tr("Open a photo to see what comes of it."))

    def show_refusal(self, sentence: str) -> None:
        """Say why there is no preview."""
        self._preview.setText(sentence)

    # Making

    def _make_fields(self) -> None:
        self.resize_kind = choices(
            (tr("Shorter side to"), _SHORTER),
            (tr("Squash to"), _SQUASH),
            (tr("Leave as it is"), _AS_IS),
        )
        self.side, self.squash_width, self.squash_height = pixels_box(), pixels_box(), pixels_box()
        self.crops = QCheckBox(tr("the middle"))
        self.crop_width, self.crop_height = pixels_box(), pixels_box()
        self.interpolation = choices(*((name, name) for name in INTERPOLATIONS))
        self.order = choices(
            *((tr("grey") if name == "grey" else name, name) for name in CHANNEL_ORDERS)
        )
        takes = self.found.channels
        kept = {1: ("grey",), 4: ("RGBA",)}.get(takes, ("RGB", "BGR", "grey"))
        for at in reversed(range(self.order.count())):
            if self.order.itemData(at) not in kept:
                self.order.removeItem(at)
        self.scale = choices(("0 – 1", 1.0), ("0 – 255", 255.0))
        self.mean = [number_box(-1000, 1000) for _ in range(4)]
        self.std = [number_box(0.000001, 1000) for _ in range(4)]
        self.upright = QCheckBox(tr("turn photos upright by their EXIF"))
        self.transparency = choices(
            (tr("laid over white"), "white"),
            (tr("dropped, as most training scripts do"), "dropped"),
        )
        self.transform = QCheckBox(self)
        self.transform.setText(tr("the network turns its input itself (transform_input)"))
        self.transform.hide()
        for field, name in (
            (self.side, tr("Shorter side in pixels")),
            (self.squash_width, tr("Width in pixels")),
            (self.squash_height, tr("Height in pixels")),
            (self.crop_width, tr("Width of the crop in pixels")),
            (self.crop_height, tr("Height of the crop in pixels")),
        ):
            field.setAccessibleName(name)
        for what, fields in ((tr("Mean"), self.mean), (tr("Std"), self.std)):
            for number, box in enumerate(fields, 1):
                box.setAccessibleName(tr("{what} of channel {n}", what=what, n=number))

    def _lay_out(self) -> None:
        form = QGridLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(6)
        self._squash_times, crop_times = PlainLabel("×"), PlainLabel("×")
        squash = (self.squash_width, self._squash_times, self.squash_height)
        cut = (self.crops, self.crop_width, crop_times, self.crop_height)
        rows: list[tuple[str, tuple[QWidget, ...]]] = [
            (tr("Presets"), tuple(self._presets())),
            (tr("Resize"), (self.resize_kind, self.side, *squash)),
            (tr("Cut out"), cut),
            (tr("Interpolation"), (self.interpolation,)),
            (tr("Channels"), (self.order,)),
            (tr("Values"), (self.scale,)),
            (tr("Mean"), tuple(self.mean)),
            (tr("Std"), tuple(self.std)),
            (tr("Orientation"), (self.upright,)),
            (tr("Transparency"), (self.transparency,)),
        ]
        if self.transform.isEnabled():
            rows.append((tr("Input"), (self.transform,)))
            self.transform.show()
        for number, (caption, fields) in enumerate(rows):
            label = PlainLabel(caption)
            label.setProperty("muted", True)
            form.addWidget(label, number, 0, Qt.AlignmentFlag.AlignVCenter)
            form.addWidget(row(*fields), number, 1)
        form.setRowStretch(len(rows), 1)
        form.setColumnStretch(1, 1)
        both = QHBoxLayout()
        both.setSpacing(20)
        both.addLayout(form, 1)
        both.addWidget(self._make_preview())
        self._status = PlainLabel(wordWrap=True)
        self._status.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(12)
        layout.addLayout(both, 1)
        layout.addWidget(self._status)
        layout.addWidget(self._buttons())

    def _make_preview(self) -> QFrame:
        self._preview = PlainLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._preview.setWordWrap(True)
        self._preview.setFixedSize(_PREVIEW_PX, _PREVIEW_PX)
        self._preview_text = PlainLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._preview_text.setProperty("muted", True)
        self._preview_text.setMinimumHeight(2 * self.fontMetrics().height() + 6)
        frame = QFrame()
        frame.setObjectName("panel")
        seen = QVBoxLayout(frame)
        seen.setContentsMargins(14, 14, 14, 12)
        seen.addWidget(self._preview)
        seen.addWidget(self._preview_text)
        seen.addStretch()
        return frame

    def _presets(self) -> list[QWidget]:
        buttons: list[QWidget] = []
        for text, name in (
            ("ImageNet", "ImageNet"),
            ("CIFAR-10", "CIFAR-10"),
            ("0.5 / 0.5", "0.5 / 0.5"),
            (tr("None"), "none"),
            (tr("Squash"), "squash"),
        ):
            button = QPushButton(text)
            button.setProperty("small", True)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, name=name: self.use_preset(name))
            buttons.append(button)
        return buttons

    def use_preset(self, name: str) -> None:
        """Change the fields that a preset is about; the others stay."""
        try:
            value = self.value
        except PreprocessingError:
            value = self._used
        height, width = value.input_size
        if name == "squash":
            self.show_value(replace(value, resize=(height, width), crop=None))
            return
        mean, std = NORMALISATIONS[name]
        if value.channels != 3:
            count = value.channels
            mean = (round(sum(mean) / 3, 6),) * count
            std = (round(sum(std) / 3, 6),) * count
        value = replace(value, mean=mean, std=std, scale=1.0)
        if name == "ImageNet" and height == width:
            share = 256 / 224
            value = replace(value, resize=round(height * share), crop=(height, width))
        self.show_value(value)

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._apply = box.addButton(tr("Apply"), QDialogButtonBox.ButtonRole.ApplyRole)
        self._apply.setProperty("primary", True)
        self._apply.setToolTip(tr("Classify with these steps, and remember them for the file"))
        back = box.addButton(tr("As at first"), QDialogButtonBox.ButtonRole.ResetRole)
        back.setToolTip(literal(in_words(self.found)[1]))
        self._apply.clicked.connect(self._apply_value)
        back.clicked.connect(self._go_back)
        box.rejected.connect(self.reject)
        return box

    def _connect(self) -> None:
        combos = (self.resize_kind, self.interpolation, self.order, self.scale, self.transparency)
        for combo in combos:
            combo.currentIndexChanged.connect(self._follow)
        for box in (self.crops, self.upright, self.transform):
            box.toggled.connect(self._follow)
        sides = (self.side, self.squash_width, self.squash_height)
        for spin in (*sides, self.crop_width, self.crop_height):
            spin.valueChanged.connect(self._follow)
        for number in (*self.mean, *self.std):
            number.valueChanged.connect(self._follow)

    # Following

    def _channels(self) -> int:
        return self.found.channels

    @Slot()
    def _follow(self) -> None:
        """Show the fields that count, judge them, and ask for a preview."""
        if self._filling:
            return
        kind = self.resize_kind.currentData()
        self.side.setVisible(kind == _SHORTER)
        for part in (self.squash_width, self._squash_times, self.squash_height):
            part.setVisible(kind == _SQUASH)
        for part in (self.crop_width, self.crop_height):
            part.setEnabled(self.crops.isChecked())
        for number, pair in enumerate(zip(self.mean, self.std, strict=True)):
            for box in pair:
                box.setVisible(number < self._channels())
        try:
            value = self.value
        except PreprocessingError as error:
            self._status.setText(str(error))
            self._apply.setEnabled(False)
            return
        self._status.setText(in_words(value)[1])
        self._apply.setEnabled(value != self._used)
        self._live.start()

    @Slot()
    def _ask_for_preview(self) -> None:
        try:
            self.preview_wanted.emit(self.value)
        except PreprocessingError:
            return

    @Slot()
    def _apply_value(self) -> None:
        self._used = self.value
        self._apply.setEnabled(False)
        self.applied.emit(None if self._used == self.found else self._used)

    @Slot()
    def _go_back(self) -> None:
        self.show_value(self.found)
