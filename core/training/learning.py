"""Fit a head to features and say how right it is on photos that it was not fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.checks.answers import Answers
from core.checks.calibration import fit_temperature
from core.inference.features import PhotoFeatures
from core.training.figures import Figures
from core.training.linear_head import LinearHead, PenaltyChoice, fit
from core.training.splits import folds_of, groups_of, hold_out
from core.training.truth import Truth
from core.values.intervals import wilson_interval

Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Photos as a head sees them.

    Attributes:
        features: float32, shape (N, D).
        truth: what they show.
        contents: the SHA-256 of each file.
        bursts: what shots of one folder and minute have in common; "" for none.
    """

    features: Numbers
    truth: Truth
    contents: tuple[str, ...]
    bursts: tuple[str, ...]

    @classmethod
    def of(cls, photos: Sequence[PhotoFeatures], truth: Truth) -> Examples:
        """Return the photos that have features."""
        found = [(one, one.values) for one in photos if one.values is not None]
        usable = [at for at, one in enumerate(photos) if one.values is not None]
        return cls(
            np.stack([values for _, values in found]) if found else np.zeros((0, 0), np.float32),
            truth.chosen(np.array(usable, np.int64)),
            tuple(one.sha256 for one, _ in found),
            tuple(_burst(one) for one, _ in found),
        )

    def __len__(self) -> int:
        return len(self.contents)

    def first(self, count: int) -> Examples:
        """Return the first so many."""
        return self.chosen(np.arange(min(count, len(self))))

    def rest(self, count: int) -> Examples:
        """Return those after the first so many."""
        return self.chosen(np.arange(min(count, len(self)), len(self)))

    def chosen(self, positions: Indices) -> Examples:
        """Return those at some positions."""
        return Examples(
            self.features[positions],
            self.truth.chosen(positions),
            tuple(self.contents[at] for at in positions.tolist()),
            tuple(self.bursts[at] for at in positions.tolist()),
        )


@dataclass(frozen=True)
class Learnt:
    """A head, and how right it is.

    Attributes:
        head: fitted to all photos that are not held out.
        figures: of it.
        held: what heads like it said of photos that they were not fitted to, shape (N, K).
        truth: of these.
    """

    head: LinearHead
    figures: Figures
    held: Numbers
    truth: Truth

    def calibrated(self) -> Learnt:
        """Return the head with the temperature that suits it, where that surely helps.

        It is part of the head's numbers, so that whatever computes the model has it.
        """
        if self.truth.is_several:
            return self
        names = tuple(map(str, range(self.truth.classes)))
        found = fit_temperature(Answers(names, self.truth.kinds, self.held))
        if found is None or not found.helps:
            return self
        return replace(
            self,
            head=self.head.divided_by(found.value),
            figures=replace(self.figures, temperature=found.value),
        )


def learn(
    examples: Examples, validation: Examples, share: float, seed: int
) -> Iterator[Learnt | None]:
    """Yield None after each step, and in the end a head for photos.

    Args:
        examples: to learn from.
        validation: other photos to try it on; where there are none, some of ``examples`` are held
            out, with all that are nearly the same.
        share: that is held out and not learnt from; 0 holds each out in turn, and fits the head
            that is returned to all.
        seed: of what is held out.
    """
    groups = groups_of(examples.features, examples.contents, examples.bursts)
    held_out = np.array([], np.int64)
    if share and not len(validation):
        held_out = hold_out(examples.truth.kinds, groups, share, seed)
    rest = np.setdiff1d(np.arange(len(examples)), held_out)
    features, truth = examples.features[rest], examples.truth.chosen(rest)
    folds = folds_of(truth.kinds, groups[rest], seed)
    choice = PenaltyChoice(features, truth)
    for fold in folds:
        for _ in choice.hold_out(fold):
            yield None
    penalty, held = choice.best()
    head = fit(features, truth, penalty)
    apart = not_alike(examples, validation)
    is_cross_validated = not len(validation) and not len(held_out)
    if is_cross_validated:
        tested = np.concatenate(folds) if folds else held_out
        right = truth.chosen(tested).right(held[tested])
    else:
        tried = validation.chosen(apart) if len(validation) else examples.chosen(held_out)
        right = tried.truth.right(head.probabilities(tried.features))
    count, correct = len(right), int(right.sum())
    figures = Figures(
        trained=len(truth),
        validated=count,
        accuracy=correct / count if count else None,
        interval=wilson_interval(correct, count) if count else None,
        is_cross_validated=is_cross_validated,
        penalty=penalty,
        alike=len(validation) - len(apart),
        is_several=truth.is_several,
    )
    there = np.concatenate(folds) if folds else np.array([], np.int64)
    yield Learnt(head, figures, held[there], truth.chosen(there))


def not_alike(examples: Examples, validation: Examples) -> Indices:
    """Return the positions of photos to try a head on that none it learns from is like."""
    if not len(validation):
        return np.array([], np.int64)
    groups = groups_of(
        np.concatenate([examples.features, validation.features]),
        (*examples.contents, *validation.contents),
        (*examples.bursts, *validation.bursts),
    )
    learnt = groups[: len(examples)]
    return np.flatnonzero(~np.isin(groups[len(examples) :], learnt))


def _burst(one: PhotoFeatures) -> str:
    return f"{one.photo.parent}\n{one.minute}" if one.minute else ""
