"""Which pages or pictures of an animation a file has."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import BinaryIO

from PIL import Image

from core.images import tiff_tags

MOST_FRAMES = 10_000

_OF_SEVERAL = ("AVIF", "GIF", "HEIF", "MPO", "PNG", "WEBP")
"""Formats whose frames are pictures of their own; a Photoshop file has layers, an icon sizes."""

_LARGEST_GIF_BYTES = 2**25
"""Its frames can only be counted by going through them all."""


def frames_of(image: Image.Image) -> Sequence[int]:
    """Return which pictures in a file are pages, or pictures of an animation; at most 10,000.

    Args:
        image: opened, not loaded.

    Returns:
        Their numbers, as ``Image.seek`` takes them. A TIFF's small copies of a page are none.
    """
    file = getattr(image, "fp", None)
    if file is None:
        return range(1)
    try:
        if image.format == "TIFF":
            return _pages(file)
        if image.format not in _OF_SEVERAL or not getattr(image, "is_animated", False):
            return range(1)
        if image.format == "GIF" and _size(file) > _LARGEST_GIF_BYTES:
            return range(1)
        return range(min(MOST_FRAMES, int(getattr(image, "n_frames", 1))))
    except Exception:  # noqa: BLE001 - a damaged frame behind the first is no reason to refuse
        return range(1)


def _pages(file: BinaryIO) -> Sequence[int]:
    """Return the pages of a TIFF. Source: TIFF 6.0, section 2, and NewSubfileType."""
    place = file.tell()
    pages = [0]
    try:
        file.seek(0)
        start = file.read(8)
        order = "<" if start[:2] == b"II" else ">"
        if struct.unpack(f"{order}H", start[2:4])[0] != 42:  # BigTIFF
            return pages
        (at,) = struct.unpack(f"{order}I", start[4:])
        met: set[int] = set()
        while at and at not in met and len(met) < MOST_FRAMES:
            file.seek(at)
            (tags,) = struct.unpack(f"{order}H", file.read(2))
            first = file.read(12)
            file.seek(at + 2 + 12 * tags)
            number = len(met)
            met.add(at)
            (at,) = struct.unpack(f"{order}I", file.read(4))
            tag, kind, _, value = struct.unpack(f"{order}HHII", first)
            is_small = tag == tiff_tags.SUBFILE_TYPE and kind == 4 and value & 1
            if number and not is_small:
                pages.append(number)
        return pages
    except struct.error:
        return pages
    finally:
        file.seek(place)


def _size(file: BinaryIO) -> int:
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size
