"""When a photo was taken, as its camera noted it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from core.files import open_ordinary
from core.images.silence import silent_libraries

_FORMATS = ("JPEG", "MPO", "WEBP")
"""Whose notes stand before the pixels."""

_EXIF, _TAKEN = 0x8769, 0x9003
_MINUTE = len("2024:05:01 12:30")


def minute_taken(path: Path) -> str:
    """Return the minute in which a photo was taken, as EXIF writes it; "" where it does not say."""
    try:
        with (
            open_ordinary(path) as file,
            silent_libraries(),
            Image.open(file, formats=_FORMATS) as image,
        ):
            found = image.getexif().get_ifd(_EXIF).get(_TAKEN)
    except Exception:  # noqa: BLE001 - decoders raise whatever a broken file provokes
        return ""
    return found[:_MINUTE] if isinstance(found, str) else ""
