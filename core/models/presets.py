"""The preprocessing that torchvision gives each architecture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.images.preprocessing import Preprocessing
from core.models.recognising import Shapes, image_size
from core.models.torchvision_import import torchvision_models

TRANSFORMING_INPUT = ("inception_v3", "googlenet")
_SHORTEST_HASH = 8


def preset_for(architecture: str, shapes: Shapes, sha256: str) -> Preprocessing:
    """Return the preprocessing that a checkpoint of this architecture most likely wants.

    torchvision's own files are known by the hash that stands in their address, and get their
    own preset. For any other it is the preset whose image size fits the network, without
    orientation: people train with loaders that ignore EXIF.

    Args:
        architecture: torchvision's name.
        shapes: of the state dict; a ViT's position embedding fixes its image size.
        sha256: of the file.
    """
    for entry in weights_of(architecture):
        if own_file(entry.url, sha256):
            return preset_of(entry, architecture)
    return replace(_fitting(architecture, shapes), apply_orientation=False)


def preset_of(entry: Any, architecture: str) -> Preprocessing:
    """Return the preprocessing of one of torchvision's weights entries."""
    return replace(
        from_transforms(entry.transforms()),
        transform_input=architecture in TRANSFORMING_INPUT,
    )


def own_file(url: str, sha256: str) -> bool:
    """Return whether a file is what torchvision's address names: ".../resnet18-f37072fd.pth"."""
    beginning = url.rsplit("-", 1)[-1].removesuffix(".pth")
    return len(beginning) >= _SHORTEST_HASH and sha256.startswith(beginning)


def _fitting(architecture: str, shapes: Shapes) -> Preprocessing:
    presets = [from_transforms(one.transforms()) for one in weights_of(architecture)]
    size = image_size(shapes)
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
