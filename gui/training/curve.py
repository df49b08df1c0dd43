"""Draws how right a network has become, epoch by epoch, and its loss beneath."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.language import number, percent, tr
from gui import theme

if TYPE_CHECKING:
    from core.training.progress import Epoch

_HEIGHT_PX = 150
_GAP_PX = 8
_LINE_PX = 2.0
_DOT_PX = 3.0


class Curve(QWidget):
    """The share of held-out photos that are named rightly, from the head alone on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: tuple[Epoch, ...] = ()
        self._epochs = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("How right the model has become"))

    def show_history(self, history: tuple[Epoch, ...], epochs: int) -> None:
        """Show what the epochs brought; the first is that of the head alone."""
        if (history, epochs) == (self._history, self._epochs):
            return
        self._history, self._epochs = history, epochs
        if history:
            self.setAccessibleDescription(percent(history[-1].accuracy))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, _HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        used, metrics = theme.colours(), self.fontMetrics()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = metrics.height()
        left = metrics.horizontalAdvance(percent(1.0)) + _GAP_PX
        right = metrics.horizontalAdvance("0.00") + _GAP_PX
        area = QRectF(left, line + 4, self.width() - left - right, self.height() - 2 * line - 10)
        accuracies = [one.accuracy for one in self._history]
        losses = [one.loss for one in self._history if not math.isnan(one.loss)]
        low = math.floor(min(accuracies, default=0.0) * 10 - 0.5) / 10
        low, high = max(0.0, low), 1.0
        painter.setPen(QPen(QColor(used.border), 1))
        for share in (low, (low + high) / 2, high):
            y = area.bottom() - (share - low) / (high - low) * area.height()
            painter.setPen(QPen(QColor(used.border), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(used.muted))
            place = QRectF(0, y - line / 2, left - _GAP_PX, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, percent(share))
        self._name(painter, area, losses)
        if losses:
            self._draw(painter, area, losses, 0.0, max(losses), QColor(used.faint), first=1)
        self._draw(painter, area, accuracies, low, high, QColor(used.accent), first=0)

    def _name(self, painter: QPainter, area: QRectF, losses: Sequence[float]) -> None:
        """Say which line is which, and how far the epochs go."""
        used, line = theme.colours(), self.fontMetrics().height()
        top = QRectF(area.left(), 0, area.width(), line)
        painter.setPen(QColor(used.accent))
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft, tr("right on held-out photos"))
        if losses:
            painter.setPen(QColor(used.muted))
            painter.drawText(top, Qt.AlignmentFlag.AlignRight, tr("loss"))
            place = QRectF(area.right() + _GAP_PX, area.top() - line / 2, self.width(), line)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, number(max(losses), 2))
            place.moveTop(area.bottom() - line / 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, "0")
        painter.setPen(QColor(used.muted))
        below = QRectF(area.left(), area.bottom() + 4, area.width(), line)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, tr("head alone"))
        if self._epochs:
            said = tr("epoch {n}", n=self._epochs)
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, said)

    def _draw(
        self,
        painter: QPainter,
        area: QRectF,
        values: Sequence[float],
        low: float,
        high: float,
        colour: QColor,
        *,
        first: int,
    ) -> None:
        count = max(1, self._epochs, len(self._history) - 1)
        points = [
            QPointF(
                area.left() + (first + at) / count * area.width(),
                area.bottom() - (value - low) / max(high - low, 1e-9) * area.height(),
            )
            for at, value in enumerate(values)
        ]
        painter.setPen(QPen(colour, _LINE_PX))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for point in points:
            painter.drawEllipse(point, _DOT_PX, _DOT_PX)
        painter.setBrush(Qt.BrushStyle.NoBrush)
