"""The bar at the bottom: progress, speed, time left, Stop, and the problems."""

from __future__ import annotations

import time

from PySide6.QtCore import QElapsedTimer, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from core.language import number, tr, tr_n
from gui import theme
from gui.widgets.plain_text import PlainLabel

_SECONDS_BEFORE_RATE = 0.5


_TEXT_EVERY_MS = 200
_NOTE_MS = 12_000
"""After which what was done once is old, and would only be taken for what happened last."""


class RunBar(QWidget):
    """Tells how far a run is; what happened otherwise stands in its text.

    Attributes:
        stop: the button that ends a run.
        go_on: the button that takes it up again.
        problems: the button that shows what went wrong.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = PlainLabel()
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedWidth(220)
        self._bar.setAccessibleName(tr("Progress"))
        self.stop = QPushButton(tr("Stop"))
        self.stop.setToolTip(tr("Stop classifying (Esc)"))
        self.go_on = QPushButton(tr("Continue"))
        self.go_on.setToolTip(tr("Classify the photos that are left"))
        self.problems = QPushButton()
        theme.set_icon(self.problems, "triangle-alert", "warning")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.setSpacing(12)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._bar)
        layout.addWidget(self.stop)
        layout.addWidget(self.go_on)
        layout.addWidget(self.problems)
        self._clock = QElapsedTimer()
        self._forgetting = QTimer(self, singleShot=True, interval=_NOTE_MS)
        self._forgetting.timeout.connect(self._forget)
        self._said_ms = 0
        self._bar.hide()
        self.stop.hide()
        self.go_on.hide()
        self.problems.hide()

    def begin(self) -> None:
        """Start counting."""
        self._clock.start()
        self._forgetting.stop()
        self._said_ms = -_TEXT_EVERY_MS
        self._bar.show()
        self.go_on.hide()
        self.stop.setEnabled(True)
        self.stop.show()

    def advance(self, done: int, total: int) -> None:
        """Show how many photos of how many are classified."""
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        now_ms = self._clock.elapsed()
        if 0 < done < total and now_ms - self._said_ms < _TEXT_EVERY_MS:
            return  # a new text lays the whole window out anew
        self._said_ms = now_ms
        seconds = now_ms / 1000
        text = tr("Classifying {done} of {total}", done=done, total=total)
        if seconds > _SECONDS_BEFORE_RATE and done:
            text += f"  ·  {pace(done, seconds)}"
            left = _duration((total - done) * seconds / done)
            text += "  ·  " + tr("{time} left", time=left)
        self._text.setText(text)

    def stopping(self) -> None:
        """Show that Stop was heard."""
        self.stop.setEnabled(False)
        self._text.setText(tr("Stopping…"))

    def end(self, done: int, failed: int, left: int) -> None:
        """Show the outcome.

        Args:
            done: photos that were classified, or could not be.
            failed: those that could not be.
            left: photos that were not reached, as the user has stopped before.
        """
        seconds = self._clock.elapsed() / 1000
        had_focus = self.stop.hasFocus()
        self._bar.hide()
        self.go_on.setVisible(left > 0)
        if had_focus and left:  # else it would go to whatever stands next
            self.go_on.setFocus()
        self.stop.hide()
        good = done - failed
        if left:
            text = tr_n("Stopped after {n} photo.", "Stopped after {n} photos.", good)
            text += "  ·  " + tr("{n} left", n=number(left))
        elif done:
            text = tr_n(
                "{n} photo classified in {time}",
                "{n} photos classified in {time}",
                good,
                time=_duration(seconds),
            )
        else:
            text = tr("No photo was classified.")
        if failed:
            text += "  ·  " + tr("{n} could not be read", n=failed)
        self._text.setText(text)

    def clear(self) -> None:
        """Take bar and buttons away; what was running is no longer wanted."""
        for widget in (self._bar, self.stop, self.go_on):
            widget.hide()
        self._forgetting.stop()
        self._text.clear()

    def say(self, text: str) -> None:
        """Show what is going on beside runs, or what has come of it."""
        self._text.setText(text)
        self._forgetting.stop()
        if not text.endswith("…"):  # else it is going on
            self._forgetting.start()
        if self._bar.maximum() == 0:
            self._bar.hide()

    @Slot()
    def _forget(self) -> None:
        if self.stop.isHidden():
            self._text.clear()

    def show_busy(self, text: str) -> None:
        """Show that something is going on whose end nobody knows."""
        self._forgetting.stop()
        self._text.setText(text)
        self._bar.setRange(0, 0)
        self._bar.show()

    def show_problems(self, count: int) -> None:
        """Offer the list of problems."""
        self.problems.setVisible(count > 0)
        self.problems.setText(tr("Problems ({n})", n=count))


def pace(done: int, seconds: float) -> str:
    """Return how fast photos are done, in whichever unit gives a number above one."""
    if done >= seconds:
        return tr("{rate} photos/s", rate=number(done / seconds))
    return tr("{seconds} s a photo", seconds=number(seconds / done, 1))


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "< 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return time.strftime("%M:%S", time.gmtime(seconds)).lstrip("0") + " min"
    return f"{number(seconds / 3600, 1)} h"
