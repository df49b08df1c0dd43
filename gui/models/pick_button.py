"""A button that shows what is picked: a caption, and the value under it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui import theme
from gui.widgets.plain_text import literal

_PADDING = 10
_ICON_PX = 18
_CHEVRON_PX = 12


class PickButton(QAbstractButton):
    """Two lines of text between an icon and a chevron; takes the focus like any button."""

    def __init__(self, caption: str, width_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = caption
        self._icon = ""
        self._value = ""
        self._width_px = width_px
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def value(self) -> str:
        """Return what is picked."""
        return self._value

    def set_value(self, value: str, tool_tip: str = "") -> None:
        """Show what is picked."""
        self._value = value
        self.setToolTip(literal(tool_tip or value))
        self.setAccessibleName(f"{self._caption}: {value}")
        self.update()

    def draw_icon(self, name: str) -> None:
        """Draw an icon and the chevron from now on."""
        self._icon = name
        self.update()

    def below(self) -> QPoint:
        """Return where a menu opens, in screen coordinates."""
        return self.mapToGlobal(QPoint(0, self.height() + 4))

    def sizeHint(self) -> QSize:
        return QSize(self._width_px, 2 * self.fontMetrics().height() + 12)

    def minimumSizeHint(self) -> QSize:
        return QSize(110, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        hovered = self.underMouse()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(used.hover if hovered or self.isDown() else used.panel))
        painter.setPen(QColor(used.accent if self.hasFocus() else used.border_strong))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 7, 7)
        middle = self.height() // 2
        right = self.width() - _PADDING - _CHEVRON_PX
        if self._icon:
            self._draw_icon(painter, self._icon, used.accent, _PADDING, middle, _ICON_PX)
            self._draw_icon(painter, "chevron-down", used.muted, right, middle, _CHEVRON_PX)
        left = 2 * _PADDING + _ICON_PX
        small = QFont(self.font())
        small.setPointSizeF(small.pointSizeF() * 0.85)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        small_height = QFontMetrics(small).height()
        height = small_height + QFontMetrics(bold).height()
        line = QRect(left, middle - height // 2, right - left - 6, small_height)
        painter.setFont(small)
        painter.setPen(QColor(used.muted))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, self._caption)
        metrics = QFontMetrics(bold)
        line = QRect(left, line.bottom() + 1, line.width(), metrics.height())
        painter.setFont(bold)
        painter.setPen(QColor(used.text))
        value = metrics.elidedText(self._value, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextDontClip, value)

    def _draw_icon(
        self, painter: QPainter, name: str, colour: str, left: int, middle: int, size_px: int
    ) -> None:
        ratio = self.devicePixelRatioF()
        picture = theme.pixmap(name, colour, round(size_px * ratio))
        painter.drawPixmap(QRect(left, middle - size_px // 2, size_px, size_px), picture)
