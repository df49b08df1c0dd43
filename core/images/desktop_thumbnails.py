"""Thumbnails shared with the desktop: read what file managers have made, add what they lack.

Source: the Thumbnail Managing Standard of freedesktop.org, version 0.9.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from PIL import Image, PngImagePlugin

from core.files import open_ordinary, replacing

_FOLDERS = {128: "normal", 256: "large", 512: "x-large"}
_UNQUOTED = "/!$&'()*+,:=@~"  # as GLib writes addresses, for their hash is the file's name
_WORTH_KEEPING_BYTES = 256 * 1024
"""Smaller photos are decoded as fast as their thumbnail would be."""

_ADDRESS, _MODIFIED, _SIZE = "Thumb::URI", "Thumb::MTime", "Thumb::Size"
_FASTEST = 1


@dataclass(frozen=True)
class DesktopThumbnail:
    """The place of one photo's thumbnail, for the file as it was when asked for.

    Attributes:
        place: the thumbnail's file.
        size_px: of its longer side, at most.
        changed_ns: when the photo's file was last changed in any way.
        notes: what the standard wants to be written in it.
    """

    place: Path
    size_px: int
    changed_ns: int
    notes: dict[str, str]

    def read(self) -> Image.Image | None:
        """Return the thumbnail, if there is one and it is of the file as it was."""
        try:
            with open_ordinary(self.place) as file, Image.open(file, formats=("PNG",)) as image:
                if os.fstat(file.fileno()).st_mtime_ns < self.changed_ns:
                    return None  # another file came in the photo's place, with its time
                if max(image.size) > self.size_px or not self._is_of_now(image):
                    return None
                image.load()
                return image.convert("RGB")
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it can be made anew
            return None

    def _is_of_now(self, image: Image.Image) -> bool:
        """Return whether a thumbnail is of the file as it is: time and, where told, length."""
        said = image.info
        modified = str(said.get(_MODIFIED, "")).partition(".")[0]
        same = modified == self.notes[_MODIFIED] and said.get(_ADDRESS) == self.notes[_ADDRESS]
        return same and said.get(_SIZE, self.notes[_SIZE]) == self.notes[_SIZE]

    def write(self, thumbnail: Image.Image) -> None:
        """Leave a thumbnail to every program of the desktop; silently not, where that fails."""
        info = PngImagePlugin.PngInfo()
        for name, text in self.notes.items():
            info.add_text(name, text)
        with contextlib.suppress(OSError):
            self.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(self.place) as file:
                thumbnail.save(file, "PNG", pnginfo=info, compress_level=_FASTEST)


def thumbnail_of(photo: Path, size_px: int) -> DesktopThumbnail | None:
    """Return where a photo's thumbnail is shared; None where it is not, or not worth it."""
    place = _place(photo, size_px)
    try:
        status = photo.stat()
    except OSError:
        return None
    if place is None or status.st_size < _WORTH_KEEPING_BYTES:
        return None
    notes = {
        _ADDRESS: _address(photo),
        _MODIFIED: str(int(status.st_mtime)),
        _SIZE: str(status.st_size),
        "Software": "Droplens",
    }
    return DesktopThumbnail(place, size_px, status.st_ctime_ns, notes)


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
