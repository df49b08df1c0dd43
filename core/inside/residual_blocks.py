"""Residual blocks: what goes in, both paths, their sum, and what comes out.

A block is run again part by part with the input that it had in the network's own pass, so that
both paths are seen before they are added. Sources: torchvision's definitions of the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import NotResidualError, UnknownLayerError
from core.inside.feature_maps import check_name
from core.inside.layouts import Layouts

Shortcut = Literal["identity", "projection", "none"]
PARTS = ("attention", "mlp")
"""A transformer's block adds twice; its parts are addressed as "NAME:attention" and "NAME:mlp"."""


@dataclass(frozen=True)
class Step:
    """One layer on the residual path.

    Attributes:
        layer: dotted name.
        text: what it does, e.g. "1×1 reduce 256→128".
        stride: above 1 where it makes the map smaller.
    """

    layer: str
    text: str
    stride: int


@dataclass(frozen=True)
class BlockInfo:
    """What is known of a block without running it.

    Attributes:
        name: dotted.
        kind: the module's class.
        shortcut: "identity", "projection", or "none" where nothing is added.
        reason: why the shortcut is what it is, e.g. "stride 2, 256→512 channels".
        steps: the layers of the residual path in order.
        parts: ("attention", "mlp") where it adds twice, else ().
    """

    name: str
    kind: str
    shortcut: Shortcut
    reason: str
    steps: tuple[Step, ...]
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResidualBlock:
    """Both paths of one block for one photo; all maps float32.

    Attributes:
        info: the block.
        part: "attention", "mlp", or "" for the whole.
        input: shape (C, h, w).
        residual: F(x), shape (K, h', w').
        shortcut: what is added to it, the same shape.
        sum: of both.
        output: of the block or its part: the sum, after an activation in ResNets and RegNets.
    """

    info: BlockInfo
    part: str
    input: npt.NDArray[np.float32]
    residual: npt.NDArray[np.float32]
    shortcut: npt.NDArray[np.float32]
    sum: npt.NDArray[np.float32]
    output: npt.NDArray[np.float32]

    @property
    def residual_share(self) -> float:
        """Return the share of the two paths' energy that F(x) has, 0..1."""
        ours = float(np.square(self.residual, dtype=np.float64).sum())
        theirs = float(np.square(self.shortcut, dtype=np.float64).sum())
        return ours / (ours + theirs) if ours + theirs > 0 else 0.0


@dataclass(frozen=True)
class _Paths:
    """The tensors of one addition, in the block's own layout."""

    input: Tensor
    residual: Tensor
    shortcut: Tensor
    output: Tensor


def list_blocks(network: nn.Module) -> tuple[BlockInfo, ...]:
    """Return the residual blocks of a network in their order, those without shortcut included."""
    return tuple(
        _info(name, module) for name, module in network.named_modules() if _kind(module) in _KINDS
    )


def run_block(network: nn.Module, image: Tensor, name: str) -> ResidualBlock:
    """Return both paths of one block for one image.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        image: preprocessed, float32, shape (1, C, H, W), on the network's device.
        name: dotted name of the block; of a transformer's block also "NAME:attention" or
            "NAME:mlp". The whole of such a block has the sum of both parts as its F(x).

    Raises:
        UnknownLayerError: the network has no such layer.
        NotResidualError: it is no residual block, or has no shortcut.
    """
    block, _, part = name.partition(":")
    check_name(network, block)
    module = network.get_submodule(block)
    if _kind(module) not in _KINDS:
        known = [one.name for one in list_blocks(network) if one.shortcut != "none"]
        listed = f"; it has {', '.join(known[:4])} and others" if known else " and has none"
        raise NotResidualError(f"{block!r} is no residual block of this network{listed}.")
    info = _info(block, module)
    if info.shortcut == "none":
        raise NotResidualError(f"{block!r} adds no shortcut: {info.reason}.")
    if part and part not in info.parts:
        raise UnknownLayerError(f"{block!r} has no part {part!r}.")
    given = _input_of(network, image, module)
    with torch.no_grad():
        found = dict(_KINDS[_kind(module)](module, given))
    paths = found[part]
    layouts = Layouts(network)

    def shown(tensor: Tensor) -> npt.NDArray[np.float32]:
        if part and _kind(module)[1] == "PartitionAttentionLayer":
            maps = layouts.join_windows(block, tensor[0], swapped=True)
        else:
            seen = layouts.show(block, tensor)
            assert seen is not None
            maps = seen.maps
        return np.array(maps.cpu().float().numpy(), order="C")

    return ResidualBlock(
        info=info,
        part=part,
        input=shown(paths.input),
        residual=shown(paths.residual),
        shortcut=shown(paths.shortcut),
        sum=shown(paths.residual + paths.shortcut),
        output=shown(paths.output),
    )


def _input_of(network: nn.Module, image: Tensor, module: nn.Module) -> Tensor:
    found: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Any, ...]) -> None:
        found.append(given[0].clone())

    with module.register_forward_pre_hook(keep), torch.no_grad():
        network(image)
    return found[0]


def _kind(module: nn.Module) -> tuple[str, str]:
    """Return torchvision's file and class of a block; classes of one name differ by file."""
    return type(module).__module__.rsplit(".", 1)[-1], type(module).__name__


# How each kind adds: yields the whole under "", and the parts of a transformer's block

_Run = Callable[[Any, Tensor], Iterator[tuple[str, _Paths]]]


def _run_resnet(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    shortcut = x if block.downsample is None else block.downsample(x.clone())
    y = block.relu(block.bn1(block.conv1(x)))
    y = block.bn2(block.conv2(y))
    if hasattr(block, "conv3"):
        y = block.bn3(block.conv3(block.relu(y)))
    yield "", _Paths(x, y, shortcut, (y + shortcut).relu())


def _run_regnet(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    shortcut = x if block.proj is None else block.proj(x.clone())
    y = block.f(x.clone())
    yield "", _Paths(x, y, shortcut, block.activation(y + shortcut))


def _adding(path: Callable[[Any, Tensor], Tensor]) -> _Run:
    """Return the way of blocks whose shortcut is always their input."""

    def run(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
        y = path(block, x.clone())
        yield "", _Paths(x, y, x, y + x)

    return run


def _run_maxvit_convolution(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    shortcut = block.proj(x.clone())
    y = block.stochastic_depth(block.layers(x.clone()))
    yield "", _Paths(x, y, shortcut, y + shortcut)


def _twice(x: Tensor, first: Tensor, second: Callable[[Tensor], Tensor]) -> Iterator[Any]:
    """Yield two additions in a row, and both as one."""
    middle = x + first
    last = second(middle)
    yield "attention", _Paths(x, first, x, middle)
    yield "mlp", _Paths(middle, last, middle, middle + last)
    yield "", _Paths(x, first + last, x, middle + last)


def _run_vit(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    normed = block.ln_1(x)
    attended, _ = block.self_attention(normed, normed, normed, need_weights=False)
    yield from _twice(x, block.dropout(attended), lambda y: block.mlp(block.ln_2(y)))


def _run_swin(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    first = block.stochastic_depth(block.attn(block.norm1(x)))
    yield from _twice(x, first, lambda y: block.stochastic_depth(block.mlp(block.norm2(y))))


def _run_swin_v2(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    first = block.stochastic_depth(block.norm1(block.attn(x)))
    yield from _twice(x, first, lambda y: block.stochastic_depth(block.norm2(block.mlp(y))))


def _run_maxvit_attention(block: Any, x: Tensor) -> Iterator[tuple[str, _Paths]]:
    high, wide = (side // block.p for side in block.grid_size)
    windows = block.partition_swap(block.partition_op(x, block.p))
    first = block.stochastic_dropout(block.attn_layer(windows))
    for part, paths in _twice(
        windows, first, lambda y: block.stochastic_dropout(block.mlp_layer(y))
    ):
        if part:
            yield part, paths
            continue
        whole = (
            block.departition_op(block.departition_swap(one), block.p, high, wide)
            for one in (paths.input, paths.residual, paths.shortcut, paths.output)
        )
        yield "", _Paths(*whole)


_KINDS: dict[tuple[str, str], _Run] = {
    ("resnet", "BasicBlock"): _run_resnet,
    ("resnet", "Bottleneck"): _run_resnet,
    ("regnet", "ResBottleneckBlock"): _run_regnet,
    ("mobilenetv2", "InvertedResidual"): _adding(lambda block, x: block.conv(x)),
    ("mobilenetv3", "InvertedResidual"): _adding(lambda block, x: block.block(x)),
    ("mnasnet", "_InvertedResidual"): _adding(lambda block, x: block.layers(x)),
    ("efficientnet", "MBConv"): _adding(lambda block, x: block.stochastic_depth(block.block(x))),
    ("efficientnet", "FusedMBConv"): _adding(
        lambda block, x: block.stochastic_depth(block.block(x))
    ),
    ("convnext", "CNBlock"): _adding(
        lambda block, x: block.stochastic_depth(block.layer_scale * block.block(x))
    ),
    ("vision_transformer", "EncoderBlock"): _run_vit,
    ("swin_transformer", "SwinTransformerBlock"): _run_swin,
    ("swin_transformer", "SwinTransformerBlockV2"): _run_swin_v2,
    ("maxvit", "MBConv"): _run_maxvit_convolution,
    ("maxvit", "PartitionAttentionLayer"): _run_maxvit_attention,
}
_TWICE = (_run_vit, _run_swin, _run_swin_v2, _run_maxvit_attention)
_SHORTCUT_PARTS = ("downsample", "proj")


# What is known without running


def _info(name: str, block: nn.Module) -> BlockInfo:
    steps = tuple(_steps(name, block))
    twice = _KINDS[_kind(block)] in _TWICE
    shortcut, reason = _shortcut(block, steps)
    parts = PARTS if twice else ()
    return BlockInfo(name, type(block).__name__, shortcut, reason, steps, parts)


def _shortcut(block: Any, steps: tuple[Step, ...]) -> tuple[Shortcut, str]:
    stride = max((step.stride for step in steps), default=1)
    convolutions = [one for one in block.modules() if isinstance(one, nn.Conv2d)]
    inputs = convolutions[0].in_channels if convolutions else 0
    outputs = _outputs(block, convolutions)
    reasons = [f"stride {stride}"] if stride > 1 else []
    if inputs != outputs:
        reasons.append(f"{inputs}→{outputs} channels")
    said = ", ".join(reasons)
    for part in _SHORTCUT_PARTS:
        way = getattr(block, part, None)
        if isinstance(way, nn.Module) and not isinstance(way, nn.Identity):
            return "projection", said or "the first block of its stage"
    adds = getattr(block, "use_res_connect", getattr(block, "apply_residual", True))
    if not adds:
        return "none", said or "the block is built without"
    return "identity", "same size and channels"


def _outputs(block: Any, convolutions: list[nn.Conv2d]) -> int:
    way = getattr(block, "downsample", None) or getattr(block, "proj", None)
    main = [
        one
        for one in convolutions
        if not isinstance(way, nn.Module) or all(one is not other for other in way.modules())
    ]
    return main[-1].out_channels if main else 0


def _steps(name: str, block: nn.Module) -> Iterator[Step]:
    for inner, module in block.named_modules():
        if inner.split(".", 1)[0] in _SHORTCUT_PARTS:
            continue
        text = _said(module, inner)
        if text:
            stride = module.stride[0] if isinstance(module, nn.Conv2d) else 1
            yield Step(f"{name}.{inner}", text, int(stride))


def _said(module: nn.Module, inner: str) -> str:
    if isinstance(module, nn.Conv2d):
        return _convolution(module)
    kind = type(module).__name__
    if "Attention" in kind and inner:
        heads = int(getattr(module, "num_heads", 0) or getattr(module, "n_heads", 0))
        return f"attention, {heads} heads" if heads else ""
    if kind == "Linear" and isinstance(module, nn.Linear):
        inside_attention = ".attn" in f".{inner}" or "attention" in inner or "cpb_mlp" in inner
        if not inside_attention:
            return f"linear {_change(module.in_features, module.out_features)}"
    return ""


def _convolution(module: nn.Conv2d) -> str:
    high, wide = module.kernel_size
    text = f"{high}×{wide}"
    if module.groups == module.in_channels == module.out_channels and module.groups > 1:
        text += f" depthwise, {module.in_channels} channels"
    else:
        text += " " + _change(module.in_channels, module.out_channels)
        if module.groups > 1:
            text += f", {module.groups} groups"
    return text + (f", stride {module.stride[0]}" if module.stride[0] > 1 else "")


def _change(inputs: int, outputs: int) -> str:
    if outputs > inputs:
        factor = outputs / inputs
        return f"expand ×{factor:.3g}, {inputs}→{outputs}"
    return f"reduce {inputs}→{outputs}" if outputs < inputs else f"{inputs}→{outputs}"
