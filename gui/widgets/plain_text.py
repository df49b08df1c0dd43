"""Text from files is shown as it stands: never as markup, which could load what it names.

Qt takes a text for HTML by its look alone, and then opens the pictures that it names: a pipe
without a writer stops the window for ever, and a share on Windows is sent the user's password.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel


def literal(text: str) -> str:
    """Return markup that shows a text as it stands, for where Qt decides by itself what it is."""
    import html  # costs start-up time, so only here

    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>' if text else ""


class PlainLabel(QLabel):
    """A label whose text is never markup."""

    def __init__(self, text: str = "", **properties: Any) -> None:
        super().__init__(text, **properties)
        self.setTextFormat(Qt.TextFormat.PlainText)


class RichLabel(QLabel):
    """A label of markup that stands in the program; what it shows of files must be escaped."""

    def __init__(self, markup: str, **properties: Any) -> None:
        super().__init__(markup, **properties)
        self.setTextFormat(Qt.TextFormat.RichText)
