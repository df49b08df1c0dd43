"""Lets a photo run through the drawing of its network, a stage each half second."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

from gui.inside.network_canvas import NetworkCanvas
from gui.motion import wants_little_motion

STAGE_MS = 500


class NetworkPlay(QObject):
    """Lights the stages one after the other; one a call where the system wants little to move.

    Args:
        canvas: that shows the drawing.
        tell: called with the place of each stage.
    """

    def __init__(self, canvas: NetworkCanvas, tell: Callable[[int], None]) -> None:
        super().__init__(canvas)
        self._canvas, self._tell = canvas, tell
        self._at = -1
        self._timer = QTimer(self, interval=STAGE_MS)
        self._timer.timeout.connect(self._go_on)

    @property
    def is_running(self) -> bool:
        """Return whether a photo is on its way."""
        return self._at >= 0

    def start(self) -> None:
        """Let the photo run; where it is on its way already, stop it."""
        if self._timer.isActive():
            self.stop()
            return
        if not self.is_running:
            self._canvas.fit()
        if not wants_little_motion():
            self._timer.start()
        self._go_on()

    def stop(self) -> None:
        """Light nothing any more."""
        self._timer.stop()
        self._at = -1
        self._canvas.light(frozenset())

    @Slot()
    def _go_on(self) -> None:
        drawing = self._canvas.drawing
        stages = () if drawing is None else drawing.boxes[0].children
        self._at += 1
        if self._at >= len(stages):
            self.stop()
        else:
            self._canvas.light(frozenset({stages[self._at]}))
            self._tell(stages[self._at])
