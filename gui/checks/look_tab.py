"""A part of the check that takes time: it says what it is for, begins when asked, and lists."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTreeWidget, QVBoxLayout, QWidget

from core.language import tr
from gui.widgets.plain_text import PlainLabel


class LookTab(QWidget):
    """A sentence, a button to begin, and a table.

    Attributes:
        rows: the table.
        said: the sentence.
        start_button: the button.
        extra: room for others, which are there while the table is.

    Args:
        purpose: what is found, a sentence.
        begin: the button's text.
        rows: the table, empty.
        start: called when the button is pressed.
    """

    def __init__(
        self, purpose: str, begin: str, rows: QTreeWidget, start: Callable[[], object]
    ) -> None:
        super().__init__()
        self._purpose, self._begin = purpose, begin
        self.rows = rows
        self.said = PlainLabel(wordWrap=True)
        self.start_button = QPushButton()
        self.start_button.setAutoDefault(False)
        self.start_button.clicked.connect(lambda: start())
        buttons = QHBoxLayout()
        buttons.addWidget(self.start_button)
        buttons.addStretch(1)
        self._extra = QWidget()
        self.extra = QHBoxLayout(self._extra)
        self.extra.setContentsMargins(0, 0, 0, 0)
        buttons.addWidget(self._extra)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.said)
        layout.addWidget(self.rows, 1)
        layout.addLayout(buttons)
        layout.addStretch(0)
        self.forget()

    def forget(self) -> None:
        """Show nothing: it has not begun, or was of another model."""
        self.rows.clear()
        self.said.setText(self._purpose)
        self.start_button.setText(self._begin)
        self.start_button.setEnabled(True)
        self._is_empty(True)

    def show_progress(self, done: int, total: int) -> None:
        """Say how many photos have been looked at."""
        self.start_button.setEnabled(False)
        self.said.setText(tr("Looking at photo {done} of {total}", done=done, total=total))

    def show_refusal(self, said: str) -> None:
        """Say why it cannot be done."""
        self.forget()
        self.said.setText(said)

    def show_found(self, said: str) -> None:
        """Say what was found; the table is filled."""
        self.said.setText(said)
        self.start_button.setText(tr("Look again"))
        self.start_button.setEnabled(True)
        self._is_empty(False)

    def _is_empty(self, empty: bool) -> None:
        """Let the table take the room, or leave it empty below the sentence."""
        self.rows.setVisible(not empty)
        self._extra.setVisible(not empty)
        self._layout.setStretch(1, 0 if empty else 1)
        self._layout.setStretch(3, 1 if empty else 0)
