"""What a model can come from: one source a kind of file, asked in the order of the table."""

from __future__ import annotations

from pathlib import Path

from core.models.sources.base import ModelSource
from core.models.sources.checkpoint import CheckpointSource
from core.models.sources.checkpoint.folders import is_model_folder
from core.models.sources.keras import KerasSource
from core.models.sources.onnx import OnnxSource
from core.models.sources.packed import PackedSource

_FILES: tuple[ModelSource, ...] = (OnnxSource(), KerasSource(), CheckpointSource())
SOURCES: tuple[ModelSource, ...] = (PackedSource(_FILES), *_FILES)
"""The last takes what no other does, and says what is wrong with it."""


def source_of(path: Path | None) -> ModelSource:
    """Return the source whose kind a file is.

    Args:
        path: of the file; None is the checkpoint that Droplens ships.
    """
    known = (source for source in SOURCES if path is not None and source.recognises(path))
    return next(known, SOURCES[-1])


def is_model(path: Path) -> bool:
    """Return whether a file, or a folder with config.json, is of a kind that models come from."""
    if path.is_dir():
        return is_model_folder(path)
    return any(source.recognises(path) for source in SOURCES)


def model_pattern() -> str:
    """Return the endings of all files that models come from, as file dialogs want them."""
    return " ".join(f"*{ending}" for source in SOURCES for ending in source.endings)
