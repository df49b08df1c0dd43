"""From photo to input: what an ONNX file or its neighbours tell, else what is usual."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.errors import PreprocessingError, UnusableCheckpointError
from core.images.preprocessing import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    LARGEST_SIDE_PX,
    ChannelOrder,
    Preprocessing,
)
from core.images.turning import Size
from core.language import tr
from core.models.recognition.sidecars import lobe_signature, preprocessing_beside
from core.models.sources.onnx.graph import Graph, Network
from core.models.sources.onnx.inputs import PhotoInput
from core.models.sources.onnx.norming import own_norming
from core.models.sources.onnx.own_metadata import own_preprocessing

USUAL_SIDE = 224
_CROP_SHARE = 0.875
_SMALL_SIDE = 64
"""Data sets of so small pictures are not cropped."""

_SIDES = re.compile(r"\d{1,5}", re.ASCII)
_BYTES = 255.0

Answer = tuple[Preprocessing, list[str]] | None
"""A preprocessing, and sentences about what was assumed; None where nothing is known."""


def input_size(network: Network, photo: PhotoInput) -> tuple[Size, bool]:
    """Return (height, width) of the input, and whether it had to be assumed."""
    if photo.size is not None:
        return photo.size, any(photo.free[1:])
    sides = [int(side) for side in _SIDES.findall(network.metadata.get("imgsz", "")[:100])]
    if sides and all(1 <= side <= LARGEST_SIDE_PX for side in sides):
        return (sides[0], sides[-1]), False
    return (USUAL_SIDE, USUAL_SIDE), True


def preprocessing_of(
    path: Path, network: Network, photo: PhotoInput, classes: int
) -> tuple[Preprocessing, list[str]]:
    """Return the preprocessing, and sentences about what was assumed.

    Raises:
        UnusableCheckpointError: the input has sides that no photo is scaled to.
    """
    try:
        return _preprocessing_of(path, network, photo, classes)
    except PreprocessingError as error:
        raise UnusableCheckpointError("{path}: {error}", path=path, error=error) from error


def _preprocessing_of(
    path: Path, network: Network, photo: PhotoInput, classes: int
) -> tuple[Preprocessing, list[str]]:
    size, is_assumed = input_size(network, photo)
    answer = _of_droplens(network, photo, size) or _of_whole_numbers(photo, size)
    ways: tuple[Callable[[], Answer], ...] = (
        lambda: _beside(path, photo, classes, is_assumed),
        lambda: _of_ultralytics(network, photo, size),
        lambda: _of_image_metadata(network, photo, size),
        lambda: _of_lobe(path, photo, size),
        lambda: _of_own_norming(network.graph, photo, size),
    )
    for way in ways:
        answer = answer or way()
    found, problems = answer or _usual(network, photo, size)
    if is_assumed and found.input_size == size:
        problems.append(
            tr(
                "The network takes photos of any size; {height}×{width} pixels are assumed.",
                height=size[0],
                width=size[1],
            )
        )
    return found, problems


def _beside(path: Path, photo: PhotoInput, classes: int, is_free: bool) -> Answer:
    """Return what a configuration of timm or Hugging Face beside the file tells."""
    beside = preprocessing_beside(path, classes, None)
    found = None if beside is None else beside[0]
    if beside is None or found is None or found.channels != photo.channels:
        return None
    if not is_free and photo.size is not None and found.input_size != photo.size:
        found = _fitted(found, photo.size)
    told = tr(
        "The preprocessing is the one told by {beside} beside the checkpoint.", beside=beside[1]
    )
    return found, [told, *beside[2]]


def _of_droplens(network: Network, photo: PhotoInput, size: Size) -> Answer:
    found = own_preprocessing(network.metadata)
    if found is None or (found.channels, found.input_size) != (photo.channels, size):
        return None
    return found, []


def _fitted(found: Preprocessing, size: Size) -> Preprocessing:
    """Return a preprocessing that ends in the size that a network takes."""
    if isinstance(found.resize, tuple) or found.crop is None:
        return replace(found, resize=size, crop=None)
    share = min(found.crop) / found.resize if found.resize else 1.0
    return replace(found, resize=round(min(size) / min(share, 1.0)), crop=size)


def _of_whole_numbers(photo: PhotoInput, size: Size) -> Answer:
    if photo.type != "uint8":
        return None
    said = tr("The network takes whole numbers; it is given the pixels as they are, 0 to 255.")
    return _plain(photo, size, scale=_BYTES, squashes=photo.is_last), [said]


def _of_ultralytics(network: Network, photo: PhotoInput, size: Size) -> Answer:
    """Return the preprocessing of Ultralytics' classifiers: the middle of the photo, 0 to 1."""
    if network.metadata.get("author", "").lower() != "ultralytics":
        return None
    # Ultralytics reads photos with OpenCV, which turns them upright.
    found = replace(_plain(photo, size), resize=min(size), crop=size, apply_orientation=True)
    return found, [tr("The preprocessing is the one that {maker} gives all.", maker="Ultralytics")]


def _of_image_metadata(network: Network, photo: PhotoInput, size: Size) -> Answer:
    """Return what ONNX's own metadata for images tells, which Custom Vision writes.

    Source: onnx/docs/MetadataProps.md; the program that Custom Vision adds to its exports.
    """
    pixels = network.metadata.get("Image.BitmapPixelFormat", "")
    values = network.metadata.get("Image.NominalPixelRange", "")
    is_custom_vision = "customvision" in network.producer.lower().replace(" ", "")
    if not is_custom_vision and not (pixels and values):
        return None
    order: ChannelOrder = "BGR" if pixels.startswith("Bgr") or not pixels else "RGB"
    scale = _BYTES if values in ("", "NominalRange_0_255", "NominalRange_16_235") else 1.0
    found = replace(_plain(photo, size, scale=scale, squashes=True), interpolation="bicubic")
    if photo.channels == 3:
        found = replace(found, channel_order=order)
    if values == "Normalized_1_1":
        found = _centred(found)
    if pixels and values:
        return found, [] if is_custom_vision else [_squashed()]
    said = tr(
        "The file does not say which colours come first and how they are scaled; blue first and "
        "0 to 255 are assumed, as Custom Vision has it. The preprocessing can be changed."
    )
    return found, [said]


def _squashed() -> str:
    return tr(
        "The file does not say how photos are made as large as it takes them; they are squashed."
    )


def _of_lobe(path: Path, photo: PhotoInput, size: Size) -> Answer:
    if not lobe_signature(path):
        return None
    found = replace(_plain(photo, size), resize=min(size), crop=size, apply_orientation=True)
    return found, [tr("The preprocessing is the one that {maker} gives all.", maker="Lobe")]


def _of_own_norming(graph: Graph, photo: PhotoInput, size: Size) -> Answer:
    norming = own_norming(graph, photo)
    if norming is None:
        return None
    said = (
        tr("The network normalises its input itself; it is given 0 to 255.")
        if norming.takes_bytes
        else tr("The network normalises its input itself; it is given 0 to 1.")
    )
    scale = _BYTES if norming.takes_bytes else 1.0
    return _plain(photo, size, scale=scale, squashes=photo.is_last), [said]


def _usual(network: Network, photo: PhotoInput, size: Size) -> tuple[Preprocessing, list[str]]:
    """Return what most networks of a layout want: PyTorch's with channels first, else Keras'."""
    if photo.is_last:
        said = tr(
            "The file does not say how photos are scaled; 0 to 1 is assumed. Networks of Keras "
            "also take −1 to 1 or 0 to 255; the preprocessing can be changed."
        )
        return _plain(photo, size, squashes=True), [said, _squashed()]
    said = tr(
        "The file does not say how photos are cut out and normalised; the middle of the photo and "
        "ImageNet's mean and std are assumed. The preprocessing can be changed."
    )
    found = _plain(photo, size)
    mean, std = IMAGENET_MEAN, IMAGENET_STD
    if photo.channels == 1:
        found = replace(found, mean=(round(sum(mean) / 3, 6),), std=(round(sum(std) / 3, 6),))
    elif photo.channels == 4:
        found = replace(found, mean=(*mean, 0.0), std=(*std, 1.0))
    else:
        found = replace(found, mean=mean, std=std)
    return found, [said]


def _plain(
    photo: PhotoInput, size: Size, *, scale: float = 1.0, squashes: bool = False
) -> Preprocessing:
    """Return a preprocessing that scales and does no more.

    Args:
        photo: the input.
        size: of it.
        scale: of a full channel.
        squashes: resize both sides on their own, as Keras does; else the middle is cut out.
    """
    orders: dict[int, ChannelOrder] = {1: "grey", 3: "RGB", 4: "RGBA"}
    share = 1.0 if min(size) <= _SMALL_SIDE else _CROP_SHARE
    return Preprocessing(
        resize=size if squashes else int(min(size) / share),
        crop=None if squashes else size,
        channel_order=orders[photo.channels],
        scale=scale,
        mean=(0.0,) * photo.channels,
        std=(1.0,) * photo.channels,
        apply_orientation=False,
        transparency="dropped",
    )


def _centred(found: Preprocessing) -> Preprocessing:
    """Return a preprocessing that ends in -1 to 1."""
    return replace(found, mean=(0.5,) * found.channels, std=(0.5,) * found.channels)
