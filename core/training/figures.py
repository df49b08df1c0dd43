"""How right a head is, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959964
"""Of the normal distribution, 95 % within it."""


@dataclass(frozen=True)
class Figures:
    """What is known of a head beside its numbers.

    Attributes:
        trained, validated: how many photos it was fitted to, and how many it was tried on.
        accuracy: share of photos that it was not fitted to and named rightly; None where no class
            has photos enough to hold some out.
        interval: within which the true share lies in 95 of 100 cases; None likewise.
        is_cross_validated: whether each photo was held out in turn, by heads like the one that was
            fitted to all in the end.
        penalty: of its weights, chosen by cross-validation.
        is_selected: whether the best of several epochs was chosen by the photos that it was tried
            on, which makes the accuracy a little too good.
        alike: photos to try it on that did not count, being nearly the same as some learnt from.
    """

    trained: int
    validated: int
    accuracy: float | None
    interval: tuple[float, float] | None
    is_cross_validated: bool
    penalty: float
    alike: int = 0
    is_selected: bool = False

    def to_json(self, failed: int) -> dict[str, object]:
        """Return the fields as JSON values.

        Args:
            failed: photos that could not be opened.
        """
        return {
            "photos": {
                "train": self.trained,
                "validation": self.validated,
                "failed": failed,
                "alike": self.alike,
            },
            "accuracy": self.accuracy,
            "interval": None if self.interval is None else list(self.interval),
            "is_cross_validated": self.is_cross_validated,
            "is_selected": self.is_selected,
            "penalty": self.penalty,
        }


def wilson_interval(right: int, tested: int) -> tuple[float, float]:
    """Return the 95 % interval of a share. Source: Wilson, 1927.

    Args:
        right: how many.
        tested: of how many; at least one.
    """
    share, z2 = right / tested, _Z**2
    middle = (share + z2 / (2 * tested)) / (1 + z2 / tested)
    half = _Z * math.sqrt(share * (1 - share) / tested + z2 / (4 * tested**2)) / (1 + z2 / tested)
    return max(0.0, middle - half), min(1.0, middle + half)
