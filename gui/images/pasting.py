"""A picture from the clipboard becomes a file."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from core.files import make_private_folder


def save_pasted(data: QMimeData, folder: Path) -> Path | None:
    """Write a pasted picture into a folder as PNG and return its path; None without one.

    Raises:
        OSError: the folder cannot be written.
    """
    if not data.hasImage():
        return None
    picture = data.imageData()
    if not isinstance(picture, QImage) or picture.isNull():
        return None
    make_private_folder(folder)
    stamp = time.strftime("%Y-%m-%d %H.%M.%S")
    path = folder / f"pasted {stamp}.png"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"pasted {stamp} ({number}).png"
    if not picture.save(str(path)):
        raise OSError(28, "the picture could not be written")
    return path
