"""Find out, before anything is decoded, that a small photo would take minutes."""

from __future__ import annotations

import re
from typing import BinaryIO

from core.images import tiff_tags

_SCAN_PIXELS = 4 * 10**9
"""Of a progressive JPEG, each of whose scans goes over all pixels; cameras write about ten."""

_EXIF_BYTES = 4 * 2**20
_MOST_STRIPS = 100_000
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Those of a JPEG that begin something; the others stand among the pixels."""

_SCAN, _END = b"\xda", b"\xd9"


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
