"""What a Keras file holds: the description of its network, and where its parameters lie."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import UnusableCheckpointError
from core.models.sources.checkpoint import archives
from core.models.sources.checkpoint.stored import Bytes, CheckpointFile, DamagedError, Memory
from core.models.sources.keras.hdf5 import MAGIC, Hdf5, Node

_LARGEST_CONFIG_BYTES = 16 * 2**20
"""EfficientNet-B7's takes 1 MB."""
_LARGEST_UNPACKED_BYTES = 2**31
_CONFIG, _METADATA, _PARAMETERS = "config.json", "metadata.json", "model.weights.h5"
_SAVED_MODEL = ("saved_model.pb", "keras_metadata.pb")
_STARTS_OF_PARAMETERS = ("layers", "_layer_checkpoint_dependencies", "vars")

ODD = (struct.error, IndexError, ValueError, KeyError, TypeError, RecursionError, OverflowError)
"""What reading a file that somebody has made up can provoke."""


@dataclass(frozen=True)
class KerasContent:
    """What a Keras file holds.

    Attributes:
        config: the network: its class and its layers, as JSON says it.
        version: of the Keras that wrote it, "" where it does not say.
        compiled: how it was trained, as JSON says it.
        parameters: the group that holds them.
        is_by_name: whether they lie under the layers' names (".h5") or are counted by the
            layers' classes (".keras").
    """

    config: dict[str, Any]
    version: str
    compiled: dict[str, Any]
    parameters: Node
    is_by_name: bool

    @property
    def is_keras_3(self) -> bool:
        """Return whether Keras 3 or later wrote it, which computes some activations otherwise."""
        return self.version.split(".")[0].isdecimal() and int(self.version.split(".")[0]) >= 3


def read_keras(file: CheckpointFile) -> KerasContent:
    """Find out what a Keras file holds; parameters stay in it.

    Raises:
        UnusableCheckpointError: unreadable, or not a whole Keras model, with what it is instead.
    """
    with file.reading():
        try:
            start = file.read_at(0, min(file.size, len(MAGIC)))
            return _of_hdf5(file) if start == MAGIC else _of_archive(file)
        except (DamagedError, zipfile.BadZipFile, *ODD) as error:
            raise file.changed() if file.is_changed else damaged(file.path) from error
        except (RuntimeError, NotImplementedError) as error:  # a member with a password
            raise damaged(file.path) from error


def damaged(path: Path) -> UnusableCheckpointError:
    """Return what to say of a file that does not hold what its beginning promises."""
    return UnusableCheckpointError(
        "{path} is damaged, or is not of the form that Keras writes; copy or download it again, "
        "or save the model anew with model.save(…).",
        path=path,
    )


def _of_hdf5(file: CheckpointFile) -> KerasContent:
    root = Hdf5(file).root
    config = root.text("model_config")
    if config is None:
        if root.texts("layer_names") is not None or root.children.keys() & {*_STARTS_OF_PARAMETERS}:
            raise _only_parameters(file.path)
        raise UnusableCheckpointError(
            "{path} is an HDF5 file without a Keras model in it.", path=file.path
        )
    parameters = root.find("model_weights")
    if parameters is None:
        raise DamagedError
    compiled = root.text("training_config")
    return KerasContent(
        config=_json(file.path, config.encode()),
        version=root.text("keras_version") or "",
        compiled=_mapping_or_empty(compiled),
        parameters=parameters,
        is_by_name=True,
    )


def _of_archive(file: CheckpointFile) -> KerasContent:
    archive = archives.open_zip(file)
    if archive is None:
        raise DamagedError
    members = {one.filename: one for one in archive.infolist()}
    if _CONFIG not in members or _PARAMETERS not in members:
        if any(name.endswith(_SAVED_MODEL) for name in members):
            raise UnusableCheckpointError(
                "{path} is a SavedModel of TensorFlow; save the model as one .keras or .h5 file "
                "(Teachable Machine: export it as “Keras”).",
                path=file.path,
            )
        if _PARAMETERS in members:
            raise _only_parameters(file.path)
        raise UnusableCheckpointError(
            "{path} is a zip archive without a Keras model in it.", path=file.path
        )
    config = _json(file.path, _unpacked(archive, members[_CONFIG], _LARGEST_CONFIG_BYTES))
    about: dict[str, Any] = {}
    if _METADATA in members:
        about = _mapping_or_empty(_unpacked(archive, members[_METADATA], 2**20))
    compiled = config.get("compile_config")
    return KerasContent(
        config=config,
        version=str(about.get("keras_version", "")),
        compiled=compiled if isinstance(compiled, dict) else {},
        parameters=Hdf5(_member(file, archive, members[_PARAMETERS])).root,
        is_by_name=False,
    )


def _only_parameters(path: Path) -> UnusableCheckpointError:
    return UnusableCheckpointError(
        "{path} holds weights without the network; save the whole model with model.save(…).",
        path=path,
    )


def _member(file: CheckpointFile, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Bytes:
    """Return a member's bytes: in their place, or unpacked where they are compressed."""
    if member.compress_type == zipfile.ZIP_STORED:
        if member.file_size != member.compress_size:
            raise DamagedError
        return _Part(file, archives.member_start(file, member), member.file_size)
    return Memory(bytearray(_unpacked(archive, member, _LARGEST_UNPACKED_BYTES)))


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit_bytes: int) -> bytes:
    archives.check_expansion(member)
    if member.file_size > limit_bytes:
        raise DamagedError
    return archive.read(member)


class _Part:
    """A part of a file, which others take for the whole of one."""

    def __init__(self, file: CheckpointFile, start: int, size: int) -> None:
        self._file, self._start, self.size = file, start, size

    def read_at(self, offset: int, size: int) -> bytes:
        """Return exactly this many bytes."""
        self._check(offset, size)
        return self._file.read_at(self._start + offset, size)

    def flat(self, offset: int, dtype: torch.dtype, count: int) -> Tensor:
        """Return elements as a flat tensor without values."""
        self._check(offset, count * dtype.itemsize)
        return self._file.flat(self._start + offset, dtype, count)

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise DamagedError


def _json(path: Path, content: bytes) -> dict[str, Any]:
    if len(content) > _LARGEST_CONFIG_BYTES:
        raise DamagedError
    found = json.loads(content)
    if not isinstance(found, dict):
        raise DamagedError
    return found


def _mapping_or_empty(text: str | bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
