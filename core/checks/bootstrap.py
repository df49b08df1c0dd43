"""How sure a figure is that is no share: the bootstrap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.values.intervals import Interval

DRAWS = 500
_SEED = 0
_TAILS = (2.5, 97.5)


def bootstrap(
    count: int, figures: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> list[Interval]:
    """Return the 95 % interval of each figure: its percentiles over photos drawn with repetition.

    The draws are the same each time. Source: Efron, 1979.

    Args:
        count: of photos; at least one.
        figures: gives F figures for how often each photo counts, shape (N,); NaN where there is
            none for these, which then does not count.
    """
    random = np.random.default_rng(_SEED)
    found = []
    for _ in range(DRAWS):
        drawn = random.integers(count, size=count)
        found.append(figures(np.bincount(drawn, minlength=count).astype(np.float64)))
    intervals = []
    for values in np.stack(found).T:
        there = values[~np.isnan(values)]
        low, high = np.percentile(there, _TAILS) if len(there) else (np.nan, np.nan)
        intervals.append((float(low), float(high)))
    return intervals
