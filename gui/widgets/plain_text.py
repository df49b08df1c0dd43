"""Text from files is shown as it stands: never as markup, which could load what it names.

Qt takes a text for HTML by its look alone, and then opens the pictures that it names: a pipe
without a writer stops the window for ever, and a share on Windows is sent the user's password.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy


def literal(text: str) -> str:
    """Return markup that shows a text as it stands, for where Qt decides by itself what it is."""
    import html  # costs start-up time, so only here

    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>' if text else ""


class PlainLabel(QLabel):
    """A label whose text is never markup."""

    def __init__(self, text: str = "", **properties: Any) -> None:
        super().__init__(text, **properties)
        self.setTextFormat(Qt.TextFormat.PlainText)


class ElidedLabel(PlainLabel):
    """One line that says with “…” that it is cut where there is too little room, never wider.

    The whole is told by the tool tip, unless another one is set.
    """

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._whole, self._mode = "", mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self.setToolTip(literal(text))
        self._elide()

    def clear(self) -> None:
        self.setText("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = self.contentsRect().width()
        super().setText(self.fontMetrics().elidedText(self._whole, self._mode, room))


class RichLabel(QLabel):
    """A label of markup that stands in the program; what it shows of files must be escaped."""

    def __init__(self, markup: str, **properties: Any) -> None:
        super().__init__(markup, **properties)
        self.setTextFormat(Qt.TextFormat.RichText)
