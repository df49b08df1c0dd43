"""Build a network without weights: parameters take no memory and no time to initialise."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from core.models.architectures import BY_NAME, Architecture
from core.models.heads import Head, HeadLayer
from core.models.recognising import Shapes, image_size
from core.models.torchvision_import import torchvision_models


class _WithoutMemory(TorchFunctionMode):
    """Puts what layers allocate as ``torch.empty`` on the meta device.

    Unlike ``torch.device("meta")`` it leaves computed buffers real (Swin's position index)
    and lets builders calculate with tensors while they build (RegNet).
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def build_network(architecture: str, **options: Any) -> nn.Module:
    """Return torchvision's network of this architecture, most parameters on the meta device.

    Args:
        architecture: torchvision's name.
        options: of torchvision's builder, e.g. ``image_size`` for ViT.
    """
    with _WithoutMemory():
        network: nn.Module = torchvision_models().get_model(
            architecture, weights=None, **_auxiliary_off(architecture), **options
        )
    return network


def build_for(architecture: str, shapes: Shapes, head: Head) -> nn.Module:
    """Return a network whose head, and for ViT image size, are those of a state dict.

    Args:
        architecture: torchvision's name; the body's shapes are known to fit it.
        shapes: of the state dict, by parameter name.
        head: as read off these shapes.
    """
    known = BY_NAME[architecture]
    network = build_network(architecture, **_size_options(shapes))
    _replace_head(network, known, head)
    return network


def load_weights(network: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Give the network its parameters without copying them; it ends in evaluation mode.

    Args:
        network: from ``build_for`` for these shapes.
        state_dict: cleaned keys; float tensors of any precision become float32. Names that
            the network lacks (auxiliary heads) are passed over.

    Raises:
        RuntimeError: shapes differ, or a parameter of the network is missing.
    """
    tensors: dict[str, Tensor] = {}
    for name, tensor in state_dict.items():
        tensors[name] = tensor.float() if tensor.is_floating_point() else tensor
    # MNASNet reads its own version from here; its body has just been recognised as version 2.
    tensors_with_version = _Versioned(tensors)
    tensors_with_version._metadata = {"": {"version": 2}}
    network.load_state_dict(tensors_with_version, strict=False, assign=True)
    empty = [name for name, parameter in network.named_parameters() if parameter.is_meta]
    if empty:
        raise RuntimeError(f"parameters without a value: {', '.join(empty[:5])}")
    network.requires_grad_(False)
    network.eval()


class _Versioned(dict[str, Tensor]):
    """A state dict as ``load_state_dict`` wants it: with ``_metadata``."""

    _metadata: dict[str, dict[str, Any]]


def _auxiliary_off(architecture: str) -> dict[str, bool]:
    if architecture in ("inception_v3", "googlenet"):
        return {"aux_logits": False, "init_weights": False}
    return {}


def _size_options(shapes: Shapes) -> dict[str, int]:
    size = image_size(shapes)
    return {} if size is None else {"image_size": size}


def _replace_head(network: nn.Module, architecture: Architecture, head: Head) -> None:
    with torch.device("meta"):
        layers = OrderedDict((layer.name, _head_layer(layer)) for layer in head.layers)
    parent_name, _, name = architecture.head.rpartition(".")
    made = layers[""] if head.is_plain else nn.Sequential(layers)
    setattr(network.get_submodule(parent_name), name, made)


def _head_layer(layer: HeadLayer) -> nn.Module:
    if layer.kind == "relu":
        return nn.ReLU()
    outputs = layer.shape[0]
    if layer.kind == "batch norm":
        return nn.BatchNorm1d(outputs)
    if layer.kind == "convolution":
        return nn.Conv2d(layer.shape[1], outputs, kernel_size=1, bias=layer.bias)
    return nn.Linear(layer.shape[1], outputs, bias=layer.bias)
