"""How sure a share is."""

from __future__ import annotations

import math

Interval = tuple[float, float]

_Z = 1.959964
"""Of the normal distribution, 95 % within it."""


def wilson_interval(right: int, tested: int) -> Interval:
    """Return the 95 % interval of a share. Source: Wilson, 1927.

    Args:
        right: how many.
        tested: of how many; at least one.
    """
    share, z2 = right / tested, _Z**2
    middle = (share + z2 / (2 * tested)) / (1 + z2 / tested)
    half = _Z * math.sqrt(share * (1 - share) / tested + z2 / (4 * tested**2)) / (1 + z2 / tested)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
