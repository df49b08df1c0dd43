"""TIFFs of kinds that Pillow does not write: values with and without sign, many bands."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy.typing as npt


def write_tiff(
    path: Path, values: npt.NDArray[Any], *, orientation: int = 1, order: str = "<"
) -> Path:
    """Write values as an uncompressed TIFF of one strip.

    Args:
        path: of the file.
        values: shape (H, W) or (H, W, bands), of any number type.
        orientation: of it.
        order: "<" or ">", of the bytes.
    """
    height, width = values.shape[:2]
    bands = values.shape[2] if values.ndim == 3 else 1
    content = values.astype(values.dtype.newbyteorder(order)).tobytes()
    bits = values.dtype.itemsize * 8
    form = {"u": 1, "i": 2, "f": 3, "b": 1}[values.dtype.kind]
    tags: list[tuple[int, int, list[int]]] = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * bands),
        (259, 3, [1]),
        (262, 3, [2 if bands == 3 else 1]),
        (273, 4, [0]),
        (274, 3, [orientation]),
        (277, 3, [bands]),
        (278, 4, [height]),
        (279, 4, [len(content)]),
        (339, 3, [form] * bands),
    ]
    if bands > 3:
        tags.insert(-1, (338, 3, [0] * (bands - 1)))
    place = 8 + 2 + 12 * len(tags) + 4
    extra = b""
    entries = b""
    for tag, kind, numbers in tags:
        if tag == 273:
            numbers = [place + 16 * len(tags) * bands]
        packed = struct.pack(f"{order}{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            at = struct.pack(f"{order}I", place + len(extra))
            extra += packed
            packed = at
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    extra = extra.ljust(16 * len(tags) * bands, b"\0")
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    count = struct.pack(f"{order}H", len(tags))
    path.write_bytes(start + count + entries + b"\0" * 4 + extra + content)
    return path
