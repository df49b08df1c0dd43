"""How residual blocks add: helpers for the families, which run a block part by part.

Sources: torchvision's definitions of the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


class Part(Enum):
    """What of a block is looked at; a transformer's block adds twice."""

    WHOLE = ""
    ATTENTION = "attention"
    MLP = "mlp"


@dataclass(frozen=True)
class Paths:
    """The tensors of one addition, in the block's own layout."""

    part: Part
    input: Tensor
    residual: Tensor
    shortcut: Tensor
    output: Tensor


Run = Callable[..., Iterator[Paths]]


@dataclass(frozen=True)
class RunBlock:
    """How one kind of block is run again with its input.

    Attributes:
        run: given the block and its input, yields the whole and the parts.
        parts: beside the whole.
        has_windows: whether the parts stand in windows.
        wants: keyword arguments of the block's that are given to ``run`` too.
    """

    run: Run
    parts: tuple[Part, ...] = ()
    has_windows: bool = False
    wants: tuple[str, ...] = ()


def adding(path: Callable[[Any, Tensor], Tensor]) -> RunBlock:
    """Return the way of blocks whose shortcut is always their input."""

    def run(block: Any, x: Tensor) -> Iterator[Paths]:
        y = path(block, x.clone())
        yield Paths(Part.WHOLE, x, y, x, y + x)

    return RunBlock(run)


def adding_twice(run: Run, *wants: str, has_windows: bool = False) -> RunBlock:
    """Return the way of a transformer's block: attention, then a small network, each added."""
    return RunBlock(run, (Part.ATTENTION, Part.MLP), has_windows, wants)


def twice(x: Tensor, first: Tensor, second: Callable[[Tensor], Tensor]) -> Iterator[Paths]:
    """Yield two additions in a row, and both as one.

    Args:
        x: the input.
        first: what attention gives.
        second: gives what is added to the sum of both.
    """
    middle = x + first
    last = second(middle)
    yield Paths(Part.ATTENTION, x, first, x, middle)
    yield Paths(Part.MLP, middle, last, middle, middle + last)
    yield Paths(Part.WHOLE, x, first + last, x, middle + last)
