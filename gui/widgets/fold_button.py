"""A line that says what stands folded behind it, and unfolds it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from core.language import tr
from gui.widgets.plain_text import literal

_AROUND_PX = 28
_LEAST_PX = 140
_FOLDED, _UNFOLDED = "▾", "▴"


class FoldButton(QToolButton):
    """On while the details are unfolded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._follow: Callable[[bool], object] = lambda _: None
        self.setCheckable(True)
        self.setObjectName("foldButton")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.toggled.connect(self.unfold)
        self.say(tr("Loading…"))

    def when_unfolded(self, follow: Callable[[bool], object]) -> None:
        """Let something follow whether the details are to be seen."""
        self._follow = follow

    def say(self, text: str) -> None:
        """Show what stands behind it."""
        self._text = text
        self.setAccessibleName(text)
        self.setToolTip(literal(text))
        self.updateGeometry()
        self._fit()

    def unfold(self, unfolded: bool) -> None:
        """Show the details, or this line alone."""
        self.setChecked(unfolded)
        self._follow(unfolded)
        self._fit()

    def sizeHint(self) -> QSize:
        wanted = self.fontMetrics().horizontalAdvance(f"{self._text} {_FOLDED}") + _AROUND_PX
        return QSize(max(_LEAST_PX, wanted), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(_LEAST_PX, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        arrow = _UNFOLDED if self.isChecked() else _FOLDED
        metrics = self.fontMetrics()
        room = self.width() - _AROUND_PX - metrics.horizontalAdvance(f" {arrow}")
        shown = metrics.elidedText(self._text, Qt.TextElideMode.ElideMiddle, room)
        self.setText(f"{shown} {arrow}".replace("&", "&&"))
