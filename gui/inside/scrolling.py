"""Lines of widgets that scroll where they do not fit."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.widgets.scroll_area import ScrollArea


def scrolling(*widgets: QWidget, margin_px: int) -> ScrollArea:
    """Return a frameless area with widgets below each other, beginning at its top."""
    inside = QWidget()
    lines = QVBoxLayout(inside)
    lines.setContentsMargins(margin_px, margin_px, margin_px, margin_px)
    lines.setSpacing(8)
    for widget in widgets:
        lines.addWidget(widget)
    lines.addStretch()
    return ScrollArea(inside)
