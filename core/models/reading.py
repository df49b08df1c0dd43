"""Read a checkpoint file without running anything that it holds."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open

from core.errors import UnusableCheckpointError, cannot_read, os_reason
from core.files import open_ordinary
from core.models import unpickling
from core.models.unpickling import Stub

_CHUNK_BYTES = 2**20
_ZIP_START = b"PK\x03\x04"
_PICKLE_START = b"\x80"
_NOT_CHECKPOINTS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; fetch it with git lfs"),
    (b"<!doctype html", "a web page; the download went wrong"),
    (b"<html", "a web page; the download went wrong"),
    (b"\x89hdf\r\n\x1a\n", "an HDF5 file, as Keras writes it; Droplens opens PyTorch's"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"\x89png", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%pdf", "a PDF document"),
)


@dataclass(frozen=True)
class FileContent:
    """What a checkpoint file holds.

    Attributes:
        content: the mapping at its top.
        container: "safetensors", "PyTorch" or "pickled network", for the summary.
        metadata: the text pairs of a safetensors header.
    """

    content: Mapping[Any, Any]
    container: str
    metadata: Mapping[str, str]


def read_checkpoint(path: Path) -> FileContent:
    """Read a checkpoint file onto the CPU.

    Raises:
        UnusableCheckpointError: unreadable, or no checkpoint, with what it is instead.
    """
    try:
        with open_ordinary(path) as file:
            start = file.read(512)
            _refuse_by_start(path, start)
            if _is_safetensors(start):
                return _read_safetensors(path)
            if zipfile.is_zipfile(file):
                _refuse_by_members(path)
            elif start.startswith(_ZIP_START):
                raise _damaged(path)
            elif not start.startswith(_PICKLE_START):
                raise UnusableCheckpointError(f"{path} is not a PyTorch checkpoint.")
            file.seek(0)
            content = _load_pickle(path, file)
    except OSError as error:
        raise UnusableCheckpointError(cannot_read(path, os_reason(error))) from error
    except MemoryError as error:
        raise UnusableCheckpointError(f"{path} does not fit in memory.") from error
    if isinstance(content, Stub) and unpickling.is_module(content):
        return FileContent(unpickling.parameters_of(content), "pickled network", {})
    if not isinstance(content, Mapping):
        what = "a single tensor" if isinstance(content, torch.Tensor) else "no named parameters"
        raise UnusableCheckpointError(f"{path} holds {what}; Droplens needs a state dict.")
    return FileContent(content, "PyTorch", {})


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises:
        UnusableCheckpointError: the file cannot be read.
    """
    try:
        with open_ordinary(path) as file:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
            return digest.hexdigest()
    except OSError as error:
        raise UnusableCheckpointError(cannot_read(path, os_reason(error))) from error


def _refuse_by_start(path: Path, start: bytes) -> None:
    if not start:
        raise UnusableCheckpointError(f"{path} is empty; copy or download it again.")
    lowered = start.lstrip().lower()
    for magic, what in _NOT_CHECKPOINTS:
        if lowered.startswith(magic):
            raise UnusableCheckpointError(f"{path} is {what}.")


def _is_safetensors(start: bytes) -> bool:
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**32


def _refuse_by_members(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise _damaged(path) from error
    if any("/code/" in name for name in names):
        raise UnusableCheckpointError(
            f"{path} is a TorchScript program; Droplens opens state dicts, saved with "
            "torch.save(model.state_dict(), …)."
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise UnusableCheckpointError(f"{path} is a zip archive without a checkpoint in it.")


def _read_safetensors(path: Path) -> FileContent:
    try:
        with safe_open(path, framework="pt") as file:
            # Cloned: as a map of the file they would die with it when a training script
            # writes it anew.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            return FileContent(tensors, "safetensors", file.metadata() or {})
    except (SafetensorError, ValueError) as error:
        raise _damaged(path) from error


def _load_pickle(path: Path, file: BinaryIO) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch speaks to programmers about old formats
            # Not torch's own safe reader, which refuses a file for one foreign object in it:
            # ``unpickling`` runs nothing either, and reads on.
            return torch.load(
                file, map_location="cpu", weights_only=False, pickle_module=unpickling
            )
    except (OSError, MemoryError):
        raise
    except Exception as error:  # torch raises whatever a broken file provokes
        raise _damaged(path) from error


def _damaged(path: Path) -> UnusableCheckpointError:
    return UnusableCheckpointError(
        f"{path} is damaged or incomplete, or is not a checkpoint; copy or download it again."
    )
