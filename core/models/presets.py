"""The preprocessing that torchvision gives each architecture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.images.preprocessing import Preprocessing
from core.models.torchvision_import import torchvision_models

_PATCHES = "conv_proj.weight"
_POSITION_EMBEDDING = "encoder.pos_embedding"


def preset_for(architecture: str, shapes: Mapping[str, tuple[int, ...]]) -> Preprocessing:
    """Return the preset of an architecture's weights whose image size fits the network.

    Args:
        architecture: torchvision's name.
        shapes: of the state dict; a ViT's position embedding fixes its image size.
    """
    presets = [from_transforms(one.transforms()) for one in weights_of(architecture)]
    size = _image_size(shapes)
    if size is None:
        return presets[0]
    for preset in presets:
        if preset.input_size == (size, size):
            return preset
    return Preprocessing(resize=size, crop=(size, size))


def weights_of(architecture: str) -> list[Any]:
    """Return torchvision's weights entries of an architecture, in its order."""
    return list(torchvision_models().get_model_weights(architecture))


def from_transforms(transforms: Any) -> Preprocessing:
    """Return the value for one of torchvision's ``ImageClassification`` presets."""
    (resize,) = transforms.resize_size
    (crop,) = transforms.crop_size
    one, two, three = transforms.mean
    first, second, third = transforms.std
    return Preprocessing(
        resize=resize,
        crop=(crop, crop),
        interpolation=transforms.interpolation.value,
        mean=(one, two, three),
        std=(first, second, third),
    )


def _image_size(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    if _POSITION_EMBEDDING not in shapes:
        return None
    patches = shapes[_POSITION_EMBEDDING][1] - 1
    return int(round(patches**0.5) * shapes[_PATCHES][2])
