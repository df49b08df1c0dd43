"""How many pages or pictures a file has."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from PIL import Image

MOST_FRAMES = 10_000

_OF_SEVERAL = ("AVIF", "GIF", "HEIF", "MPO", "PNG", "WEBP")
"""Formats whose frames are pictures of their own; a Photoshop file has layers, an icon sizes."""

_LARGEST_GIF_BYTES = 2**25
"""Its frames can only be counted by going through them all."""


def count_frames(image: Image.Image) -> int:
    """Return how many pages, or pictures of an animation, a photo has; at most 10,000.

    Args:
        image: opened, not loaded.
    """
    file = getattr(image, "fp", None)
    if file is None:
        return 1
    try:
        if image.format == "TIFF":
            return _pages(file)
        if image.format not in _OF_SEVERAL or not getattr(image, "is_animated", False):
            return 1
        if image.format == "GIF" and _size(file) > _LARGEST_GIF_BYTES:
            return 1
        return min(MOST_FRAMES, int(getattr(image, "n_frames", 1)))
    except Exception:  # noqa: BLE001 - a damaged frame behind the first is no reason to refuse
        return 1


def _pages(file: BinaryIO) -> int:
    """Count the pages of a TIFF. Source: TIFF 6.0, section 2."""
    place = file.tell()
    met: set[int] = set()
    try:
        file.seek(0)
        start = file.read(8)
        order = "<" if start[:2] == b"II" else ">"
        if struct.unpack(f"{order}H", start[2:4])[0] != 42:  # BigTIFF
            return 1
        (at,) = struct.unpack(f"{order}I", start[4:])
        while at and at not in met and len(met) < MOST_FRAMES:
            met.add(at)
            file.seek(at)
            (tags,) = struct.unpack(f"{order}H", file.read(2))
            file.seek(at + 2 + 12 * tags)
            (at,) = struct.unpack(f"{order}I", file.read(4))
        return max(1, len(met))
    except struct.error:
        return max(1, len(met))
    finally:
        file.seek(place)


def _size(file: BinaryIO) -> int:
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size
