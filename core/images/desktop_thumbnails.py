"""Thumbnails shared with the desktop: read what file managers have made, add what they lack.

Source: the Thumbnail Managing Standard of freedesktop.org, version 0.9.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from PIL import Image, PngImagePlugin

_FOLDERS = {128: "normal", 256: "large", 512: "x-large"}
_UNQUOTED = "/!$&'()*+,:=@~"  # as GLib writes addresses, for their hash is the file's name
_WORTH_KEEPING_BYTES = 256 * 1024
"""Smaller photos are decoded as fast as their thumbnail would be."""

_FASTEST = 1


def find(photo: Path, size_px: int) -> Image.Image | None:
    """Return a photo's thumbnail, if there is one of this size and of the file as it is now."""
    try:
        status = photo.stat()
        place = _place(photo, size_px)
        if place is None or status.st_size < _WORTH_KEEPING_BYTES:
            return None
        with Image.open(place, formats=("PNG",)) as image:
            image.load()
            is_of_now = image.info.get("Thumb::MTime", "").partition(".")[0] == str(
                int(status.st_mtime)
            )
            if not is_of_now or image.info.get("Thumb::URI") != _address(photo):
                return None
            return image.convert("RGB")
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it can be made anew
        return None


def keep(thumbnail: Image.Image, photo: Path, size_px: int) -> None:
    """Write a thumbnail for every program of the desktop; silently not, where that fails."""
    with contextlib.suppress(OSError):
        status = photo.stat()
        place = _place(photo, size_px)
        if place is None or status.st_size < _WORTH_KEEPING_BYTES:
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Thumb::URI", _address(photo))
        notes.add_text("Thumb::MTime", str(int(status.st_mtime)))
        notes.add_text("Thumb::Size", str(status.st_size))
        notes.add_text("Software", "Droplens")
        handle, unfinished = tempfile.mkstemp(dir=place.parent, prefix=".droplens-")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                thumbnail.save(file, "PNG", pnginfo=notes, compress_level=_FASTEST)
            Path(unfinished).replace(place)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise


def _place(photo: Path, size_px: int) -> Path | None:
    """Return where a photo's thumbnail lies; None where this system or size has no such place."""
    if sys.platform in ("win32", "darwin") or size_px not in _FOLDERS:
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = cache / "thumbnails"
    if root in photo.parents:
        return None
    name = hashlib.md5(_address(photo).encode(), usedforsecurity=False).hexdigest()
    return root / _FOLDERS[size_px] / f"{name}.png"


def _address(photo: Path) -> str:
    return "file://" + quote(os.fsencode(photo.absolute()), safe=_UNQUOTED)
