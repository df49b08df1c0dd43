"""What can be said of a photo without a model: when, by what and how it was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.images import colours
from core.images.camera_notes import camera_notes
from core.images.decoding import stored_photo
from core.images.turning import Size, turned

_SIDE = 64
"""Pixels to which a photo is shrunk for it."""

_MONTH = len("2024:05")
_WHITE = 255.0
_HASH_SIDE = 16
_SIDES, _LARGE = (0, 256, 512, 1024, 2048), 0
_PERCENTS = (0, 20, 40, 60, 80)


@dataclass(frozen=True)
class PhotoFacts:
    """What is known of a photo.

    Attributes:
        month: in which it was taken, as "2024-05"; "" where it does not say.
        camera: make and model; "" where it does not say.
        size: (width, height) in pixels, upright.
        brightness: mean luma, from 0 for black to 1 for white.
        shared: by kind what it may have in common with others: "month", "camera", "size" (shorter
            side in pixels) and "brightness" (percent of white), those that are known.
        dhash: whether each of 16 × 16 places is brighter than that on its left, 256 bits; photos
            that look the same differ in few. Source: Krawetz, "Kind of Like That", 2013.
    """

    month: str
    camera: str
    size: Size
    brightness: float
    shared: Mapping[str, str]
    dhash: bytes


def facts_of(path: Path) -> PhotoFacts | None:
    """Return what can be said of a photo; None where it cannot be opened."""
    sizes: list[Size] = []

    def least_size(size: Size) -> Size:
        sizes.append(size)
        return _SIDE, _SIDE

    try:
        with stored_photo(path, least_size=least_size, may_be_partial=True) as stored:
            image, notes = stored.image, camera_notes(stored.image)
            size = sizes[0] if sizes else stored.size
            small = colours.shown_rgb(image, _SIDE**2 * 16)
            luma = turned(small, stored.orientation).convert("L")
            luma.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR)  # so do all have one way
    except Exception:  # noqa: BLE001 - colours of a broken file provoke whatever their library has
        return None
    taken, camera = notes.taken, notes.camera
    month = taken[:_MONTH].replace(":", "-") if taken[:4].isdecimal() else ""
    brightness = float(np.asarray(luma, np.float64).mean()) / _WHITE
    shared = {
        "size": _between(min(size), _SIDES, _LARGE),
        "brightness": _between(round(100 * brightness), _PERCENTS, 100),
        "month": month,
        "camera": camera,
    }
    known = {kind: value for kind, value in shared.items() if value}
    return PhotoFacts(month, camera, size, brightness, known, _dhash(luma))


def _dhash(luma: Image.Image) -> bytes:
    side = (_HASH_SIDE + 1, _HASH_SIDE)
    pixels = np.asarray(luma.resize(side, Image.Resampling.BOX), np.int16)
    return np.packbits((pixels[:, 1:] > pixels[:, :-1]).ravel()).tobytes()


def _between(value: int, bounds: tuple[int, ...], end: int) -> str:
    """Return the bounds between which a value lies, as "20 – 40"; "2048 –" where none ends it."""
    at = sum(value >= bound for bound in bounds) - 1
    high = bounds[at + 1] if at + 1 < len(bounds) else end
    return f"{bounds[at]} – {high}" if high else f"{bounds[at]} –"
