"""Keeps every photo of the gallery classified by the model in use."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from core.inference.engine import RunOutcome
    from core.inference.predictions import Prediction
    from gui.engine_bridge import EngineBridge
    from gui.inference.run_bar import RunBar


class Classifying(QObject):
    """Photos wait here until the engine is free; photos that come later join the run."""

    predicted = Signal(list)
    """Predictions, in chunks."""
    finished = Signal()
    """Nothing waits any more, or the user has stopped."""

    def __init__(self, bridge: EngineBridge, bar: RunBar) -> None:
        super().__init__()
        self._bridge, self._bar = bridge, bar
        self._waiting: deque[Path] = deque()
        self._running = False
        self._ready = False
        self._stopped = False
        self._done = 0
        self._failed = 0
        self._total = 0
        bridge.predictions_ready.connect(self._take)
        bridge.run_finished.connect(self._end)
        bar.stop_clicked.connect(self.stop)

    @property
    def is_running(self) -> bool:
        """Return whether photos are being classified."""
        return self._running

    def add(self, paths: Iterable[Path]) -> None:
        """Classify more photos, after those that wait already."""
        before = len(self._waiting)
        self._waiting.extend(paths)
        self._total += len(self._waiting) - before
        self._start()

    def restart(self, paths: Iterable[Path]) -> None:
        """Classify these photos anew, as a new model wants it."""
        self.hold()
        self._ready = True
        self.add(paths)

    def resume(self) -> None:
        """Go on after a model was refused and the one before stays."""
        self._ready = True
        self._start()

    def hold(self) -> None:
        """Stop and forget what waits; nothing starts before ``restart`` or ``resume``."""
        self._bridge.drop_run()
        self._waiting = deque()
        self._running, self._ready, self._stopped = False, False, False
        self._done = self._failed = self._total = 0

    def put_first(self, path: Path) -> None:
        """Let the photo that is looked at go before the others."""
        with contextlib.suppress(ValueError):  # the worker may have taken it meanwhile
            self._waiting.remove(path)
            self._waiting.appendleft(path)

    @Slot()
    def stop(self) -> None:
        """End the run at the user's wish; the photos stay, without predictions."""
        if self._running:
            self._waiting = deque()
            self._stopped = True
            self._bar.stopping()
            self._bridge.stop_run()

    def _start(self) -> None:
        if self._running or not self._ready or not self._waiting:
            return
        self._running, self._stopped = True, False
        self._done, self._failed, self._total = 0, 0, len(self._waiting)
        self._bar.begin()
        self._bar.advance(0, self._total)
        self._bridge.start_run(taken_from(self._waiting))

    @Slot(list)
    def _take(self, predictions: list[Prediction]) -> None:
        self._done += len(predictions)
        self._failed += sum(one.reason is not None for one in predictions)
        self._bar.advance(self._done, self._total)
        self.predicted.emit(predictions)

    @Slot(object)
    def _end(self, outcome: RunOutcome | None) -> None:
        self._running = False
        self._bar.end(self._done, self._failed, stopped=self._stopped or outcome is None)
        if outcome is None:  # it broke; going on would break again
            self._waiting = deque()
        if self._waiting:
            self._start()  # photos that came just as the run ended, or after Stop
        else:
            self.finished.emit()


def taken_from(waiting: deque[Path]) -> Iterator[Path]:
    """Yield what waits, taking it off. Runs in the worker; a deque may be shared.

    A run keeps the deque it began with, and so cannot take what waits for its successor.
    """
    with contextlib.suppress(IndexError):
        while True:
            yield waiting.popleft()
