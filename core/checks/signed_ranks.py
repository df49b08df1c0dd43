"""Whether numbers that were measured twice of the same things are surely greater then."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST_SHARE = 1e-6
"""Below it a probability is as good as none, and its logarithm says little."""


def chance_of(differences: Floats) -> float:
    """Return how likely differences are as far above 0, or farther, where there is none.

    The signed-rank test of Wilcoxon, 1945, one-sided, by the normal distribution with corrections
    for ties and continuity; for some twenty differences or more. Those of 0 are left out.

    Args:
        differences: of pairs, shape (N,).
    """
    apart = differences[differences != 0]
    count = len(apart)
    if not count:
        return 1.0
    _, place, ties = np.unique(np.abs(apart), return_inverse=True, return_counts=True)
    ends = np.cumsum(ties)
    ranks = (ends - (ties - 1) / 2)[place.reshape(-1)]
    positive = float(ranks[apart > 0].sum())
    mean = count * (count + 1) / 4
    variance = count * (count + 1) * (2 * count + 1) / 24 - float((ties**3 - ties).sum()) / 48
    if variance <= 0:
        return 1.0
    return math.erfc((positive - mean - 0.5) / math.sqrt(2 * variance)) / 2


def likelier_by_chance(
    now: npt.NDArray[np.float32], then: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> float:
    """Return how likely probabilities of labels rise so where the other way is no better.

    Probabilities tell more than which class is likeliest: with red for blue one photo in ten has
    another class, and nine in ten a less likely label.

    Args:
        now: probabilities in one way, shape (N, K).
        then: of the same photos in the other way, likewise.
        labels: class index of each, shape (N,).
    """
    own = [
        np.log(np.maximum(shares[np.arange(len(labels)), labels].astype(np.float64), _LEAST_SHARE))
        for shares in (now, then)
    ]
    return chance_of(own[1] - own[0])
