"""Message boxes whose sentences are never markup."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

from gui.widgets.plain_text import literal


class PlainMessageBox(QMessageBox):
    """A message box whose sentences are never markup."""

    def setText(self, text: str) -> None:
        super().setText(literal(text))

    def setInformativeText(self, text: str) -> None:
        super().setInformativeText(literal(text))


def ask(parent: QWidget, title: str, question: str) -> bool:
    """Ask a question that is answered by yes or no."""
    buttons = QMessageBox.StandardButton
    answer = QMessageBox.question(parent, title, literal(question), buttons.Yes | buttons.No)
    return answer == buttons.Yes
