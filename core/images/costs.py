"""Find out, before anything is decoded, that a small photo would take minutes."""

from __future__ import annotations

import struct
from typing import BinaryIO

_SCAN_PIXELS = 4 * 10**9
"""Of a progressive JPEG, each of whose scans goes over all pixels; cameras write about ten."""

_EXIF_BYTES = 4 * 2**20
_MOST_STRIPS = 100_000
_MOST_TAGS = 1_000
_BLOCK_BYTES = 2**20
_TIFF_PLACES = (273, 324)
"""Tags that hold where each strip or tile lies."""


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
    elif start[:4] in (b"II*\0", b"MM\0*"):
        _check_strips(file, "<" if start[:2] == b"II" else ">", start)
    file.seek(0)


def check_scans(file: BinaryIO, pixels: int) -> None:
    """Count the scans of a progressive JPEG.

    Raises:
        CostlyError: there are too many for its size.
    """
    position = file.tell()
    file.seek(0)
    scans, last = 0, b""
    while block := file.read(_BLOCK_BYTES):
        scans += (last + block).count(b"\xff\xda")
        last = block[-1:]
        if scans * pixels > _SCAN_PIXELS:
            raise CostlyError
    file.seek(position)


def _check_segments(file: BinaryIO) -> None:
    """Add up the Exif segments, which Pillow joins one by one.

    Source: ITU-T T.81, annex B.
    """
    exif = 0
    file.seek(2)
    while (head := file.read(4))[:1] == b"\xff" and len(head) == 4 and head[1] != 0xDA:
        size = int.from_bytes(head[2:], "big")
        exif += size if head[1] == 0xE1 else 0
        if exif > _EXIF_BYTES or size < 2:
            raise CostlyError
        file.seek(size - 2, 1)


def _check_strips(file: BinaryIO, order: str, start: bytes) -> None:
    """Count the strips of the first picture in a TIFF.

    Source: TIFF 6.0, section 2.
    """
    file.seek(struct.unpack(f"{order}I", start[4:8])[0])
    head = file.read(2)
    count = struct.unpack(f"{order}H", head)[0] if len(head) == 2 else 0
    for _ in range(min(count, _MOST_TAGS)):
        entry = file.read(12)
        if len(entry) < 12:
            return
        tag, _, values = struct.unpack(f"{order}HHI", entry[:8])
        if tag in _TIFF_PLACES and values > _MOST_STRIPS:
            raise CostlyError
