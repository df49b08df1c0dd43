"""Ask where a file is to be written, with the ending that its kind has."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from core.language import tr
from gui.widgets.message_box import ask


def ask_where_to_save(parent: QWidget, title: str, start: Path, *kinds: str) -> Path | None:
    """Return the file that a person chooses, with the ending of its kind; None for none.

    The dialog asks before a file is replaced that was named as it is; this asks where the ending
    was left out.

    Args:
        parent: the window.
        title: of the dialog.
        start: that is offered.
        kinds: a filter for each kind, as Qt writes it, with one ending; that of ``start`` first.
    """
    file, kind = QFileDialog.getSaveFileName(parent, title, str(start), ";;".join(kinds))
    if not file:
        return None
    path = Path(file)
    endings = {one: f".{one.rpartition('.')[2].rstrip(')')}" for one in kinds}
    if path.name == start.name and kind in endings:  # only the kind was chosen
        path = path.with_suffix(endings[kind])
    if path.suffix.lower() not in endings.values():
        path = path.with_name(path.name + endings.get(kind, start.suffix))
    if str(path) == file:
        return path
    if path.exists():
        question = tr("{name} is there already. Replace it?", name=path.name)
        if not ask(parent, title, question):
            return None
    return path
