"""Swin and Swin V2, which compute with channels last from their patches to their pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import TRANSFORMERS, Attention, Family, Modules, Unopened
from core.models.families.blocks import Paths, adding_twice, twice

if TYPE_CHECKING:
    from torch import Tensor


def _channels_last(_: Modules, layer: str) -> bool:
    segments = layer.split(".")
    if segments[0] == "norm":
        return True
    return segments[0] == "features" and segments[:3] != ["features", "0", "0"]


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    first = block.stochastic_depth(block.attn(block.norm1(x)))
    yield from twice(x, first, lambda y: block.stochastic_depth(block.mlp(block.norm2(y))))


def _run_v2(block: Any, x: Tensor) -> Iterator[Paths]:
    first = block.stochastic_depth(block.norm1(block.attn(x)))
    yield from twice(x, first, lambda y: block.stochastic_depth(block.norm2(block.mlp(y))))


SWIN = Family(
    {
        f"swin_{version}{size}": f"Swin{' V2' if version else ''}-{size.upper()}"
        for version in ("", "v2_")
        for size in "tsb"
    },
    TRANSFORMERS,
    "swin_transformer",
    "head",
    unopened=(
        Unopened(
            lazy(
                "is a Swin transformer with timm's names, which differ from torchvision's in their "
                "order"
            ),
            (r"patch_embed\.proj\.weight", r"layers\.\d+\.blocks\.\d+\.attn"),
        ),
    ),
    blocks={
        "SwinTransformerBlock": adding_twice(_run),
        "SwinTransformerBlockV2": adding_twice(_run_v2),
    },
    channels_last=_channels_last,
    attention={
        "ShiftedWindowAttention": Attention.SHIFTED_WINDOWS,
        "ShiftedWindowAttentionV2": Attention.SHIFTED_WINDOWS,
    },
)
