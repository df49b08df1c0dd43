"""One painting of a network's drawing: boxes, words and arrows in the screen's own pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)

from core.inside.drawing import depth_of, front_size
from gui import theme
from gui.inside.network_marks import OPENS_AT

if TYPE_CHECKING:
    from core.inside.drawing import Arrow, Box
    from gui.inside.network_marks import Marks
    from gui.inside.network_painter import NetworkPainter

_READABLE = 0.42
_READABLE_LARGE = 0.62
_READABLE_LINES = 0.8
_HEAD_PX = 5.5


class Strokes:
    """Paints what is seen, once.

    Args:
        whole: knows the drawing, its words and its pictures.
        painter: whose transformation is none.
        transform: from the drawing to pixels; scales and moves alone.
        exposed: what is to be painted, in pixels.
        marks: what is marked.
        font: of the words.
    """

    def __init__(
        self,
        whole: NetworkPainter,
        painter: QPainter,
        transform: QTransform,
        exposed: QRectF,
        marks: Marks,
        font: QFont,
    ) -> None:
        self._whole, self._painter, self._marks = whole, painter, marks
        self._boxes = whole.drawing.boxes
        self._transform, self._exposed = transform, exposed
        self._scale = transform.m11()
        self._used = theme.colours()
        self._font = font
        self._small = QFont(font)
        self._small.setPointSizeF(font.pointSizeF() * 0.86)
        self._metrics = QFontMetricsF(font)
        self._small_metrics = QFontMetricsF(self._small)
        self._ink, self._muted = QColor(self._used.text), QColor(self._used.muted)
        self._edge = QColor(self._used.border_strong)
        self._panel, self._canvas = QColor(self._used.panel), QColor(self._used.canvas)
        self._accent = QColor(self._used.accent)

    def group(self, at: int, depth: int) -> None:
        """Paint what lies in a box that is open."""
        box = self._boxes[at]
        for number, arrow in enumerate(box.arrows):
            self._arrow(at, number, arrow)
        for child in box.children:
            self._box(child, depth + 1)
        inner = box.scale * self._scale
        if inner >= _READABLE_LINES:
            for number, arrow in enumerate(box.arrows):
                if arrow.is_arc:
                    self._arc_words(at, number, arrow)

    # Boxes

    def _rect(self, box: Box) -> QRectF:
        moved = self._transform
        return QRectF(
            box.left * self._scale + moved.dx(),
            box.top * self._scale + moved.dy(),
            box.width * self._scale,
            box.height * self._scale,
        )

    def _box(self, at: int, depth: int) -> None:
        box = self._boxes[at]
        rect = self._rect(box)
        around = rect.adjusted(-30, -4, 30, 60)
        if not around.intersects(self._exposed):
            return
        if box.role == "group":
            if self._whole.is_open(at, self._scale):
                self._open_group(at, box, rect, depth)
                return
            self._closed_group(at, box, rect)
        elif box.role in ("sum", "product", "join"):
            self._sign(at, box, rect)
        elif box.role == "operation":
            self._operation(at, box, rect)
        else:
            self._slab(box, rect, self._pen(at))
        if box.role in ("group", "layer", "input", "output"):
            self._caption(at, box, rect)

    def _pen(self, at: int, base: QColor | None = None) -> QPen:
        if at == self._marks.chosen:
            return QPen(self._accent, 3)
        if at in self._marks.lit:
            return QPen(QColor(self._used.warning), 3)
        if at == self._marks.pointed:
            return QPen(self._accent, 1.6)
        return QPen(base or self._edge, 1)

    def _open_group(self, at: int, box: Box, rect: QRectF, depth: int) -> None:
        painter = self._painter
        painter.setPen(self._pen(at))
        painter.setBrush(self._panel if depth % 2 else self._canvas)
        radius = min(12.0, rect.height() * 0.06)
        painter.drawRoundedRect(rect, radius, radius)
        room = min(rect.height() * 0.12, self._metrics.height() + 10)
        title, does, shape = self._whole.words.lines(at)
        if room >= self._metrics.height() * 0.9:
            line = QRectF(rect.left() + 10, rect.top() + 2, rect.width() - 20, room)
            line = line.intersected(self._exposed.adjusted(8, 0, -8, 0))
            painter.setFont(self._font)
            painter.setPen(self._ink)
            for parts in ((title, does, shape), (title, shape), (title,)):
                said = "   ".join(one for one in parts if one)
                if self._metrics.horizontalAdvance(said) <= line.width():
                    break
            text = self._metrics.elidedText(said, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        self.group(at, depth)

    def _closed_group(self, at: int, box: Box, rect: QRectF) -> None:
        painter = self._painter
        painter.setPen(self._pen(at))
        painter.setBrush(self._panel)
        radius = min(10.0, rect.height() * 0.1)
        if rect.height() > 24:
            shift = min(4.0, rect.height() * 0.04)
            painter.drawRoundedRect(rect.translated(shift, -shift), radius, radius)
        painter.drawRoundedRect(rect, radius, radius)
        if rect.height() < 12:
            return
        width, height = front_size(box.shape)
        depth = depth_of(box.shape)
        whole = (width + depth, height + depth * 0.32)
        fits = min(rect.width() * 0.84 / whole[0], rect.height() * 0.84 / whole[1])
        size = (whole[0] * fits, whole[1] * fits)
        inner = QRectF(
            rect.center().x() - size[0] / 2, rect.center().y() - size[1] / 2, size[0], size[1]
        )
        self._slab(box, inner, QPen(self._edge, 1))

    def _slab(self, box: Box, rect: QRectF, pen: QPen) -> None:
        """Paint maps: a front as large as they are, and as deep as there are channels."""
        painter = self._painter
        tint = self._whole.tint(box)
        width, _ = front_size(box.shape)
        depth = depth_of(box.shape)
        across = rect.width() * depth / (width + depth)
        up = across * 0.32
        front = QRectF(rect.left(), rect.top() + up, rect.width() - across, rect.height() - up)
        painter.setPen(pen)
        if across >= 1.5:
            painter.setBrush(_mixed(tint, self._panel, 0.55))
            painter.drawPolygon(
                QPolygonF([
                    front.topLeft(),
                    QPointF(front.left() + across, rect.top()),
                    QPointF(rect.right(), rect.top()),
                    QPointF(rect.right(), front.bottom() - up),
                    front.bottomRight(),
                    front.bottomLeft(),
                ])
            )  # fmt: skip
            painter.drawLine(front.topRight(), QPointF(rect.right(), rect.top()))
        picture = self._whole.pictures.of(box.step)
        if picture is None:
            painter.setBrush(_mixed(tint, self._panel, 0.3))
            painter.drawRect(front)
            return
        painter.drawImage(front, picture)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(front)

    def _operation(self, at: int, box: Box, rect: QRectF) -> None:
        painter = self._painter
        painter.setPen(self._pen(at))
        painter.setBrush(_mixed(self._whole.tint(box), self._panel, 0.25))
        radius = rect.height() / 2
        painter.drawRoundedRect(rect, radius, radius)
        if rect.height() >= self._small_metrics.height():
            self._text(rect, self._whole.words.lines(at)[0], small=True, colour=self._ink)

    def _sign(self, at: int, box: Box, rect: QRectF) -> None:
        painter = self._painter
        radius = rect.height() / 2
        middle = rect.center()
        has_sides = rect.width() > rect.height() * 1.2
        if has_sides:
            painter.setPen(QPen(self._muted, 1.4))
            painter.drawLine(QPointF(rect.left(), middle.y()), QPointF(rect.right(), middle.y()))
        painter.setPen(self._pen(at, self._ink))
        painter.setBrush(self._panel)
        if box.role == "join":
            painter.drawRoundedRect(
                QRectF(middle.x() - radius * 0.6, rect.top(), radius * 1.2, rect.height()), 3, 3
            )
            return
        painter.drawEllipse(middle, radius, radius)
        reach = radius * 0.5
        painter.setPen(QPen(self._ink, max(1.0, radius * 0.14)))
        if box.role == "sum":
            painter.drawLine(middle - QPointF(reach, 0), middle + QPointF(reach, 0))
            painter.drawLine(middle - QPointF(0, reach), middle + QPointF(0, reach))
        else:
            painter.drawLine(
                middle - QPointF(reach, reach) * 0.75, middle + QPointF(reach, reach) * 0.75
            )
            painter.drawLine(
                middle - QPointF(reach, -reach) * 0.75, middle + QPointF(reach, -reach) * 0.75
            )
        if has_sides:
            self._summed(at, box, rect)

    def _summed(self, at: int, box: Box, rect: QRectF) -> None:
        """Paint what is added and the sum at one scale, under the sign."""
        trio = self._whole.pictures.of_sum(box.step)
        if trio is None or rect.height() < 14:
            return
        side = rect.width() * 0.3
        top = rect.bottom() + rect.height() * 0.25
        step = rect.width() * 0.35
        names = self._names_of_paths(box)
        for number, picture in enumerate(trio):
            spot = QRectF(rect.left() + number * step, top, side, side)
            self._painter.setPen(QPen(self._edge, 1))
            self._painter.drawImage(spot, picture)
            self._painter.setBrush(Qt.BrushStyle.NoBrush)
            self._painter.drawRect(spot)
            if side >= 24:
                under = QRectF(spot.left() - 8, spot.bottom() + 1, side + 16, 16)
                self._text(under, names[number], small=True, colour=self._muted)

    def _names_of_paths(self, box: Box) -> tuple[str, str, str]:
        parent = self._boxes[box.parent or 0]
        sources = [
            arrow.steps[0] for arrow in parent.arrows
            if arrow.is_arc and arrow.steps[1] == box.step
        ]  # fmt: skip
        first = self._whole.pictures.sources_of(box.step)[0]
        is_shortcut_first = first in sources
        return ("x", "F(x)", "Σ") if is_shortcut_first else ("F(x)", "x", "Σ")

    # Words

    def _caption(self, at: int, box: Box, rect: QRectF) -> None:
        parent = self._boxes[box.parent or 0]
        inner = parent.scale * self._scale
        if inner < _READABLE:
            return
        lines = [one for one in self._whole.words.lines(at) if one]
        if inner < _READABLE_LINES:
            lines = lines[:1]
        room = rect.width() + 26 * inner
        y = rect.bottom() + 2
        is_small = inner < _READABLE_LARGE
        for number, text in enumerate(lines):
            small = is_small or number > 0
            height = (self._small_metrics if small else self._metrics).height()
            spot = QRectF(rect.center().x() - room / 2, y, room, height)
            self._text(spot, text, small=small, colour=self._muted if number else self._ink)
            y += height - 1

    def _text(self, rect: QRectF, text: str, *, small: bool, colour: QColor) -> None:
        metrics = self._small_metrics if small else self._metrics
        key = (text, small)
        widths = self._whole.widths
        if key not in widths:
            widths[key] = metrics.horizontalAdvance(text)
        width = widths[key]
        if width > rect.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
            width = metrics.horizontalAdvance(text)
        painter = self._painter
        painter.setFont(self._small if small else self._font)
        painter.setPen(colour)
        y = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
        painter.drawText(QPointF(rect.center().x() - width / 2, y), text)

    def _arc_words(self, parent: int, number: int, arrow: Arrow) -> None:
        said = self._whole.words.shortcut(parent, arrow)
        if not said:
            return
        top = self._transform.map(self._whole.path(parent, number).pointAtPercent(0.5))
        room = abs(arrow.points[-1][0] - arrow.points[0][0]) * self._scale * 0.9
        height = self._small_metrics.height()
        spot = QRectF(top.x() - room / 2, top.y() - height - 3, room, height)
        self._text(spot, said, small=True, colour=self._ink)

    # Arrows

    def _arrow(self, parent: int, number: int, arrow: Arrow) -> None:
        painter, path = self._painter, self._whole.path(parent, number)
        bounds = self._transform.mapRect(path.boundingRect())
        if not bounds.adjusted(-4, -4, 4, 4).intersects(self._exposed):
            return
        share = self._whole.pictures.share(*arrow.steps)
        is_lit = arrow.target is not None and arrow.target in self._marks.lit
        pen = QPen(QColor(self._used.warning) if is_lit else self._muted, 1.3)
        if share is not None:
            pen.setWidthF(1.0 + 6.0 * share * min(1.0, self._boxes[parent].scale * self._scale))
        pen.setCosmetic(True)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setWorldTransform(self._transform)
        painter.drawPath(path)
        painter.resetTransform()
        if self._boxes[parent].scale * self._scale >= OPENS_AT:
            self._head(path, pen)

    def _head(self, path: QPainterPath, pen: QPen) -> None:
        end = self._transform.map(path.currentPosition())
        angle = path.angleAtPercent(1.0)
        size = _HEAD_PX + pen.widthF() * 0.6
        painter = self._painter
        painter.save()
        painter.translate(end)
        painter.rotate(-angle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        painter.drawPolygon(
            QPolygonF([QPointF(0, 0), QPointF(-size, -size * 0.5), QPointF(-size, size * 0.5)])
        )
        painter.restore()


def _mixed(colour: QColor, other: QColor, share: float) -> QColor:
    """Return a colour with so much of the first."""
    rest = 1 - share
    return QColor(
        round(colour.red() * share + other.red() * rest),
        round(colour.green() * share + other.green() * rest),
        round(colour.blue() * share + other.blue() * rest),
    )
