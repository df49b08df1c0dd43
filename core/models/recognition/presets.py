"""The preprocessing that torchvision gives each architecture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.images.preprocessing import CIFAR_MEAN, CIFAR_STD, Preprocessing
from core.models.families import BY_NAME, Family
from core.models.families.base import Shapes
from core.models.recognition.fingerprints import Fingerprint
from core.models.recognition.matching import has_small_stem
from core.models.weights.named import known_hash

_SHORTEST_HASH, _WHOLE_HASH = 8, 64


def own_weights(architecture: str, sha256: str) -> Any | None:
    """Return torchvision's weights entry of one of its own files, known by its hash."""
    if architecture not in BY_NAME:
        return None
    return next((one for one in weights_of(architecture) if own_file(one.url, sha256)), None)


def preset_for(fingerprint: Fingerprint, shapes: Shapes) -> Preprocessing:
    """Return the preprocessing that a checkpoint of this architecture most likely wants.

    It is the preset whose image size fits the network, without orientation and transparency:
    people train with loaders that ignore EXIF and drop what is transparent.

    Args:
        fingerprint: of the architecture.
        shapes: of the state dict; a position embedding may fix the image size, and a small first
            convolution tells of CIFAR's.
    """
    name, family = fingerprint.architecture.name, fingerprint.family
    known = name if name in BY_NAME else family.usual or name
    fitting = _fitting(family, known, family.image_size(shapes))
    found = replace(fitting, apply_orientation=False, transparency="dropped")
    stem = shapes.get(fingerprint.first, ())
    if has_small_stem(fingerprint, stem):
        found = replace(found, resize=32, crop=(32, 32), mean=CIFAR_MEAN, std=CIFAR_STD)
    if len(stem) == 4 and stem[1] == 1:
        mean, std = round(sum(found.mean) / 3, 6), round(sum(found.std) / 3, 6)
        found = replace(found, channel_order="grey", mean=(mean,), std=(std,))
    elif len(stem) == 4 and stem[1] == 4:
        found = replace(found, channel_order="RGBA", mean=(*found.mean, 0.0), std=(*found.std, 1.0))
    return found


def preset_of(entry: Any, architecture: str) -> Preprocessing:
    """Return the preprocessing of one of torchvision's weights entries."""
    transforms_input = BY_NAME[architecture].family.transforms_input
    return replace(from_transforms(entry.transforms()), transform_input=transforms_input)


def own_file(url: str, sha256: str) -> bool:
    """Return whether a file is what torchvision's address names: ".../resnet18-f37072fd.pth"."""
    known = known_hash(url.rsplit("/", 1)[-1])
    return len(known) >= _SHORTEST_HASH and sha256.startswith(known)


def is_surely_own(entry: Any) -> bool:
    """Return whether torchvision's file is known by its whole hash, not by its beginning alone."""
    return len(known_hash(entry.url.rsplit("/", 1)[-1])) == _WHOLE_HASH


def _fitting(family: Family, architecture: str, size: int | None) -> Preprocessing:
    entries: list[Any] = list(family.weights(architecture))
    presets = [from_transforms(one.transforms()) for one in entries]
    if not presets:
        usual = family.preset
        presets = [Preprocessing() if usual is None else usual(architecture)]
    if size is None:
        return presets[0]
    for preset in presets:
        if preset.input_size == (size, size):
            return preset
    if family.preset is None:
        return Preprocessing(resize=size, crop=(size, size))
    resize = (size, size) if isinstance(presets[0].resize, tuple) else size
    return replace(presets[0], resize=resize, crop=presets[0].crop and (size, size))


def weights_of(architecture: str) -> list[Any]:
    """Return the weights entries of an architecture, in torchvision's order."""
    return list(BY_NAME[architecture].family.weights(architecture))


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
