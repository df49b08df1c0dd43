"""The features of photos: what the body of a model makes of them, kept on the disk."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.errors import UnusableCheckpointError
from core.files import hash_of, open_ordinary
from core.images.taken import minute_taken
from core.inference.classifier import Classifier
from core.inference.kept_rows import KeptRows
from core.language import tr
from core.models.new_head import features_of, identity, with_linear_head
from core.models.sources.base import OpenedModel
from core.threads import yield_to_window

if TYPE_CHECKING:
    from core.inference.engine import Engine

LIMIT = 100_000
"""Photos whose features are kept, about 0.5 GB with 1,280 numbers each; the oldest go."""

_FORMAT = 2
_AHEAD = 64
_MOST_A_BATCH = 16
"""A click waits for one batch."""


@dataclass(frozen=True)
class PhotoFeatures:
    """What the body of a model makes of a photo.

    Attributes:
        photo: the file.
        values: float32, shape (D,); None where it cannot be opened.
        sha256: of the file, in hexadecimal; "" where it cannot be read.
        minute: in which it was taken, as EXIF writes it; "" where that is not known.
        reason: why there are none, in words that end a sentence; "" where there are.
    """

    photo: Path
    values: npt.NDArray[np.float32] | None
    sha256: str
    minute: str = ""
    reason: str = ""


class Body:
    """The model in use without its head, computed by the fastest backend.

    Its last layer is replaced by one that gives what it is given, so that whatever computes the
    model's outputs computes its features.

    Attributes:
        size: how many numbers a photo has.
    """

    def __init__(self, classifier: Classifier) -> None:
        if classifier.plan is None:
            raise UnusableCheckpointError(
                "{title} cannot be given other classes; choose another model to begin with.",
                title=classifier.spec.title,
            )
        self.size = features_of(classifier.plan)
        network, plan = with_linear_head(classifier.network, classifier.plan, *identity(self.size))
        spec = replace(classifier.spec, outputs="value")
        self._classifier = Classifier(
            OpenedModel(spec, network, plan), classifier.device, lambda _: None
        )
        if classifier.device.name == "cpu" and not self._classifier.fill_template():
            self._classifier.fold()
        self._preprocessing = spec.preprocessing
        depends_on = [_FORMAT, *spec.network_key, spec.preprocessing.to_json()]
        self._model = json.dumps(depends_on).encode()

    def features(
        self, photos: Iterable[Path], engine: Engine, kept: KeptRows | None
    ) -> Iterator[PhotoFeatures]:
        """Yield the features of photos in their order.

        Args:
            photos: the files.
            engine: whose threads decode.
            kept: of earlier times; None computes all.
        """
        size = self._classifier.batch_size(None)
        if not self._classifier.is_on_cuda:
            size = min(_MOST_A_BATCH, size)
        waiting: deque[tuple[Path, Future[str]]] = deque()
        batch: list[PhotoFeatures] = []
        left = iter(photos)
        with ThreadPoolExecutor(1, "hash", initializer=yield_to_window) as hashing:
            while True:
                while len(waiting) < max(_AHEAD, size):
                    photo = next(left, None)
                    if photo is None:
                        break
                    waiting.append((photo, hashing.submit(_sha256, photo)))
                if not waiting:
                    break
                photo, content = waiting.popleft()
                batch.append(self._known(photo, content, kept))
                if len(batch) >= size or not waiting:
                    minutes = {
                        at: hashing.submit(minute_taken, one.photo)
                        for at, one in enumerate(batch)
                        if one.values is None and one.sha256
                    }
                    yield from self._computed(batch, minutes, engine, kept)
                    batch = []

    def close(self) -> None:
        """End the threads of its backend."""
        self._classifier.close()

    def outputs(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the features of decoded photos, shape (N, D)."""
        return self._classifier.outputs(pixels)

    def _known(self, photo: Path, content: Future[str], kept: KeptRows | None) -> PhotoFeatures:
        try:
            sha256 = content.result()
        except OSError as error:
            return PhotoFeatures(photo, None, "", reason=error.strerror or str(error))
        found = None if kept is None else kept.find(self._key(sha256))
        if found is None or len(found) < 4 * self.size:
            return PhotoFeatures(photo, None, sha256)
        values = np.frombuffer(found, np.float32, self.size)
        return PhotoFeatures(photo, values, sha256, found[4 * self.size :].decode(errors="replace"))

    def _computed(
        self,
        batch: list[PhotoFeatures],
        minutes: dict[int, Future[str]],
        engine: Engine,
        kept: KeptRows | None,
    ) -> list[PhotoFeatures]:
        """Return a batch with what was not known: that whose minutes are asked for."""
        asked = [
            (at, engine.decode(batch[at].photo, self._preprocessing, is_exact=True))
            for at in minutes
        ]
        pixels, places = [], []
        for at, decoding in asked:
            decoded = decoding.result()
            if isinstance(decoded, str):
                batch[at] = replace(batch[at], reason=decoded)
            else:
                pixels.append(decoded)
                places.append(at)
        if not pixels:
            return batch
        for at, values in zip(places, self._classifier.outputs(np.stack(pixels)), strict=True):
            if np.isfinite(values).all():
                batch[at] = replace(batch[at], values=values, minute=minutes[at].result())
            else:
                batch[at] = replace(batch[at], reason=tr("the model computes no numbers for it"))
        if kept is not None:
            made = [batch[at] for at in places]
            kept.keep(
                [
                    (
                        self._key(one.sha256),
                        one.values.tobytes() + one.minute.encode(errors="replace"),
                    )
                    for one in made
                    if one.values is not None
                ]
            )
        return batch

    def _key(self, sha256: str) -> bytes:
        return hashlib.blake2b(self._model + sha256.encode(), digest_size=16).digest()


def body_of(engine: Engine) -> Body:
    """Return the body of the model in use, made once a model."""
    return engine.kept(_make_body)


def _make_body(classifier: Classifier, _: int) -> Body:
    return Body(classifier)


def _sha256(photo: Path) -> str:
    with open_ordinary(photo) as file:
        return hash_of(file).hex()
