"""ViT, the vision transformer."""

from __future__ import annotations

import math
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
    Shape,
    Shapes,
    Unopened,
)
from core.models.families.blocks import Paths, adding_twice, twice
from core.models.families.configured import GELU, Configured, Setting, always

if TYPE_CHECKING:
    from torch import Tensor

_POSITIONS, _PATCHES = "encoder.pos_embedding", "conv_proj.weight"

TIMM = Dialect(
    "timm's names",
    "patch_embed.proj.weight",
    (
        ("cls_token", "class_token"),
        ("pos_embed", _POSITIONS),
        (r"patch_embed\.proj\.(\w+)", r"conv_proj.\1"),
        (r"blocks\.(\d+)\.norm([12])\.(\w+)", r"encoder.layers.encoder_layer_\1.ln_\2.\3"),
        (
            r"blocks\.(\d+)\.attn\.qkv\.(\w+)",
            r"encoder.layers.encoder_layer_\1.self_attention.in_proj_\2",
        ),
        (
            r"blocks\.(\d+)\.attn\.proj\.(\w+)",
            r"encoder.layers.encoder_layer_\1.self_attention.out_proj.\2",
        ),
        (r"blocks\.(\d+)\.mlp\.fc1\.(\w+)", r"encoder.layers.encoder_layer_\1.mlp.0.\2"),
        (r"blocks\.(\d+)\.mlp\.fc2\.(\w+)", r"encoder.layers.encoder_layer_\1.mlp.3.\2"),
        (r"norm\.(\w+)", r"encoder.ln.\1"),
        (r"head\.(.+)", r"heads.head.\1"),
    ),
)

_LAYER = r"(?:encoder\.layer|layers)\.(\d+)\."
"""In files, and within transformers 5."""

_BLOCK = r"encoder.layers.encoder_layer_\1."

_HEADS = {768: 12, 1024: 16, 1280: 16}
"""Of torchvision's networks, by their width; no shape tells them."""


def image_size(shapes: Shapes) -> int | None:
    """Return the side in pixels that the position embedding fixes.

    There is one position a patch, and one for the class token.
    """
    if len(shapes.get(_POSITIONS, ())) != 3 or len(shapes.get(_PATCHES, ())) != 4:
        return None
    return math.isqrt(shapes[_POSITIONS][1] - 1) * shapes[_PATCHES][2]


def _is_resized(name: str, found: Shape, wanted: Shape) -> bool:
    if name != _POSITIONS:
        return False
    side = math.isqrt(max(0, found[1] - 1))
    return found[0] == 1 and found[2] == wanted[2] and side * side == found[1] - 1 and side > 0


def _cam_layer(modules: Modules) -> str:
    """Return the last place whose patches still reach the class token.

    After the last attention only the class token counts, and gradients at the patches are zero.
    """
    blocks = [name for name, one in modules.items() if type(one).__name__ == "EncoderBlock"]
    return f"{blocks[-1]}.ln_1"


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    normed = block.ln_1(x)
    attended, _ = block.self_attention(normed, normed, normed, need_weights=False)
    yield from twice(x, block.dropout(attended), lambda y: block.mlp(block.ln_2(y)))


def _settings(_: str, shapes: Shapes) -> dict[str, Setting]:
    side = image_size(shapes)
    heads = _HEADS.get(shapes[_PATCHES][0])
    return {
        "hidden_act": always(*GELU),
        # Where these are silent, no other number would fit the shapes.
        "num_attention_heads": always(heads),
        "image_size": always(side, [side, side]),
    }


HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "embeddings.patch_embeddings.projection.weight",
    (
        (r"embeddings\.cls_token", "class_token"),
        (r"embeddings\.position_embeddings", _POSITIONS),
        (r"embeddings\.patch_embeddings\.projection\.(\w+)", r"conv_proj.\1"),
        (
            rf"{_LAYER}attention\.(?:attention\.)?{JOINED}\.(\w+)",
            rf"{_BLOCK}self_attention.in_proj_\2",
        ),
        (
            rf"{_LAYER}attention\.(?:output\.dense|o_proj)\.(\w+)",
            rf"{_BLOCK}self_attention.out_proj.\2",
        ),
        (rf"{_LAYER}layernorm_before\.(\w+)", rf"{_BLOCK}ln_1.\2"),
        (rf"{_LAYER}layernorm_after\.(\w+)", rf"{_BLOCK}ln_2.\2"),
        (rf"{_LAYER}(?:intermediate\.dense|mlp\.fc1)\.(\w+)", rf"{_BLOCK}mlp.0.\2"),
        (rf"{_LAYER}(?:output\.dense|mlp\.fc2)\.(\w+)", rf"{_BLOCK}mlp.3.\2"),
        (r"layernorm\.(\w+)", r"encoder.ln.\1"),
        (r"classifier\.(\w+)", r"heads.head.\1"),
    ),
    configured=Configured(
        {"vit": 1e-12, "vit_msn": 1e-6},
        _settings,
        "layer_norm_eps",
        r"encoder\.ln|encoder\.layers\.encoder_layer_\d+\.ln_[12]",
    ),
)

VIT = Family(
    {
        f"vit_{size}_{patch}": f"ViT-{size.upper()}/{patch}"
        for size, patch in (("b", 16), ("b", 32), ("l", 16), ("l", 32), ("h", 14))
    },
    TRANSFORMERS,
    "vision_transformer",
    "heads.head",
    gives_maps=False,
    image_size=image_size,
    resizable=_is_resized,
    # transformers 5 takes the prefix off the layers of a ViT-MSN, and off nothing else.
    old_names=((r"^vit\.(?=embeddings\.|layernorm\.)", ""),),
    dialects=(TIMM, HUGGING_FACE),
    unopened=(
        Unopened(
            lazy("is a ViT with timm's names, of an image size or a form that timm does not list"),
            (r"patch_embed\.proj\.weight", r"(^|[a-z_]\.)blocks\.\d+\.attn\.qkv"),
        ),
    ),
    blocks={"EncoderBlock": adding_twice(_run)},
    attention={"MultiheadAttention": Attention.TOKENS},
    cam_layer=_cam_layer,
)
