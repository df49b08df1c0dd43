"""The downloads of torchvision's weights that are going on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.errors import DownloadError
from core.models.weights.files import delete_part
from core.models.weights.requests import DownloadWeights, TakeWeightsFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.models.weights.downloads import Progress
    from core.models.weights.named import Weights
    from core.work.handles import Handle
    from gui.tasks import Tasks


class Downloading(QObject):
    """Downloads go on while their dialog is closed."""

    progressed = Signal(object)
    """Progress of a download, the newest of each at most 20 times a second."""
    ended = Signal()
    """A download has ended, or a file was refused: what lies on the disk may have changed."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._running: dict[str, Handle[None]] = {}
        self._cancelled: set[str] = set()

    def start(self, weights: Weights, mirror: str) -> None:
        """Download weights, or go on with it."""
        if weights.name not in self._running:
            self._running[weights.name] = self._tasks.stream(
                DownloadWeights(weights, mirror),
                self._tell,
                partial(self._end, weights),
                partial(self._fail, weights),
            )

    def pause(self, weights: Weights) -> None:
        """End a download and keep what is there."""
        if weights.name in self._running:
            self._running[weights.name].stop()

    def cancel(self, weights: Weights) -> None:
        """End a download, or one that was paused before, and delete what is there."""
        if weights.name in self._running:
            self._cancelled.add(weights.name)
            self._running[weights.name].stop()
        else:
            delete_part(weights)

    def take_file(self, weights: Weights, given: Path, then: Callable[[Weights], object]) -> None:
        """Put a file of weights that the user has already in its place."""
        self._tasks.ask(TakeWeightsFile(weights, given), lambda _: then(weights), self._refuse_file)

    def _tell(self, news: list[Progress]) -> None:
        self.progressed.emit(news[-1])

    def _end(self, weights: Weights) -> None:
        self._running.pop(weights.name, None)
        if weights.name in self._cancelled:
            self._cancelled.discard(weights.name)
            delete_part(weights)
        self.ended.emit()

    def _fail(self, weights: Weights, error: BaseException) -> None:
        self._end(weights)
        if not isinstance(error, DownloadError):  # its progress has told
            self._tasks.failed.emit(error)

    def _refuse_file(self, error: BaseException) -> None:
        self.ended.emit()
        self._tasks.failed.emit(error)
