"""Small pictures for the gallery."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.images.decoding import rgb_image
from core.images.desktop_thumbnails import thumbnail_of


def find_or_make_thumbnail(path: Path, size_px: int) -> npt.NDArray[np.uint8]:
    """Do as ``make_thumbnail``, or take what the desktop has, and leave it there for others.

    Raises:
        UnreadableImageError: with the reason.
    """
    shared = thumbnail_of(path, size_px)
    found = None if shared is None else shared.read()
    if found is not None:
        return np.asarray(found)
    made = make_thumbnail(path, size_px)
    if shared is not None:
        shared.write(Image.fromarray(made))
    return made


def make_thumbnail(path: Path, size_px: int) -> npt.NDArray[np.uint8]:
    """Return a photo, upright and whole, that fits a square of ``size_px``.

    Returns:
        RGB, uint8, shape (h, w, 3), the longer side ``size_px`` or the photo's own if smaller.

    Raises:
        UnreadableImageError: with the reason.
    """
    side = (size_px, size_px)
    with rgb_image(path, upright=True, least_size=lambda _: side) as (image, _):
        image.thumbnail(side, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return np.asarray(image)
