"""What a head says of photos while it has not learnt from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import TeachingError
from core.inference.engine import Engine, ModelRequest
from core.training.teaching import LEAST_CLASSES, Labelled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inference.features import PhotoFeatures


@dataclass(frozen=True)
class HeldOut:
    """What is known of photos once each was held out.

    Attributes:
        photos: that could be opened, N.
        contents: the SHA-256 of each file.
        alike: a number for each photo, the same for those that the body takes for the same.
        shares: the probability of each class, shape (N, K), by a head that has learnt neither from
            the photo nor from one that is nearly the same; NaN where none could.
    """

    photos: tuple[Path, ...]
    contents: tuple[str, ...]
    alike: tuple[int, ...]
    shares: npt.NDArray[np.float32]


@dataclass(frozen=True)
class HoldOut(ModelRequest["Iterator[int | HeldOut]"]):
    """Hold photos out in turn of what a head on the body of the model in use learns.

    Attributes:
        photos: with one class each.
        classes: their names.
    """

    slot = "hold out"
    photos: tuple[Labelled, ...]
    classes: tuple[str, ...]

    def run(self, engine: Engine) -> Iterator[int | HeldOut]:
        """Yield how many photos were looked at, and in the end what is known of them.

        Raises:
            UnusableCheckpointError: the model cannot be taught.
            TeachingError: too few photos can be opened.
        """
        import numpy as np

        from core.inference.features import body_of
        from core.training.learning import Examples
        from core.training.linear_head import PenaltyChoice
        from core.training.splits import folds_of, groups_of
        from core.training.truth import Truth

        seen: list[PhotoFeatures] = []
        photos = [one.photo for one in self.photos]
        for found in body_of(engine).features(photos, engine, engine.kept_features()):
            seen.append(found)
            yield len(seen)
        truth = Truth.of([one.classes for one in self.photos], len(self.classes), is_several=False)
        examples = Examples.of(seen, truth)
        if len(np.unique(examples.truth.kinds)) < LEAST_CLASSES:
            raise TeachingError("Two classes or more with photos that can be opened are needed.")
        groups = groups_of(examples.features, examples.contents, examples.bursts)
        choice = PenaltyChoice(examples.features, examples.truth)
        for fold in folds_of(examples.truth.kinds, groups, 0):
            for _ in choice.hold_out(fold):
                yield len(seen)
        nothing = ("",) * len(examples)
        yield HeldOut(
            tuple(one.photo for one in seen if one.values is not None),
            examples.contents,
            tuple(groups_of(examples.features, examples.contents, nothing).tolist()),
            choice.best()[1],
        )
