"""Build a network without weights: parameters take no memory and no time to initialise."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from core.models.families import BY_NAME
from core.models.families.base import Shapes, Variant
from core.models.recognition.fingerprints import Fingerprint
from core.models.recognition.heads import Head, HeadLayer
from core.models.recognition.pickled_layers import Change, apply, changes_from_json
from core.models.resnet_of_three_stages import CifarBlock

_PLAIN_LAYERS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "hardswish": nn.Hardswish,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "relu6": nn.ReLU6,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
}


_RANDOM = (Tensor.normal_, Tensor.uniform_)


class _WithoutMemory(TorchFunctionMode):
    """Puts what layers allocate as ``torch.empty`` on the meta device.

    Unlike ``torch.device("meta")`` it leaves computed buffers real (Swin's position index)
    and lets builders calculate with tensors while they build (RegNet). Random numbers are not
    drawn: on the meta device torch imports its compiler to do so, which takes a second.
    """

    def __torch_function__(
        self, func: Callable[..., object], types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs["device"] = "meta"
        elif func in _RANDOM or getattr(func, "__module__", "") == nn.init.__name__:
            tensor: Tensor = kwargs["tensor"] if "tensor" in kwargs else args[0]
            if tensor.is_meta:
                return tensor
        return func(*args, **kwargs)


@dataclass(frozen=True)
class Blueprint:
    """All that a network is built from.

    Attributes:
        fingerprint: its architecture.
        head: what stands in the place of its own; None leaves the features as outputs.
        shapes: of the state dict, by torchvision's names.
        dilation: whether stages 2, 3 and 4 of a Bottleneck ResNet are dilated instead of
            strided, torchvision's ``replace_stride_with_dilation``.
        batch_norm_epsilon: where it is another than torchvision's.
        changes: of single layers, as a pickled network tells them.
        pools_after_stem: whether the usual pooling follows a small first convolution.
        pads_behind: whether shortcuts without parameters put their zeros behind all channels.
    """

    fingerprint: Fingerprint
    head: Head | None
    shapes: Shapes
    dilation: tuple[bool, bool, bool] = (False, False, False)
    batch_norm_epsilon: float | None = None
    changes: tuple[Change, ...] = ()
    pools_after_stem: bool = False
    pads_behind: bool = False

    @property
    def options(self) -> dict[str, object]:
        """Return what no shape tells, as JSON values."""
        return {
            "dilation": list(self.dilation),
            "batch_norm_epsilon": self.batch_norm_epsilon,
            "changes": [change.to_json() for change in self.changes],
            "pools_after_stem": self.pools_after_stem,
            "pads_behind": self.pads_behind,
        }

    @property
    def can_dilate(self) -> bool:
        """Return whether the builder takes a dilation."""
        return self.fingerprint.family.can_dilate(self.shapes)

    def with_options(self, found: object) -> Blueprint:
        """Return the plan with options read from JSON values; odd ones are passed over."""
        if not isinstance(found, dict):
            return self
        plan = replace(self, changes=changes_from_json(found.get("changes")))
        plan = replace(
            plan,
            pools_after_stem=found.get("pools_after_stem") is True,
            pads_behind=found.get("pads_behind") is True,
        )
        dilation = found.get("dilation")
        if self.can_dilate and isinstance(dilation, list) and len(dilation) == 3:
            one, two, three = map(bool, dilation)
            plan = replace(plan, dilation=(one, two, three))
        epsilon = found.get("batch_norm_epsilon")
        if isinstance(epsilon, float) and 0 < epsilon < 1:
            plan = replace(plan, batch_norm_epsilon=epsilon)
        return plan


def build_without_memory(make: Callable[[], nn.Module]) -> nn.Module:
    """Return what a builder makes, most parameters on the meta device.

    Networks that are run while they are built, to see what their parts give, are built for real.
    """
    try:
        with _WithoutMemory():
            return make()
    except RuntimeError as error:
        if "meta" not in str(error):
            raise
    return make()


def build_network(architecture: str, **options: object) -> nn.Module:
    """Return the network of this architecture, most parameters on the meta device.

    Args:
        architecture: its library's name.
        options: of its builder, e.g. ``image_size`` for ViT.
    """
    family = BY_NAME[architecture].family
    return build_without_memory(lambda: family.build(architecture, **{**family.options, **options}))


def build(plan: Blueprint) -> nn.Module:
    """Return the network of a plan, most parameters on the meta device."""
    fingerprint = plan.fingerprint
    options: dict[str, object] = {}
    size = fingerprint.family.image_size(plan.shapes)
    if size is not None:
        options["image_size"] = size
    if any(plan.dilation):
        options["replace_stride_with_dilation"] = list(plan.dilation)
    if fingerprint.variant is not None:
        network = _build_variant(fingerprint.variant, options)
    else:
        network = build_network(fingerprint.architecture.name, **options)
    _replace_first(network, plan)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and plan.batch_norm_epsilon is not None:
            module.eps = plan.batch_norm_epsilon
        elif isinstance(module, CifarBlock):
            module.pads_behind = plan.pads_behind
    apply(network, plan.changes)
    return _with_head(network, fingerprint, plan.head)


def load_weights(
    network: nn.Module, state_dict: Mapping[str, Tensor], take: Callable[[Tensor], Tensor]
) -> None:
    """Give the network its parameters; it ends in evaluation mode.

    Args:
        network: from ``build`` for these shapes.
        state_dict: by torchvision's names; float tensors of any precision become float32.
            Names that the network lacks (auxiliary heads) are not read.
        take: copies a tensor off the mapped file.

    Raises:
        RuntimeError: shapes differ, or a parameter of the network is missing.
    """
    # MNASNet reads its own version from here; its body has just been recognised as version 2.
    tensors = _Versioned()
    tensors._metadata = {"": {"version": 2}}
    for name in network.state_dict():
        if name in state_dict:
            taken = take(state_dict[name])
            tensors[name] = taken.float() if taken.is_floating_point() else taken
    network.load_state_dict(tensors, strict=False, assign=True)
    _compute_buffers(network)
    everything = itertools.chain(network.named_parameters(), network.named_buffers())
    empty = [name for name, tensor in everything if tensor.is_meta]
    if empty:
        raise RuntimeError(f"parameters without a value: {', '.join(empty[:5])}")
    network.requires_grad_(False)
    network.eval()


def _compute_buffers(network: nn.Module) -> None:
    """Let modules compute what no state dict holds and what was built without memory.

    timm's modules have a method for that. An index that has no memory is no error when it is used:
    it picks whatever lies there.
    """
    for module in network.modules():
        compute = getattr(module, "init_non_persistent_buffers", None)
        without = [
            name for name, one in module.named_buffers(recurse=False) if one.is_meta and compute
        ]
        for name in without:
            setattr(module, name, torch.empty_like(getattr(module, name), device="cpu"))
        if without and compute is not None:
            compute()


class ConcatPool(nn.Module):
    """Pools to the maximum and the mean of each channel, side by side.

    Args:
        mean_first: in which order; fastai's AdaptiveConcatPool2d has the maximum first.
    """

    def __init__(self, *, mean_first: bool = False) -> None:
        super().__init__()
        self._mean_first = mean_first

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, 2C) for (N, C, h, w)."""
        both = [maps.amax((2, 3)), maps.mean((2, 3))]
        return torch.cat(both[::-1] if self._mean_first else both, dim=1)


class _Versioned(dict[str, Tensor]):
    """A state dict as ``load_state_dict`` wants it: with ``_metadata``."""

    _metadata: dict[str, dict[str, object]]


def _build_variant(variant: Variant, options: Mapping[str, object]) -> nn.Module:
    return build_without_memory(lambda: variant.build(options))


def _replace_first(network: nn.Module, plan: Blueprint) -> None:
    """Give the first convolution the file's number of channels, and a ResNet its small stem."""
    found = plan.shapes.get(plan.fingerprint.first)
    if found is None:  # timm has networks that begin with something else
        return
    name = plan.fingerprint.first.removesuffix(".weight")
    first = network.get_submodule(name)
    assert isinstance(first, nn.Conv2d)
    if found == tuple(first.weight.shape):
        return
    small = found[2] != first.kernel_size[0]
    parent, _, last = name.rpartition(".")
    made = nn.Conv2d(
        found[1],
        found[0],
        kernel_size=(found[2], found[3]),
        stride=1 if small else first.stride,  # type: ignore[arg-type]
        padding=1 if small else first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
        device="meta",
    )
    setattr(network.get_submodule(parent), last, made)
    if small and not plan.pools_after_stem:
        network.maxpool = nn.Identity()
    if found[1] != 3 and hasattr(network, "transform_input"):
        vars(network)["transform_input"] = False


def _with_head(network: nn.Module, fingerprint: Fingerprint, head: Head | None) -> nn.Module:
    if head is None:
        return _without_head(network, fingerprint.cuts[-1].place)
    if head.pooling != "own":
        return _pooled(network, fingerprint, head)
    parent, _, name = head.place.rpartition(".")
    made = _head(head, takes_maps=fingerprint.takes_maps(head.place))
    setattr(network.get_submodule(parent), name, made)
    return network


def _without_head(network: nn.Module, place: str) -> nn.Module:
    """Take away all of the classifier: a file may lack its earlier layers too."""
    setattr(network, place, nn.Identity())
    return network


def _head(head: Head, *, takes_maps: bool) -> nn.Module:
    """Return the layers of a head."""
    if head.is_plain:
        layer = head.layers[0]
        return _convolution(layer) if takes_maps else _layer(layer)
    layers = [("to_vector", _ToVector())] if takes_maps else []
    return nn.Sequential(OrderedDict([*layers, *((one.name, _layer(one)) for one in head.layers)]))


def _pooled(network: nn.Module, fingerprint: Fingerprint, head: Head) -> nn.Module:
    """Return the parts before the head in order, then another pooling than the network's own."""
    place = fingerprint.cuts[-1].place
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for name, part in network.named_children():
        if name in ("avgpool", "dropout", place):
            break
        parts[name] = part
    pools: dict[str, Callable[[], nn.Module]] = {
        "average": _ToVector,
        "average and maximum": ConcatPool,
        "average before maximum": lambda: ConcatPool(mean_first=True),
        "flatten": nn.Flatten,
    }
    parts["pooling"] = pools[head.pooling]()
    parts[place] = _head(head, takes_maps=False)
    return nn.Sequential(parts)


class _ToVector(nn.Module):
    """Pools maps to their means and leaves vectors as they are."""

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, C) for (N, C, h, w) or (N, C)."""
        return values.mean((2, 3)) if values.ndim == 4 else values


class _VectorConv(nn.Conv2d):
    """A 1×1 convolution that takes vectors, for which it is a linear layer."""

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, K) for (N, C)."""
        return super().forward(values[:, :, None, None]).flatten(1)


def _convolution(layer: HeadLayer) -> nn.Conv2d:
    return nn.Conv2d(layer.shape[1], layer.shape[0], 1, bias=layer.bias, device="meta")


def _layer(layer: HeadLayer) -> nn.Module:
    if layer.kind in _PLAIN_LAYERS:
        return _PLAIN_LAYERS[layer.kind]()
    if layer.kind == "leaky relu":
        return nn.LeakyReLU(layer.slope)
    if layer.kind == "elu":
        return nn.ELU(layer.slope)
    outputs = layer.shape[0]
    if layer.kind == "batch norm":
        return nn.BatchNorm1d(outputs, device="meta")
    if layer.kind == "layer norm":
        return nn.LayerNorm(outputs, device="meta")
    if layer.kind == "convolution":
        return _VectorConv(layer.shape[1], outputs, 1, bias=layer.bias, device="meta")
    return nn.Linear(layer.shape[1], outputs, bias=layer.bias, device="meta")
