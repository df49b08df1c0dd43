"""Which photos to label next: typical ones, then those that the head is least sure of."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from core.training.splits import of_length_one

Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

TYPICAL_LABELS = 100
"""So many labels are asked for of typical photos; from then on the head knows what it does not."""

_HEAPS = 10
"""More heaps of look-alikes than labels, so that some have no label yet."""
_STEPS = 10
_MOST = 2_000
"""Photos that are compared with one another; of more, so many chosen by a fixed seed."""


def order_of_labels(
    features: Numbers,
    labels: Indices,
    shares: Numbers | None,
    seed: int = 0,
    *,
    is_several: bool = False,
) -> Indices:
    """Return the positions of photos without a label, those first whose label helps most.

    Typical photos are those in the middle of a heap of look-alikes, the largest heap first. Later
    come those whose two likeliest classes are nearly as likely, of the classes in turn, so that
    none is forgotten.

    Args:
        features: of all photos, shape (N, D).
        labels: class indices, -1 for photos without a label, shape (N,).
        shares: what the head says of them, shape (N, K); None where there is none.
        seed: of the choice where there are too many.
        is_several: whether each class is a yes or no of its own: the head is then least sure where
            one is as likely as not.
    """
    open_ = np.flatnonzero(labels < 0)
    labelled = np.flatnonzero(labels >= 0)
    if not len(open_):
        return open_
    if shares is None or len(labelled) < TYPICAL_LABELS:
        first = _typical(features, open_, labelled, seed)
    else:
        first = _unsure(open_, labels, shares, is_several=is_several)
    return np.concatenate([first, np.setdiff1d(open_, first)])


def heaps_of(features: Numbers, count: int, seed: int = 0) -> Indices:
    """Return for each photo the number of its heap of look-alikes, shape (N,).

    Spherical k-means, begun from photos that are far from each other.

    Args:
        features: shape (N, D).
        count: how many heaps there are at most.
        seed: of the first photo.
    """
    unit = of_length_one(features)
    count = min(count, len(unit))
    centres = _spread(unit, count, seed)
    nearest = np.zeros(len(unit), np.int64)
    for _ in range(_STEPS):
        nearest = (unit @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, unit)
        filled = np.bincount(nearest, minlength=count) > 0
        centres = np.where(filled[:, None], of_length_one(sums), centres)
    return nearest


def _typical(features: Numbers, open_: Indices, labelled: Indices, seed: int) -> Indices:
    """Return the middle photo of each heap that has no label, the largest heap first."""
    random = np.random.default_rng(seed)
    if len(open_) > _MOST:
        open_ = np.sort(random.choice(open_, _MOST, replace=False))
    known = labelled[-_MOST:]
    both = np.concatenate([open_, known])
    heaps = heaps_of(features[both], len(known) + _HEAPS, seed)
    taken = set(heaps[len(open_) :].tolist())
    unit = of_length_one(features[open_])
    middles = []
    for heap in np.unique(heaps[: len(open_)]).tolist():
        members = np.flatnonzero(heaps[: len(open_)] == heap)
        middle = members[(unit[members] @ unit[members].mean(axis=0)).argmax()]
        middles.append((heap in taken, -len(members), int(open_[middle])))
    return np.array([at for _, _, at in sorted(middles)], np.int64)


def _unsure(open_: Indices, labels: Indices, shares: Numbers, *, is_several: bool) -> Indices:
    """Return the photos that the head is least sure of, of the classes in turn."""
    top = np.sort(shares[open_], axis=1)[:, ::-1]
    margin = top[:, 0] - top[:, 1]
    likeliest = shares[open_].argmax(axis=1)
    if is_several:
        doubt = np.abs(shares[open_] - 0.5)
        margin, likeliest = doubt.min(axis=1), doubt.argmin(axis=1)
    by_class: defaultdict[int, list[int]] = defaultdict(list)
    for at in np.argsort(margin, kind="stable").tolist():
        by_class[int(likeliest[at])].append(at)
    ranks = np.zeros(len(open_))
    for members in by_class.values():
        ranks[members] = np.arange(len(members))
    counts = np.bincount(labels[labels >= 0], minlength=shares.shape[1])
    return open_[np.lexsort((margin, counts[likeliest], ranks))]


def _spread(unit: Numbers, count: int, seed: int) -> Numbers:
    """Return photos that are far from each other: each the farthest from those before."""
    first = int(np.random.default_rng(seed).integers(len(unit)))
    chosen = [first]
    nearest = unit @ unit[first]
    for _ in range(count - 1):
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, unit @ unit[chosen[-1]])
    return unit[chosen]
