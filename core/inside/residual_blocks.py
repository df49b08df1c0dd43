"""Residual blocks: what goes in, both paths, their sum, and what comes out.

A block is run again part by part with the input that it had in the network's own pass, so that
both paths are seen before they are added. Where the steps of a graph are the layers, all of that is
seen in the pass itself. Sources: torchvision's definitions of the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import NotResidualError, UnknownLayerError
from core.inside.feature_maps import check_name
from core.inside.layers import Layer
from core.inside.layouts import Layouts
from core.inside.names import BlockName
from core.language import tr
from core.models.additions import Addition, WeightedStep, additions_of
from core.models.families import family_of_module
from core.models.families.blocks import Part, RunBlock

Shortcut = Literal["identity", "projection", "none"]

_LARGEST_DIFFERENCE = 1e-3
"""Of a sum from its parts, relative to its largest value."""


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
        parts: of a block that adds twice, else ().
        is_silent: whether its last norm gives zeros whatever it is given, so that F(x) is 0 and
            the block an identity, as one that is not taught yet may be.
        projection: dotted name of the shortcut's own layers; "" of an identity.
    """

    name: str
    kind: str
    shortcut: Shortcut
    reason: str
    steps: tuple[Step, ...]
    parts: tuple[Part, ...] = ()
    is_silent: bool = False
    projection: str = ""


@dataclass(frozen=True)
class ResidualBlock:
    """Both paths of one block for one photo; all maps float32.

    Attributes:
        info: the block.
        part: what of it.
        input: shape (C, h, w).
        residual: F(x), shape (K, h', w').
        shortcut: what is added to it, the same shape.
        sum: of both.
        output: of the block or its part: the sum, after an activation in ResNets and RegNets.
    """

    info: BlockInfo
    part: Part
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


def list_blocks(network: nn.Module) -> tuple[BlockInfo, ...]:
    """Return the residual blocks of a network in their order, those without shortcut included."""
    modules = (_info(name, one) for name, one in network.named_modules() if _way_of(one))
    return (*modules, *map(_info_of_addition, additions_of(network)))


def hidden_additions(network: nn.Module, layers: Iterable[Layer]) -> set[str]:
    """Return the additions of a graph whose paths cannot be shown, by what a pass says of them.

    They add maps of different shapes, or nothing says where their channels stand.
    """
    known = {layer.name: layer for layer in layers}
    additions = additions_of(network)
    return {one.layer for one in additions if not _can_show(one, known.get(one.layer))}


def _can_show(addition: Addition, layer: Layer | None) -> bool:
    if layer is None or layer.shape is None or len({*layer.input_shapes}) != 1:
        return False
    _, height, width = layer.shape
    return layer.layout != "maps" or height == width or not addition.is_of_square_maps


def run_block(network: nn.Module, inputs: Tensor, name: BlockName) -> ResidualBlock:
    """Return both paths of one block for one image.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        name: of the block. The whole of a transformer's block has the sum of both parts as its
            F(x).

    Raises:
        UnknownLayerError: the network has no such layer.
        NotResidualError: it is not a residual block, or has no shortcut.
    """
    check_name(network, name.layer)
    addition = next((one for one in additions_of(network) if one.layer == name.layer), None)
    if addition is not None and name.part is Part.WHOLE:
        return _run_addition(network, inputs, addition)
    module = network.get_submodule(name.layer)
    info, way = _info(name.layer, module), _checked(network, module, name)
    given, extra = _input_of(network, inputs, module)
    wanted = {key: extra[key] for key in way.wants}
    with torch.no_grad():
        paths = next(one for one in way.run(module, given, **wanted) if one.part is name.part)
    in_windows = way.has_windows and name.part is not Part.WHOLE
    layouts = Layouts(network)

    def shown(tensor: Tensor) -> npt.NDArray[np.float32]:
        if in_windows:
            maps = layouts.join_windows(name.layer, tensor[0], swapped=True)
        else:
            seen = layouts.show(name.layer, tensor)
            assert seen is not None
            maps = seen.maps
        return np.array(maps.cpu().float().numpy(), order="C")

    return ResidualBlock(
        info=info,
        part=name.part,
        input=shown(paths.input),
        residual=shown(paths.residual),
        shortcut=shown(paths.shortcut),
        sum=shown(paths.residual + paths.shortcut),
        output=shown(paths.output),
    )


def _run_addition(network: nn.Module, inputs: Tensor, addition: Addition) -> ResidualBlock:
    """Return what the layers of a block gave in one pass."""
    layouts = Layouts(network)
    kept: dict[str, npt.NDArray[np.float32]] = {}

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_: nn.Module, __: object, output: object) -> None:
            shown = layouts.show(name, output)
            if shown is not None:
                kept[name] = np.array(shown.maps.cpu().float().numpy(), order="C")

        return hook

    ends = (addition.residual, addition.shortcut, addition.layer)
    names = {*ends, addition.input, addition.output}
    with ExitStack() as hooks, torch.no_grad():
        for name in names:
            module = network.get_submodule(name)
            hooks.enter_context(module.register_forward_hook(keep(name)))
        network(inputs)
    alike = names == kept.keys() and len({kept[name].shape for name in ends}) == 1
    if alike and addition.is_of_square_maps:
        alike = kept[addition.layer].shape[1] == kept[addition.layer].shape[2]
    if alike:
        residual, shortcut, total = (kept[name] for name in ends)
        allowed = _LARGEST_DIFFERENCE * max(1.0, float(abs(total).max()))
        alike = float(abs(residual + shortcut - total).max()) <= allowed
    if not alike:
        raise NotResidualError(
            "What {layer!r} adds does not lie alike, so its paths cannot be shown.",
            layer=addition.layer,
        )
    return ResidualBlock(
        info=_info_of_addition(addition),
        part=Part.WHOLE,
        input=kept[addition.input],
        residual=residual,
        shortcut=shortcut,
        sum=total,
        output=kept[addition.output],
    )


def _checked(network: nn.Module, module: nn.Module, name: BlockName) -> RunBlock:
    """Return how a block adds; refuse what is not one."""
    info, way = _info(name.layer, module), _way_of(module)
    if way is None:
        known = [one.name for one in list_blocks(network) if one.shortcut != "none"]
        listed = (
            tr("; it has {names} and others", names=", ".join(known[:4]))
            if known
            else tr(" and has none")
        )
        raise NotResidualError(
            "{layer!r} is no residual block of this network{listed}.",
            layer=name.layer,
            listed=listed,
        )
    if info.shortcut == "none":
        raise NotResidualError(
            "{layer!r} adds no shortcut: {reason}.", layer=name.layer, reason=info.reason
        )
    if name.part not in (Part.WHOLE, *info.parts):
        raise UnknownLayerError(
            "{layer!r} has no part {value!r}.", layer=name.layer, value=name.part.value
        )
    return way


def _input_of(
    network: nn.Module, inputs: Tensor, module: nn.Module
) -> tuple[Tensor, dict[str, Any]]:
    """Return what a module is given, and its keyword arguments."""
    found: list[tuple[Tensor, dict[str, Any]]] = []

    def keep(_: nn.Module, given: tuple[Any, ...], extra: dict[str, Any]) -> None:
        found.append((given[0].clone(), extra))

    with module.register_forward_pre_hook(keep, with_kwargs=True), torch.no_grad():
        network(inputs)
    return found[0]


def _way_of(module: nn.Module) -> RunBlock | None:
    """Return how a module adds; None where it is no residual block."""
    family = family_of_module(module)
    return None if family is None else family.way_of(module)


_SHORTCUT_PARTS = ("downsample", "proj")


# What is known without running


def _info(name: str, block: nn.Module) -> BlockInfo:
    steps = tuple(_steps(name, block))
    shortcut, reason = _shortcut(block, steps)
    way = _way_of(block)
    parts = () if way is None else way.parts
    projection = next((f"{name}.{part}" for part in _projections(block)), "")
    return BlockInfo(
        name, type(block).__name__, shortcut, reason, steps, parts, _is_silent(block), projection
    )


def _projections(block: nn.Module) -> Iterator[str]:
    """Yield what a block calls the layers of its shortcut, if it has any."""
    for part in _SHORTCUT_PARTS:
        way = getattr(block, part, None)
        if isinstance(way, nn.Module) and not isinstance(way, nn.Identity):
            yield part


def _is_silent(block: nn.Module) -> bool:
    norms = [
        module
        for name, module in block.named_modules()
        if isinstance(module, nn.BatchNorm2d) and name.split(".", 1)[0] not in _SHORTCUT_PARTS
    ]
    if not norms or norms[-1].weight is None:
        return False
    weight, bias = norms[-1].weight, norms[-1].bias
    return not weight.is_meta and not bool(weight.any()) and not bool(bias.any())


def _info_of_addition(addition: Addition) -> BlockInfo:
    steps = tuple(Step(one.layer, _step_text(one), one.stride) for one in addition.steps)
    convolutions = [one for one in addition.steps if one.kernel is not None]
    change = ""
    if convolutions:
        stride = max(one.stride for one in convolutions)
        change = _changes(stride, convolutions[0].inputs, convolutions[-1].outputs)
    if addition.is_projection:
        reason = change or tr("the first block of its stage")
        return BlockInfo(addition.layer, addition.kind, "projection", reason, steps)
    return BlockInfo(addition.layer, addition.kind, "identity", tr("same size and channels"), steps)


def _changes(stride: int, inputs: int, outputs: int) -> str:
    """Return what a block changes of its input, e.g. "stride 2, 256→512 channels"."""
    said = [f"stride {stride}"] if stride > 1 else []
    if inputs != outputs:
        said.append(f"{inputs}→{outputs} channels")
    return ", ".join(said)


def _shortcut(block: Any, steps: tuple[Step, ...]) -> tuple[Shortcut, str]:
    stride = max((step.stride for step in steps), default=1)
    convolutions = [one for one in block.modules() if isinstance(one, nn.Conv2d)]
    inputs = convolutions[0].in_channels if convolutions else 0
    outputs = _outputs(block, convolutions)
    said = _changes(stride, inputs, outputs)
    if any(True for _ in _projections(block)):
        return "projection", said or tr("the first block of its stage")
    adds = all(
        getattr(block, flag, True) for flag in ("use_res_connect", "apply_residual", "has_skip")
    )
    if not adds:
        return "none", said or tr("the block is built without")
    return "identity", tr("same size and channels")


def _outputs(block: object, convolutions: list[nn.Conv2d]) -> int:
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
        return _step_text(_as_step(inner, module))
    kind = type(module).__name__
    if "Attention" in kind and inner:
        heads = int(getattr(module, "num_heads", 0) or getattr(module, "n_heads", 0))
        return tr("attention, {heads} heads", heads=heads) if heads else ""
    if kind == "Linear" and isinstance(module, nn.Linear):
        inside_attention = ".attn" in f".{inner}" or "attention" in inner or "cpb_mlp" in inner
        if not inside_attention:
            return _step_text(WeightedStep(inner, None, module.in_features, module.out_features))
    return ""


def _as_step(name: str, module: nn.Conv2d) -> WeightedStep:
    high, wide = module.kernel_size
    inputs, outputs = module.in_channels, module.out_channels
    return WeightedStep(name, (high, wide), inputs, outputs, module.groups, module.stride[0])


def _step_text(step: WeightedStep) -> str:
    if step.kernel is None:
        return f"linear {_change(step.inputs, step.outputs)}"
    high, wide = step.kernel
    text = f"{high}×{wide}"
    if step.groups == step.inputs == step.outputs and step.groups > 1:
        text += tr(" depthwise, {in_channels} channels", in_channels=step.inputs)
    else:
        text += " " + _change(step.inputs, step.outputs)
        if step.groups > 1:
            text += f", {step.groups} groups"
    return text + (f", stride {step.stride}" if step.stride > 1 else "")


def _change(inputs: int, outputs: int) -> str:
    if outputs > inputs:
        factor = outputs / inputs
        return f"expand ×{factor:.3g}, {inputs}→{outputs}"
    return f"reduce {inputs}→{outputs}" if outputs < inputs else f"{inputs}→{outputs}"
