"""Photos without a label in piles of look-alikes, so that one key labels many."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.inference.engine import Engine, ModelRequest
from core.training.live import Pupil
from core.training.teaching import Looked

_MOST = 5_000
"""Photos that are compared with one another; the rest have their turn when these have labels."""
_LEAST = 2
"""One photo is no pile."""


@dataclass(frozen=True)
class Piles:
    """Piles, the largest first; in each the photo that looks most like the others comes first."""

    piles: tuple[tuple[Path, ...], ...]


@dataclass(frozen=True)
class FindPiles(ModelRequest["Iterator[Looked | Piles]"]):
    """Sort photos into piles by the features of the model in use.

    Attributes:
        photos: that have no label.
    """

    slot = "piles"
    photos: tuple[Path, ...]

    def run(self, engine: Engine) -> Iterator[Looked | Piles]:
        """Yield how many photos have been looked at, then the piles.

        Raises:
            UnusableCheckpointError: the model has no features.
        """
        import numpy as np

        from core.training.next_photos import heaps_of
        from core.training.splits import of_length_one

        classifier = engine.classifier()
        pupil, done = engine.kept(Pupil), 0
        photos = self.photos[:_MOST]
        for batch in pupil.look(photos, engine):
            done += len(batch)
            yield Looked(done, len(photos))
            if engine.classifier() is not classifier:
                return
        known = [pupil.seen[photo] for photo in photos if photo in pupil.seen]
        seen = [(one.photo, one.values) for one in known]
        usable = [(photo, values) for photo, values in seen if values is not None]
        if len(usable) < _LEAST:
            yield Piles(())
            return
        features = np.stack([values for _, values in usable])
        heaps = heaps_of(features, max(2, round(math.sqrt(len(usable) / 2))))
        unit = of_length_one(features)
        piles = []
        for heap in np.unique(heaps).tolist():
            members = np.flatnonzero(heaps == heap)
            likeness = unit[members] @ unit[members].mean(axis=0)
            order = members[np.argsort(-likeness, kind="stable")].tolist()
            piles.append(tuple(usable[at][0] for at in order))
        piles.sort(key=len, reverse=True)
        yield Piles(tuple(pile for pile in piles if len(pile) >= _LEAST))
