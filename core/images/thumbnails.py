"""Small pictures for the gallery."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.images import colours
from core.images.decoding import stored_photo
from core.images.desktop_thumbnails import thumbnail_of
from core.images.turning import turned

_SHRUNK_FIRST = 64
"""Times the pixels of a thumbnail that a photo keeps until its colours are right."""


def find_or_make_thumbnail(path: Path, size_px: int) -> npt.NDArray[np.uint8]:
    """Do as ``make_thumbnail``, or take what the desktop has, and leave it there for others.

    Raises:
        UnreadableImageError: with the reason.
    """
    shared = thumbnail_of(path, size_px)
    found = None if shared is None else shared.read()
    if found is not None:
        return np.asarray(found)
    made, is_whole = _made(path, size_px)
    if shared is not None and is_whole:
        shared.write(Image.fromarray(made))
    return made


def make_thumbnail(path: Path, size_px: int) -> npt.NDArray[np.uint8]:
    """Return a photo, upright and whole, that fits a square of ``size_px``.

    Returns:
        RGB, uint8, shape (h, w, 3), the longer side ``size_px`` or the photo's own if smaller.

    Raises:
        UnreadableImageError: with the reason.
    """
    return _made(path, size_px)[0]


def _made(path: Path, size_px: int) -> tuple[npt.NDArray[np.uint8], bool]:
    """Return a thumbnail, and whether it is of a whole photo."""
    side = (size_px, size_px)
    with stored_photo(path, least_size=lambda _: side, may_be_partial=True) as stored:
        image = stored.image
        if image.mode in ("L", "RGB", "CMYK") and not colours.needs_all_pixels(image):
            image.thumbnail(side, Image.Resampling.BILINEAR, reducing_gap=2.0)
        image = colours.shown_rgb(image, _SHRUNK_FIRST * size_px**2)
        image = turned(image, stored.orientation)
        image.thumbnail(side, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return np.asarray(image), stored.damage is None
