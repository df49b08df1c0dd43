"""Colour profiles made from their primaries."""

from __future__ import annotations

import struct

import numpy as np

_WHITE = (0.3127, 0.3290)
_D50 = np.array([0.96422, 1.0, 0.82521])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def profile_of(
    red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float]
) -> bytes:
    """Return an ICC profile (version 2) with these primaries, white D65 and a gamma of 2.2.

    Args:
        red: CIE xy.
        green: CIE xy.
        blue: CIE xy.

    Source: ICC.1:2001-04, a matrix and three curves.
    """
    columns = np.stack([_xyz(*one) for one in (red, green, blue)], axis=1)
    white = _xyz(*_WHITE)
    matrix = columns * np.linalg.solve(columns, white)
    gain = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    matrix = np.linalg.inv(_BRADFORD) @ gain @ _BRADFORD @ matrix
    curve = b"curv" + struct.pack(">4xIH2x", 1, round(2.2 * 256))
    text = b"made for a test\0"
    tags = {
        b"desc": b"desc" + struct.pack(">4xI", len(text)) + text + b"\0" * 79,
        b"cprt": b"text\0\0\0\0" + text,
        b"wtpt": _tag(_D50),
        b"rXYZ": _tag(matrix[:, 0]),
        b"gXYZ": _tag(matrix[:, 1]),
        b"bXYZ": _tag(matrix[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    place = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = place + len(body)
    header = struct.pack(">I4xI", size, 0x02400000) + b"mntrRGB XYZ "
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    header += struct.pack(">3i", *(round(value * 65536) for value in _D50))
    return header.ljust(128, b"\0") + table + body


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _tag(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(one) * 65536) for one in values))
