"""Classify many photos, a batch at a time, in their order."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.inference.engine import Engine, ModelRequest
from core.inference.speed import EXACT, Speed
from core.values.predictions import Prediction

if TYPE_CHECKING:
    from core.inference.classifier import Classifier, Tops
    from core.inference.devices import Device
    from core.inference.engine import Decoded
    from core.inference.prediction_cache import PredictionCache
    from core.values.spec import ModelSpec

_AHEAD_BYTES = 64 * 2**20
_AHEAD_BATCHES = 3
_RECALL_SECONDS = 0.05
"""Looking predictions up in the cache gives way to a click after this."""

_KNOWN_AHEAD, _LOOKING_SECONDS = 1000, 0.02
"""How many photos are looked for before they are needed, and for how long at a time."""


@dataclass(frozen=True)
class Batch:
    """Predictions of photos that ran together, failures included, and where they ran."""

    predictions: list[Prediction]
    device: Device


@dataclass(frozen=True)
class Classify(ModelRequest[Iterator[Batch]]):
    """Predictions of photos; an unreadable photo is a failure among them.

    Attributes:
        photos: may be lazy; read in the worker.
        top_k: classes a photo.
        batch_size: photos run together; None lets the device decide.
        recall: take what this model said of a file before, while the file is the same.
        speed: what may be given up for speed.
    """

    slot = "classify"
    photos: Iterable[Path]
    top_k: int = 5
    batch_size: int | None = None
    recall: bool = False
    speed: Speed = EXACT

    def run(self, engine: Engine) -> Iterator[Batch]:
        """Yield the predictions, a batch at a time."""
        return _Run(self, engine).batches()


class ClassifyFirst(Classify):
    """The same for photos that somebody looks at, between the batches of a run."""

    slot = "classify first"


class _Run:
    """Photos of one request that are being decoded and classified."""

    def __init__(self, request: Classify, engine: Engine) -> None:
        self._request, self._engine = request, engine
        self._photos = iter(request.photos)
        self._known: deque[Path] = deque()
        self._decoding: deque[tuple[Path, Future[Decoded]]] = deque()
        self._cache: PredictionCache | None = None
        self._is_more = True

    def batches(self) -> Iterator[Batch]:
        """Yield what is classified.

        On a device that computes while the worker goes on, a batch is begun before the answer
        to the one before is waited for.
        """
        late: Callable[[], Batch] | None = None
        try:
            while True:
                classifier = self._engine.classifier()
                if self._request.recall:
                    self._cache = self._engine.prediction_cache(
                        self._request.top_k, self._request.speed
                    )
                size = classifier.batch_size(self._request.batch_size)
                recalled = self._read_ahead(classifier.spec, size)
                if recalled:
                    yield Batch(recalled, classifier.device)
                if not self._decoding:
                    if self._is_more:
                        continue
                    break
                if not classifier.runs_ahead:
                    self._engine.hasten(self._left())
                    size = classifier.batch_size(self._request.batch_size)
                answer = self._begin(classifier, size)
                if late is not None:
                    yield late()
                late = answer
                if not classifier.runs_ahead:
                    yield late()
                    late = None
            if late is not None:
                yield late()
            self._engine.end_run()
        finally:
            for _, future in self._decoding:
                future.cancel()

    def _read_ahead(self, spec: ModelSpec, size: int) -> list[Prediction]:
        """Let photos be decoded, as many as are wanted or fit in their memory.

        Returns:
            What the cache knows of photos, which need not be decoded.
        """
        preprocessing = spec.preprocessing
        fitting = _AHEAD_BYTES // (preprocessing.channels * math.prod(preprocessing.input_size))
        count = max(size, min(_AHEAD_BATCHES * size + self._engine.decoder_count, fitting))
        is_exact = self._request.speed.decoding == "exact"
        recalled: list[Prediction] = []
        begun = time.monotonic()
        while len(self._decoding) < count:
            photo = self._known.popleft() if self._known else next(self._photos, None)
            if photo is None:
                self._is_more = False
                break
            prediction = self._cache.find(photo, spec) if self._cache is not None else None
            if prediction is None:
                decoded = self._engine.decode(photo, preprocessing, is_exact=is_exact)
                self._decoding.append((photo, decoded))
                continue
            recalled.append(prediction)
            if time.monotonic() - begun > _RECALL_SECONDS:
                break
        return recalled

    def _left(self) -> int:
        """Return how many photos wait at least: finding them may take long."""
        begun = time.monotonic()
        while len(self._known) < _KNOWN_AHEAD and time.monotonic() - begun < _LOOKING_SECONDS:
            photo = next(self._photos, None)
            if photo is None:
                break
            self._known.append(photo)
        return len(self._decoding) + len(self._known)

    def _begin(self, classifier: Classifier, size: int) -> Callable[[], Batch]:
        """Start to classify a batch; what is returned waits for the answer."""
        import numpy as np

        batch = [self._decoding.popleft() for _ in range(min(size, len(self._decoding)))]
        decoded = [(photo, future.result()) for photo, future in batch]
        pixels = [image for _, image in decoded if not isinstance(image, str)]
        spec = classifier.spec
        answer: Callable[[], Tops] = list
        if pixels:
            answer = classifier.begin(np.stack(pixels), self._request.top_k)

        def finish() -> Batch:
            return Batch(self._predictions(spec, decoded, answer()), classifier.device)

        return finish

    def _predictions(
        self, spec: ModelSpec, decoded: list[tuple[Path, Decoded]], tops: Tops
    ) -> list[Prediction]:
        answers = iter(tops)
        predictions = []
        for photo, image in decoded:
            answer = image if isinstance(image, str) else next(answers)
            top, reason = ((), answer) if isinstance(answer, str) else (answer, None)
            predictions.append(Prediction(photo, top, reason, spec))
        if self._cache is not None:
            self._cache.keep(predictions)
        return predictions
