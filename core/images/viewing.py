"""Photos as the viewer shows them, with what the model sees of them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PreprocessingError
from core.images.decoding import shown, stored_photo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.decoding import Photo
    from core.images.preprocessing import Box, Preprocessing


@dataclass(frozen=True)
class ViewedPhoto:
    """A photo as the viewer shows it.

    Attributes:
        path: the file.
        photo: its pixels, and what is odd about it.
        seen: what the model saw, uint8, shape (h, w, 3); None where no model is loaded, or
            only a part of the photo could be decoded.
        box: where ``seen`` lies on ``pixels``, (left, top, right, bottom); None where the
            model sees the photo turned otherwise than people do.
    """

    path: Path
    photo: Photo
    seen: npt.NDArray[np.uint8] | None
    box: Box | None

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """Return the photo as people see it: RGB, uint8, shape (H, W, 3), upright."""
        return self.photo.pixels


def view(path: Path, preprocessing: Preprocessing | None, frame: int | None = None) -> ViewedPhoto:
    """Decode a photo for the viewer, once for both people and the model.

    Args:
        path: of the file.
        preprocessing: of the model, to show what it sees; None without one.
        frame: which of several pages, from 0; None for the one that models are given.

    Raises:
        UnreadableImageError: with the reason.
    """
    seen = None
    with stored_photo(path, frame=frame, may_be_partial=True) as stored:
        if preprocessing is not None and stored.damage is None and frame is None:
            # The photo still shows where it gives no input; its prediction says why.
            with contextlib.suppress(PreprocessingError):
                seen = preprocessing.see(stored)
        photo = shown(stored)
    if seen is None:
        return ViewedPhoto(path, photo, None, None)
    return ViewedPhoto(path, photo, seen.shown, _scaled(seen.box, photo))


def _scaled(box: Box | None, photo: Photo) -> Box | None:
    """Return a box on a photo's pixels, which may have been shrunk."""
    if box is None:
        return None
    height, width = photo.pixels.shape[:2]
    across, down = width / photo.size[0], height / photo.size[1]
    left, top, right, bottom = box
    return left * across, top * down, right * across, bottom * down
