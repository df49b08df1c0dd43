"""On which photos a model is worse: by folder, month, camera, size or brightness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.checks.figures import Figure
from core.language import percent, tr
from core.values.intervals import wilson_interval

Bools = npt.NDArray[np.bool_]

LEAST_PHOTOS = 5
"""Of a group and of all others; fewer say nothing."""

_SURE = 0.05
_MOST_LISTED = 100


@dataclass(frozen=True)
class Slice:
    """Photos that have something in common.

    Attributes:
        kind: of what they have in common, "camera" for instance.
        value: what it is.
        positions: of the photos.
        accuracy: share of them that is right.
        others: share of all other photos, of which this is known, that is right.
        chance: how likely so large a difference is where there is none, times the number of groups
            that were looked at (the correction of Holm, 1979).
    """

    kind: str
    value: str
    positions: tuple[int, ...]
    accuracy: Figure
    others: float
    chance: float

    @property
    def is_sure(self) -> bool:
        """Return whether the difference is hardly chance."""
        return self.chance < _SURE


def slices(right: Bools, groups: Mapping[str, Mapping[int, str]]) -> tuple[Slice, ...]:
    """Return the groups of photos, those first whose difference from the others is surest.

    Args:
        right: whether each photo is named rightly, shape (N,).
        groups: by kind the value of each photo, by position, of which it is known.
    """
    found = []
    for kind, values in groups.items():
        members: dict[str, list[int]] = {}
        for at, value in values.items():
            members.setdefault(value, []).append(at)
        known = np.array(list(values), np.int64)
        total, all_right = len(known), int(right[known].sum())
        for value, positions in members.items():
            count, own = len(positions), int(right[positions].sum())
            if min(count, total - count) < LEAST_PHOTOS:
                continue
            accuracy = Figure(own / count, wilson_interval(own, count))
            others = (all_right - own) / (total - count)
            chance = fisher(own, count, all_right, total)
            found.append(Slice(kind, value, tuple(positions), accuracy, others, chance))
    return _corrected(found)[:_MOST_LISTED]


def _corrected(found: Sequence[Slice]) -> tuple[Slice, ...]:
    """Return slices, the surest first, with what chance is left when so many were looked at."""
    worst, corrected = 0.0, []
    found = sorted(found, key=lambda one: (round(one.chance, 12), one.accuracy.value))
    for at, one in enumerate(found):
        worst = max(worst, min(1.0, one.chance * (len(found) - at)))
        corrected.append(replace(one, chance=worst))
    return tuple(corrected)


def fisher(own: int, count: int, all_right: int, total: int) -> float:
    """Return how likely a number of right ones is that is as rare as this, or rarer.

    The exact test of Fisher, 1922, two-sided.

    Args:
        own: photos of the group that are right.
        count: photos of the group.
        all_right: photos that are right.
        total: photos.
    """
    low, high = max(0, all_right - (total - count)), min(count, all_right)
    logs = np.array([_log_ways(at, count, all_right, total) for at in range(low, high + 1)])
    logs -= _log_choose(total, count)
    here = logs[own - low]
    return float(min(1.0, np.exp(logs[logs <= here + 1e-7]).sum()))


def _log_ways(own: int, count: int, all_right: int, total: int) -> float:
    return _log_choose(all_right, own) + _log_choose(total - all_right, count - own)


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)


def sentence_of(slices: Sequence[Slice]) -> str:
    """Return what the groups tell, in words."""
    worse = [one for one in slices if one.is_sure and one.accuracy.value < one.others]
    if not slices:
        return tr("There are no two groups of five photos or more to compare.")
    if not worse:
        return tr("On no group is it worse than chance alone would make it.")
    first = worse[0]
    return tr(
        "It is worse on photos with {group}: {share} right, {others} on the others. That is hardly "
        "chance.",
        group=words_of(first.kind, first.value),
        share=percent(first.accuracy.value),
        others=percent(first.others),
    )


def words_of(kind: str, value: str) -> str:
    """Return what photos of a group have in common, in words."""
    words = {
        "folder": tr("folder {value}", value=Path(value).name or value),
        "month": tr("month {value}", value=value),
        "camera": tr("camera {value}", value=value),
        "size": tr("shorter side {value} px", value=value),
        "brightness": tr("brightness {value}%", value=value),
    }
    return words.get(kind, value)
