"""Orders in which class names may have been meant, where a model's outputs carry wrong names."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Order = Literal["sorted", "numbers", "usual", "reversed", "next", "previous", "as the labels say"]

_DIGITS = re.compile(r"(\d+)")


def orders(
    names: Sequence[str], labels: Indices, outputs: Indices, usual: Sequence[str] = ()
) -> dict[Order, Indices]:
    """Return for each order which class each output would stand for, shape (K,).

    Args:
        names: of the outputs, as they are now; K.
        labels: class indices of photos, shape (N,).
        outputs: the likeliest output of each, shape (N,).
        usual: the order in which these names usually stand, ImageNet's for instance, if any.

    Returns:
        Those that differ from the order of now.
    """
    count = len(names)
    now = np.arange(count)
    by_text = np.array(sorted(range(count), key=lambda at: names[at]), np.int64)
    by_number = np.array(sorted(range(count), key=lambda at: _with_numbers(names[at])), np.int64)
    found: dict[Order, Indices] = {
        "sorted": by_text,
        "numbers": by_number,
        "reversed": now[::-1],
        "next": np.roll(now, -1),
        "previous": np.roll(now, 1),
        "as the labels say": _assigned(count, labels, outputs),
    }
    if sorted(usual) == sorted(names):
        found["usual"] = _as_in(names, usual)
    return {order: meant for order, meant in found.items() if (meant != now).any()}


def _as_in(names: Sequence[str], usual: Sequence[str]) -> Indices:
    """Return where each name of a list stands among names; of equal ones each once."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for at, name in enumerate(names):
        places[name].append(at)
    return np.array([places[name].popleft() for name in usual], np.int64)


def _assigned(count: int, labels: Indices, outputs: Indices) -> Indices:
    """Return the class that most photos of each output have, each class once.

    The pairs with the most photos come first; what is left keeps its order.
    """
    photos = np.bincount(outputs * count + labels, minlength=count**2).reshape(count, count)
    meant = np.full(count, -1, np.int64)
    free = np.ones(count, np.bool_)
    for cell in np.argsort(-photos, axis=None, kind="stable").tolist():
        output, label = divmod(cell, count)
        if not photos[output, label]:
            break
        if meant[output] < 0 and free[label]:
            meant[output], free[label] = label, False
    for output in np.flatnonzero(meant < 0).tolist():
        label = output if free[output] else int(np.flatnonzero(free)[0])
        meant[output], free[label] = label, False
    return meant


def _with_numbers(name: str) -> list[tuple[int, int, str]]:
    """Return a key by which 2 comes before 10."""
    parts = _DIGITS.split(name)
    return [(0, int(one), "") if one.isdecimal() else (1, 0, one) for one in parts if one]
