"""RegNetX and RegNetY."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.models.families.base import SEARCHED, Family
from core.models.families.blocks import Part, Paths, RunBlock

if TYPE_CHECKING:
    from torch import Tensor

_SIZES = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")


def _title(kind: str, size: str) -> str:
    return f"RegNet{kind.upper()} {size.replace('_', '.').upper()}"


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    shortcut = x if block.proj is None else block.proj(x.clone())
    y = block.f(x.clone())
    yield Paths(Part.WHOLE, x, y, shortcut, block.activation(y + shortcut))


REGNET = Family(
    {f"regnet_x_{size}": _title("x", size) for size in _SIZES}
    | {f"regnet_y_{size}": _title("y", size) for size in (*_SIZES, "128gf")},
    SEARCHED,
    "regnet",
    "fc",
    blocks={"ResBottleneckBlock": RunBlock(_run)},
)
