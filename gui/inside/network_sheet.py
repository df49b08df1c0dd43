"""The drawing of a network as one item of a graphics scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

if TYPE_CHECKING:
    from gui.inside.network_canvas import NetworkCanvas
    from gui.inside.network_painter import NetworkPainter


class NetworkSheet(QGraphicsItem):
    """All of the drawing as one item, which paints what is exposed."""

    def __init__(self, canvas: NetworkCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        self.painter: NetworkPainter | None = None

    def boundingRect(self) -> QRectF:
        if self.painter is None:
            return QRectF(0, 0, 1, 1)
        whole = self.painter.drawing.boxes[0]
        return QRectF(0, 0, whole.width, whole.height)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self.painter is None:
            return
        transform = painter.worldTransform()
        exposed = QRectF(self._canvas.viewport().rect())
        self.painter.paint(painter, transform, exposed, self._canvas.marks, self._canvas.font())
