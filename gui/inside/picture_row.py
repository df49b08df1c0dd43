"""Captioned pictures that flow into rows; one can be chosen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme

_GAP_PX = 10
_LEAST_PX = 96


@dataclass(frozen=True)
class Captioned:
    """A picture, its name and a line below."""

    picture: QImage
    title: str
    line: str = ""


class PictureRow(QWidget):
    """Pictures of one size side by side, as many in a row as fit."""

    clicked = Signal(int)
    """One was chosen, by a click or by keys."""

    def __init__(
        self,
        wide: int = 3,
        parent: QWidget | None = None,
        *,
        chooses: bool = False,
        ratio: float = 1.0,
    ) -> None:
        """Make an empty row.

        Args:
            wide: how many pictures stand side by side where there is room.
            parent: as usual.
            chooses: whether one can be chosen; keys then go through them.
            ratio: width by height of the room for a picture.
        """
        super().__init__(parent)
        self._wide, self._ratio = wide, ratio
        self._entries: list[Captioned] = []
        self._chosen, self._at = -1, 0
        if chooses:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_entries(self, entries: list[Captioned], chosen: int = -1) -> None:
        """Show pictures; one may be marked."""
        self._entries, self._chosen = entries, chosen
        self._at = min(self._at, max(0, len(entries) - 1))
        self.setAccessibleName(", ".join(f"{one.title} {one.line}".strip() for one in entries))
        self.setMinimumHeight(self._height(self.width()))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(3 * _LEAST_PX, self._height(max(self.width(), 3 * _LEAST_PX)))

    def resizeEvent(self, event: object) -> None:
        self.setMinimumHeight(self._height(self.width()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for number in range(len(self._entries)):
            if self._place(number).contains(event.position().toPoint()):
                self.clicked.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = self._columns(self.width())
        steps: dict[int, int] = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
        }
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self._entries:
                self.clicked.emit(self._at)
        elif event.key() in steps:
            wanted = self._at + steps[event.key()]
            self._at = max(0, min(len(self._entries) - 1, wanted))
            self.update()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        for number, one in enumerate(self._entries):
            place = self._place(number)
            height = round(place.width() / self._ratio)
            square = QRect(place.topLeft(), QSize(place.width(), height))
            fitted = one.picture.size().scaled(square.size(), Qt.AspectRatioMode.KeepAspectRatio)
            area = QRect(QPoint(0, 0), fitted)
            area.moveCenter(square.center())
            painter.drawImage(area, one.picture)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if number == self._chosen:
                painter.setPen(QPen(QColor(used.accent), 2))
                painter.drawRoundedRect(square.adjusted(1, 1, -1, -1), 4, 4)
            if number == self._at and self.hasFocus():
                painter.setPen(QPen(QColor(used.text), 1, Qt.PenStyle.DashLine))
                painter.drawRoundedRect(square.adjusted(3, 3, -3, -3), 3, 3)
            painter.setPen(QColor(used.text))
            below = QRect(place.left(), square.bottom() + 3, place.width(), line)
            elide = Qt.TextElideMode.ElideRight
            painter.drawText(
                below,
                Qt.AlignmentFlag.AlignLeft,
                self.fontMetrics().elidedText(one.title, elide, place.width()),
            )
            painter.setPen(QColor(used.muted))
            painter.drawText(
                below.translated(0, line),
                Qt.AlignmentFlag.AlignLeft,
                self.fontMetrics().elidedText(one.line, elide, place.width()),
            )

    def _columns(self, width: int) -> int:
        return max(1, min(self._wide, (width + _GAP_PX) // (_LEAST_PX + _GAP_PX)))

    def _cell(self, width: int) -> QSize:
        columns = self._columns(width)
        side = max(40, (width - (columns - 1) * _GAP_PX) // columns)
        return QSize(side, round(side / self._ratio) + 2 * self.fontMetrics().height() + 6)

    def _height(self, width: int) -> int:
        rows = -(-len(self._entries) // self._columns(width))
        return rows * (self._cell(width).height() + _GAP_PX)

    def _place(self, number: int) -> QRect:
        cell, columns = self._cell(self.width()), self._columns(self.width())
        row, column = divmod(number, columns)
        corner = QPoint(column * (cell.width() + _GAP_PX), row * (cell.height() + _GAP_PX))
        return QRect(corner, cell)
