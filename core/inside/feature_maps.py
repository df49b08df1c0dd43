"""Feature maps of any layer with an image-shaped output, by forward hooks that copy."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import NotSpatialError, UnknownLayerError
from core.images.decoding import read_photo
from core.images.preprocessing import Box, Preprocessing
from core.inside.rendering import strength, to_grey

_WINDOWS = frozenset({"partition_op", "partition_swap", "departition_swap"})
_WINDOWED = frozenset({"attn_layer", "mlp_layer"})
"""Parts of MaxViT that compute on windows: four-dimensional, but no image."""

_CONVNEXT_CHANNELS_LAST = frozenset({"1", "2", "3", "4", "5"})
"""Positions in a ConvNeXt block from the first permutation to the one before the last."""

_Hook = Callable[[str, nn.Module, Any], None]


@dataclass(frozen=True)
class Layer:
    """A layer with an image-shaped output.

    Attributes:
        name: dotted, as in ``network.named_modules()``.
        kind: the module's class, e.g. "Conv2d".
        call: from 1; above 1 where the network runs the module again.
        calls: how often it runs in one pass.
        shape: (C, h, w) of the output.
    """

    name: str
    kind: str
    call: int
    calls: int
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class FeatureMaps:
    """What one layer computed for one photo in one call.

    Attributes:
        layer: dotted name.
        call: from 1.
        values: float32, shape (C, h, w). One cell stands for H/h × W/w input pixels (the
            layer's stride, not its receptive field).
    """

    layer: str
    call: int
    values: npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeatureMapsOfPhoto:
    """Feature maps with what is needed to lay them over the photo.

    Attributes:
        image: the photo.
        maps: the maps.
        grey: each map from its least to its greatest value, uint8, shape (C, h, w).
        strength: mean magnitude of each map, shape (C,).
        seen: what the model saw, uint8, shape (H, W, 3).
        box: the part of the upright photo that the maps cover, (left, top, right, bottom) in
            pixels; None where the model saw the photo turned otherwise than people do.
    """

    image: Path
    maps: FeatureMaps
    grey: npt.NDArray[np.uint8]
    strength: npt.NDArray[np.float32]
    seen: npt.NDArray[np.uint8]
    box: Box | None


def list_layers(network: nn.Module, image: Tensor) -> tuple[Layer, ...]:
    """Return the layers with an image-shaped output, in order of execution.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        image: preprocessed, float32, shape (1, C, H, W), on the network's device.
    """
    found: list[tuple[str, str, int, tuple[int, int, int]]] = []
    calls: Counter[str] = Counter()

    def note(name: str, module: nn.Module, output: Any) -> None:
        calls[name] += 1
        maps = _as_maps(network, name, output)
        if maps is not None:
            channels, height, width = maps.shape
            kind = type(module).__name__
            found.append((name, kind, calls[name], (channels, height, width)))

    with _hooks(network, note), torch.no_grad():
        network(image)
    return tuple(Layer(name, kind, call, calls[name], shape) for name, kind, call, shape in found)


def capture_feature_maps(network: nn.Module, image: Tensor, layer: str) -> tuple[FeatureMaps, ...]:
    """Return what one layer computes for one image, one entry for each of its calls.

    The hook copies: layers that work in place overwrite what they were given.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        image: preprocessed, float32, shape (1, C, H, W), on the network's device.
        layer: dotted name as in ``network.named_modules()``, e.g. "layer3.1.conv2".

    Raises:
        UnknownLayerError: the network has no such layer, or never runs it.
        NotSpatialError: the layer's output has no height and width, e.g. "fc".

    Source: Zeiler and Fergus, ECCV 2014, arXiv:1311.2901.
    """
    if layer not in dict(network.named_modules()) or not layer:
        names = [name for name, _ in network.named_modules() if name]
        near = difflib.get_close_matches(layer, names, n=3, cutoff=0.5) or names[:3]
        raise UnknownLayerError(
            f"The network has no layer {layer!r}; it has {', '.join(map(repr, near))} and others."
        )
    captured: list[FeatureMaps] = []
    ran = False

    def keep(name: str, module: nn.Module, output: Any) -> None:
        nonlocal ran
        ran = True
        maps = _as_maps(network, name, output)
        if maps is not None:
            copy = maps.detach().clone(memory_format=torch.contiguous_format).float().cpu()
            captured.append(FeatureMaps(layer, len(captured) + 1, copy.numpy()))

    with _hooks(network, keep, only=layer), torch.no_grad():
        network(image)
    if not ran:
        raise UnknownLayerError(f"The network never runs the layer {layer!r}.")
    if not captured:
        raise NotSpatialError(f"The output of {layer!r} has no height and width.")
    return tuple(captured)


def feature_maps_of_photo(
    network: nn.Module, preprocessing: Preprocessing, image: Path, layer: str, call: int
) -> FeatureMapsOfPhoto:
    """Return what one call of one layer computes for a photo.

    Args:
        network: in evaluation mode, on any device.
        preprocessing: from photo to input.
        image: the photo.
        layer: dotted name.
        call: from 1.

    Raises:
        UnknownLayerError: no such layer, or no such call.
        NotSpatialError: the layer's output has no height and width.
        UnreadableImageError: the photo cannot be decoded.
    """
    seen, box = preprocessing.view(read_photo(image))
    device = next(network.parameters()).device
    batch = torch.from_numpy(preprocessing.to_input(seen)).unsqueeze_(0).to(device)
    calls = capture_feature_maps(network, batch, layer)
    if not 1 <= call <= len(calls):
        times = "once" if len(calls) == 1 else f"{len(calls)} times"
        raise UnknownLayerError(f"The layer {layer!r} runs {times}; there is no call {call}.")
    maps = calls[call - 1]
    return FeatureMapsOfPhoto(image, maps, to_grey(maps.values), strength(maps.values), seen, box)


@contextmanager
def _hooks(network: nn.Module, hook: _Hook, only: str | None = None) -> Iterator[None]:
    """Attach a forward hook to every module or to one, and detach on every way out."""
    handles = []
    try:
        for name, module in network.named_modules():
            if name and only in (None, name):

                def call(
                    module: nn.Module,
                    _: Any,
                    output: Any,
                    name: str = name,
                ) -> None:
                    hook(name, module, output)

                handles.append(module.register_forward_hook(call))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _as_maps(network: nn.Module, layer: str, output: Any) -> Tensor | None:
    """Return an output as (C, h, w), or None where it is not image-shaped."""
    if not isinstance(output, Tensor) or output.dim() != 4 or output.shape[0] != 1:
        return None
    segments = layer.split(".")
    if _WINDOWS.intersection(segments) or _WINDOWED.intersection(segments):
        return None
    maps = output[0]
    return maps.permute(2, 0, 1) if _is_channels_last(network, segments) else maps


def _is_channels_last(network: nn.Module, segments: list[str]) -> bool:
    """Return whether a layer gives (N, H, W, C).

    Swin does so from its patches to its pooling; ConvNeXt inside its blocks, between the two
    permutations.
    """
    kind = type(network).__name__
    if kind == "ConvNeXt":
        return segments[-2:-1] == ["block"] and segments[-1] in _CONVNEXT_CHANNELS_LAST
    if kind != "SwinTransformer":
        return False
    return segments[0] == "norm" or (
        segments[0] == "features" and segments[:3] != ["features", "0", "0"]
    )
