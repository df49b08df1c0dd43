"""Small fields that dialogs are put together from."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSpinBox, QWidget

_WIDTH_PX = 92
_GAP_PX = 6


def choices(*items: tuple[str, object]) -> QComboBox:
    """Return a box that offers texts and gives what stands behind them."""
    box = QComboBox()
    for text, data in items:
        box.addItem(text, data)
    return box


def keep_narrow(box: QComboBox, letters: int) -> None:
    """Let a box be as narrow as some letters; what is longer is shown in its list."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(letters)


def pixels_box() -> QSpinBox:
    """Return a box for a side of a picture."""
    from core.images.preprocessing import LARGEST_SIDE_PX  # numpy, which no window waits for

    box = QSpinBox(minimum=1, maximum=LARGEST_SIDE_PX)
    box.setFixedWidth(_WIDTH_PX)
    return box


class _Number(QDoubleSpinBox):
    """Shows as many digits as the number has."""

    def textFromValue(self, value: float) -> str:
        return self.locale().toString(value, "g", 6)


def number_box(least: float, most: float) -> QDoubleSpinBox:
    """Return a box for a number, which shows as many digits as it has."""
    box = _Number(decimals=6, minimum=least, maximum=most, singleStep=0.01)
    box.setFixedWidth(_WIDTH_PX)
    return box


def row(*widgets: QWidget, first_grows: bool = False) -> QWidget:
    """Return fields side by side; the first, or nothing, takes the room that is left."""
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(_GAP_PX)
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if first_grows and place == 0 else 0)
    if not first_grows:
        layout.addStretch()
    return holder
