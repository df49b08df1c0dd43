"""Score-CAM: evidence by maps, for networks that give no gradients.

What a map of the last layer that is laid out as an image shows of the photo is given to the network
alone; the more a class has of that, the more the map counts for it.

Source: Wang et al., CVPR Workshops 2020, arXiv:1910.01279; here of the strongest maps, and over the
photo's mean colour, since zero is black for some networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import NotSpatialError
from core.inside.class_activation import ClassActivation
from core.inside.feature_maps import capture_feature_maps
from core.inside.layers import Layer
from core.inside.passes import timed_pass

_MOST_MAPS = 64


def score_cam(
    network: nn.Module, inputs: Tensor, classes: Sequence[int], layers: Sequence[Layer]
) -> Iterator[ClassActivation]:
    """Yield where the evidence for classes lies, ever finer, after each few maps.

    Args:
        network: in evaluation mode; left as it was found, hooks included.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        classes: class indices.
        layers: of a pass of the network.

    Raises:
        NotSpatialError: no layer has maps of more than the photo's own channels.
    """
    chosen = list(classes)
    layer = _last_maps(layers, inputs)
    captured = capture_feature_maps(network, inputs, layer.name)[layer.call - 1]
    maps = _strongest(torch.from_numpy(captured.values))
    mean = inputs.mean((2, 3), keepdim=True)
    outputs, at_a_time = timed_pass(network, inputs)
    logits = outputs[0, chosen].float().cpu()
    scores = torch.empty(0, len(chosen))
    for group in torch.split(maps, at_a_time):
        masks = _masks(group, inputs).to(inputs.device)
        with torch.no_grad():
            outputs = network(mean + (inputs - mean) * masks)
        scores = torch.cat([scores, outputs[:, chosen].float().cpu()])
        weighed = torch.einsum("mk,mhw->khw", scores.softmax(0), maps[: len(scores)])
        yield ClassActivation(
            classes=tuple(chosen),
            method="Score-CAM",
            layer=layer.name,
            maps=weighed.relu().numpy(),
            logits=logits.numpy(),
            passes=(len(scores), len(maps)),
        )


def _last_maps(layers: Sequence[Layer], inputs: Tensor) -> Layer:
    """Return the last layer with an image of more than one cell each way, and not the photo's own.

    An image has the sides of the photo, but for a cell; attention, for instance, has not.
    """
    channels, high, wide = inputs.shape[1:]
    for layer in reversed(layers):
        if layer.shape is None:
            continue
        count, rows, columns = layer.shape
        is_alike = abs(rows * wide - columns * high) <= max(high, wide)
        if count > channels and min(rows, columns) > 1 and is_alike:
            return layer
    raise NotSpatialError("No layer of this network has an image's layout.")


def _strongest(maps: Tensor) -> Tensor:
    """Return the maps that differ most from place to place, those first; flat ones never."""
    spread = torch.nan_to_num(maps.flatten(1).std(1))
    order = spread.argsort(descending=True, stable=True)[:_MOST_MAPS]
    found = maps[order[spread[order] > 0]]
    if not len(found):
        raise NotSpatialError("No layer of this network has an image's layout.")
    return found


def _masks(maps: Tensor, inputs: Tensor) -> Tensor:
    """Return maps in the photo's size, each from 0 to 1, shape (N, 1, H, W)."""
    large = functional.interpolate(
        maps[:, None], inputs.shape[2:], mode="bilinear", align_corners=False
    )
    low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
    return (large - low) / (high - low).clamp_min(torch.finfo(large.dtype).tiny)
