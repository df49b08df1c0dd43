"""The kinds of files that people give Droplens: one table, which dialogs and installers use too."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Kind(Enum):
    """What a path is for."""

    PHOTO = "photo"
    """Also whatever none of the others is: what is wrong with it is said when it is decoded."""
    FOLDER = "folder"
    CHECKPOINT = "checkpoint"
    PROJECT = "project"
    LABELS = "labels"
    """A file in which labels may stand; whether they do is said when it is read."""


@dataclass(frozen=True)
class FileType:
    """Files that belong to one kind by their ending.

    Attributes:
        kind: what they are for.
        title: for people and installers, in English.
        mime_type: as desktops name it.
        endings: in small letters, with their dots.
        is_associated: whether a double click on such a file may open Droplens; endings that other
            programs use as well are not.
    """

    kind: Kind
    title: str
    mime_type: str
    endings: tuple[str, ...]
    is_associated: bool = True

    @property
    def pattern(self) -> str:
        """Return the endings as file dialogs want them, e.g. "*.pt *.pth"."""
        return " ".join(f"*{ending}" for ending in self.endings)


PHOTOS = tuple(
    FileType(Kind.PHOTO, title, mime_type, endings)
    for title, mime_type, endings in (
        ("JPEG", "image/jpeg", (".jpg", ".jpeg")),
        ("PNG", "image/png", (".png",)),
        ("WebP", "image/webp", (".webp",)),
        ("TIFF", "image/tiff", (".tif", ".tiff")),
        ("BMP", "image/bmp", (".bmp",)),
        ("GIF", "image/gif", (".gif",)),
        ("HEIF", "image/heif", (".heic",)),
        ("AVIF", "image/avif", (".avif",)),
    )
)
"""Those that a double click may open; all that Droplens reads, ``finding`` knows."""

CHECKPOINTS = FileType(
    Kind.CHECKPOINT,
    "PyTorch checkpoint",
    "application/x-pytorch-checkpoint",
    (".pth", ".pt", ".ckpt"),
)
SAFETENSORS = FileType(
    Kind.CHECKPOINT, "Safetensors checkpoint", "application/x-safetensors", (".safetensors",)
)
ONNX = FileType(Kind.CHECKPOINT, "ONNX network", "application/x-onnx", (".onnx",))
SHARED_CHECKPOINTS = FileType(
    Kind.CHECKPOINT,
    "PyTorch checkpoint",
    "application/x-pytorch-checkpoint",
    (".th", ".pkl", ".bin", ".tar"),
    is_associated=False,
)
KERAS = FileType(Kind.CHECKPOINT, "Keras model", "application/x-keras", (".keras",))
SHARED_KERAS = FileType(
    Kind.CHECKPOINT, "Keras model", "application/x-hdf5", (".h5", ".hdf5"), is_associated=False
)
PROJECTS = FileType(
    Kind.PROJECT, "Droplens project", "application/x-droplens-project", (".droplens",)
)
LABELS = FileType(
    Kind.LABELS,
    "Labels",
    "text/plain",
    tuple(".csv .tsv .xlsx .json .jsonl .ndjson .manifest .xml .txt .vott .md .html .htm".split()),
    is_associated=False,
)
"""Of web pages and notes it is said that none stand in them."""

FILE_TYPES = (
    *PHOTOS,
    CHECKPOINTS,
    SAFETENSORS,
    ONNX,
    SHARED_CHECKPOINTS,
    KERAS,
    SHARED_KERAS,
    PROJECTS,
    LABELS,
)

_KINDS = {ending: one.kind for one in FILE_TYPES for ending in one.endings}


def kind_of(path: Path) -> Kind:
    """Return what a path is for, by its ending and by whether it is a folder."""
    if os.path.isdir(path):  # noqa: PTH112 - quick, and no error whatever the path holds
        return Kind.FOLDER
    return _KINDS.get(path.suffix.lower(), Kind.PHOTO)
