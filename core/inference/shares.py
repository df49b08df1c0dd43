"""The probability of every class of a photo, where the likeliest ones do not suffice."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import hash_of, open_ordinary
from core.inference.engine import Engine, ModelRequest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inference.engine import Decoded
    from core.values.spec import ModelSpec


@dataclass(frozen=True)
class PhotoShares:
    """What a model says of a photo.

    Attributes:
        photo: the file.
        shares: the probability of each class, float32, shape (K,); None where there are none.
        reason: why, in words that end a sentence; "" where there are.
        was_learnt: whether the model has learnt from this photo, as its file says.
    """

    photo: Path
    shares: npt.NDArray[np.float32] | None
    reason: str = ""
    was_learnt: bool = False


@dataclass(frozen=True)
class FindShares(ModelRequest["Iterator[list[PhotoShares]]"]):
    """Find the probability of every class of photos, by the pipeline of predictions."""

    slot = "shares"
    photos: tuple[Path, ...]

    def run(self, engine: Engine) -> Iterator[list[PhotoShares]]:
        """Yield the photos in their order, a batch at a time."""
        from core.models.sources.checkpoint.learnt import learnt_from

        learnt = learnt_from(engine.classifier().spec.checkpoint)
        left = deque(self.photos)
        decoding: deque[tuple[Path, ModelSpec, Future[Decoded]]] = deque()
        while left or decoding:
            classifier = engine.classifier()
            if not classifier.runs_ahead:
                engine.hasten(len(left) + len(decoding))
            size = classifier.batch_size(None)
            while left and len(decoding) < 2 * size + engine.decoder_count:
                photo = left.popleft()
                decoded = engine.decode(photo, classifier.spec.preprocessing, is_exact=True)
                decoding.append((photo, classifier.spec, decoded))
            batch = [decoding.popleft() for _ in range(min(size, len(decoding)))]
            if any(spec is not classifier.spec for _, spec, _ in batch):
                return  # another model was opened; what was asked of this one is no more
            decoded_batch = [(photo, decoded.result()) for photo, _, decoded in batch]
            yield _answered(engine, decoded_batch, learnt)
        engine.end_run()


def _answered(
    engine: Engine, batch: list[tuple[Path, Decoded]], learnt: frozenset[str]
) -> list[PhotoShares]:
    import numpy as np

    from core.inference.classifier import NO_NUMBERS

    pixels = [decoded for _, decoded in batch if not isinstance(decoded, str)]
    rows = list(engine.classifier().shares(np.stack(pixels))) if pixels else []
    answers = []
    for photo, decoded in batch:
        if isinstance(decoded, str):
            answers.append(PhotoShares(photo, None, decoded))
            continue
        shares = rows.pop(0)
        if np.isfinite(shares).all():
            answers.append(PhotoShares(photo, shares, "", _is_of(photo, learnt)))
        else:
            answers.append(PhotoShares(photo, None, str(NO_NUMBERS)))
    return answers


def _is_of(photo: Path, contents: frozenset[str]) -> bool:
    if not contents:
        return False
    try:
        with open_ordinary(photo) as file:
            return hash_of(file).hex() in contents
    except OSError:
        return False
