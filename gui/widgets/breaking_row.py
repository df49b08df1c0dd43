"""Widgets in a row, or below each other where there is too little room for that."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLayout, QWidget

_Direction = QBoxLayout.Direction


class BreakingRow(QWidget):
    """Breaks by its own width alone, so that what it holds does not make it flutter."""

    def __init__(self, breaks_below_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._breaks_below_px = breaks_below_px
        self._parts: list[QWidget | QLayout] = []
        self.row = QBoxLayout(_Direction.LeftToRight, self)
        self.row.setContentsMargins(0, 0, 0, 0)

    def add(self, part: QWidget | QLayout, stretch: int = 0) -> None:
        """Put something at the end."""
        self._parts.append(part)
        if isinstance(part, QLayout):
            self.row.addLayout(part, stretch)
        else:
            self.row.addWidget(part, stretch)

    def minimumSizeHint(self) -> QSize:
        widest = max((_least_width(part) for part in self._parts), default=0)
        return QSize(widest, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_broken = self.width() < self._breaks_below_px
        wanted = _Direction.TopToBottom if is_broken else _Direction.LeftToRight
        if self.row.direction() != wanted:
            self.row.setDirection(wanted)
            self.updateGeometry()


def _least_width(part: QWidget | QLayout) -> int:
    least = part.minimumSize().width()
    return max(least, part.minimumSizeHint().width()) if isinstance(part, QWidget) else least
