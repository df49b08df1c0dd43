"""What a photo's file says of it, to read and to copy."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QVBoxLayout, QWidget

from core.language import tr
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel
from gui.widgets.scroll_area import ScrollArea


class PhotoDetailsDialog(QDialog):
    """A list of captions and values."""

    def __init__(self, facts: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = facts
        self.setWindowTitle(tr("Details of the photo"))
        inside = QWidget()
        form = QFormLayout(inside)
        form.setContentsMargins(14, 12, 14, 12)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for caption, value in facts:
            said, told = PlainLabel(caption), PlainLabel(value, wordWrap=True)
            said.setProperty("muted", True)
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(said, told)
        area = ScrollArea(inside)
        area.setObjectName("panel")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(12)
        layout.addWidget(area, 1)
        layout.addWidget(buttons)
        resize_within_screen(self, 520, 420)

    @Slot()
    def _copy(self) -> None:
        lines = [f"{caption}: {value}" for caption, value in self._facts]
        QGuiApplication.clipboard().setText("\n".join(lines))
