"""Class activation maps: where in the photo the evidence for a class lies.

A network that ends in the mean of its maps and one linear layer, or in a 1×1 convolution, has an
exact one: the class's weights over the last maps. For the others it is Grad-CAM at the last place
that is laid out as an image.

Sources: Zhou et al., CVPR 2016, arXiv:1512.04150; Selvaraju et al., ICCV 2017, arXiv:1610.02391.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import NotSpatialError
from core.inside.layouts import Layouts
from core.models.families import families_in

Method = Literal["CAM", "Grad-CAM", "Score-CAM", "covering"]


@dataclass(frozen=True)
class ClassActivation:
    """The evidence for some classes.

    Attributes:
        classes: their indices.
        method: "CAM", which is exact; "Grad-CAM"; without gradients "Score-CAM", or "covering"
            of parts of the photo.
        layer: dotted name of the layer whose maps are weighed; "" with covering.
        maps: float32, shape (N, h, w). With CAM, the sum of a map over h × w is the logit
            less the bias; with Grad-CAM and Score-CAM negative evidence is cut off; with covering,
            what the class loses where a place is covered, of the logarithm of its probability or
            of its logit.
        logits: shape (N,).
        passes: of Score-CAM and covering, how many maps or parts count so far, and of how many.
    """

    classes: tuple[int, ...]
    method: Method
    layer: str
    maps: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32]
    passes: tuple[int, int] = (0, 0)


def class_activation(network: nn.Module, inputs: Tensor, classes: Sequence[int]) -> ClassActivation:
    """Return where the evidence for classes lies.

    Args:
        network: in evaluation mode; parameters, flags and hooks are left as they were found.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        classes: class indices.

    Raises:
        NotSpatialError: no layer of the network has an image's layout.
    """
    place = _last_maps(network, inputs)
    if place is None:
        raise NotSpatialError("No layer of this network has an image's layout.")
    exact = _exact(network, inputs, classes, place)
    return exact if exact is not None else _by_gradients(network, inputs, classes, place)


def channel_counts(
    network: nn.Module, inputs: Tensor, layer: str, call: int, class_index: int
) -> npt.NDArray[np.float32] | None:
    """Return how much each channel of a layer counts for a class, shape (C,).

    It is the sum over a channel of its values times the logit's gradient there: what the logit
    would lose, to first order, if the channel were zero.

    Args:
        network: in evaluation mode; left as it was found.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        layer: dotted name.
        call: from 1.
        class_index: of the logit.

    Returns:
        None where the layer's output cannot be shown, or has no way to the logit.

    Source: "gradient times input", Shrikumar et al., arXiv:1605.01713.
    """
    kept: list[Tensor] = []
    calls = 0

    def cut(_: nn.Module, __: object, output: object) -> object:
        nonlocal calls
        calls += 1
        if calls != call or not isinstance(output, Tensor):
            return None
        kept.append(_leaf(output))
        return kept[0].clone()

    with network.get_submodule(layer).register_forward_hook(cut), _gradients_of_outputs(network):
        logit = network(inputs)[0, class_index]
        if not kept or not logit.requires_grad:
            return None
        (slope,) = torch.autograd.grad(logit, kept[0], allow_unused=True)
    layouts = Layouts(network)
    shown = None if slope is None else layouts.show(layer, kept[0].detach() * slope)
    if shown is None:
        return None
    counts = shown.maps.sum((1, 2))
    if shown.class_token is not None:
        counts = counts + shown.class_token
    return counts.cpu().float().numpy()


def _exact(
    network: nn.Module, inputs: Tensor, classes: Sequence[int], place: str
) -> ClassActivation | None:
    """Return the definition's map where the network ends in mean and linear, else None."""
    module = _last_layer(network)
    if module is None:
        return None
    kept: dict[str, Tensor] = {}

    def keep_maps(_: nn.Module, __: object, output: Tensor) -> None:
        kept["maps"] = output.detach().clone()

    def keep_features(_: nn.Module, given: tuple[Any, ...]) -> None:
        kept["features"] = given[0].detach().clone()

    with (
        network.get_submodule(place).register_forward_hook(keep_maps),
        module.register_forward_pre_hook(keep_features),
        torch.no_grad(),
    ):
        logits = network(inputs)[0]
    shown = Layouts(network).show(place, kept["maps"])
    assert shown is not None
    maps = shown.maps
    if isinstance(module, nn.Conv2d):  # SqueezeNet: its maps are one a class already
        means = maps.mean((1, 2))
        if means.shape != logits.shape or not torch.allclose(means, logits, atol=1e-4):
            return None
        chosen = maps[list(classes)]
    else:
        features = kept["features"].flatten()
        for family in families_in(network):
            if family.before_pooling is not None:
                maps = family.before_pooling(maps)
        pooled = maps.mean((1, 2))
        if pooled.shape != features.shape or not torch.allclose(pooled, features, atol=1e-4):
            return None
        chosen = torch.einsum("kc,chw->khw", module.weight[list(classes)].detach(), maps)
    scaled = chosen / (maps.shape[1] * maps.shape[2])
    return ClassActivation(
        classes=tuple(classes),
        method="CAM",
        layer=place,
        maps=scaled.cpu().float().numpy(),
        logits=logits[list(classes)].cpu().float().numpy(),
    )


def _by_gradients(
    network: nn.Module, inputs: Tensor, classes: Sequence[int], place: str
) -> ClassActivation:
    layouts = Layouts(network)
    kept: list[Tensor] = []

    def cut(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        kept.append(_leaf(output))
        return kept[-1].clone()

    with network.get_submodule(place).register_forward_hook(cut), _gradients_of_outputs(network):
        logits = network(inputs)[0]
        maps = []
        for number, index in enumerate(classes):
            (slope,) = torch.autograd.grad(
                logits[index], kept[0], retain_graph=number + 1 < len(classes)
            )
            maps.append(_weighed(layouts, place, kept[0], slope))
    return ClassActivation(
        classes=tuple(classes),
        method="Grad-CAM",
        layer=place,
        maps=torch.stack(maps).detach().cpu().float().numpy(),
        logits=logits[list(classes)].detach().cpu().float().numpy(),
    )


def _leaf(output: Tensor) -> Tensor:
    """Return an output where gradients end: they go no further back, and parameters need none.

    Later layers are given a copy of it, since they may work in place.
    """
    return output.detach().clone().requires_grad_(True)


@contextmanager
def _gradients_of_outputs(network: nn.Module) -> Iterator[None]:
    """Let gradients be taken, but of no parameter; the flags come back on every way out."""
    flags = [parameter.requires_grad for parameter in network.parameters()]
    try:
        with torch.enable_grad():
            network.requires_grad_(False)
            yield
    finally:
        for parameter, flag in zip(network.parameters(), flags, strict=True):
            parameter.requires_grad_(flag)


def _weighed(layouts: Layouts, place: str, output: Tensor, slope: Tensor) -> Tensor:
    """Return the maps weighed by the mean of their gradients, negative evidence cut off."""
    values, slopes = layouts.show(place, output.detach()), layouts.show(place, slope)
    assert values is not None
    assert slopes is not None
    weights = slopes.maps.mean((1, 2), keepdim=True)
    return (weights * values.maps).sum(0).relu()


def _last_layer(network: nn.Module) -> nn.Linear | nn.Conv2d | None:
    """Return the last layer with weights, which gives the logits."""
    found: nn.Linear | nn.Conv2d | None = None
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            found = module
    return found


def _last_maps(network: nn.Module, inputs: Tensor) -> str | None:
    """Return the last layer with an image of more than one cell: before pooling and head."""
    best: str | None = None
    layouts = Layouts(network)

    def look(name: str) -> object:
        def hook(module: nn.Module, _: object, output: object) -> None:
            nonlocal best
            if type(module).__name__ == "Dropout" or not isinstance(output, Tensor):
                return
            shown = layouts.show(name, output)
            if shown is not None and shown.maps.shape[1] * shown.maps.shape[2] > 1:
                best = name

        return hook

    with ExitStack() as hooks, torch.no_grad():
        for name, module in network.named_modules():
            if name:
                hooks.enter_context(module.register_forward_hook(look(name)))
        network(inputs)
    modules = dict(network.named_modules())
    places = [one.cam_layer(modules) for one in families_in(network) if one.cam_layer is not None]
    return next(filter(None, places), best)
