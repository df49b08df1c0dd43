"""The canvas that shows one photo: fit, zoom at the pointer, pan, and a map laid over it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.language import tr
from gui import theme

_STEP = 1.25
_CLOSEST = 32.0
_MARGIN = 12
_WHEEL_NOTCH = 120


class PhotoCanvas(QWidget):
    """Paints a photo, optionally darkened outside what the model saw."""

    zoom_changed = Signal(float)
    """Screen pixels a photo pixel, in device-independent pixels."""
    stepped = Signal(int)
    """The arrow keys ask for the next photo (1) or the one before (-1)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._photo = QImage()
        self._seen = QImage()
        self._box: QRectF | None = None
        self._map = QImage()
        self._show_seen = False
        self._opacity = 0.7
        self._zoom = 1.0
        self._fitted = True
        self._middle = QPointF()
        self._grabbed: QPointF | None = None
        self._message = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Photo"))

    # What is shown

    def set_photo(self, photo: QImage, seen: QImage, box: QRectF | None) -> None:
        """Show a photo.

        Args:
            photo: upright.
            seen: what the model saw, or a null picture.
            box: where that lies on the photo; None where it cannot be laid over it.
        """
        same_size = photo.size() == self._photo.size()
        self._photo, self._seen, self._box = photo, seen, box
        self._message = ""
        self._map = QImage()
        if not same_size:
            self._fitted = True
        self._refit()

    def set_message(self, text: str) -> None:
        """Show a sentence in the place of a photo."""
        self._photo, self._seen, self._map, self._box = QImage(), QImage(), QImage(), None
        self._message = text
        self.update()

    def set_map(self, grey: QImage) -> None:
        """Lay a feature map over what the model saw; a null picture takes it away."""
        self._map = grey
        self._refit()

    def set_opacity(self, opacity: float) -> None:
        """Set how strongly the map covers the photo, 0..1."""
        self._opacity = opacity
        self.update()

    def set_show_seen(self, shown: bool) -> None:
        """Show the very pixels that went into the network, in their place."""
        self._show_seen = shown
        self._refit()

    @property
    def zoom(self) -> float:
        """Return screen pixels a photo pixel."""
        return self._zoom

    # Zoom

    def fit(self) -> None:
        """Show the whole photo."""
        self._fitted = True
        self._refit()

    def zoom_by(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in or out; the point of the photo under ``at`` stays where it is."""
        self.zoom_to(self._zoom * _STEP**steps, at)

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom to so many screen pixels a photo pixel."""
        if self._whole().isEmpty():
            return
        at = at or QRectF(self.rect()).center()
        zoom = min(_CLOSEST, max(min(self._fit_zoom(), 1.0) / 2, zoom))
        before = self._to_photo(at)
        self._zoom, self._fitted = zoom, False
        self._middle += before - self._to_photo(at)
        self._hold_inside()
        self.zoom_changed.emit(self._zoom)
        self.update()

    # Geometry

    def _turned(self) -> bool:
        """Return whether the model saw the photo turned, so that only its own picture fits."""
        return self._box is None and not self._seen.isNull()

    def _alone(self) -> bool:
        return self._turned() and (self._show_seen or not self._map.isNull())

    def _seen_box(self) -> QRectF:
        if self._alone() or self._box is None:
            return QRectF(self._seen.rect())
        return self._box

    def _whole(self) -> QRectF:
        if self._alone():
            return QRectF(self._seen.rect())
        return QRectF(self._photo.rect())

    def _fit_zoom(self) -> float:
        whole = self._whole()
        across = (self.width() - 2 * _MARGIN) / max(1.0, whole.width())
        down = (self.height() - 2 * _MARGIN) / max(1.0, whole.height())
        return max(0.01, min(across, down))

    def _refit(self) -> None:
        if self._fitted and not self._whole().isEmpty():
            self._zoom = self._fit_zoom()
            self._middle = self._whole().center()
            self.zoom_changed.emit(self._zoom)
        self._hold_inside()
        self.update()

    def _hold_inside(self) -> None:
        whole = self._whole()
        self._middle.setX(min(whole.right(), max(whole.left(), self._middle.x())))
        self._middle.setY(min(whole.bottom(), max(whole.top(), self._middle.y())))

    def _to_photo(self, point: QPointF) -> QPointF:
        return self._middle + (point - QRectF(self.rect()).center()) / self._zoom

    def _to_screen(self, box: QRectF) -> QRectF:
        corner = (box.topLeft() - self._middle) * self._zoom + QRectF(self.rect()).center()
        return QRectF(corner, box.size() * self._zoom)

    # Events

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(used.canvas))
        if self.hasFocus():
            painter.setPen(QColor(used.accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        if self._whole().isEmpty():
            painter.setPen(QColor(used.muted))
            area = self.rect().adjusted(40, 20, -40, -20)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, self._message)
            return
        smooth = self._zoom < 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        seen_place = self._to_screen(self._seen_box())
        if not self._alone():
            painter.drawImage(self._to_screen(self._whole()), self._photo)
        if self._show_seen and not self._seen.isNull():
            if not self._alone():
                self._darken(painter, self._to_screen(self._whole()))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(seen_place, self._seen)
            self._frame(painter, seen_place)
        if not self._map.isNull():
            if self._alone() and not self._show_seen:
                painter.drawImage(seen_place, self._seen)
            painter.setOpacity(self._opacity)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(seen_place, self._map)
            painter.setOpacity(1.0)
            self._frame(painter, seen_place)

    def _darken(self, painter: QPainter, whole: QRectF) -> None:
        painter.fillRect(whole, QColor(0, 0, 0, 150))

    def _frame(self, painter: QPainter, place: QRectF) -> None:
        painter.setPen(QPen(QColor(theme.colours().accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)

    def resizeEvent(self, event: object) -> None:
        self._refit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(event.angleDelta().y() / _WHEEL_NOTCH, event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Space: 1}
        if event.key() in steps and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.stepped.emit(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is None:
            return
        self._middle -= (event.position() - self._grabbed) / self._zoom
        self._grabbed = event.position()
        self._fitted = False
        self._hold_inside()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._fitted:
            self.zoom_to(1.0 / self.devicePixelRatioF(), event.position())
        else:
            self.fit()
