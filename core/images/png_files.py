"""PNGs that Pillow refuses or misreads, as PNGs that it reads."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

from core.images.costs import CostlyError, MissingPixelsError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NOTES = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"tIME", b"eXIf", b"pHYs", b"sPLT", b"hIST")
"""Chunks without which the pixels stay the same."""

_LARGEST_BYTES = 2**28
_MOST_NOTES = 100_000
_LARGEST_NOTE_BYTES = 2**24
_MOST_PIXELS = 2**24
"""Of a picture in an app, which takes its memory several times over."""

_APPLE = b"CgBI"
_COLOUR_WITH_ALPHA = 6


def is_of_apple(file: BinaryIO) -> bool:
    """Return whether a PNG is as Apple's tools pack them into apps for the iPhone.

    Args:
        file: at its beginning, where it is left.
    """
    start = file.read(16)
    file.seek(0)
    return start[:8] == SIGNATURE and start[12:16] == _APPLE


def from_apple(file: BinaryIO) -> BinaryIO:
    """Return such a PNG as an ordinary one: with zlib's header, channels in order.

    Args:
        file: at its beginning.

    Raises:
        MissingPixelsError: not all of it is there.
        Image.DecompressionBombError: it has more pixels than an app's pictures.

    Source: the fork of libpng in Apple's SDK, as described by the iPhone Wiki.
    """
    chunks = list(_chunks(file))
    if any(zlib.crc32(kind + data) != checksum for kind, data, checksum in chunks):
        raise MissingPixelsError
    if not chunks or chunks[-1][0] != b"IEND":
        raise MissingPixelsError
    header = next((data for kind, data, _ in chunks if kind == b"IHDR"), b"")
    if len(header) != 13:
        raise MissingPixelsError
    width, height, depth, colour = struct.unpack(">IIBB3x", header)
    if width * height > _MOST_PIXELS:
        raise Image.DecompressionBombError
    most = (width * 8 + 8) * (height + 8)
    packed = b"".join(data for kind, data, _ in chunks if kind == b"IDAT")
    pixels = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
    rest = [(kind, data) for kind, data, _ in chunks if kind not in (_APPLE, b"IDAT", b"IEND")]
    plain = io.BytesIO(SIGNATURE)
    plain.seek(0, io.SEEK_END)
    for kind, data in [*rest, (b"IDAT", zlib.compress(pixels, 1)), (b"IEND", b"")]:
        plain.write(_chunk(kind, data))
    plain.seek(0)
    if depth != 8 or colour != _COLOUR_WITH_ALPHA:
        return plain
    return _in_order(plain)


def without_damaged_notes(file: BinaryIO) -> BinaryIO | None:
    """Return a PNG without its text, times and profile whose checksum is wrong.

    Args:
        file: any PNG; it is left at its beginning.

    Returns:
        None where nothing of that kind is wrong with it.
    """
    damaged = [(place, size) for place, size in _notes(file) if not _is_whole(file, place, size)]
    file.seek(0)
    if not damaged:
        return None
    kept = io.BytesIO()
    for place, size in damaged:
        kept.write(file.read(place - file.tell()))
        file.seek(place + 12 + size)
    kept.write(file.read())
    file.seek(0)
    kept.seek(0)
    return kept


def _notes(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield place and size of each chunk that holds no pixels."""
    place = len(SIGNATURE)
    file.seek(place)
    count = 0
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[:4], "big")
        if head[4:] in _NOTES:
            count += 1
            if count > _MOST_NOTES:
                raise CostlyError
            yield place, size
        place += 12 + size
        file.seek(place)


def _is_whole(file: BinaryIO, place: int, size: int) -> bool:
    if size > _LARGEST_NOTE_BYTES:
        return True
    file.seek(place + 4)
    content = file.read(4 + size)
    return zlib.crc32(content) == int.from_bytes(file.read(4), "big")


def _in_order(plain: BinaryIO) -> BinaryIO:
    """Return a PNG whose channels stood as blue, green, red, and were darkened by their alpha."""
    with Image.open(plain, formats=("PNG",)) as image:
        blue, green, red, alpha = image.split()
    ordered = Image.merge("RGBa", (red, green, blue, alpha)).convert("RGBA")
    written = io.BytesIO()
    ordered.save(written, "PNG", compress_level=1)
    written.seek(0)
    return written


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield kind, content and checksum of each chunk, as far as they are there."""
    file.seek(len(SIGNATURE))
    total = 0
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[:4], "big")
        total += size
        if total > _LARGEST_BYTES:
            raise MissingPixelsError
        data = file.read(size)
        checksum = file.read(4)
        if len(data) < size or len(checksum) < 4:
            return
        yield head[4:], data, int.from_bytes(checksum, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
