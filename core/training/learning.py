"""Fit a head to features and say how right it is on photos that it was not fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.inference.features import PhotoFeatures
from core.training.figures import Figures, wilson_interval
from core.training.softmax_head import PenaltyChoice, SoftmaxHead, fit
from core.training.splits import folds_of, groups_of, hold_out

Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Photos as a head sees them.

    Attributes:
        features: float32, shape (N, D).
        labels: class indices, shape (N,).
        contents: the SHA-256 of each file.
        bursts: what shots of one folder and minute have in common; "" for none.
    """

    features: Numbers
    labels: Indices
    contents: tuple[str, ...]
    bursts: tuple[str, ...]

    @classmethod
    def of(cls, photos: Sequence[PhotoFeatures], labels: Sequence[int]) -> Examples:
        """Return the photos that have features."""
        pairs = [(one, label) for one, label in zip(photos, labels, strict=True)]
        found = [(one, one.values, label) for one, label in pairs if one.values is not None]
        return cls(
            np.stack([values for _, values, _ in found]) if found else np.zeros((0, 0), np.float32),
            np.array([label for _, _, label in found], np.int64),
            tuple(one.sha256 for one, _, _ in found),
            tuple(_burst(one) for one, _, _ in found),
        )

    def first(self, count: int) -> Examples:
        """Return the first so many."""
        return self.chosen(np.arange(min(count, len(self.labels))))

    def rest(self, count: int) -> Examples:
        """Return those after the first so many."""
        return self.chosen(np.arange(min(count, len(self.labels)), len(self.labels)))

    def chosen(self, positions: Indices) -> Examples:
        """Return those at some positions."""
        return Examples(
            self.features[positions],
            self.labels[positions],
            tuple(self.contents[at] for at in positions.tolist()),
            tuple(self.bursts[at] for at in positions.tolist()),
        )


@dataclass(frozen=True)
class Learnt:
    """A head, and how right it is."""

    head: SoftmaxHead
    figures: Figures


def learn(
    examples: Examples, validation: Examples, classes: int, share: float, seed: int
) -> Iterator[Learnt | None]:
    """Yield None after each step, and in the end a head for photos.

    Args:
        examples: to learn from.
        validation: other photos to try it on; where there are none, some of ``examples`` are held
            out, with all that are nearly the same.
        classes: how many.
        share: that is held out and not learnt from; 0 holds each out in turn, and fits the head
            that is returned to all.
        seed: of what is held out.
    """
    groups = groups_of(examples.features, examples.contents, examples.bursts)
    held_out = np.array([], np.int64)
    if share and not len(validation.labels):
        held_out = hold_out(examples.labels, groups, share, seed)
    rest = np.setdiff1d(np.arange(len(examples.labels)), held_out)
    features, labels = examples.features[rest], examples.labels[rest]
    folds = folds_of(labels, groups[rest], seed)
    choice = PenaltyChoice(features, labels, classes)
    for fold in folds:
        for _ in choice.hold_out(fold):
            yield None
    penalty, held = choice.best()
    head = fit(features, labels, classes, penalty)
    apart = not_alike(examples, validation)
    is_cross_validated = not len(validation.labels) and not len(held_out)
    if is_cross_validated:
        tested = np.concatenate(folds) if folds else held_out
        right = held[tested].argmax(axis=1) == labels[tested]
    else:
        tried = validation if len(validation.labels) else examples
        at = apart if len(validation.labels) else held_out
        right = head.probabilities(tried.features[at]).argmax(axis=1) == tried.labels[at]
    count, correct = len(right), int(right.sum())
    figures = Figures(
        trained=len(labels),
        validated=count,
        accuracy=correct / count if count else None,
        interval=wilson_interval(correct, count) if count else None,
        is_cross_validated=is_cross_validated,
        penalty=penalty,
        alike=len(validation.labels) - len(apart),
    )
    yield Learnt(head, figures)


def not_alike(examples: Examples, validation: Examples) -> Indices:
    """Return the positions of photos to try a head on that none it learns from is like."""
    if not len(validation.labels):
        return np.array([], np.int64)
    groups = groups_of(
        np.concatenate([examples.features, validation.features]),
        (*examples.contents, *validation.contents),
        (*examples.bursts, *validation.bursts),
    )
    learnt = groups[: len(examples.labels)]
    return np.flatnonzero(~np.isin(groups[len(examples.labels) :], learnt))


def _burst(one: PhotoFeatures) -> str:
    return f"{one.photo.parent}\n{one.minute}" if one.minute else ""
