"""Paints the drawing of a network: as much of it as is seen, and large enough to be told.

Boxes lie in the units of the drawing; letters and lines have the size that they have everywhere
on the screen, however near one is. So all but the arrows is painted in the screen's own pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QTransform

from core.inside.drawing import depth_of, front_size, rise_of
from gui.inside.network_marks import OPENS_AT
from gui.inside.network_strokes import Strokes

if TYPE_CHECKING:
    from core.inside.drawing import Arrow, Box, Drawing
    from gui.inside.network_marks import Marks
    from gui.inside.network_pictures import NetworkPictures
    from gui.inside.network_words import NetworkWords

_CORNER = 10.0
_TINTS = (
    (("conv",), "#4f86e8"),
    (("norm",), "#8d99ae"),
    (("relu", "gelu", "silu", "swish", "sigmoid", "hardswish", "softmax"), "#e39b2d"),
    (("pool", "mean"), "#3f9f63"),
    (("linear", "gemm", "matmul"), "#9566d6"),
    (("attention", "attn"), "#1f9d9d"),
)
Bounds = tuple[float, float, float, float]
_OTHER_TINT = "#8d99ae"


class NetworkPainter:
    """Paints one drawing.

    Args:
        drawing: of a network.
        words: for it.
        pictures: of a photo's pass.
    """

    def __init__(self, drawing: Drawing, words: NetworkWords, pictures: NetworkPictures) -> None:
        self.drawing, self.words, self.pictures = drawing, words, pictures
        self._paths: dict[tuple[int, int], tuple[QPainterPath, Bounds]] = {}
        self.opened: frozenset[int] = frozenset()
        self.widths: dict[tuple[str, int], float] = {}
        self._tints: dict[tuple[str, int, float], QColor] = {}
        self._sides: dict[tuple[int, ...], tuple[float, float, float, float]] = {}

    def is_open(self, at: int, scale: float) -> bool:
        """Return whether what lies in a box is seen.

        Args:
            at: place of the box.
            scale: pixels a unit of the drawing takes.
        """
        box = self.drawing.boxes[at]
        return bool(box.children) and (
            at == 0 or at in self.opened or box.scale * scale >= OPENS_AT
        )

    def open(self, at: int) -> None:
        """Open a box and all that it lies in, however small they are."""
        self.opened = frozenset({at, *self.holding(at)}) - {0}

    def holding(self, at: int | None) -> frozenset[int]:
        """Return the places of the boxes that a box lies in."""
        found: set[int] = set()
        place = None if at is None else self.drawing.boxes[at].parent
        while place:
            found.add(place)
            place = self.drawing.boxes[place].parent
        return frozenset(found)

    def is_seen(self, at: int, scale: float) -> bool:
        """Return whether all that a box lies in is open."""
        return all(self.is_open(holder, scale) for holder in self.holding(at))

    def at(self, x: float, y: float, scale: float) -> int:
        """Return the innermost box that is seen at a place of the drawing; 0 where none is."""
        found, boxes = 0, self.drawing.boxes
        while self.is_open(found, scale):
            for child in boxes[found].children:
                box = boxes[child]
                below = box.height * 0.25
                if (
                    box.left <= x <= box.left + box.width
                    and box.top <= y <= box.top + box.height + below
                ):
                    found = child
                    break
            else:
                return found
        return found

    def paint(
        self, painter: QPainter, transform: QTransform, exposed: QRectF, marks: Marks, font: QFont
    ) -> None:
        """Paint what is seen.

        Args:
            painter: of the screen, a picture or a file.
            transform: from the drawing to pixels; scales and moves alone.
            exposed: what of it is to be painted, in pixels.
            marks: what is marked.
            font: of the words.
        """
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        Strokes(self, painter, transform, exposed, marks, font).group(0, 0)
        painter.restore()

    def path(self, parent: int, number: int) -> tuple[QPainterPath, Bounds]:
        """Return the line of an arrow in the drawing's units, and its left, top, right, bottom."""
        key = (parent, number)
        if key not in self._paths:
            box = self.drawing.boxes[parent]
            path = _path_of(box.arrows[number], box.scale)
            around = path.boundingRect()
            bounds = (around.left(), around.top(), around.right(), around.bottom())
            self._paths[key] = path, bounds
        return self._paths[key]

    def sides(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        """Return width and height of the front of a box that gives (C, h, w), depth and rise."""
        if shape not in self._sides:
            self._sides[shape] = *front_size(shape), depth_of(shape), rise_of(shape)
        return self._sides[shape]

    def tint(self, box: Box, under: QColor, share: float) -> QColor:
        """Return the colour of a box's kind over another one."""
        key = (box.kind, under.rgb(), share)
        if key not in self._tints:
            low = box.kind.lower()
            found = (colour for parts, colour in _TINTS if any(part in low for part in parts))
            self._tints[key] = _mixed(QColor(next(found, _OTHER_TINT)), under, share)
        return self._tints[key]


def _path_of(arrow: Arrow, scale: float) -> QPainterPath:
    """Return a curve, or a line with round corners."""
    points = [QPointF(x, y) for x, y in arrow.points]
    path = QPainterPath(points[0])
    if arrow.is_arc:
        path.cubicTo(points[1], points[2], points[3])
        return path
    for at in range(1, len(points) - 1):
        before, corner, after = points[at - 1], points[at], points[at + 1]
        path.lineTo(_towards(corner, before, _CORNER * scale))
        path.quadTo(corner, _towards(corner, after, _CORNER * scale))
    path.lineTo(points[-1])
    return path


def _towards(start: QPointF, end: QPointF, distance: float) -> QPointF:
    way = end - start
    length = (way.x() ** 2 + way.y() ** 2) ** 0.5
    return start + way * (min(distance, length / 2) / length) if length else start


def _mixed(colour: QColor, other: QColor, share: float) -> QColor:
    """Return a colour with so much of the first."""
    rest = 1 - share
    return QColor(
        round(colour.red() * share + other.red() * rest),
        round(colour.green() * share + other.green() * rest),
        round(colour.blue() * share + other.blue() * rest),
    )
