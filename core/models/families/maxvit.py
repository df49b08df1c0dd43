"""MaxViT, whose attention looks through windows, then through a grid of cells far apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.models.families.base import TRANSFORMERS, Attention, Family, HeadInput
from core.models.families.blocks import Part, Paths, RunBlock, adding_twice, twice

if TYPE_CHECKING:
    from torch import Tensor


def _run_convolution(block: Any, x: Tensor) -> Iterator[Paths]:
    shortcut = block.proj(x.clone())
    y = block.stochastic_depth(block.layers(x.clone()))
    yield Paths(Part.WHOLE, x, y, shortcut, y + shortcut)


def _run_attention(block: Any, x: Tensor) -> Iterator[Paths]:
    high, wide = (side // block.p for side in block.grid_size)

    def together(windows: Tensor) -> Tensor:
        maps: Tensor = block.departition_op(block.departition_swap(windows), block.p, high, wide)
        return maps

    windows = block.partition_swap(block.partition_op(x, block.p))
    first = block.stochastic_dropout(block.attn_layer(windows))
    for paths in twice(windows, first, lambda y: block.stochastic_dropout(block.mlp_layer(y))):
        if paths.part is not Part.WHOLE:
            yield paths
            continue
        yield replace(
            paths,
            input=together(paths.input),
            residual=together(paths.residual),
            shortcut=together(paths.shortcut),
            output=together(paths.output),
        )


MAXVIT = Family(
    {"maxvit_t": "MaxViT-T"},
    TRANSFORMERS,
    "maxvit",
    "classifier.5",
    head_input=HeadInput.MAPS_WHOLE,
    gives_maps=False,
    blocks={
        "MBConv": RunBlock(_run_convolution),
        "PartitionAttentionLayer": adding_twice(_run_attention, has_windows=True),
    },
    attention={"RelativePositionalMultiHeadAttention": Attention.PARTITIONS},
    windows="PartitionAttentionLayer",
)
