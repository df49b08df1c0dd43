"""One network twice, with a photo each; both are looked at in the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from core.language import tr
from gui.inside.network_canvas import NetworkCanvas
from gui.widgets.plain_text import ElidedLabel

if TYPE_CHECKING:
    from gui.inside.network_painter import NetworkPainter


class NetworkPair(QSplitter):
    """Shows one photo, and beside it another where there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(8)
        self.first, self.second = NetworkCanvas(), NetworkCanvas()
        self.first.setAccessibleName(tr("The network as a drawing"))
        self.second.setAccessibleName(tr("The network with the other photo"))
        self._names = (ElidedLabel(), ElidedLabel())
        self._columns = []
        for canvas, name in zip((self.first, self.second), self._names, strict=True):
            name.setContentsMargins(8, 0, 8, 0)
            name.setProperty("muted", True)
            column = QWidget()
            lines = QVBoxLayout(column)
            lines.setContentsMargins(0, 0, 0, 0)
            lines.setSpacing(2)
            lines.addWidget(name)
            lines.addWidget(canvas, 1)
            self.addWidget(column)
            self._columns.append(column)
        self.first.moved = self._following(self.first, self.second)
        self.second.moved = self._following(self.second, self.first)
        self.show_one()

    @property
    def has_two(self) -> bool:
        """Return whether two photos are shown."""
        return not self._columns[1].isHidden()

    def show_one(self) -> None:
        """Show the first photo alone."""
        self._columns[1].hide()
        self._names[0].hide()

    def show_two(self, painter: NetworkPainter, names: tuple[str, str]) -> None:
        """Show another photo beside the first.

        Args:
            painter: of the same drawing with the other photo.
            names: of the photos.
        """
        was_one = not self.has_two
        for label, name in zip(self._names, names, strict=True):
            label.setText(name)
            label.show()
        self._columns[1].show()
        self.second.show_drawing(painter, is_other=False)
        self.second.marks = self.first.marks
        if was_one:
            half = self.width() // 2
            self.setSizes([half, half])
        self.second.look_like(self.first)

    def update_marks(self) -> None:
        """Paint both again, as something is marked."""
        self.second.viewport().update()

    def _following(self, one: NetworkCanvas, other: NetworkCanvas) -> Callable[[], None]:
        def follow() -> None:
            if not self.has_two or other.painter is None or one.painter is None:
                return
            other.painter.opened = one.painter.opened
            self.second.marks = self.first.marks
            other.look_like(one)

        return follow
