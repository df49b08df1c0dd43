"""One painting of a network's drawing: boxes, words and arrows in the screen's own pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)

from core.language import tr
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
_SIGN_WITH_WORD_PX = 20


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
        self._scale, self._dx, self._dy = transform.m11(), transform.dx(), transform.dy()
        self._holding = whole.holding(marks.chosen)
        self._used = theme.colours()
        self._font = font
        self._small = QFont(font)
        self._small.setPixelSize(round(QFontInfo(font).pixelSize() * 0.86))
        self._metrics = QFontMetricsF(font)
        self._small_metrics = QFontMetricsF(self._small)
        self._ink, self._muted = QColor(self._used.text), QColor(self._used.muted)
        self._edge = QColor(self._used.border_strong)
        self._panel, self._canvas = QColor(self._used.panel), QColor(self._used.canvas)
        self._accent, self._warning = QColor(self._used.accent), QColor(self._used.warning)

    def group(self, at: int, depth: int) -> None:
        """Paint what lies in a box that is open."""
        box = self._boxes[at]
        self._arrows(at, box)
        for child in box.children:
            self._box(child, depth + 1)
        inner = box.scale * self._scale
        if inner >= _READABLE_LINES:
            for number, arrow in enumerate(box.arrows):
                if arrow.is_arc:
                    self._arc_words(at, number, arrow)

    # Boxes

    def _box(self, at: int, depth: int) -> None:
        box, scale, exposed = self._boxes[at], self._scale, self._exposed
        left, top = box.left * scale + self._dx, box.top * scale + self._dy
        width, height = box.width * scale, box.height * scale
        if (
            left > exposed.right() + 30
            or top > exposed.bottom() + 4
            or left + width < exposed.left() - 30
            or top + height < exposed.top() - 60
        ):
            return
        rect = QRectF(left, top, width, height)
        if box.role == "group":
            if self._whole.is_open(at, self._scale):
                self._open_group(at, box, rect, depth)
                return
            self._closed_group(at, box, rect)
        elif box.role in ("sum", "product", "join"):
            self._sign(at, box, rect)
        elif box.role in ("operation", "idle"):
            self._operation(at, box, rect)
        else:
            self._slab(box, rect, self._pen(at))
        if box.role in ("group", "layer", "input", "output"):
            self._caption(at, box, rect)

    def _pen(self, at: int, base: QColor | None = None) -> QPen:
        if at == self._marks.chosen:
            return QPen(self._accent, 3)
        if at in self._marks.lit:
            return QPen(self._warning, 3)
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
        _, does, shape = self._whole.words.lines(at)
        title = box.name
        if room >= self._metrics.height() * 0.9:
            line = QRectF(rect.left() + 10, rect.top() + 2, rect.width() - 20, room)
            line = line.intersected(self._exposed.adjusted(8, 0, -8, 0))
            painter.setFont(self._font)
            painter.setPen(self._ink)
            for parts in ((title, does, shape), (title, shape), (title,)):
                said = "   ".join(dict.fromkeys(one for one in parts if one))
                if self._metrics.horizontalAdvance(said) <= line.width():
                    break
            text = self._metrics.elidedText(said, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        self.group(at, depth)

    def _closed_group(self, at: int, box: Box, rect: QRectF) -> None:
        painter = self._painter
        painter.setPen(QPen(self._accent, 2) if at in self._holding else self._pen(at))
        painter.setBrush(self._panel)
        radius = min(10.0, rect.height() * 0.1)
        if rect.height() > 40:
            shift = min(4.0, rect.height() * 0.04)
            painter.drawRoundedRect(rect.translated(shift, -shift), radius, radius)
            painter.drawRoundedRect(rect, radius, radius)
        else:
            painter.drawRect(rect)
        if rect.height() < 12:
            return
        width, height, depth, rise = self._whole.sides(box.shape)
        whole = (width + depth, height + rise)
        fits = min(rect.width() * 0.84 / whole[0], rect.height() * 0.84 / whole[1])
        size = (whole[0] * fits, whole[1] * fits)
        inner = QRectF(
            rect.center().x() - size[0] / 2, rect.center().y() - size[1] / 2, size[0], size[1]
        )
        self._slab(box, inner, QPen(self._edge, 1))

    def _slab(self, box: Box, rect: QRectF, pen: QPen) -> None:
        """Paint maps: a front as large as they are, and as deep as there are channels."""
        painter = self._painter
        width, height, depth, rise = self._whole.sides(box.shape)
        across = rect.width() * depth / (width + depth)
        up = rect.height() * rise / (height + rise)
        front = QRectF(rect.left(), rect.top() + up, rect.width() - across, rect.height() - up)
        painter.setPen(pen)
        if across >= 1.5:
            painter.setBrush(self._whole.tint(box, self._panel, 0.55))
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
            painter.setBrush(self._whole.tint(box, self._panel, 0.3))
            painter.drawRect(front)
            return
        self._picture(front, picture)

    def _picture(self, spot: QRectF, picture: QImage) -> None:
        """Paint a picture: smaller ones smoothly, larger ones so that its cells are seen."""
        painter = self._painter
        is_smaller = picture.width() > spot.width() * painter.device().devicePixelRatio()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smaller)
        painter.drawImage(spot, picture)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(spot)

    def _operation(self, at: int, box: Box, rect: QRectF) -> None:
        painter = self._painter
        pen = self._pen(at)
        if box.role == "idle":
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(self._whole.tint(box, self._panel, 0.25))
        radius = rect.height() / 2
        painter.drawRoundedRect(rect, radius, radius)
        if rect.height() >= self._small_metrics.height():
            self._text(rect, self._whole.words.lines(at)[0], small=True, colour=self._ink)

    def _sign(self, at: int, box: Box, rect: QRectF) -> None:
        painter = self._painter
        radius = rect.height() / 2
        middle = rect.center()
        has_sides = rect.width() > rect.height() * 1.2
        painter.setPen(self._pen(at, self._ink))
        painter.setBrush(self._panel)
        if box.role == "join":
            painter.drawRoundedRect(
                QRectF(middle.x() - radius * 0.6, rect.top(), radius * 1.2, rect.height()), 3, 3
            )
            if rect.height() >= _SIGN_WITH_WORD_PX:
                height = self._small_metrics.height()
                under = QRectF(middle.x() - 50, rect.bottom() + 1, 100, height)
                said = self._whole.words.lines(at)[0]
                self._text(under, said, small=True, colour=self._muted)
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
            self._picture(spot, picture)
            if side >= 24:
                under = QRectF(spot.left() - 8, spot.bottom() + 1, side + 16, 16)
                self._text(under, names[number], small=True, colour=self._muted)

    def _names_of_paths(self, box: Box) -> tuple[str, str, str]:
        """Return what the two paths into a sum are called, in the order of its sources."""
        shortcut, is_first = "x", False
        first = self._whole.pictures.sources_of(box.step)[0]
        for arrow in self._boxes[box.parent or 0].arrows:
            if arrow.target is None or self._boxes[arrow.target] is not box:
                continue
            is_main = not arrow.is_arc and arrow.points[0][1] == arrow.points[-1][1]
            if not is_main:
                is_first = arrow.steps[0] == first
                shortcut = "x" if arrow.is_arc else tr("shortcut")
        return (shortcut, "F(x)", "Σ") if is_first else ("F(x)", shortcut, "Σ")

    # Words

    def _caption(self, at: int, box: Box, rect: QRectF) -> None:
        parent = self._boxes[box.parent or 0]
        inner = parent.scale * self._scale
        if inner < _READABLE:
            return
        lines = [one for one in self._whole.words.lines(at) if one]
        if inner < _READABLE_LINES:
            lines = lines[:1]
        room = rect.width() + (60 if box.children else 26) * inner
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
        key = (text, (self._small if small else self._font).pixelSize())
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
        top = self._transform.map(self._whole.path(parent, number)[0].pointAtPercent(0.5))
        room = abs(arrow.points[-1][0] - arrow.points[0][0]) * self._scale * 0.9
        height = self._small_metrics.height()
        spot = QRectF(top.x() - room / 2, top.y() - height - 3, room, height)
        self._text(spot, said, small=True, colour=self._ink)

    # Arrows

    def _arrows(self, parent: int, box: Box) -> None:
        painter, lit = self._painter, self._marks.lit
        inner = box.scale * self._scale
        heads = []
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setWorldTransform(self._transform)
        for number, arrow in enumerate(box.arrows):
            path, bounds = self._whole.path(parent, number)
            if not self._is_exposed(bounds):
                continue
            share = self._whole.pictures.share(*arrow.steps)
            width = 1.3 if share is None else 1.0 + 6.0 * share * min(1.0, inner)
            pen = QPen(self._warning if lit and arrow.target in lit else self._muted, width)
            pen.setCosmetic(True)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawPath(path)
            heads.append((path, pen))
        painter.resetTransform()
        if inner >= OPENS_AT:
            for path, pen in heads:
                self._head(path, pen)

    def _is_exposed(self, bounds: tuple[float, float, float, float]) -> bool:
        scale, exposed = self._scale, self._exposed
        left, top, right, bottom = bounds
        return (
            left * scale + self._dx <= exposed.right() + 4
            and top * scale + self._dy <= exposed.bottom() + 4
            and right * scale + self._dx >= exposed.left() - 4
            and bottom * scale + self._dy >= exposed.top() - 4
        )

    def _head(self, path: QPainterPath, pen: QPen) -> None:
        end = self._transform.map(path.currentPosition())
        angle = math.radians(path.angleAtPercent(1.0))
        size = _HEAD_PX + pen.widthF() * 0.6
        along = QPointF(math.cos(angle), -math.sin(angle)) * size
        across = QPointF(-along.y(), along.x()) * 0.5
        painter = self._painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        painter.drawPolygon(QPolygonF([end, end - along + across, end - along - across]))
