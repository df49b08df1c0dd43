"""Find out, before anything is decoded, that a photo would take minutes, or is not whole.

What decoders do not tell of themselves: they fill what is missing, or read something else for it.
"""

from __future__ import annotations

import os
import re
from typing import BinaryIO

from PIL import Image

from core.images import tiff_tags

_SCAN_PIXELS = 4 * 10**9
"""Of a progressive JPEG, each of whose scans goes over all pixels; cameras write about ten."""

_EXIF_BYTES = 4 * 2**20
_MOST_STRIPS = 100_000
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Those of a JPEG that begin something; the others stand among the pixels."""

_SCAN, _END = b"\xda", b"\xd9"


_SLOW = frozenset(("qoi", "dds_rgb", "ppm_plain", "ppm"))
"""Decoders that are written in Python, and hold its interpreter."""

_SLOW_PIXELS = 10 * 10**6
_PACKED = ("WEBP", "AVIF", "HEIF", "JPEG2000")
_ZEROS = 4096
_ZERO_BYTES = 64
_START_OF_SCAN = b"\xff\xda"
_ROWS_PER_STRIP = 278


class MissingPixelsError(EOFError):
    """A photo has fewer pixels than it says."""


class CostlyError(Exception):
    """Decoding would take far longer than any real photo does."""


def check_start(file: BinaryIO) -> None:
    """Look at what a decoder reads before it says how large a photo is.

    Args:
        file: at its beginning, where it is left.

    Raises:
        CostlyError: there is too much of it.
    """
    start = file.read(8)
    if start[:3] == b"\xff\xd8\xff":
        _check_segments(file)
    elif start[:4] in tiff_tags.STARTS:
        _check_strips(file)
    file.seek(0)


def check_scans(file: BinaryIO, pixels: int) -> None:
    """Count the scans of a progressive JPEG; what lies behind its end, as a film does, is none.

    Raises:
        CostlyError: there are too many for its size.

    Source: ITU-T T.81, annex B.
    """
    position = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(position)
    scans, at = 0, 2
    while (marker := _MARKER.search(content, at)) is not None and marker[1] != _END:
        scans += marker[1] == _SCAN
        if scans * pixels > _SCAN_PIXELS:
            raise CostlyError
        at = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2], "big")


def _check_segments(file: BinaryIO) -> None:
    """Add up the Exif segments, which Pillow joins one by one; other data may be large.

    Source: ITU-T T.81, annex B.
    """
    exif = 0
    file.seek(2)
    while (head := file.read(8)) and len(head) == 8 and head[:1] == b"\xff":
        if head[1] == 0xFF:  # a filler
            file.seek(-7, 1)
            continue
        size = int.from_bytes(head[2:4], "big")
        if head[1:2] == _SCAN or size < 2:
            return
        exif += size if head[1] == 0xE1 and head[4:] == b"Exif" else 0
        if exif > _EXIF_BYTES:
            raise CostlyError
        file.seek(size - 6, 1)


def _check_strips(file: BinaryIO) -> None:
    """Count the strips or tiles of the first picture in a TIFF."""
    tags = tiff_tags.first_tags(file) or {}
    for place in (tiff_tags.STRIP_PLACES, tiff_tags.TILE_PLACES):
        if place in tags and tags[place].count > _MOST_STRIPS:
            raise CostlyError


def check_decoder(image: Image.Image) -> None:
    """Look at what a decoder is going to do.

    Args:
        image: opened, not loaded.

    Raises:
        CostlyError: it is one that takes a second for each megapixel, and there are many.
        NotImplementedError: it would give other pixels.
    """
    decoders = {tile[0] for tile in getattr(image, "tile", ())}
    if decoders & _SLOW and image.width * image.height > _SLOW_PIXELS:
        raise CostlyError
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(tiff_tags.BITS, (1,))
    is_planar = tags.get(tiff_tags.PLANES) == 2 and len(bits) > 1 and bits[0] > 8
    if is_planar and "raw" in decoders:  # libtiff reads them rightly
        raise NotImplementedError("unsupported: values of more than 8 bits in separate planes")


def check_whole(image: Image.Image, file: BinaryIO) -> None:
    """Make sure that a photo has all its parts, where its decoder would fill what is missing.

    Args:
        image: opened, not loaded.
        file: of it.

    Raises:
        MissingPixelsError: a JPEG has zeros for its end, a TIFF fewer strips than it needs, or
            another file ends in zeros, as a download does that was not ended.
    """
    if image.format in ("JPEG", "MPO"):
        place = file.tell()
        _check_end(file)
        file.seek(place)
    elif image.format == "TIFF":
        _check_strip_places(image)
    elif image.format in _PACKED:
        place = file.tell()
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _ZEROS))
        if not any(file.read(_ZEROS)) and size > _ZEROS:
            raise MissingPixelsError
        file.seek(place)


def _check_end(file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _ZERO_BYTES))
    if any(file.read(_ZERO_BYTES)):
        return  # what is only cut off, the decoder tells of
    file.seek(0)
    content = file.read()
    start = content.find(_START_OF_SCAN, _first_scan(content))
    if start >= 0 and content.find(b"\xff" + _END, start) < 0:
        raise MissingPixelsError


def _first_scan(content: bytes) -> int:
    """Return where a JPEG's first scan begins, behind all segments, which may hold other JPEGs."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != _SCAN[0]:
        if content[at + 1] == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return min(at, len(content))


def _check_strip_places(image: Image.Image) -> None:
    tags = getattr(image, "tag_v2", {})
    rows = tags.get(_ROWS_PER_STRIP)
    places = tags.get(tiff_tags.STRIP_PLACES)
    if places is None or not isinstance(rows, int) or rows < 1:
        return
    wanted = -(-tags.get(tiff_tags.HEIGHT, image.height) // rows)
    if len(places) < wanted or 0 in places[:wanted]:
        raise MissingPixelsError
