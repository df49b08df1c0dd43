"""Feature maps of any layer, as arrays to show and to write."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import NotSpatialError, UnknownLayerError
from core.images.preprocessing import Box
from core.inside.layers import Layer, Recording, record
from core.inside.layouts import Layout, Shown, attention_maps
from core.inside.rendering import strength, to_grey


@dataclass(frozen=True)
class FeatureMaps:
    """What one layer computed for one photo in one call.

    Attributes:
        layer: dotted name.
        call: from 1.
        layout: "maps"; "tokens" of a transformer, laid out as an image; or "vector".
        values: float32, shape (C, h, w); (C, 1, 1) for a vector. One cell stands for
            H/h × W/w input pixels (the layer's stride, not its receptive field).
        class_token: float32, shape (C,); None but for tokens.
    """

    layer: str
    call: int
    layout: Layout
    values: npt.NDArray[np.float32]
    class_token: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class FeatureMapsOfPhoto:
    """Feature maps with what is needed to lay them over the photo.

    Attributes:
        photo: the photo.
        maps: the maps.
        grey: each map from its least to its greatest value, uint8, shape (C, h, w).
        strength: mean magnitude of each map, shape (C,).
        seen: what the model saw, uint8, shape (H, W, 3).
        box: the part of the upright photo that the maps cover, (left, top, right, bottom) in
            pixels; None where the model saw the photo turned otherwise than people do.
        is_attention: whether the maps are attention, one a head.
        counts: how much each channel counts for the class asked about, shape (C,); None where
            none was, or it has no way there.
    """

    photo: Path
    maps: FeatureMaps
    grey: npt.NDArray[np.uint8]
    strength: npt.NDArray[np.float32]
    seen: npt.NDArray[np.uint8]
    box: Box | None
    is_attention: bool = False
    counts: npt.NDArray[np.float32] | None = None


def list_layers(network: nn.Module, inputs: Tensor) -> tuple[Layer, ...]:
    """Return the layers whose output can be shown, in order of execution.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
    """
    return tuple(layer for layer in record(network, inputs).layers if layer.shape is not None)


def capture_feature_maps(network: nn.Module, inputs: Tensor, layer: str) -> tuple[FeatureMaps, ...]:
    """Return what one layer computes for one image, one entry for each of its calls.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        layer: dotted name as in ``network.named_modules()``, e.g. "layer3.1.conv2".

    Raises:
        UnknownLayerError: the network has no such layer, or never runs it.
        NotSpatialError: the layer's output holds no numbers of channels.

    Source: Zeiler and Fergus, ECCV 2014, arXiv:1311.2901.
    """
    check_name(network, layer)
    recording = record(network, inputs, only=layer)
    ran = [one for one in recording.layers if one.name == layer]
    if not ran:
        raise UnknownLayerError("The network never runs the layer {layer!r}.", layer=layer)
    found = [maps_of(recording, layer, one.call) for one in ran]
    captured = tuple(one for one in found if one is not None)
    if not captured:
        raise NotSpatialError(
            "The output of {layer!r} has no channels that can be shown.", layer=layer
        )
    return captured


def maps_of(recording: Recording, layer: str, call: int) -> FeatureMaps | None:
    """Return a call's output from a recording; None where it was not kept."""
    shown = recording.shown(layer, call)
    return None if shown is None else _as_arrays(layer, call, shown)


def attention_of(network: nn.Module, inputs: Tensor, layer: str) -> FeatureMaps:
    """Return how much each place is attended to, one map a head.

    Raises:
        UnknownLayerError: the network has no such layer.
        NotSpatialError: the layer is no attention that can be laid out as an image.
    """
    check_name(network, layer)
    found = attention_maps(network, inputs, layer)
    if found is None:
        raise NotSpatialError(
            "{layer!r} gives no attention that can be laid out as an image.", layer=layer
        )
    return _as_arrays(layer, 1, Shown("maps", found))


def check_name(network: nn.Module, layer: str) -> None:
    """Refuse a name that no layer has.

    Raises:
        UnknownLayerError: with names that are near.
    """
    if layer in dict(network.named_modules()) and layer:
        return
    names = [name for name, _ in network.named_modules() if name]
    near = difflib.get_close_matches(layer, names, n=3, cutoff=0.5) or names[:3]
    raise UnknownLayerError(
        "The network has no layer {layer!r}; it has {names} and others.",
        layer=layer,
        names=", ".join(map(repr, near)),
    )


def as_shown_for(
    photo: Path,
    maps: FeatureMaps,
    seen: npt.NDArray[np.uint8],
    box: Box | None,
    *,
    is_attention: bool = False,
) -> FeatureMapsOfPhoto:
    """Return maps with their pictures.

    Args:
        photo: the photo.
        maps: its maps.
        seen: what the model saw of it.
        box: where that lies on the upright photo.
        is_attention: whether the maps are attention.
    """
    grey, strengths = to_grey(maps.values), strength(maps.values)
    return FeatureMapsOfPhoto(photo, maps, grey, strengths, seen, box, is_attention)


def _as_arrays(layer: str, call: int, shown: Shown) -> FeatureMaps:
    token = None if shown.class_token is None else shown.class_token.numpy()
    values = shown.maps.to("cpu", torch.float32).contiguous().numpy()
    return FeatureMaps(layer, call, shown.layout, values, token)
