"""Keeps every photo of the list classified by the model in use."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from core.inference.classifying import Batch, Classify, ClassifyFirst

if TYPE_CHECKING:
    from core.inference.speed import Speed
    from core.work.handles import Handle
    from gui.inference.run_bar import RunBar
    from gui.session import Session
    from gui.tasks import Tasks


class Classifying(QObject):
    """Photos wait here until the worker is free; photos that come later join the run."""

    finished = Signal()
    """Nothing waits any more, or the user has stopped."""

    def __init__(self, session: Session, tasks: Tasks, bar: RunBar, speed: Speed) -> None:
        super().__init__()
        self._session, self._tasks, self._bar = session, tasks, bar
        self.speed = speed
        """Holds from the next photos on that are asked for."""
        self._waiting: dict[str, None] = {}  # as text: 100,000 paths take 40 MB more
        self._left: dict[str, None] = {}
        """What waited when the user stopped."""
        self._stream: Handle[None] | None = None
        self._first: Handle[None] | None = None
        self._is_ready = False
        self._recall = True
        self._is_stopped = False
        self._done = self._failed = self._total = 0
        bar.stop.clicked.connect(self.stop)
        bar.go_on.clicked.connect(self.go_on)

    @property
    def is_running(self) -> bool:
        """Return whether photos are being classified."""
        return self._stream is not None

    @property
    def is_stopped(self) -> bool:
        """Return whether photos are left that the user has stopped before."""
        return bool(self._left) and not self.is_running

    def add(self, paths: Iterable[Path]) -> None:
        """Classify more photos, after those that wait already."""
        before = len(self._waiting)
        self._waiting.update(dict.fromkeys(map(str, paths)))
        for file in self._left.keys() & self._waiting.keys():
            del self._left[file]
        self._total += len(self._waiting) - before
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
        self._is_ready = True
        self.add(paths)

    def hold(self) -> None:
        """Stop and forget what waits; nothing starts before ``restart``."""
        self.clear()
        self._is_ready = False

    def clear(self) -> None:
        """Stop and forget what waits; late answers are dropped."""
        for stream in (self._stream, self._first):
            if stream is not None:
                stream.drop()
        self._stream = self._first = None
        self._bar.clear()
        self._waiting.clear()
        self._left.clear()
        self._is_stopped = False
        self._done = self._failed = self._total = 0

    def put_first(self, paths: Iterable[Path]) -> None:
        """Let the photos that are looked at go before the others."""
        if self._stream is None:
            return
        first = tuple(path for path in paths if str(path) in self._waiting)
        if first:
            request = ClassifyFirst(first, recall=self._recall, speed=self.speed)
            self._first = self._tasks.stream(request, self._take)

    def forget(self, paths: Iterable[Path]) -> None:
        """Do not classify photos that were taken off the list."""
        before = len(self._waiting)
        for path in paths:
            self._waiting.pop(str(path), None)
            self._left.pop(str(path), None)
        self._bar.go_on.setVisible(self.is_stopped)
        self._total -= before - len(self._waiting)
        if self._stream is None or len(self._waiting) == before:
            return
        if self._waiting:
            self._ask()  # for the rest alone
        else:
            self.clear()

    @Slot()
    def stop(self) -> bool:
        """End the run at the user's wish; what is done stays, and the rest can go on later."""
        if self._stream is None:
            return False
        self._left.update(self._waiting)
        self._waiting.clear()
        self._is_stopped = True
        self._bar.stopping()
        self._stream.stop()
        if self._first is not None:
            self._first.drop()
        return True

    @Slot()
    def go_on(self) -> None:
        """Classify what was left when the user stopped."""
        left, self._left = self._left, {}
        self._bar.clear()
        self.add(map(Path, left))

    def _start(self) -> None:
        if self._stream is not None or not self._is_ready or not self._waiting:
            return
        self._is_stopped = False
        self._done, self._failed, self._total = 0, 0, len(self._waiting)
        self._bar.begin()
        self._bar.advance(0, self._total)
        self._ask()

    def _ask(self) -> None:
        current = str(self._session.current)
        if current in self._waiting:  # it is looked at
            files = (current, *(file for file in self._waiting if file != current))
        else:
            files = tuple(self._waiting)
        request = Classify(map(Path, files), recall=self._recall, speed=self.speed)
        self._stream = self._tasks.stream(request, self._take, self._end, self._end_broken)

    def _take(self, batches: list[Batch]) -> None:
        predictions = [
            prediction
            for batch in batches
            for prediction in batch.predictions
            if str(prediction.photo) in self._waiting or self._is_stopped
        ]
        for prediction in predictions:
            self._waiting.pop(str(prediction.photo), None)
            self._left.pop(str(prediction.photo), None)  # of the batch that Stop waited for
        self._done += len(predictions)
        self._failed += sum(prediction.reason is not None for prediction in predictions)
        self._bar.advance(self._done, self._total)
        self._session.use_device(batches[-1].device)
        self._session.note_predictions(predictions)

    def _end(self) -> None:
        if self._waiting and not self._is_stopped:
            self._ask()  # photos that came during the run
            return
        self._stream = None
        self._bar.end(self._done, self._failed, len(self._left))
        if self._waiting:
            self._start()  # photos that came after Stop
        else:
            self._recall = self._recall or not self._left
            self.finished.emit()

    def _end_broken(self, error: BaseException) -> None:
        """End the run; going on by itself would break again."""
        self._left.update(self._waiting)
        self._waiting.clear()
        self._is_stopped = True
        self._end()
        self._tasks.failed.emit(error)
