"""The tags of a TIFF, read without a decoder.

Source: TIFF 6.0, section 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

STARTS = (b"II*\0", b"MM\0*")
WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES = 256, 257, 258, 259, 277
SUBFILE_TYPE, PLANES, SUBFILES, SAMPLE_FORMAT = 254, 284, 330, 339
STRIP_PLACES, TILE_PLACES = 273, 324

_MOST_TAGS = 1_000
_KINDS = {1: "B", 3: "H", 4: "I"}


@dataclass(frozen=True)
class Tag:
    """One tag: how many values it has, and the first of them where that is a whole number."""

    count: int
    first: int


def first_tags(file: BinaryIO) -> dict[int, Tag] | None:
    """Return the tags of a file's first picture; None where they do not lie within the file.

    Args:
        file: a TIFF; it is left at its beginning.
    """
    try:
        file.seek(0)
        start = file.read(8)
        order = "<" if start[:2] == b"II" else ">"
        file.seek(struct.unpack(f"{order}I", start[4:8])[0])
        (count,) = struct.unpack(f"{order}H", file.read(2))
        entries = file.read(12 * min(count, _MOST_TAGS))
        if len(entries) < 12 * min(count, _MOST_TAGS):
            return None
        return dict(_parsed(file, order, entries))
    except struct.error:
        return None
    finally:
        file.seek(0)


def _parsed(file: BinaryIO, order: str, entries: bytes) -> Iterator[tuple[int, Tag]]:
    for at in range(0, len(entries), 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", entries, at)
        letter = _KINDS.get(kind)
        if letter is None:
            yield tag, Tag(count, 0)
            continue
        size = struct.calcsize(letter)
        value = entries[at + 8 : at + 12]
        if count * size > 4:
            file.seek(struct.unpack(f"{order}I", value)[0])
            value = file.read(size)
        if len(value) >= size:
            yield tag, Tag(count, struct.unpack_from(order + letter, value)[0])
