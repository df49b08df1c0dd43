"""Grey values of more than 8 bits as the 8 bits that people and networks are given."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Range = tuple[float, float]
"""Values that become black and white."""

_BIT_DEPTHS = (8, 10, 12, 14, 16)
_BEYOND = 1 / 1000
"""Share of the pixels that may lie beyond black or white: hot pixels, and dead ones."""

_FEW = 100
"""With fewer pixels than that, each of them counts."""

_SCALED = (("JPEG2000", "I;16"), ("PPM", "I"))
"""Formats and modes whose values Pillow has scaled by the depth that the file says."""

_SAMPLED = 2**20
_STRIP_PIXELS = 2**21
_PHOTOMETRIC = 262
_BITS_PER_SAMPLE, _SAMPLES, _SAMPLE_FORMAT, _SIGNED = 258, 277, 339, 2


def is_deep(image: Image.Image) -> bool:
    """Return whether a photo's values need to be scaled: all but 8 bits without a sign."""
    return image.mode.startswith(("I", "F")) or _tiff_kind(image) == (8, _SIGNED)


def range_of(image: Image.Image) -> Range:
    """Return which values of a grey photo become black and white.

    Whole numbers from 0 count as the smallest usual bit depth that holds them (a 12-bit camera
    stores 0..4095 in 16 bits); fractions as 0..1 or 0..255 where they lie within; everything
    else from its least to its greatest value. One pixel in a thousand may lie beyond on each
    side, so that a hot pixel does not turn the photo dark. Formats that say how many bits their
    values have are read to 16 bits already.
    """
    if (image.format, image.mode) in _SCALED:
        return 0.0, float(2**16 - 1)
    low, high, is_whole = _bounds(image)
    tops = [float(2**bits - 1) for bits in _BIT_DEPTHS] if is_whole else [1.0, 255.0]
    fitting = [top for top in tops if high <= top]
    return (0.0, fitting[0]) if low >= 0 and fitting else (low, high)


def scaled(image: Image.Image, values: Range) -> Image.Image:
    """Return a grey photo with 8 bits, as ``range_of`` says; upside down where white is zero."""
    low, high = values
    is_inverted = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    made = Image.new("L", image.size)
    if high <= low:
        return made
    for top, pixels in _strips(image):
        grey = _finite(pixels)
        grey -= np.float32(low)
        grey *= np.float32(255 / (high - low))
        np.rint(grey, out=grey)
        np.clip(grey, 0, 255, out=grey)
        if is_inverted:
            np.subtract(255, grey, out=grey)
        made.paste(Image.fromarray(grey.astype(np.uint8)), (0, top))
    return made


def mask_of(image: Image.Image, value: int) -> Image.Image:
    """Return where a grey photo has a value, as a mask."""
    made = Image.new("L", image.size)
    for top, pixels in _strips(image):
        made.paste(Image.fromarray(np.where(pixels == value, 255, 0).astype(np.uint8)), (0, top))
    return made


def _bounds(image: Image.Image) -> tuple[float, float, bool]:
    """Return the least and greatest value without those that may lie beyond; and if all are whole.

    Large photos of other than 16 bits are sampled evenly.
    """
    counts = np.zeros(2**16, np.int64)
    samples: list[npt.NDArray[Any]] = []
    step = max(1, image.width * image.height // _SAMPLED)
    for _, pixels in _strips(image):
        if pixels.dtype == np.uint16:
            counts += np.bincount(pixels.ravel(), minlength=2**16)
        else:
            samples.append(pixels.ravel()[::step].copy())
    if not samples:
        beyond = _beyond(int(counts.sum()))
        below = np.cumsum(counts)
        low = int(np.searchsorted(below, beyond, side="right"))
        high = int(np.searchsorted(below, below[-1] - beyond))
        return float(low), float(high), True
    values = np.concatenate(samples)
    is_whole = bool(np.issubdtype(values.dtype, np.integer))
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 0.0, is_whole
    beyond = _beyond(len(values))
    values = np.sort(values)
    return float(values[beyond]), float(values[-1 - beyond]), is_whole


def _beyond(count: int) -> int:
    return math.ceil(count * _BEYOND) if count >= _FEW else 0


def _strips(image: Image.Image) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield a photo's values in rows, with the first one's number, as its file means them.

    Pillow takes TIFFs of 32 bits without a sign for ones with it, and the reverse for 8 bits.
    """
    kind = _tiff_kind(image)
    rows = max(1, _STRIP_PIXELS // max(1, image.width))
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels = np.asarray(image.crop((0, top, image.width, bottom)))
        if kind == (32, 1):
            pixels = pixels.view(np.uint32)
        elif kind == (8, _SIGNED):
            pixels = pixels.view(np.int8)
        yield top, pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _tiff_kind(image: Image.Image) -> tuple[int, int] | None:
    """Return bits and sample format (1: no sign, 2: signed, 3: fractions) of a grey TIFF.

    Source: TIFF 6.0, section 19.
    """
    tags = getattr(image, "tag_v2", None)
    if tags is None or tags.get(_SAMPLES, 1) != 1:
        return None
    bits, form = tags.get(_BITS_PER_SAMPLE, (1,)), tags.get(_SAMPLE_FORMAT, (1,))
    return (bits[0], form[0]) if bits and form else None


def _finite(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
