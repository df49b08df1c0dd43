"""Arrays from the core as Qt's pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def to_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Return a picture of its own, independent of the array's memory.

    Args:
        pixels: uint8, shape (h, w, 3) for RGB or (h, w) for grey.
    """
    height, width = pixels.shape[:2]
    channels = 3 if pixels.ndim == 3 else 1
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_Grayscale8
    return QImage(pixels.tobytes(), width, height, width * channels, kind).copy()
