"""timm's networks: their blocks, layouts and preprocessing, whichever architecture it is.

An architecture of timm's is built when a file turns out to be one; none is listed here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import DroplensError
from core.language import lazy
from core.models.families.base import (
    Attention,
    Family,
    HeadInput,
    Modules,
    Shape,
    no_weights,
    of_timm,
)
from core.models.families.blocks import Part, Paths, RunBlock, adding, adding_twice, twice

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.images.preprocessing import Preprocessing

_ODD = (TypeError, ValueError, ZeroDivisionError, OverflowError, KeyError, DroplensError)
"""What reading somebody's configuration can provoke."""


@dataclass(frozen=True)
class TimmVariant:
    """One of timm's architectures for a number of classes and channels.

    Attributes:
        title: its name.
        classes: outputs of its head.
        channels: of its input.
    """

    title: str
    classes: int
    channels: int = 3

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        del options  # image size and dilation are part of the architecture
        return of_timm(self.title, num_classes=self.classes, in_chans=self.channels)

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of its state dict."""
        from core.models.building import build_without_memory  # torch, which costs start-up time

        network = build_without_memory(lambda: self.build({}))
        return {name: tuple(one.shape) for name, one in network.state_dict().items()}


_TWO_HEADS = {
    name: ("head.linear", "head_dist.linear") for name in ("levit_384_s8", "levit_conv_384_s8")
}
"""Of these timm's own notes name one alone."""


@functools.cache
def timm_config(architecture: str) -> Mapping[str, Any]:
    """Return what timm notes beside an architecture: input, normalisation, places of the head."""
    from core.models.timm_import import timm_models

    found = timm_models().get_pretrained_cfg(architecture)
    return {} if found is None else dict(found.to_dict())


def timm_heads(architecture: str) -> tuple[str, ...]:
    """Return where the layers stand that give logits; there are two after a distillation."""
    if architecture in _TWO_HEADS:
        return _TWO_HEADS[architecture]
    places = timm_config(architecture).get("classifier") or ()
    return (places,) if isinstance(places, str) else tuple(places)


def timm_preset(architecture: str) -> Preprocessing:
    """Return the preprocessing that timm notes beside an architecture."""
    from core.images.preprocessing import Preprocessing

    return preprocessing_of(timm_config(architecture)) or Preprocessing()


def preprocessing_of(config: object) -> Preprocessing | None:
    """Return the preprocessing of timm's ``pretrained_cfg``; None where there is none.

    Source: timm's ``create_transform`` for evaluation.
    """
    from core.images.preprocessing import from_json

    if not isinstance(config, Mapping) or "mean" not in config or "input_size" not in config:
        return None
    try:
        _, height, width = (int(side) for side in config["input_size"])
        share = float(config.get("crop_pct") or 0.875)
        resize: object = math.floor(min(height, width) / share)
        crop: object = [height, width]
        if config.get("crop_mode") == "squash":
            resize, crop = [math.floor(height / share), math.floor(width / share)], crop
        return from_json(
            {
                "resize": resize,
                "crop": crop,
                "interpolation": str(config.get("interpolation") or "bilinear"),
                "mean": list(config["mean"]),
                "std": list(config["std"]),
                "apply_orientation": False,
                "transparency": "dropped",
            }
        )
    except _ODD:
        return None


def timm_family(architecture: str, head: str, *, takes_maps: bool) -> Family:
    """Return what is known of one of timm's architectures.

    Args:
        architecture: timm's name.
        head: dotted name of the layer that gives the logits.
        takes_maps: whether that is a convolution over maps.
    """
    return replace(
        TIMM,
        titles={architecture: architecture},
        head=head,
        head_input=HeadInput.MAPS if takes_maps else HeadInput.VECTOR,
        preset=lambda _: timm_preset(architecture),
    )


# How blocks add. Sources: timm's definitions of the blocks.


def _without_skip(block: Any, x: Tensor) -> Tensor:
    """Return what a block of the EfficientNets computes beside its shortcut."""
    had, block.has_skip = block.has_skip, False
    try:
        residual: Tensor = block(x)
    finally:
        block.has_skip = had
    return residual


def _run_resnet(block: Any, x: Tensor) -> Iterator[Paths]:
    last = 3 if hasattr(block, "conv3") else 2
    y = block.act1(block.drop_block(block.bn1(block.conv1(x.clone()))))
    if last == 3:
        y = block.act2(block.drop_block(block.bn2(block.conv2(y))))
    y = block.aa(y)
    y = getattr(block, f"bn{last}")(getattr(block, f"conv{last}")(y))
    y = y if block.se is None else block.se(y)
    shortcut = x if block.downsample is None else block.downsample(x.clone())
    yield Paths(Part.WHOLE, x, y, shortcut, getattr(block, f"act{last}")(y + shortcut))


def _run_regnet(block: Any, x: Tensor) -> Iterator[Paths]:
    y = block.conv3(block.se(block.conv2(block.conv1(x.clone()))))
    shortcut = block.downsample(x.clone())
    yield Paths(Part.WHOLE, x, y, shortcut, block.act3(y + shortcut))


def _run_convnext(block: Any, x: Tensor) -> Iterator[Paths]:
    y = block.conv_dw(x.clone())
    if block.use_conv_mlp:
        y = block.mlp(block.norm(y))
    else:
        y = block.mlp(block.norm(y.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    if block.gamma is not None:
        y = y * block.gamma.reshape(1, -1, 1, 1)
    shortcut = block.shortcut(x)
    yield Paths(Part.WHOLE, x, y, shortcut, y + shortcut)


def _run_vit(block: Any, x: Tensor) -> Iterator[Paths]:
    first = block.ls1(block.attn(block.norm1(x)))
    yield from twice(x, first, lambda y: block.ls2(block.mlp(block.norm2(y))))


def _run_beit(block: Any, x: Tensor) -> Iterator[Paths]:
    one, two = (1, 1) if block.gamma_1 is None else (block.gamma_1, block.gamma_2)
    first = one * block.attn(block.norm1(x))
    yield from twice(x, first, lambda y: two * block.mlp(block.norm2(y)))


def _run_eva(block: Any, x: Tensor, rope: Tensor | None) -> Iterator[Paths]:
    one, two = (1, 1) if block.gamma_1 is None else (block.gamma_1, block.gamma_2)
    first = one * block.attn(block.norm1(x), rope=rope)
    yield from twice(x, first, lambda y: two * block.mlp(block.norm2(y)))


def _run_eva_normed_last(block: Any, x: Tensor, rope: Tensor | None) -> Iterator[Paths]:
    first = block.norm1(block.attn(x, rope=rope))
    yield from twice(x, first, lambda y: block.norm2(block.mlp(y)))


def _run_norm_free(block: Any, x: Tensor) -> Iterator[Paths]:
    """Run a block without norms, whose F(x) is scaled by two numbers before it is added."""
    activated = block.act1(x.clone()) * block.beta
    shortcut = x if block.downsample is None else block.downsample(activated.clone())
    y = block.conv2(block.act2(block.conv1(activated)))
    y = y if block.conv2b is None else block.conv2b(block.act2b(y))
    y = y if block.attn is None else block.attn_gain * block.attn(y)
    y = block.conv3(block.act3(y))
    y = y if block.attn_last is None else block.attn_gain * block.attn_last(y)
    y = y if block.skipinit_gain is None else y * block.skipinit_gain
    yield Paths(Part.WHOLE, x, y * block.alpha, shortcut, y * block.alpha + shortcut)


def _run_maxvit_convolution(block: Any, x: Tensor) -> Iterator[Paths]:
    y = block.norm1(block.conv1_1x1(block.down(block.pre_norm(x.clone()))))
    y = block.conv2_kxk(y)
    y = y if block.se_early is None else block.se_early(y)
    y = block.norm2(y)
    y = block.conv3_1x1(y if block.se is None else block.se(y))
    shortcut = block.shortcut(x)
    yield Paths(Part.WHOLE, x, y, shortcut, y + shortcut)


def _run_maxvit_attention(block: Any, x: Tensor) -> Iterator[Paths]:
    first = block.ls1(block._partition_attn(block.norm1(x)))
    yield from twice(x, first, lambda y: block.ls2(block.mlp(block.norm2(y))))


def _run_swin(block: Any, x: Tensor) -> Iterator[Paths]:
    yield from twice(x, block._attn(block.norm1(x)), lambda y: block.mlp(block.norm2(y)))


TIMM_BLOCKS: Mapping[str, RunBlock] = {
    "resnet.BasicBlock": RunBlock(_run_resnet),
    "resnet.Bottleneck": RunBlock(_run_resnet),
    "regnet.Bottleneck": RunBlock(_run_regnet),
    "convnext.ConvNeXtBlock": RunBlock(_run_convnext),
    "vision_transformer.Block": adding_twice(_run_vit),
    "beit.Block": adding_twice(_run_beit),
    "swin_transformer.SwinTransformerBlock": adding_twice(_run_swin),
    "eva.EvaBlock": adding_twice(_run_eva, "rope"),
    "eva.EvaBlockPostNorm": adding_twice(_run_eva_normed_last, "rope"),
    "nfnet.NormFreeBlock": RunBlock(_run_norm_free),
    "maxxvit.MbConvBlock": RunBlock(_run_maxvit_convolution),
    "maxxvit.PartitionAttentionCl": adding_twice(_run_maxvit_attention),
    "maxxvit.PartitionAttention2d": adding_twice(_run_maxvit_attention),
    **{
        f"_efficientnet_blocks.{kind}": adding(_without_skip)
        for kind in (
            "DepthwiseSeparableConv",
            "EdgeResidual",
            "InvertedResidual",
            "UniversalInvertedResidual",
        )
    },
}

_SWINS = ("swin_transformer", "swin_transformer_v2")


def _channels_last(modules: Modules, layer: str) -> bool:
    first = layer.split(".", 1)[0]
    if type(modules[""]).__module__.rpartition(".")[2] in _SWINS:
        return first in ("layers", "norm") or layer in ("patch_embed", "patch_embed.norm")
    parts = layer.split(".")
    above = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    if any(type(modules.get(one)).__name__ == "PartitionAttentionCl" for one in above):
        return True
    block, _, _ = layer.rpartition(".mlp")
    inside = modules.get(block or layer.removesuffix(".norm"))
    return type(inside).__name__ == "ConvNeXtBlock" and not getattr(inside, "use_conv_mlp", True)


def _cam_layer(modules: Modules) -> str:
    """Return the last place whose patches still reach the class token; "" where any will do.

    After the last attention only the class token counts, and gradients at the patches are zero.
    """
    blocks = [name for name, one in modules.items() if type(one).__name__ in ("Block", "EvaBlock")]
    names = [f"{block}.norm1" for block in blocks if f"{block}.norm1" in modules]
    prefix: object = getattr(modules[""], "num_prefix_tokens", 0)
    return names[-1] if names and prefix else ""


TIMM = Family(
    {},
    lazy("timm's"),
    "",
    "",
    library="timm.models",
    gives_maps=False,
    build=of_timm,
    weights=no_weights,
    blocks=TIMM_BLOCKS,
    channels_last=_channels_last,
    attention={"Attention": Attention.TOKENS},
    cam_layer=_cam_layer,
)
