"""Keeps every photo of the gallery classified by the model in use."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from core.inference.predictions import Prediction
    from core.inference.runs import RunOutcome
    from gui.engine_bridge import EngineBridge
    from gui.inference.run_bar import RunBar


class Waiting:
    """Photos that wait, shared with the worker, which takes them off by iterating.

    A run keeps the one that it began with, and so cannot take what waits for its successor.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._order: deque[str] = deque()  # as text: 100,000 paths take 40 MB more
        self._files: set[str] = set()
        self._first = ""

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Path]:
        while True:
            with self._lock:
                if not self._files:
                    return
                file = self._first if self._first in self._files else self._order.popleft()
                is_waiting = file in self._files
                self._files.discard(file)
            if is_waiting:
                yield Path(file)

    def add(self, paths: Iterable[Path]) -> int:
        """Append photos and return how many are new."""
        with self._lock:
            new = [file for file in map(str, paths) if file not in self._files]
            before = len(self._files)
            self._files.update(new)
            self._order.extend(new)
            return len(self._files) - before

    def forget(self, paths: Iterable[Path]) -> int:
        """Take photos off and return how many of them waited."""
        with self._lock:
            gone = self._files.intersection(map(str, paths))
            self._files -= gone
            return len(gone)

    def put_first(self, path: Path) -> None:
        """Let a photo go before the others, where it still waits."""
        with self._lock:
            if str(path) in self._files:
                self._first = str(path)


class Classifying(QObject):
    """Photos wait here until the engine is free; photos that come later join the run."""

    predicted = Signal(list)
    """Predictions, in chunks."""
    finished = Signal()
    """Nothing waits any more, or the user has stopped."""

    def __init__(self, bridge: EngineBridge, bar: RunBar) -> None:
        super().__init__()
        self._bridge, self._bar = bridge, bar
        self._waiting = Waiting()
        self._running = False
        self._ready = False
        self._recall = True
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
        self._total += self._waiting.add(paths)
        self._start()

    def restart(self, paths: Iterable[Path], *, recall: bool = True) -> None:
        """Classify these photos anew, as a new model wants it.

        Args:
            paths: the photos.
            recall: take what the model said of them before, in this session or an earlier one;
                for photos that come after they are done, it always does.
        """
        self.hold()
        self._recall = recall
        self._ready = True
        self.add(paths)

    def hold(self) -> None:
        """Stop and forget what waits; nothing starts before ``restart``."""
        self.clear()
        self._ready = False

    def clear(self) -> None:
        """Stop and forget what waits."""
        self._bridge.drop_run()
        self._bar.clear()
        self._waiting = Waiting()
        self._running = self._stopped = False
        self._done = self._failed = self._total = 0

    def put_first(self, path: Path) -> None:
        """Let the photo that is looked at go before the others."""
        self._waiting.put_first(path)

    def forget(self, paths: Iterable[Path]) -> None:
        """Do not classify photos that were taken off the list."""
        self._total -= self._waiting.forget(paths)

    @Slot()
    def stop(self) -> None:
        """End the run at the user's wish; the photos stay, without predictions."""
        if self._running:
            self._waiting = Waiting()
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
        self._bridge.start_run(iter(self._waiting), recall=self._recall)

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
            self._waiting = Waiting()
        if self._waiting:
            self._start()  # photos that came just as the run ended, or after Stop
        else:
            self._recall = True
            self.finished.emit()
