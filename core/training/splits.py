"""Hold photos out so that none of those left is nearly the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.values.joining import Groups

Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

FOLDS = 5
_NEARLY_THE_SAME = 0.97
"""Cosine of features; two shots of one scene lie above it, two things of a class below."""

_ROWS = 1024


def groups_of(features: Numbers, contents: Sequence[str], bursts: Sequence[str]) -> Indices:
    """Return the number of each photo's group, whose photos stay together in a split.

    Photos belong together that have one content, features that are nearly the same, or one burst.

    Args:
        features: shape (N, D).
        contents: a hash of each file.
        bursts: what shots of one place and minute have in common; "" for none.
    """
    groups = Groups(len(features))
    groups.join_same(contents)
    groups.join_same(bursts)
    unit = of_length_one(features)
    for begin in range(0, len(unit), _ROWS):
        rows = unit[begin : begin + _ROWS]
        groups.join_near(begin, rows @ unit.T > _NEARLY_THE_SAME)
    return np.array(groups.all(), np.int64)


def of_length_one(features: Numbers) -> Numbers:
    """Return features whose products are cosines, shape (N, D)."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), np.float32)


def folds_of(labels: Indices, groups: Indices, seed: int, count: int = FOLDS) -> list[Indices]:
    """Return positions of photos to be held out in turn, classes evenly among them.

    A class with photos of one group alone is never held out: nothing would be left to learn it by.

    Args:
        labels: class indices, shape (N,).
        groups: as ``groups_of`` numbers them, shape (N,).
        seed: of the order among groups of a size.
        count: how many folds there are at most.
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(groups.tolist()):
        members[group].append(at)
    groups_by_class: defaultdict[int, list[list[int]]] = defaultdict(list)
    for positions in members.values():
        counts = np.bincount(labels[positions])
        groups_by_class[int(counts.argmax())].append(positions)
    count = min(count, max(map(len, groups_by_class.values()), default=0))
    if count < 2:
        return []
    random = np.random.default_rng(seed)
    folds: list[list[int]] = [[] for _ in range(count)]
    for _, found in sorted(groups_by_class.items()):
        if len(found) < 2:
            continue
        order = random.permutation(len(found))
        in_class = np.zeros(count, np.int64)
        # Largest first, each where the fewest of its class and then the fewest of all are.
        for at in sorted(order.tolist(), key=lambda at: -len(found[at])):
            fewest = min(range(count), key=lambda fold: (in_class[fold], len(folds[fold])))
            folds[fewest] += found[at]
            in_class[fewest] += len(found[at])
    return [np.array(sorted(fold), np.int64) for fold in folds if fold]


def hold_out(labels: Indices, groups: Indices, share: float, seed: int) -> Indices:
    """Return positions of about this share of the photos, classes evenly among them."""
    folds = folds_of(labels, groups, seed, count=max(2, round(1 / share)))
    wanted = max(1, round(share * len(folds)))
    return np.sort(np.concatenate(folds[:wanted])) if folds else np.array([], np.int64)
