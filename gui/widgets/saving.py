"""Ask where a file is to be written, with the ending that its kind has."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from core.language import tr
from gui.widgets.message_box import ask


def ask_where_to_save(parent: QWidget, title: str, start: Path, kinds: str) -> Path | None:
    """Return the file that a person chooses, with the ending of ``start``; None for none.

    The dialog asks before a file is replaced that was named as it is; this asks where the ending
    was left out.

    Args:
        parent: the window.
        title: of the dialog.
        start: that is offered.
        kinds: the filter, as Qt writes it.
    """
    file, _ = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    if not file:
        return None
    path = Path(file)
    if path.suffix.lower() == start.suffix:
        return path
    path = path.with_name(path.name + start.suffix)
    if path.exists():
        question = tr("{name} is there already. Replace it?", name=path.name)
        if not ask(parent, title, question):
            return None
    return path
