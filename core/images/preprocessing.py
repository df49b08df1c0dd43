"""Preprocessing as a value: from a decoded photo to the network's input."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import PreprocessingError
from core.images.colours import TRANSPARENCIES, Transparency, has_transparency, plain_rgb
from core.images.decoding import StoredPhoto, stored_photo
from core.images.tones import is_deep
from core.images.turning import Size, turned_crop, turned_resize, turned_size

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]
ChannelOrder = Literal["RGB", "BGR", "grey", "RGBA"]
Box = tuple[float, float, float, float]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR_STD = (0.2470, 0.2435, 0.2616)

NORMALISATIONS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "ImageNet": (IMAGENET_MEAN, IMAGENET_STD),
    "CIFAR-10": (CIFAR_MEAN, CIFAR_STD),
    "0.5 / 0.5": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Means and stds by the names that people know them under."""

INTERPOLATIONS: tuple[Interpolation, ...] = (
    "nearest",
    "bilinear",
    "bicubic",
    "lanczos",
    "box",
    "hamming",
)
CHANNEL_ORDERS: tuple[ChannelOrder, ...] = ("RGB", "BGR", "grey", "RGBA")
_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
_CHANNELS = {"RGB": (3,), "BGR": (3,), "grey": (1, 3), "RGBA": (4,)}
LARGEST_SIDE_PX = 4096
_RESIZED_LIMIT_PX = 100_000_000
_LARGEST = 1e30
"""Of a number of the normalisation, so that it and its inverse are numbers at single precision."""

_FAST_MARGIN = 2
"""How much larger than the network wants it a photo stays where the JPEG decoder shrinks it."""


@dataclass(frozen=True)
class SeenPhoto:
    """What a network sees of a photo.

    Attributes:
        pixels: as ``Preprocessing.seen_by_model`` gives them, uint8, shape (H, W, C).
        box: where that lies on the upright photo, (left, top, right, bottom) in its pixels;
            None where the network sees the photo turned otherwise than people do.
    """

    pixels: npt.NDArray[np.uint8]
    box: Box | None

    @property
    def shown(self) -> npt.NDArray[np.uint8]:
        """Return the pixels with three channels, to look at."""
        pixels = self.pixels[:, :, :3]
        return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes the network's input. The defaults are ImageNet's.

    Attributes:
        resize: pixels of the shorter side; or (height, width), which squashes; or None.
        crop: (height, width) cut from the middle, padded with black where the photo is
            smaller; None where ``resize`` already gives the size.
        interpolation: of the resize; always with antialiasing, as Pillow does it.
        channel_order: of the input; ``mean`` and ``std`` stand in this order too. "grey" is
            one channel, or the same three times where there are three means; "RGBA" has a
            fourth channel that is full everywhere.
        scale: the input value of a full channel (255 in the file) before ``mean`` and
            ``std``: 1.0, or 255.0 for networks from Caffe.
        mean: taken off each channel.
        std: each channel is divided by it.
        apply_orientation: whether the network sees the photo upright by its EXIF.
        transparency: what the network gets where the photo is transparent: "white", or what
            the file has behind it ("dropped"), as Pillow's ``convert("RGB")`` gives it.
        transform_input: of Inception and GoogLeNet alone: whether the network itself turns
            ImageNet's normalisation into its own (0.5, 0.5). It is so for torchvision's own
            weights and networks trained from them; no checkpoint says it.

    Raises:
        PreprocessingError: a value makes no sense.
    """

    resize: int | Size | None = 256
    crop: Size | None = (224, 224)
    interpolation: Interpolation = "bilinear"
    channel_order: ChannelOrder = "RGB"
    scale: float = 1.0
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    apply_orientation: bool = True
    transparency: Transparency = "white"
    transform_input: bool = False

    def __post_init__(self) -> None:
        sides = (*_as_sides(self.resize), *_as_sides(self.crop))
        if not all(type(side) is int and 1 <= side <= LARGEST_SIDE_PX for side in sides):
            raise PreprocessingError(
                "Sizes of the preprocessing must lie between 1 and {largest_side_px} pixels.",
                largest_side_px=LARGEST_SIDE_PX,
            )
        if self.crop is None and not isinstance(self.resize, tuple):
            raise PreprocessingError(
                "The preprocessing gives photos of different sizes: set a crop, or a "
                "resize with height and width."
            )
        if self.interpolation not in _RESAMPLING:
            known = ", ".join(_RESAMPLING)
            raise PreprocessingError("The interpolation must be one of {known}.", known=known)
        if self.channel_order not in _CHANNELS:
            raise PreprocessingError(
                "The channel order must be one of {names}.", names=", ".join(_CHANNELS)
            )
        if self.transparency not in TRANSPARENCIES:
            known = ", ".join(TRANSPARENCIES)
            raise PreprocessingError("Transparency must be one of {known}.", known=known)
        counts = _CHANNELS[self.channel_order]
        if len(self.mean) not in counts or len(self.std) != len(self.mean):
            wanted = " or ".join(map(str, counts))
            raise PreprocessingError(
                "Mean and std of {channel_order} input take {wanted} numbers each.",
                channel_order=self.channel_order,
                wanted=wanted,
            )
        numbers = (self.scale, *self.mean, *self.std)
        if not all(abs(number) < _LARGEST for number in numbers) or not all(
            abs(number) > 1 / _LARGEST for number in self.std
        ):
            raise PreprocessingError("Scale, mean and std must be numbers, and no std zero.")

    @property
    def normalisation(self) -> str:
        """Return the name of mean and std; "own" where they have none."""
        known = {values: name for name, values in NORMALISATIONS.items()}
        return known.get((self.mean, self.std), "own")

    @property
    def channels(self) -> int:
        """Return how many channels the network's input has."""
        return len(self.mean)

    @property
    def input_size(self) -> Size:
        """Return (height, width) of the network's input."""
        if self.crop is not None:
            return self.crop
        assert isinstance(self.resize, tuple)
        return self.resize

    def seen_by_model(self, image: Image.Image, orientation: int = 1) -> npt.NDArray[np.uint8]:
        """Return the pixels that go in, before they are scaled: resized, cropped, reordered.

        They are those of torchvision's own transforms, to the bit.

        Args:
            image: RGB or grey, as its file stores it.
            orientation: the turn that is applied first, as EXIF numbers them; 1 is none.

        Returns:
            uint8, shape (H, W, C), channels in ``channel_order``.

        Raises:
            PreprocessingError: the photo is so long and thin that resizing it would not
                fit in memory.
        """
        size = turned_size(image.size, orientation)
        width, height = self.resized_size(size)
        if width < 1 or height < 1 or width * height > _RESIZED_LIMIT_PX:
            raise PreprocessingError(
                "the photo is too long and thin ({size}×{size_2} pixels) to be resized "
                "for the model",
                size=size[0],
                size_2=size[1],
            )
        left, top = self._crop_corner((width, height)) if self.crop else (0, 0)
        tall, wide = self.input_size
        box = (left, top, left + wide, top + tall)
        if (width, height) == size:
            return self._in_order(turned_crop(image, orientation, box))
        filter_ = _RESAMPLING[self.interpolation]
        resized = turned_resize(image, orientation, (width, height), filter_)
        return self._in_order(resized if self.crop is None else resized.crop(box))

    def resized_size(self, size: Size) -> Size:
        """Return (width, height) after the resize.

        Args:
            size: (width, height) of the photo.
        """
        width, height = size
        if self.resize is None:
            return size
        if isinstance(self.resize, tuple):
            return (self.resize[1], self.resize[0])
        # The longer side is cut down to a whole number, as torchvision does it.
        if width <= height:
            return (self.resize, int(self.resize * height / width))
        return (int(self.resize * width / height), self.resize)

    def to_input(self, seen: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the network's input for what ``seen_by_model`` gave.

        Returns:
            float32, shape (C, H, W).

        Source: the arithmetic, and its order, of torchvision's ``ImageClassification``.
        """
        values = seen.astype(np.float32) / np.float32(255)
        if self.scale != 1:
            values *= np.float32(self.scale)
        values -= np.asarray(self.mean, np.float32)
        values /= np.asarray(self.std, np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def seen_box(self, size: Size) -> Box:
        """Return the part of the photo that goes in.

        Args:
            size: (width, height) of the photo.

        Returns:
            (left, top, right, bottom) in pixels of the photo; outside it where padded.
        """
        if self.crop is None:
            return (0.0, 0.0, float(size[0]), float(size[1]))
        width, height = self.resized_size(size)
        left, top = self._crop_corner((width, height))
        across, down = size[0] / width, size[1] / height
        right, bottom = left + self.crop[1], top + self.crop[0]
        return (left * across, top * down, right * across, bottom * down)

    def see(self, stored: StoredPhoto) -> SeenPhoto:
        """Return what the network sees of a photo, and where on the upright photo that lies.

        Raises:
            PreprocessingError: as for ``seen_by_model``.
        """
        image = stored.image
        if image.mode != "L" or has_transparency(image) or is_deep(image):
            image = plain_rgb(image, self.transparency)  # grey is grey in each channel
        pixels = self.seen_by_model(image, stored.orientation if self.apply_orientation else 1)
        is_upright = self.apply_orientation or stored.orientation == 1
        return SeenPhoto(pixels, self.seen_box(stored.size) if is_upright else None)

    def see_file(self, path: Path, *, is_exact: bool = True) -> SeenPhoto:
        """Decode a photo and return what the network sees of it.

        Args:
            path: the photo.
            is_exact: decode every pixel first; else a JPEG decoder may shrink large photos.

        Raises:
            UnreadableImageError: with the reason.
            PreprocessingError: as for ``seen_by_model``.
        """
        with stored_photo(path, least_size=None if is_exact else self._with_margin) as stored:
            return self.see(stored)

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON values."""
        return {known.name: _listed(getattr(self, known.name)) for known in fields(self)}

    def _in_order(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Return pixels with the channels that the network takes."""
        image = image.convert("RGB")
        if self.channel_order == "grey":
            return np.repeat(np.asarray(image.convert("L"))[:, :, None], self.channels, axis=2)
        if self.channel_order == "RGBA":
            return np.asarray(image.convert("RGBA"))
        pixels = np.asarray(image)
        return pixels[:, :, ::-1] if self.channel_order == "BGR" else pixels

    def _with_margin(self, size: Size) -> Size:
        """Return how large a photo must stay while it is decoded; of its size upright."""
        width, height = self.resized_size(size)
        return _FAST_MARGIN * width, _FAST_MARGIN * height

    def _crop_corner(self, size: Size) -> Size:
        """Return (left, top) of the crop; negative where the photo is padded."""
        assert self.crop is not None
        return (_middle(size[0], self.crop[1]), _middle(size[1], self.crop[0]))


def from_json(found: object) -> Preprocessing:
    """Read a preprocessing from JSON values; what is missing is ImageNet's.

    Raises:
        PreprocessingError: an unknown field, a wrong type or a value that makes no sense.
    """
    if not isinstance(found, dict):
        raise PreprocessingError("A preprocessing must be a JSON object with named fields.")
    known = {field.name for field in fields(Preprocessing)}
    unknown = sorted(set(found) - known)
    if unknown:
        raise PreprocessingError(
            "The preprocessing has the unknown field {unknown!r}; known are {names}.",
            unknown=unknown[0],
            names=", ".join(sorted(known)),
        )
    values = dict(found)
    try:
        for name in ("mean", "std"):
            if name in values:
                values[name] = tuple(float(value) for value in values[name])
        for name in ("crop", "resize"):
            if isinstance(values.get(name), list):
                height, width = values[name]
                values[name] = (height, width)
        if isinstance(values.get("crop"), int):
            values["crop"] = (values["crop"], values["crop"])
        if "scale" in values:
            values["scale"] = float(values["scale"])
        for name in ("apply_orientation", "transform_input"):
            if not isinstance(values.get(name, True), bool):
                raise TypeError
        return Preprocessing(**values)
    except (TypeError, ValueError, OverflowError) as error:
        raise PreprocessingError(
            "The preprocessing has a value of the wrong type; mean and std take one "
            "number a channel, crop and resize one or two whole numbers."
        ) from error


def _as_sides(size: int | Size | None) -> tuple[int, ...]:
    if size is None:
        return ()
    return size if isinstance(size, tuple) else (size,)


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _middle(side: int, crop: int) -> int:
    """Return where a centred crop begins, rounded as torchvision does it.

    Where the side is too small, torchvision pads half of what is missing (rounded down)
    before, and crops from there.
    """
    if side < crop:
        return -((crop - side) // 2)
    return round((side - crop) / 2)
