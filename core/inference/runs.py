"""Work over many photos: chains of short jobs, so that a click waits for one batch at most."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PreprocessingError, UnreadableImageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.preprocessing import Preprocessing
    from core.inference.classifier import Classifier, Tops
    from core.inference.devices import Device
    from core.inference.engine import Engine
    from core.inference.known import KnownPredictions
    from core.inference.predictions import Prediction
    from core.inside.lens import Lens
    from core.models.spec import ModelSpec

    Decoded = npt.NDArray[np.uint8] | str
    """Pixels of shape (H, W, C), or why there are none, in words that end a sentence."""

    Photo = tuple[Path, Future[Decoded]]

_AHEAD_BYTES = 64 * 2**20
_AHEAD_BATCHES = 3
_RECALL_SECONDS = 0.05
"""How much larger than the resize's result a JPEG must stay when the decoder shrinks it: without
a margin 97 % of enlarged photos kept their class."""


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
        recall: bool,
    ) -> None:
        self.finished: Future[RunOutcome] = Future()
        self._engine = engine
        self._paths: Iterator[Path] = iter(paths)
        self._on_predictions = on_predictions
        self._top_k = top_k
        self._batch_size = batch_size
        self._recall = recall
        self._known: KnownPredictions | None = None
        self._stop = threading.Event()
        self._decoding: deque[Photo] = deque()
        self._late: Callable[[], list[Prediction]] | None = None
        self._done = 0
        self._failed = 0

    def stop(self) -> None:
        """Ask the run to end; at most one batch is still computed."""
        self._stop.set()

    def step(self) -> None:
        """Classify one batch and queue the next step. Runs in the worker."""
        try:
            classifier = self._engine.classifier()
            if self._recall:
                self._known = self._engine.known_predictions(self._top_k)
            size = classifier.batch_size(self._batch_size)
            is_more = self._read_ahead(classifier.spec, size)
            if self._stop.is_set() or not (self._decoding or is_more):
                self._deliver_late()
                self._end(classifier.device)
                return
            if self._decoding:
                batch = [self._decoding.popleft() for _ in range(min(size, len(self._decoding)))]
                answer = self._begin(classifier, batch)
                self._deliver_late()
                self._late = answer
                if not classifier.runs_ahead:
                    self._deliver_late()
                    self._engine.hasten()
            self._engine.queue(self.step)
        except BaseException as error:  # noqa: BLE001 - the future carries it to whoever waits
            self._cancel_decoding()
            self.finished.set_exception(error)

    def _read_ahead(self, spec: ModelSpec, size: int) -> bool:
        """Let photos be decoded, as many as are wanted or fit in their memory.

        Photos whose predictions are known are delivered and need not be decoded.

        Returns:
            Whether there may be more photos.
        """
        preprocessing = spec.preprocessing
        fitting = _AHEAD_BYTES // (preprocessing.channels * math.prod(preprocessing.input_size))
        count = max(size, min(_AHEAD_BATCHES * size + self._engine.decoder_count, fitting))
        recalled: list[Prediction] = []
        begun = time.monotonic()
        is_more = True
        while len(self._decoding) < count and not self._stop.is_set():
            path = next(self._paths, None)
            if path is None:
                is_more = False
                break
            known = self._known.find(path, spec) if self._known is not None else None
            if known is None:
                self._decoding.append((path, self._engine.decode(path, preprocessing)))
                continue
            recalled.append(known)
            if time.monotonic() - begun > _RECALL_SECONDS:
                break
        self._deliver(recalled)
        return is_more

    def _begin(self, classifier: Classifier, batch: list[Photo]) -> Callable[[], list[Prediction]]:
        """Start to classify a batch; what is returned waits for the answer."""
        import numpy as np

        decoded = [(path, future.result()) for path, future in batch]
        pixels = [one for _, one in decoded if not isinstance(one, str)]
        spec = classifier.spec
        answer = classifier.begin(np.stack(pixels), self._top_k) if pixels else list
        return lambda: self._predictions(spec, decoded, answer())

    def _predictions(
        self, spec: ModelSpec, decoded: list[tuple[Path, Decoded]], tops: Tops
    ) -> list[Prediction]:
        from core.inference.predictions import Prediction

        answers = iter(tops)
        predictions = []
        for path, one in decoded:
            said = one if isinstance(one, str) else next(answers)
            top, reason = ((), said) if isinstance(said, str) else (said, None)
            predictions.append(Prediction(path, top, reason, spec))
        if self._known is not None:
            self._known.keep(predictions)
        return predictions

    def _deliver_late(self) -> None:
        """Deliver the batch that was begun before, once its answer is there."""
        answer, self._late = self._late, None
        if answer is not None:
            self._deliver(answer())

    def _deliver(self, predictions: list[Prediction]) -> None:
        if predictions:
            self._done += len(predictions)
            self._failed += sum(one.reason is not None for one in predictions)
            self._on_predictions(predictions)

    def _end(self, device: Device) -> None:
        self._cancel_decoding()
        self.finished.set_result(RunOutcome(self._done, self._failed, self._stop.is_set(), device))

    def _cancel_decoding(self) -> None:
        for _, future in self._decoding:
            future.cancel()
        self._decoding.clear()


class Comparison:
    """One question asked of many photos: a chain of short jobs, one a photo.

    Attributes:
        finished: how many photos were done, when the last is or it was stopped.
    """

    def __init__(
        self,
        engine: Engine,
        images: Iterable[Path],
        look: Callable[[Lens, Path], Any],
        on_found: Callable[[Any], None],
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


def decode(path: Path, preprocessing: Preprocessing, *, is_exact: bool) -> Decoded:
    """Return the pixels of a photo that go in, or why there are none.

    Args:
        path: the photo.
        preprocessing: what makes them.
        is_exact: decode every pixel first; else a JPEG decoder may shrink large photos itself.
    """
    try:
        return preprocessing.see_file(path, is_exact=is_exact).pixels
    except MemoryError:
        return "it does not fit in memory"
    except UnreadableImageError as error:
        return error.reason
    except PreprocessingError as error:
        return str(error)
