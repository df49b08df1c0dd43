"""The drawing of a network on a sheet: to move over, to come nearer to, to walk through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from core.language import tr
from gui import theme
from gui.inside.network_marks import Marks
from gui.inside.network_sheet import NetworkSheet
from gui.widgets.plain_text import literal

if TYPE_CHECKING:
    from core.inside.drawing import Drawing
    from core.inside.walking import Way
    from gui.inside.network_painter import NetworkPainter

_STEP = 1.25
_NEAREST_PX = 12.0
"""So many pixels a unit of the innermost boxes takes at most."""

_FAR = 0.5
_OTHER_ASPECT = 1.3
_DRAG_PX = 4
_PLAIN = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
_TOLD_APART = 0.25
"""So many pixels a unit takes where one box is told from the next."""

_WAYS: dict[int, Way] = {
    Qt.Key.Key_Right: "on", Qt.Key.Key_Left: "back", Qt.Key.Key_Down: "down", Qt.Key.Key_Up: "up",
}  # fmt: skip


class NetworkCanvas(QGraphicsView):
    """Shows a network; keeps place and choice while photos change.

    Attributes:
        chosen: called when a box is chosen, with its place.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chosen: Callable[[int], None] = lambda _: None
        self.needs_drawing: Callable[[], None] = lambda: None
        """Called when the room has another shape than the drawing was made for."""
        self.moved: Callable[[], None] = lambda: None
        """Called when another part of the drawing is looked at."""
        self.marks = Marks()
        self._sheet = NetworkSheet(self)
        self._scene = QGraphicsScene(self)
        self._scene.addItem(self._sheet)
        self.setScene(self._scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setToolTip(
            literal(
                tr(
                    "Wheel: nearer, farther. Drag: move. Double click: go in.\n"
                    "Arrow keys follow the data, Enter goes in, Backspace out, Home shows all."
                )
            )
        )
        self._pressed: QPointF | None = None
        self._is_dragging = False
        self._is_fitted = True
        self._history: list[QRectF] = []
        self._reshaping = QTimer(self, interval=250, singleShot=True)
        self._reshaping.timeout.connect(self._ask_for_shape)

    # What is shown

    @property
    def drawing(self) -> Drawing | None:
        """Return the drawing that is shown."""
        painter = self._sheet.painter
        return None if painter is None else painter.drawing

    @property
    def painter(self) -> NetworkPainter | None:
        """Return what paints it."""
        return self._sheet.painter

    @property
    def aspect(self) -> float:
        """Return width by height of the room, as far as a drawing follows it."""
        return max(0.2, min(self.viewport().width() / max(1, self.viewport().height()), 6.0))

    @property
    def scale_px(self) -> float:
        """Return how many pixels a unit of the drawing takes."""
        return self.transform().m11()

    def show_drawing(self, painter: NetworkPainter | None, *, is_other: bool) -> None:
        """Show a drawing.

        Args:
            painter: of it; None shows nothing.
            is_other: whether it is another network's, or drawn anew for another room.
        """
        self._sheet.prepareGeometryChange()
        self._sheet.painter = painter
        whole = self._sheet.boundingRect()
        room = whole.adjusted(-whole.width(), -whole.height(), whole.width(), whole.height())
        self._scene.setSceneRect(room)
        if is_other:
            self._history.clear()
            self.marks = Marks()
            self.fit()
        self.viewport().update()

    def choose(self, at: int | None, *, comes_near: bool = False, goes_there: bool = True) -> None:
        """Mark a box, and bring it into sight.

        Args:
            at: its place; None marks none.
            comes_near: whether to come as near as it takes to see it.
            goes_there: whether to go there at all.
        """
        self.marks.chosen = at
        if at is not None and comes_near:
            self.show_box(at)
        elif at is not None and goes_there:
            self._bring_into_sight(at)
        self.viewport().update()

    def light(self, places: frozenset[int]) -> None:
        """Mark the boxes that the data have just reached."""
        self.marks.lit = places
        self.viewport().update()
        self.moved()  # what is shown beside is marked alike

    # Where one looks

    def fit(self) -> None:
        """Show all of the network."""
        self._is_fitted = True
        self._look_at(self._sheet.boundingRect())

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Come nearer, or go farther, with one place of the screen staying where it is."""
        whole = self._sheet.boundingRect()
        if self.drawing is None or whole.width() <= 0:
            return
        least = _FAR * min(
            self.viewport().width() / whole.width(), self.viewport().height() / whole.height()
        )
        wanted = min(max(self.scale_px * factor, least), self._nearest())
        spot = around or QPointF(self.viewport().rect().center())
        fixed = self._to_drawing(spot)
        self._set_view(wanted, fixed, spot)
        self._is_fitted = False

    def place_of_chosen(self) -> QPointF | None:
        """Return where the chosen box is on the screen; None where it is not seen."""
        drawing, at = self.drawing, self.marks.chosen
        if drawing is None or at is None:
            return None
        middle = QRectF(*drawing.boxes[at].rect).center()
        return self.viewportTransform().map(middle) if self.seen.contains(middle) else None

    def show_box(self, at: int) -> None:
        """Come to a box, so that what lies in it is seen; all of the network for the first."""
        drawing = self.drawing
        if drawing is None:
            return
        self._history.append(self.seen)
        self._is_fitted = at == 0
        if at == 0:
            if self._sheet.painter is not None:
                self._sheet.painter.open(0)
            self._look_at(self._sheet.boundingRect())
            return
        group = at if drawing.boxes[at].children else drawing.boxes[at].parent or 0
        painter = self._sheet.painter
        assert painter is not None
        painter.open(group)
        self._look_at(QRectF(*drawing.boxes[group].rect))
        box = drawing.boxes[at]
        parent = drawing.boxes[box.parent or 0]
        if group != at and self.scale_px * parent.scale < _TOLD_APART:
            middle = QPointF(self.viewport().rect().center())
            self._set_view(1 / parent.scale, QRectF(*box.rect).center(), middle)

    def go_back(self) -> bool:
        """Look where one looked before; return whether there is such a place."""
        if not self._history:
            return False
        self._is_fitted = False
        self._look_at(self._history.pop(), fills=1.0)
        return True

    # Keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if self.drawing is None or event.modifiers() & ~_PLAIN:
            super().keyPressEvent(event)
        elif key in _WAYS:
            self._walk(_WAYS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter()
        elif key == Qt.Key.Key_Backspace:
            self._leave()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / _STEP)
        elif key == Qt.Key.Key_Home:
            self.show_box(0)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        self.zoom(_STEP ** (turned / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._is_dragging = event.position(), False
            self.setFocus()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            self._point(event.position())
            return
        moved = event.position() - self._pressed
        if not self._is_dragging and moved.manhattanLength() < _DRAG_PX:
            return
        self._is_dragging, self._is_fitted = True, False
        self._set_view(self.scale_px, self._to_drawing(self._pressed), event.position())
        self._pressed = event.position()
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        was_click = self._pressed is not None and not self._is_dragging
        self._pressed, self._is_dragging = None, False
        self.viewport().unsetCursor()
        at = self._at(event.position())
        if was_click and at:
            self._choose(at)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position())
        if self.drawing is not None and (not at or self.drawing.boxes[at].children):
            self.show_box(at)

    def leaveEvent(self, _: object) -> None:
        self._point(QPointF(-1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._is_fitted:
            self.fit()
        self._reshaping.start()

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.fillRect(rect, QColor(theme.colours().canvas))

    # Inside

    def _choose(self, at: int) -> None:
        self.marks.chosen = at
        self.viewport().update()
        self.chosen(at)

    def _point(self, position: QPointF) -> None:
        at = self._at(position) or None
        if at != self.marks.pointed:
            self.marks.pointed = at
            self.viewport().update()

    def _at(self, position: QPointF) -> int:
        painter = self._sheet.painter
        if painter is None or not self.viewport().rect().contains(position.toPoint()):
            return 0
        spot = self._to_drawing(position)
        return painter.at(spot.x(), spot.y(), self.scale_px)

    def _to_drawing(self, position: QPointF) -> QPointF:
        inverted, _ = self.viewportTransform().inverted()
        return inverted.map(position)

    @property
    def seen(self) -> QRectF:
        """Return the part of the drawing that is looked at."""
        corner = self._to_drawing(QPointF(0, 0))
        scale = self.scale_px
        return QRectF(
            corner.x(),
            corner.y(),
            self.viewport().width() / scale,
            self.viewport().height() / scale,
        )

    def _set_view(self, scale: float, fixed: QPointF, spot: QPointF) -> None:
        """Show the drawing so large, with one of its places at one of the screen."""
        self.setTransform(QTransform.fromScale(scale, scale))
        middle = QPointF(self.viewport().rect().center())
        self.centerOn(fixed + (middle - spot) / scale)
        self.moved()

    def look_like(self, other: NetworkCanvas) -> None:
        """Look at the same part as another does."""
        seen = other.seen
        self._is_fitted = False
        self.setTransform(other.transform())
        self.centerOn(seen.center())
        self.viewport().update()

    def _look_at(self, rect: QRectF, fills: float = 0.98) -> None:
        if rect.isEmpty() or self.viewport().size().isEmpty():
            return
        scale = fills * min(
            self.viewport().width() / rect.width(), self.viewport().height() / rect.height()
        )
        middle = QPointF(self.viewport().rect().center())
        self._set_view(min(scale, self._nearest()), rect.center(), middle)

    def _nearest(self) -> float:
        drawing = self.drawing
        return _NEAREST_PX / min((box.scale for box in drawing.boxes), default=1) if drawing else 1

    def _ask_for_shape(self) -> None:
        drawing = self.drawing
        if drawing is None or not self.isVisible():
            return
        drawn = drawing.aspect
        if max(drawn / self.aspect, self.aspect / drawn) > _OTHER_ASPECT:
            self.needs_drawing()

    # Walking

    def _walk(self, way: Way) -> None:
        from core.inside.walking import walk

        at = None if self.drawing is None else walk(self.drawing, self.marks.chosen, way)
        if at is None:
            return
        self._choose(at)
        self._bring_into_sight(at)

    def _enter(self) -> None:
        drawing, at = self.drawing, self.marks.chosen
        if drawing is None or at is None:
            self._walk("on")
            return
        if drawing.boxes[at].children:
            self.show_box(at)
            self._choose(drawing.boxes[at].children[0])
            self._bring_into_sight(drawing.boxes[at].children[0])

    def _leave(self) -> None:
        """Go out of the box in which the chosen one lies."""
        at = self.marks.chosen
        if at is None or self._parent(at) == 0:
            self.show_box(0)
            return
        parent = self._parent(at)
        self._choose(parent)
        self.show_box(self._parent(parent))

    def _parent(self, at: int) -> int:
        drawing = self.drawing
        assert drawing is not None
        return drawing.boxes[at].parent or 0

    def _bring_into_sight(self, at: int) -> None:
        """Open what a box lies in, and go to it, where that takes anything."""
        painter = self._sheet.painter
        if painter is None:
            return
        if not painter.is_seen(at, self.scale_px):
            self.show_box(self._parent(at))
        middle = QRectF(*painter.drawing.boxes[at].rect).center()
        if not self.seen.contains(middle):
            self._is_fitted = False
            self._set_view(self.scale_px, middle, QPointF(self.viewport().rect().center()))
