"""The eight ways in which a camera may have been held, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Size = tuple[int, int]
"""(width, height)."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the EXIF orientation, what sets a photo upright."""

_OF_ARRAYS: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels.swapaxes(0, 1), 2),
    8: np.rot90,
}
"""The same for pixels; these are views, so that nothing is copied twice."""

_MIRRORED_ACROSS, _MIRRORED_DOWN = (2, 3, 7, 8), (3, 4, 6, 7)
"""Orientations in which the stored photo's columns, or rows, run the other way."""

_ON_THEIR_SIDE = (5, 6, 7, 8)
_BAND_PIXELS = 2**21


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return a photo upright."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def turned_pixels(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Return a photo's pixels upright, shape (H, W, …); a view."""
    return _OF_ARRAYS[orientation](pixels) if orientation in _OF_ARRAYS else pixels


def turned_size(size: Size, orientation: int) -> Size:
    """Return the size of a photo upright; of an upright one, its size as stored."""
    return size[::-1] if orientation in _ON_THEIR_SIDE else size


def turned_crop(
    image: Image.Image, orientation: int, box: tuple[int, int, int, int]
) -> Image.Image:
    """Return a part of a photo upright, without a turned copy of all of it.

    Args:
        image: as stored.
        orientation: of it.
        box: (left, top, right, bottom) on the upright photo; what lies outside is black.
    """
    if orientation not in TURNS:
        return image.crop(box)
    left, top, right, bottom = box
    if orientation in _ON_THEIR_SIDE:
        left, top, right, bottom = top, left, bottom, right
    if orientation in _MIRRORED_ACROSS:
        left, right = image.width - right, image.width - left
    if orientation in _MIRRORED_DOWN:
        top, bottom = image.height - bottom, image.height - top
    return image.crop((left, top, right, bottom)).transpose(TURNS[orientation])


def turned_resize(
    image: Image.Image, orientation: int, size: Size, resampling: Image.Resampling
) -> Image.Image:
    """Return what resizing the upright photo gives, to the bit, without a turned copy of it.

    Pillow resizes along one side and then along the other, and rounds in between; so the first
    pass may be done band by band. Which side comes first is its own rule.

    Args:
        image: as stored.
        orientation: of it.
        size: of the result.
        resampling: the filter.

    Source: ``ImagingResampleInner`` of Pillow 13.
    """
    if orientation not in TURNS:
        return image.resize(size, resampling)
    width, height = turned_size(image.size, orientation)
    shrinks = height - size[1]
    is_down_first = shrinks > 0 and shrinks > (width - size[0]) * 2
    made = Image.new(image.mode, (width, size[1]) if is_down_first else (size[0], height))
    across, along = (width, height) if is_down_first else (height, width)
    step = max(1, _BAND_PIXELS // along)
    for start in range(0, across, step):
        end = min(start + step, across)
        if is_down_first:
            band = turned_crop(image, orientation, (start, 0, end, height))
            made.paste(band.resize((end - start, size[1]), resampling), (start, 0))
        else:
            band = turned_crop(image, orientation, (0, start, width, end))
            made.paste(band.resize((size[0], end - start), resampling), (0, start))
    return made.resize(size, resampling)
