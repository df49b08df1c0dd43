"""Widgets in a row, or below each other where there is too little room for that."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

_Direction = QBoxLayout.Direction


class BreakingRow(QWidget):
    """Breaks by its own width alone, so that what it holds does not make it flutter."""

    def __init__(self, breaks_below_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._breaks_below_px = breaks_below_px
        self.row = QBoxLayout(_Direction.LeftToRight, self)
        self.row.setContentsMargins(0, 0, 0, 0)

    def minimumSizeHint(self) -> QSize:
        parts = [self.row.itemAt(at) for at in range(self.row.count())]
        widest = max((part.minimumSize().width() for part in parts if part), default=0)
        return QSize(widest, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_broken = self.width() < self._breaks_below_px
        wanted = _Direction.TopToBottom if is_broken else _Direction.LeftToRight
        if self.row.direction() != wanted:
            self.row.setDirection(wanted)
            self.updateGeometry()
