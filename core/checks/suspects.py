"""Labels that are likely wrong, and photos that stand in a set twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.checks.answers import Answers
from core.values.joining import Groups

_BITS = 256
_MOST_BITS_APART = 20
"""Photos that were shrunk, compressed or brightened differ in fewer in 95 of 100 cases; the most
alike of 882 photos of clothes on walls differ in 28, those of other things in 74."""

_LEAST_BITS = 24
"""Of ones, or of noughts, in a hash; a wall or a clear sky has fewer, and is like any other."""

_ROWS = 128


@dataclass(frozen=True)
class Suspect:
    """A label that is likely wrong.

    Attributes:
        position: of the photo.
        label: that it has.
        proposal: what is likelier.
        share: the probability of its label.
        proposed: the probability of the proposal.
    """

    position: int
    label: str
    proposal: str
    share: float
    proposed: float


def suspects(answers: Answers) -> tuple[Suspect, ...]:
    """Return the photos for which another class is likelier than their label, the worst first.

    They are ordered by the probability of their label. Source: Northcutt, Jiang and Chuang,
    "Confident Learning", 2021 ("self-confidence").

    Args:
        answers: of a model that has not learnt from these photos.
    """
    everywhere = np.arange(len(answers))
    own = answers.shares[everywhere, answers.labels]
    predicted = answers.predicted
    wrong = np.flatnonzero(predicted != answers.labels)
    wrong = wrong[np.argsort(own[wrong], kind="stable")]
    return tuple(
        Suspect(
            at,
            answers.classes[answers.labels[at]],
            answers.classes[predicted[at]],
            float(own[at]),
            float(answers.shares[at, predicted[at]]),
        )
        for at in wrong.tolist()
    )


@dataclass(frozen=True)
class Duplicates:
    """Photos that show the same.

    Attributes:
        positions: of the photos, two or more.
        is_exact: whether all files have the same content.
        labels: that they have, each once.
        sets: in which they stand, training and validation for instance, each once.
    """

    positions: tuple[int, ...]
    is_exact: bool
    labels: tuple[str, ...]
    sets: tuple[str, ...]


def same_photos(
    contents: Sequence[str], hashes: Sequence[bytes | None], alike: Sequence[int]
) -> list[int]:
    """Return a number for each photo, the same for those that show the same.

    Args:
        contents: a hash of each file; "" where it is not known.
        hashes: a perceptual hash of each photo, 256 bits; None where there is none.
        alike: a number for each photo, the same for those that a network takes for the same.
    """
    groups = Groups(len(contents))
    groups.join_same(contents)
    groups.join_same(("group", group) for group in alike)
    _join_near(groups, hashes)
    return groups.all()


def duplicates(
    same: Sequence[int], contents: Sequence[str], labels: Sequence[str], sets: Sequence[str]
) -> tuple[Duplicates, ...]:
    """Return groups of photos that show the same; those first whose labels differ, then sets.

    Args:
        same: as ``same_photos`` gives it.
        contents: as for it.
        labels: of each.
        sets: in which each stands; "" where there are none.
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(same):
        members[group].append(at)
    found = [
        _group(positions, contents, labels, sets)
        for positions in members.values()
        if len(positions) > 1
    ]
    found.sort(key=lambda one: (len(one.labels) < 2, len(one.sets) < 2, not one.is_exact))
    return tuple(found)


def _group(
    positions: Sequence[int], contents: Sequence[str], labels: Sequence[str], sets: Sequence[str]
) -> Duplicates:
    is_exact = len({contents[at] for at in positions}) == 1 and bool(contents[positions[0]])
    return Duplicates(
        tuple(positions),
        is_exact,
        tuple(dict.fromkeys(labels[at] for at in positions)),
        tuple(dict.fromkeys(sets[at] for at in positions)),
    )


def _join_near(groups: Groups, hashes: Sequence[bytes | None]) -> None:
    """Let photos be of one group whose hashes differ in few bits."""
    count = len(hashes)
    empty = bytes(_BITS // 8)  # of few ones, and passed over
    words = np.frombuffer(b"".join(one or empty for one in hashes), np.uint64)
    words = words.reshape(count, -1)
    ones = np.bitwise_count(words).sum(axis=1)
    is_usable = (ones >= _LEAST_BITS) & (ones <= _BITS - _LEAST_BITS)
    for begin in range(0, count, _ROWS):
        rows = words[begin : begin + _ROWS]
        apart = np.bitwise_count(rows[:, None] ^ words[None, : begin + len(rows)]).sum(axis=-1)
        near = (apart <= _MOST_BITS_APART) & is_usable[: begin + len(rows)]
        near[~is_usable[begin : begin + _ROWS]] = False
        groups.join_near(begin, near)
