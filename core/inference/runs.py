"""Work over many photos: chains of short jobs, so that a click waits for one batch at most."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PreprocessingError, UnreadableImageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.preprocessing import Preprocessing
    from core.inference.classifier import Classifier
    from core.inference.devices import Device
    from core.inference.engine import Engine
    from core.inference.predictions import Prediction
    from core.inside.lens import ComparedPhoto, Lens

    Decoded = npt.NDArray[np.float32] | str
    """An input of shape (C, H, W), or why there is none, in words that end a sentence."""


@dataclass(frozen=True)
class RunOutcome:
    """How a run over many photos ended, and on which device it ran at last."""

    done: int
    failed: int
    stopped: bool
    device: Device


class Run:
    """One run over many photos: a chain of short jobs, each queuing the next.

    Attributes:
        finished: its outcome, when the last photo is done or the run was stopped.
    """

    def __init__(
        self,
        engine: Engine,
        paths: Iterable[Path],
        on_predictions: Callable[[list[Prediction]], None],
        *,
        top_k: int,
        batch_size: int | None,
    ) -> None:
        self.finished: Future[RunOutcome] = Future()
        self._engine = engine
        self._paths: Iterator[Path] = iter(paths)
        self._on_predictions = on_predictions
        self._top_k = top_k
        self._batch_size = batch_size
        self._stop = threading.Event()
        self._decoding: deque[tuple[Path, Future[Decoded]]] = deque()
        self._done = 0
        self._failed = 0

    def stop(self) -> None:
        """Ask the run to end; at most one batch is still computed."""
        self._stop.set()

    def step(self) -> None:
        """Classify one batch and queue the next step. Runs in the worker."""
        try:
            classifier = self._engine.classifier()
            size = classifier.batch_size(self._batch_size)
            self._read_ahead(classifier.spec.preprocessing, 3 * size)
            if self._stop.is_set() or not self._decoding:
                self._end(classifier.device)
                return
            count = min(size, len(self._decoding))
            batch = [self._decoding.popleft() for _ in range(count)]
            predictions = self._classify(classifier, batch)
            self._done += len(predictions)
            self._failed += sum(one.reason is not None for one in predictions)
            self._on_predictions(predictions)
            self._engine.queue(self.step)
        except BaseException as error:  # noqa: BLE001 - the future carries it to whoever waits
            self._cancel_decoding()
            self.finished.set_exception(error)

    def _read_ahead(self, preprocessing: Preprocessing, count: int) -> None:
        while len(self._decoding) < count and not self._stop.is_set():
            path = next(self._paths, None)
            if path is None:
                return
            self._decoding.append((path, self._engine.decode(path, preprocessing)))

    def _classify(
        self, classifier: Classifier, batch: list[tuple[Path, Future[Decoded]]]
    ) -> list[Prediction]:
        import numpy as np

        from core.inference.predictions import Prediction

        decoded = [(path, future.result()) for path, future in batch]
        inputs = [one for _, one in decoded if not isinstance(one, str)]
        tops = iter(classifier.classify(np.stack(inputs), self._top_k) if inputs else [])
        predictions = []
        for path, one in decoded:
            said = one if isinstance(one, str) else next(tops)
            top, reason = ((), said) if isinstance(said, str) else (said, None)
            predictions.append(Prediction(path, top, reason, classifier.spec))
        return predictions

    def _end(self, device: Device) -> None:
        self._cancel_decoding()
        self.finished.set_result(RunOutcome(self._done, self._failed, self._stop.is_set(), device))

    def _cancel_decoding(self) -> None:
        for _, future in self._decoding:
            future.cancel()
        self._decoding.clear()


class Comparison:
    """One channel of one layer over many photos: a chain of short jobs, one a photo.

    Attributes:
        finished: how many photos were done, when the last is or it was stopped.
    """

    def __init__(
        self,
        engine: Engine,
        images: Iterable[Path],
        look: Callable[[Lens, Path], ComparedPhoto],
        on_found: Callable[[ComparedPhoto], None],
    ) -> None:
        self.finished: Future[int] = Future()
        self._engine, self._images = engine, iter(images)
        self._look, self._on_found = look, on_found
        self._stop = threading.Event()
        self._done = 0

    def stop(self) -> None:
        """Ask it to end; at most one photo is still looked at."""
        self._stop.set()

    def step(self) -> None:
        """Look at one photo and queue the next step. Runs in the worker."""
        try:
            image = None if self._stop.is_set() else next(self._images, None)
            if image is None:
                self.finished.set_result(self._done)
                return
            self._on_found(self._look(self._engine.lens(), image))
            self._done += 1
            self._engine.queue(self.step)
        except BaseException as error:  # noqa: BLE001 - the future carries it to whoever waits
            self.finished.set_exception(error)


def decode(path: Path, preprocessing: Preprocessing) -> Decoded:
    """Return a photo's input, or why there is none."""
    from core.images.decoding import load_rgb

    try:
        image = load_rgb(path, upright=preprocessing.apply_orientation)
        return preprocessing.to_input(preprocessing.seen_by_model(image))
    except MemoryError:
        return "it does not fit in memory"
    except UnreadableImageError as error:
        return error.reason
    except PreprocessingError as error:
        return str(error)
