"""Maps in colour: viridis, and red and blue for either side of zero."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Colours = Literal["grey", "viridis", "signed"]

_VIRIDIS_STOPS = (
    (68, 1, 84),
    (71, 44, 122),
    (59, 81, 139),
    (44, 113, 142),
    (33, 144, 141),
    (39, 173, 129),
    (92, 200, 99),
    (170, 220, 50),
    (253, 231, 37),
)
"""Nine evenly spaced colours of matplotlib's viridis (CC0), between which is interpolated."""

_SIGNED_STOPS = ((33, 102, 172), (146, 197, 222), (247, 247, 247), (244, 165, 130), (178, 24, 43))
"""ColorBrewer's RdBu, reversed: blue below zero, white at it, red above."""


def colour(
    values: npt.NDArray[np.float32], colours: Colours, low: float, high: float
) -> npt.NDArray[np.uint8]:
    """Return a map in colour.

    Args:
        values: shape (h, w); what is not finite counts as zero.
        colours: "signed" puts zero in the middle, as far to either side as the farther end.
        low: value of the first colour.
        high: of the last.

    Returns:
        uint8, shape (h, w, 3).
    """
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if colours == "signed":
        high = max(abs(low), abs(high))
        low = -high
    span = high - low
    share = np.clip((finite - low) / span, 0, 1) if span > 0 else np.zeros_like(finite)
    if colours == "grey":
        grey = np.rint(share * 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    stops = np.array(_VIRIDIS_STOPS if colours == "viridis" else _SIGNED_STOPS, np.float32)
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(share, places, stops[:, channel]) for channel in range(3)]
    coloured: npt.NDArray[np.uint8] = np.rint(np.stack(channels, axis=2)).astype(np.uint8)
    return coloured
