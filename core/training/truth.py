"""What photos show: one class each, or any number of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LEAST_SHARE = 1e-12


@dataclass(frozen=True)
class Truth:
    """What photos show.

    Attributes:
        shown: whether a photo shows a class, shape (N, K).
        is_several: whether a photo may show several, or none; else each shows one.
    """

    shown: Bools
    is_several: bool

    @classmethod
    def of(cls, photos: Sequence[Sequence[int]], classes: int, *, is_several: bool) -> Truth:
        """Return the truth for the class indices of each photo."""
        shown = np.zeros((len(photos), classes), np.bool_)
        for at, indices in enumerate(photos):
            shown[at, list(indices)] = True
        return cls(shown, is_several)

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def classes(self) -> int:
        """Return how many classes there are."""
        return int(self.shown.shape[1])

    @property
    def kinds(self) -> Indices:
        """Return the class of each photo, shape (N,).

        Of several it is the rarest, so that this one is dealt out evenly; K stands for none.
        """
        counts = self.shown.sum(axis=0)
        rarity = np.where(self.shown, counts, len(self.shown) + 1)
        found = rarity.argmin(axis=1) if self.classes else np.zeros(len(self), np.int64)
        return np.where(self.shown.any(axis=1), found, self.classes).astype(np.int64)

    @property
    def weights(self) -> Numbers:
        """Return what each class weighs in a loss, shape (K,), so that rare ones count as well.

        Where photos show one class it is the root of its rarity; else what a photo that shows it
        weighs over one that does not.
        """
        counts = self.shown.sum(axis=0)
        if self.is_several:
            return np.asarray(np.sqrt((len(self) - counts + 1) / (counts + 1)), np.float32)
        found = 1 / np.sqrt(np.maximum(counts, 1))
        return np.asarray(found / found.mean(), np.float32)

    def chosen(self, positions: Indices) -> Truth:
        """Return that of the photos at some positions."""
        return Truth(self.shown[positions], self.is_several)

    def followed_by(self, other: Truth) -> Truth:
        """Return that of these photos and then of others."""
        return Truth(np.concatenate([self.shown, other.shown]), self.is_several)

    def right(self, shares: Numbers) -> Bools:
        """Return whether what is said of each photo is right, shape (N,).

        Where photos show one class, the likeliest must be it; else exactly those that are shown
        must be likelier than not.

        Args:
            shares: the probability of each class, shape (N, K).
        """
        if self.is_several:
            return np.asarray(((shares > 0.5) == self.shown).all(axis=1))
        return np.asarray(self.shown[np.arange(len(self)), shares.argmax(axis=1)])

    def log_likelihood(self, shares: Numbers) -> npt.NDArray[np.float64]:
        """Return the logarithm of how likely the truth was said to be.

        Args:
            shares: the probability of each class, shape (…, N, K).

        Returns:
            Shape (…, N).
        """
        sure = np.maximum(np.asarray(shares, np.float64), _LEAST_SHARE)
        if not self.is_several:
            return np.asarray((np.log(sure) * self.shown).sum(axis=-1))
        against = np.maximum(1 - np.asarray(shares, np.float64), _LEAST_SHARE)
        return np.asarray(np.where(self.shown, np.log(sure), np.log(against)).sum(axis=-1))


def shares_of(logits: Numbers, *, is_several: bool) -> Numbers:
    """Return the probability of each class: a softmax, or where several may be shown sigmoids.

    Args:
        logits: shape (N, K).
        is_several: whether several may be shown.
    """
    if is_several:
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))), np.float32)
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)
