"""The field that searches what stands below it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolButton, QWidget

from core.language import tr
from gui import theme
from gui.widgets.plain_text import literal

_GREY = "#868e9c"
"""Seen well enough in both schemes."""

_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SearchField(QLineEdit):
    """Escape empties it; Return and Down go to what was found."""

    left = Signal()

    def __init__(self, placeholder: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, placeholderText=placeholder)
        self.setAccessibleName(name)
        self.setToolTip(literal(name))
        self.setClearButtonEnabled(True)
        self.addAction(theme.icon("search", _GREY), QLineEdit.ActionPosition.LeadingPosition)
        clear, glass = self.findChildren(QToolButton)  # Qt's own, in the order of their making
        clear.setAccessibleName(tr("Clear"))
        glass.setAccessibleName(name)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # Else the window's own Escape and Return come first.
            if event.key() == Qt.Key.Key_Escape:
                event.setAccepted(bool(self.text()))
                return True
            if event.key() in _RETURN:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        elif event.key() in (*_RETURN, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)
