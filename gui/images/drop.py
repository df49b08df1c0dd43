"""What was dropped or pasted: photos, folders, a checkpoint, or a picture without a file."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from core.files import make_private_folder

CHECKPOINT_ENDINGS = (".pth", ".pt", ".ckpt", ".safetensors", ".th", ".pkl", ".bin", ".tar")


@dataclass
class Dropped:
    """Paths, sorted by what they are for."""

    images: list[Path] = field(default_factory=list)
    checkpoints: list[Path] = field(default_factory=list)


def sort_paths(paths: list[Path]) -> Dropped:
    """Tell checkpoints, by their ending, from photos and folders."""
    dropped = Dropped()
    for path in paths:
        is_checkpoint = path.suffix.lower() in CHECKPOINT_ENDINGS and not path.is_dir()
        (dropped.checkpoints if is_checkpoint else dropped.images).append(path)
    return dropped


def paths_in(data: QMimeData) -> list[Path]:
    """Return the local files of a drop or of the clipboard; text counts if it names files."""
    if data.hasUrls():
        return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not data.hasText():
        return []
    found = []
    for line in data.text().splitlines():
        text = line.strip().strip('"')
        named = QUrl(text).toLocalFile() if text.startswith("file:") else text
        try:
            path = Path(named).expanduser()
            if text and path.is_absolute() and path.exists():
                found.append(path)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: "~nobody"
            continue
    return found


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
