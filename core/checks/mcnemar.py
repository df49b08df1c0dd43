"""Whether one way of answering is surely better than another on the same photos."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def chance_of(right: Bools, other: Bools) -> float:
    """Return how likely so unequal a number of photos is where both ways are as good.

    The exact test of McNemar, 1947, two-sided: of photos that one way alone names rightly, each
    way would have half.

    Args:
        right: whether each photo is named rightly, shape (N,).
        other: the same by the other way, shape (N,).
    """
    only_one, only_other = int((right & ~other).sum()), int((other & ~right).sum())
    apart, fewer = only_one + only_other, min(only_one, only_other)
    if apart == 0:
        return 1.0
    tail = sum(math.comb(apart, count) for count in range(fewer + 1))
    return min(1.0, 2.0 * tail / 2.0**apart) if apart < 1000 else _normal(only_one, only_other)


def _normal(one: int, other: int) -> float:
    """Return the same for many photos, by the normal distribution with a correction."""
    apart = (abs(one - other) - 1) / math.sqrt(one + other)
    return math.erfc(apart / math.sqrt(2))
