"""An area that scrolls what does not fit."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

_DEEPEST = 8


class ScrollArea(QScrollArea):
    """As Qt's, without a frame, and what it holds is as wide as it is.

    Where a text that wraps needs a scroll bar without one, and none with one, Qt's own resizes it
    to and fro, each from within the other, until the stack overflows and the program is gone.
    """

    def __init__(self, held: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True)
        self._depth = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        if held is not None:
            self.setWidget(held)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Resize:
            return super().eventFilter(watched, event)
        if self._depth >= _DEEPEST:
            return False
        self._depth += 1
        try:
            return super().eventFilter(watched, event)
        finally:
            self._depth -= 1
