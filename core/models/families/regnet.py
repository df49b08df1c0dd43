"""RegNetX and RegNetY."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import SEARCHED, Dialect, Family
from core.models.families.blocks import Part, Paths, RunBlock
from core.models.families.configured import Configured, always

if TYPE_CHECKING:
    from torch import Tensor

_SIZES = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")


def _title(kind: str, size: str) -> str:
    return f"RegNet{kind.upper()} {size.replace('_', '.').upper()}"


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    shortcut = x if block.proj is None else block.proj(x.clone())
    y = block.f(x.clone())
    yield Paths(Part.WHOLE, x, y, shortcut, block.activation(y + shortcut))


_KINDS = ("convolution", "normalization")
_PARTS = rf"({'|'.join(_KINDS)})\.(\w+)"
_BLOCK = r"encoder\.stages\.(\d+)\.layers\.(\d+)\."


def _block(found: re.Match[str]) -> str:
    stage = int(found[1]) + 1
    return f"trunk_output.block{stage}.block{stage}-{found[2]}"


def _convolution(found: re.Match[str]) -> str:
    """Name one of the three convolutions; the last has squeeze and excitation before it, or not."""
    letter = "abcc"[int(found[3])]
    return f"{_block(found)}.f.{letter}.{_KINDS.index(found[4])}.{found[5]}"


HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "embedder.embedder.convolution.weight",
    (
        (r"embedder\.embedder\.convolution\.(\w+)", r"stem.0.\1"),
        (r"embedder\.embedder\.normalization\.(\w+)", r"stem.1.\1"),
        (rf"{_BLOCK}layer\.([0-3])\.{_PARTS}", _convolution),
        (rf"{_BLOCK}layer\.2\.attention\.0\.(\w+)", lambda it: f"{_block(it)}.f.se.fc1.{it[3]}"),
        (rf"{_BLOCK}layer\.2\.attention\.2\.(\w+)", lambda it: f"{_block(it)}.f.se.fc2.{it[3]}"),
        (
            rf"{_BLOCK}shortcut\.{_PARTS}",
            lambda it: f"{_block(it)}.proj.{_KINDS.index(it[3])}.{it[4]}",
        ),
    ),
    configured=Configured(
        {"regnet": 1e-5},
        lambda *_: {"hidden_act": always("relu"), "downsample_in_first_stage": always(True)},
    ),
)

REGNET = Family(
    {f"regnet_x_{size}": _title("x", size) for size in _SIZES}
    | {f"regnet_y_{size}": _title("y", size) for size in (*_SIZES, "128gf")},
    SEARCHED,
    "regnet",
    "fc",
    dialects=(HUGGING_FACE,),
    blocks={"ResBottleneckBlock": RunBlock(_run)},
)
