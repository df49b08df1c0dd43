"""Feature maps as grey pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_GAP_PX = 2
_GAP_GREY = 32


def to_grey(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return each map scaled from its own least to its own greatest value.

    Args:
        values: shape (C, h, w); what is not finite counts as zero.

    Returns:
        uint8, shape (C, h, w); a map of one single value is black.
    """
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low = finite.min(axis=(1, 2), keepdims=True)
    span = finite.max(axis=(1, 2), keepdims=True) - low
    scaled = (finite - low) / np.where(span > 0, span, 1)
    grey: npt.NDArray[np.uint8] = np.rint(scaled * 255).astype(np.uint8)
    return grey


def strength(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the mean magnitude of each map, shape (C,)."""
    means: npt.NDArray[np.float32] = np.abs(values).mean(axis=(1, 2))
    return means


def grid(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return all maps in one nearly square picture, in order of their channels.

    Args:
        values: shape (C, h, w).

    Returns:
        uint8, shape (rows × (h + gap) + gap, columns × (w + gap) + gap).
    """
    count, height, width = values.shape
    columns = math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    high, wide = height + _GAP_PX, width + _GAP_PX
    picture = np.full((rows * high + _GAP_PX, columns * wide + _GAP_PX), _GAP_GREY, np.uint8)
    for channel, one in enumerate(to_grey(values)):
        top = channel // columns * high + _GAP_PX
        left = channel % columns * wide + _GAP_PX
        picture[top : top + height, left : left + width] = one
    return picture


def smoothed(values: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return a map made larger without edges between its cells (bicubic), within its own range.

    Args:
        values: shape (h, w).
        size: (height, width) of the result.
    """
    from PIL import Image

    image = Image.fromarray(np.nan_to_num(values).astype(np.float32), "F")
    larger = image.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    result: npt.NDArray[np.float32] = np.asarray(larger, np.float32)
    return result.clip(values.min(), values.max())


def side_by_side(maps: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.uint8]:
    """Return maps in a row at one common scale, each cell some pixels wide.

    Args:
        maps: each of shape (h, w), all of one size.
    """
    low = min(float(one.min()) for one in maps)
    span = max(float(one.max()) for one in maps) - low or 1.0
    factor = max(1, 224 // maps[0].shape[0])
    pictures = []
    for one in maps:
        grey = np.rint((one - low) / span * 255).astype(np.uint8)
        pictures += [grey.repeat(factor, 0).repeat(factor, 1)]
        pictures += [np.full((pictures[0].shape[0], 4), _GAP_GREY, np.uint8)]
    return np.concatenate(pictures[:-1], axis=1)
