"""Read a checkpoint file without running anything that it holds."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from core.errors import UnusableCheckpointError
from core.language import lazy, tr
from core.models.sources.checkpoint import archives
from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.stored import CheckpointFile, DamagedError

_START_BYTES = 512
_ZIP_START = b"PK\x03\x04"
_PICKLE_START = b"\x80"
_TAR_PLACE, _TAR_MAGIC = 257, b"ustar"
_OLD_TAR_MEMBERS = (b"sys_info", b"pickle", b"storages", b"tensors", b"./")
_TENSORFLOW_JS = lazy(
    "a TensorFlow.js network; save the model as one .h5 or .keras file (Teachable Machine: export "
    "it as “Keras”)"
)
_NOT_CHECKPOINTS = (
    (
        b"version https://git-lfs",
        lazy("a Git LFS pointer, not the file itself; fetch it with git lfs"),
    ),
    (b"<!doctype html", lazy("a web page; the download went wrong")),
    (b"<html", lazy("a web page; the download went wrong")),
    (b"<?xml", lazy("an XML document; the download went wrong")),
    (b"\x89hdf\r\n\x1a\n", lazy("an HDF5 file, as Keras writes it; give it the ending .h5")),
    (b'{"modeltopology"', _TENSORFLOW_JS),
    (b'{"format":"layers-model"', _TENSORFLOW_JS),
    (b'{"format": "layers-model"', _TENSORFLOW_JS),
    (b'{"format":"graph-model"', _TENSORFLOW_JS),
    (b'{"format": "graph-model"', _TENSORFLOW_JS),
    (b"\x1f\x8b", lazy("compressed with gzip; unpack it first")),
    (b"7z\xbc\xaf", lazy("compressed with 7-Zip; unpack it first")),
    (b"rar!", lazy("compressed with RAR; unpack it first")),
    (b"bzh", lazy("compressed with bzip2; unpack it first")),
    (b"\x12\x01\0\0\0\0\0\0", lazy("a network of MXNet; Droplens opens PyTorch's")),
    (b"gguf", lazy("a GGUF file, which holds a language model")),
    (b"\x89png", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%pdf", lazy("a PDF document")),
)
_ONNX = lazy("an ONNX network; give its file the ending .onnx")
_TFLITE = lazy(
    "a TensorFlow Lite network; save the model as one .h5 or .keras file (Teachable Machine: "
    "export it as “Keras”)"
)
_SAVED_MODEL = lazy(
    "a SavedModel of TensorFlow; save the model as one .h5 or .keras file (Teachable Machine: "
    "export it as “Keras”)"
)
_SAVED_MODEL_START, _SAVED_MODEL_ENDING = b"\x08\x01\x12", ".pb"
TORCHSCRIPT = "TorchScript"
_CHECKPOINT_ENDINGS = (".pth", ".pt", ".ckpt", ".bin", ".pkl", ".safetensors", ".tar")
_FOREIGN_MEMBERS = (
    (".npy", lazy("a file of NumPy's arrays; Droplens opens PyTorch's")),
    (
        "/archive_format",
        lazy("a program written by torch.export; Droplens opens its training checkpoint"),
    ),
    (
        "bytecode.pkl",
        lazy("a mobile program (PyTorch Lite); Droplens opens its training checkpoint"),
    ),
    ("saved_model.pb", _SAVED_MODEL),
    ("model.weights.h5", lazy("a Keras model; give it the ending .keras")),
    ("keras_model.h5", lazy("a packed Keras model; unpack it and open its keras_model.h5")),
    ("word/document.xml", lazy("a Word document")),
    ("xl/workbook.xml", "a spreadsheet"),
)


@dataclass(frozen=True)
class FileContent:
    """What a checkpoint file holds.

    Attributes:
        content: the mapping at its top.
        container: "safetensors", "PyTorch", "pickled network" or "TorchScript", for the
            summary.
        metadata: the text pairs of a safetensors header.
        file: where the values of the tensors lie.
        network: the pickled network at its top, whose parts tell what shapes do not.
    """

    content: Mapping[Any, object]
    container: str
    file: CheckpointFile
    metadata: Mapping[str, str] = field(default_factory=dict)
    network: Stub | None = None


def read_checkpoint(file: CheckpointFile) -> FileContent:
    """Find out what a checkpoint file holds; values stay in it.

    Raises:
        UnusableCheckpointError: unreadable, or no checkpoint, with what it is instead.
    """
    path = file.path
    try:
        with file.reading():
            start = file.read_at(0, min(file.size, _START_BYTES))
            _refuse_by_start(path, start)
            return _read(file, start)
    except MemoryError as error:
        raise UnusableCheckpointError("{path} does not fit in memory.", path=path) from error


def _refuse_by_start(path: Path, start: bytes) -> None:
    if not start:
        raise UnusableCheckpointError("{path} is empty; copy or download it again.", path=path)
    lowered = start.lstrip(b" \t\r\n\xef\xbb\xbf").lower()
    for magic, what in _NOT_CHECKPOINTS:
        if lowered.startswith(magic):
            raise UnusableCheckpointError("{path} is {what}.", path=path, what=what)
    if start[4:8] == b"TFL3":
        raise UnusableCheckpointError("{path} is {what}.", path=path, what=_TFLITE)
    if start.startswith(_SAVED_MODEL_START) or path.suffix.lower() == _SAVED_MODEL_ENDING:
        raise UnusableCheckpointError("{path} is {what}.", path=path, what=_SAVED_MODEL)
    # ONNX begins with the number of its version, then the text that names its maker.
    if start[:1] == b"\x08" and start[1:2] < b"\x20" and start[2:3] in (b"\x12", b"\x1a", b":"):
        raise UnusableCheckpointError("{path} is {what}.", path=path, what=_ONNX)
    if not start.strip(b"\0"):
        raise UnusableCheckpointError("{path} holds nothing but zeros; copy it again.", path=path)


def _read(file: CheckpointFile, start: bytes) -> FileContent:
    try:
        if _is_safetensors(start):
            tensors, metadata = archives.read_safetensors(file)
            return FileContent(tensors, "safetensors", file, metadata)
        container = "PyTorch"
        archive = archives.open_zip(file)
        if archive is not None:
            names = _members(file, archive)
            container = TORCHSCRIPT if any("/code/" in one for one in names) else container
            content = archives.read_zip(file, archive)
        elif start.startswith(_ZIP_START):
            raise DamagedError
        elif _is_tar(start):
            content = archives.read_tar(file)
        elif start.startswith(_PICKLE_START):
            content = archives.read_stream(file)
        else:
            raise UnusableCheckpointError("{path} is not a PyTorch checkpoint.", path=file.path)
    except (OSError, MemoryError, UnusableCheckpointError):
        raise
    except Exception as error:  # a broken file provokes whatever there is
        raise file.changed() if file.is_changed else _damaged(file.path) from error
    return _content(file, content, container)


def _content(file: CheckpointFile, content: object, container: str) -> FileContent:
    if isinstance(content, Stub) and content.is_module:
        name = container if container == TORCHSCRIPT else tr("pickled network")
        return FileContent(content.parameters(), name, file, network=content)
    if isinstance(content, Stub) and content.state:  # an object that holds the checkpoint
        content = content.state
    if not isinstance(content, Mapping):
        what = (
            tr("a single tensor")
            if isinstance(content, torch.Tensor)
            else tr("no named parameters")
        )
        raise UnusableCheckpointError(
            "{path} holds {what}; Droplens needs a state dict.", path=file.path, what=what
        )
    return FileContent(content, container, file)


def _is_safetensors(start: bytes) -> bool:
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**32


def _is_tar(start: bytes) -> bool:
    marked = start[_TAR_PLACE : _TAR_PLACE + 5] == _TAR_MAGIC
    return len(start) == _START_BYTES and (marked or start.startswith(_OLD_TAR_MEMBERS))


def _members(file: CheckpointFile, archive: zipfile.ZipFile) -> list[str]:
    path, names = file.path, archive.namelist()
    for ending, what in _FOREIGN_MEMBERS:
        if any(name.endswith(ending) for name in names):
            raise UnusableCheckpointError("{path} is {what}.", path=path, what=what)
    inner = [name for name in names if name.lower().endswith(_CHECKPOINT_ENDINGS)]
    if not any(name.endswith("data.pkl") for name in names):
        if inner:
            raise UnusableCheckpointError(
                "{path} is an archive that holds {name}; unpack it and open that.",
                path=path,
                name=inner[0],
            )
        raise UnusableCheckpointError(
            "{path} is a zip archive without a checkpoint in it.", path=path
        )
    return names


def _damaged(path: Path) -> UnusableCheckpointError:
    return UnusableCheckpointError(
        "{path} is damaged or incomplete, or is not a checkpoint; copy or download it again.",
        path=path,
    )
