"""ConvNeXt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import MODERN, Dialect, Family, HeadInput, Modules, Shape, Unopened
from core.models.families.blocks import adding
from core.models.families.configured import GELU, Configured, always
from core.models.families.stages import stage

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS_LAST = frozenset({"1", "2", "3", "4", "5"})
"""Positions in a block from the first permutation to the one before the last."""


def _reshape(name: str, shape: Shape) -> Shape:
    """Give the layer scale, which is flat at timm, torchvision's shape."""
    return (*shape, 1, 1) if name.endswith(".layer_scale") and len(shape) == 1 else shape


def _channels_last(modules: Modules, layer: str) -> bool:
    block, _, rest = layer.rpartition(".block.")
    is_inside = block in modules and type(modules[block]).__name__ == "CNBlock"
    return is_inside and rest.split(".", 1)[0] in _CHANNELS_LAST


def _path(block: Any, x: Tensor) -> Tensor:
    added: Tensor = block.stochastic_depth(block.layer_scale * block.block(x))
    return added


TIMM = Dialect(
    "timm's names",
    "stages.0.blocks.0.conv_dw.weight",
    (
        (r"stem\.([01])\.(\w+)", r"features.0.\1.\2"),
        (r"stages\.(\d)\.downsample\.([01])\.(\w+)", stage(0, 2, r"\2.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.gamma", stage(1, 2, r"\2.layer_scale")),
        (r"stages\.(\d)\.blocks\.(\d+)\.conv_dw\.(\w+)", stage(1, 2, r"\2.block.0.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.norm\.(\w+)", stage(1, 2, r"\2.block.2.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc1\.(\w+)", stage(1, 2, r"\2.block.3.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc2\.(\w+)", stage(1, 2, r"\2.block.5.\3")),
        (r"head\.norm\.(\w+)", r"classifier.0.\1"),
        (r"head\.fc\.(weight|bias)", r"classifier.2.\1"),
    ),
    _reshape,
)

_BLOCK = r"encoder\.stages\.(\d)\.layers\.(\d+)\."

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "encoder.stages.0.layers.0.dwconv.weight",
    (
        (r"embeddings\.patch_embeddings\.(\w+)", r"features.0.0.\1"),
        (r"embeddings\.layernorm\.(\w+)", r"features.0.1.\1"),
        (r"encoder\.stages\.(\d)\.downsampling_layer\.([01])\.(\w+)", stage(0, 2, r"\2.\3")),
        (rf"{_BLOCK}layer_scale_parameter", stage(1, 2, r"\2.layer_scale")),
        (rf"{_BLOCK}dwconv\.(\w+)", stage(1, 2, r"\2.block.0.\3")),
        (rf"{_BLOCK}layernorm\.(\w+)", stage(1, 2, r"\2.block.2.\3")),
        (rf"{_BLOCK}pwconv1\.(\w+)", stage(1, 2, r"\2.block.3.\3")),
        (rf"{_BLOCK}pwconv2\.(\w+)", stage(1, 2, r"\2.block.5.\3")),
        (r"layernorm\.(\w+)", r"classifier.0.\1"),
    ),
    _reshape,
    configured=Configured(
        {"convnext": 1e-12},
        lambda *_: {"hidden_act": always(*GELU)},
        "layer_norm_eps",
        r"classifier\.0",
    ),
)

CONVNEXT = Family(
    {f"convnext_{size}": f"ConvNeXt {size.capitalize()}"
     for size in ("tiny", "small", "base", "large")},
    MODERN,
    "convnext",
    "classifier.2",
    head_input=HeadInput.MAPS_WHOLE,
    dialects=(TIMM, HUGGING_FACE),
    unopened=(
        Unopened(
            lazy("is a ConvNeXt with timm's names, of a form that timm does not list"),
            (r"stages\.\d+\.blocks\.\d+\.conv_dw",),
        ),
    ),
    blocks={"CNBlock": adding(_path)},
    channels_last=_channels_last,
)  # fmt: skip
