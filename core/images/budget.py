"""One budget of memory for all photos that are being decoded, whoever decodes them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from PIL import Image

LIMIT_BYTES = 800 * 2**20
"""Of all decoders together: a phone's photo of 200 megapixels fits. What a photo becomes afterwards
is far less, so that the program stays within a gigabyte of what it takes idle."""

_PIXEL_BYTES = {
    "1": 1, "L": 1, "P": 1, "PA": 2, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2,
}  # fmt: skip
"""As Pillow keeps them; all other modes take four."""

_DECODER_BYTES = {
    "WEBP": 13,  # two canvases, and a copy that is handed over
    "AVIF": 6,
    "HEIF": 4,
    "TIFF": 3,  # a strip or tile may be the whole photo
    "ICO": 4,
    "ICNS": 16,
    "PSD": 4,
    "FITS": 4,
    "DDS": 4,
    "QOI": 4,
}
"""A pixel, beside the pixels that come out; as measured with 25 megapixels of each."""

_JPEG_2000_CHANNEL_BYTES = 5
_COEFFICIENT_BYTES = 2
_OUTPUT_BYTES = 4


class ByteBudget:
    """Lets work begin once there is memory for it, in the order in which it asked.

    Args:
        limit_bytes: of all work that goes on at once.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._free = limit_bytes
        self._turn = threading.Lock()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def holding(self, size_bytes: int) -> Iterator[None]:
        """Wait for memory, and give it back at the end.

        Args:
            size_bytes: at most the limit.
        """
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._free >= size_bytes)
            self._free -= size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._free += size_bytes
                self._changed.notify_all()


def bytes_to_decode(image: Image.Image, full_size: tuple[int, int]) -> int:
    """Return how much memory it takes to make RGB of a photo, at the worst moment.

    Args:
        image: opened, not loaded; perhaps to be decoded smaller than it is.
        full_size: (width, height) as it is.
    """
    stored = _PIXEL_BYTES.get(image.mode, 4)
    is_plain = image.mode in ("RGB", "L") and "transparency" not in image.info
    copied = not is_plain
    each = stored + _DECODER_BYTES.get(image.format or "", 0) + (_OUTPUT_BYTES if copied else 0)
    if image.format == "JPEG2000":
        each += _JPEG_2000_CHANNEL_BYTES * len(image.getbands())
    needed = each * image.width * image.height
    if image.info.get("progressive"):  # all coefficients, before the first pixel
        needed += round(_coefficients(image) * full_size[0] * full_size[1])
    return needed


def _coefficients(image: Image.Image) -> float:
    """Return the bytes a pixel that a progressive JPEG's coefficients take: colours have fewer."""
    layers = getattr(image, "layer", None) or [(0, 1, 1)] * len(image.getbands())
    areas = [across * down for _, across, down, *_ in layers]
    return float(_COEFFICIENT_BYTES * sum(areas) / max(areas))
