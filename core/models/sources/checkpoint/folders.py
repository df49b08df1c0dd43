"""Folders as transformers saves models: config.json and, beside it, the parameters."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import UnusableCheckpointError

_CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""As transformers looks for them."""

_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Say which of several files has which parameter."""


def is_model_folder(path: Path) -> bool:
    """Return whether a path is a folder that holds one model."""
    return os.path.isfile(path / _CONFIG) and any(  # noqa: PTH113 - no error whatever the path holds
        os.path.isfile(path / name)  # noqa: PTH113
        for name in (*_WEIGHTS, *_INDICES)
    )


def file_in(path: Path) -> Path:
    """Return the file with the parameters where a path is a model's folder, else the path.

    Raises:
        UnusableCheckpointError: they lie in several files.
    """
    if not is_model_folder(path):
        return path
    found = next((path / name for name in _WEIGHTS if (path / name).is_file()), None)
    if found is None:
        raise UnusableCheckpointError(
            "{path} has its parameters in several files; save the model as one file, with "
            "save_pretrained(…, max_shard_size='100GB').",
            path=path,
        )
    return found
