"""Small fields that dialogs are put together from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

_WIDTH_PX = 92
_GAP_PX = 6


def choices(*items: tuple[str, object]) -> QComboBox:
    """Return a box that offers texts and gives what stands behind them."""
    box = QComboBox()
    for text, data in items:
        box.addItem(text, data)
    return box


class NarrowBox(QComboBox):
    """A box as narrow as some letters; what is longer ends in “…”, and is whole in its list."""

    def __init__(self, letters: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(letters)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        kind, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(kind, option, part, self)
        room = field.width() - (0 if option.currentIcon.isNull() else option.iconSize.width() + 4)
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, room
        )
        painter.drawComplexControl(kind, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


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
