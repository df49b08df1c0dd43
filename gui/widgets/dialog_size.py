"""How large dialogs open: as they like, but within the screen."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

_TITLE_BAR_PX = 40


def resize_within_screen(dialog: QWidget, width: int, height: int) -> None:
    """Give a dialog a size; less where the screen has no room for that and a title bar."""
    room = dialog.screen().availableSize() - QSize(0, _TITLE_BAR_PX)
    dialog.resize(QSize(width, height).boundedTo(room))
