"""Teach the whole network: the head first, then all layers, in epochs that can be gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.files import refuse_unwritable
from core.inference.engine import Engine, ModelRequest
from core.training.progress import Progress
from core.training.recipe import USUAL, Recipe
from core.training.teaching import Labelled, Looked, Taught, prepare

SHARE = 0.2
"""Of the photos that are held out, where nothing else is said and there are no others."""


@dataclass(frozen=True)
class FineTune(ModelRequest["Iterator[Looked | Progress | Taught]"]):
    """Fit a new head, then all layers, and write the best model that came of it.

    What it does is kept in a folder after each epoch, and when it is stopped: the same request goes
    on from there, and ends as if it had not been stopped.

    Attributes:
        photos: that it learns from.
        classes: their names.
        model: the file to write.
        folder: where it keeps what it has done, until the model is written.
        validation: other photos, on which it is tried; none holds some of ``photos`` out.
        share: of ``photos`` that is held out.
        seed: of all that is left to chance.
        recipe: how it learns.
        ends_now: write the best model of what was done so far.
        is_several: whether a photo may show several classes.
    """

    slot = "teach"
    photos: tuple[Labelled, ...]
    classes: tuple[str, ...]
    model: Path
    folder: Path
    validation: tuple[Labelled, ...] = ()
    share: float = SHARE
    seed: int = 0
    recipe: Recipe = USUAL
    ends_now: bool = False
    is_several: bool = False

    def run(self, engine: Engine) -> Iterator[Looked | Progress | Taught]:
        """Yield how far it is, then what has become of it.

        Raises:
            TeachingError: there are too few photos or classes, or no room.
            DroplensError: the model cannot be taught or written.
        """
        from core.training.course import Course

        refuse_unwritable(self.model)
        begun = time.monotonic()
        prepared = yield from prepare(self, engine)
        tuning = Course(self, prepared, begun)
        for count in tuning.lay_out(engine):
            yield Looked(count, len(prepared.photos))
            prepared.require_same(engine)
        for count in tuning.begin():
            yield Looked(count, count)
            prepared.require_same(engine)
        try:
            while not tuning.is_over:
                tuning.step()
                yield tuning.progress
                prepared.require_same(engine)
        except GeneratorExit:
            tuning.keep()  # it is stopped; the same request goes on from here
            raise
        except KeyboardInterrupt:
            tuning.write()  # in the midst of a step: what was kept before it stands
            raise
        yield tuning.end()
