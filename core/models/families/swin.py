"""Swin and Swin V2, which compute with channels last from their patches to their pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import (
    JOINED,
    TRANSFORMERS,
    Attention,
    Dialect,
    Family,
    Modules,
    Shapes,
    Unopened,
)
from core.models.families.blocks import Paths, adding_twice, twice
from core.models.families.configured import GELU, Configured, Setting, always
from core.models.families.stages import stage

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


_V2_SIDES = (256, 384, 512, 768, 1024)
"""Images whose last maps are no smaller than the windows of torchvision's networks, which are 8."""


def _settings(architecture: str, _: Shapes) -> dict[str, Setting]:
    settings = {"hidden_act": always(*GELU), "use_absolute_embeddings": always(False)}
    if "v2" in architecture:
        # Its positions are computed: no shape tells how large the windows are.
        settings |= {
            "window_size": Setting(7, (8,)),
            "image_size": Setting(224, _V2_SIDES),
            "pretrained_window_sizes": always([0, 0, 0, 0]),
        }
    return settings


_BLOCK = r"encoder\.layers\.(\d)\.blocks\.(\d+)\."

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "embeddings.patch_embeddings.projection.weight",
    (
        (r"embeddings\.patch_embeddings\.projection\.(\w+)", r"features.0.0.\1"),
        (r"embeddings\.norm\.(\w+)", r"features.0.2.\1"),
        (rf"{_BLOCK}attention\.(?:self\.)?{JOINED}\.(\w+)", stage(1, 2, r"\2.attn.qkv.\3")),
        (
            # The index beside it is of another shape, and each network makes its own.
            rf"{_BLOCK}attention\.(?:self|relative_position_bias)\.(relative_position_bias_table)",
            stage(1, 2, r"\2.attn.\3"),
        ),
        (rf"{_BLOCK}attention\.(?:output\.dense|o_proj)\.(\w+)", stage(1, 2, r"\2.attn.proj.\3")),
        (rf"{_BLOCK}attention\.self\.logit_scale", stage(1, 2, r"\2.attn.logit_scale")),
        (
            rf"{_BLOCK}attention\.self\.continuous_position_bias_mlp\.(.+)",
            stage(1, 2, r"\2.attn.cpb_mlp.\3"),
        ),
        (rf"{_BLOCK}layernorm_before\.(\w+)", stage(1, 2, r"\2.norm1.\3")),
        (rf"{_BLOCK}layernorm_after\.(\w+)", stage(1, 2, r"\2.norm2.\3")),
        (rf"{_BLOCK}(?:intermediate\.dense|mlp\.fc1)\.(\w+)", stage(1, 2, r"\2.mlp.0.\3")),
        (rf"{_BLOCK}(?:output\.dense|mlp\.fc2)\.(\w+)", stage(1, 2, r"\2.mlp.3.\3")),
        (r"encoder\.layers\.(\d)\.downsample\.(\w+)\.(\w+)", stage(2, 2, r"\2.\3")),
        (r"layernorm\.(\w+)", r"norm.\1"),
    ),
    configured=Configured(
        {"swin": 1e-5, "swinv2": 1e-5},
        _settings,
        "layer_norm_eps",
        r"norm|features\.\d\.\d+\.norm[12]",
    ),
)

SWIN = Family(
    {
        f"swin_{version}{size}": f"Swin{' V2' if version else ''}-{size.upper()}"
        for version in ("", "v2_")
        for size in "tsb"
    },
    TRANSFORMERS,
    "swin_transformer",
    "head",
    dialects=(HUGGING_FACE,),
    unopened=(
        Unopened(
            lazy(
                "is a Swin transformer with timm's names, of an image size or a form that timm "
                "does not list"
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
