"""Parameters that lie in files beside an ONNX file: read by us, so that no name leads elsewhere."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import StoppedError, UnusableCheckpointError, cannot_read, os_reason
from core.files import open_ordinary
from core.language import tr
from core.models.class_names import lists as class_names
from core.models.sources.onnx.graph import StoredTensor

LARGEST_BYTES = 4 * 2**30
"""Of all these files together; torchvision's largest network has 2.5 GB."""

_MOST_FILES = 1_000
_BLOCK_BYTES = 2**24
_UNSAFE = re.compile(r'[\\:*?"<>|\0]')
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True)
class ExternalFile:
    """A file with parameters.

    Attributes:
        name: as the network says it.
        content: all of it.
        sha256: its hash.
    """

    name: str
    content: bytearray
    sha256: bytes


def read_external(
    path: Path, tensors: Sequence[StoredTensor], is_stopped: Callable[[], bool]
) -> tuple[ExternalFile, ...]:
    """Read the files in which tensors lie.

    Args:
        path: of the ONNX file.
        tensors: that lie elsewhere.
        is_stopped: asked while they are read.

    Raises:
        UnusableCheckpointError: one lies outside of the folder, is not there or is too short.
        StoppedError: it was asked to stop.
    """
    names = sorted({one.external["location"] for one in tensors})
    if len(names) > _MOST_FILES:
        raise UnusableCheckpointError("{path} lies in too many files.", path=path)
    places = {name: _place(path, name) for name in names}
    sizes = {name: _size(path, name, place) for name, place in places.items()}
    if sum(sizes.values()) > LARGEST_BYTES:
        raise UnusableCheckpointError(
            "The parameters of {path} take more than {n} GB; Droplens opens smaller networks.",
            path=path,
            n=LARGEST_BYTES // 2**30,
        )
    for tensor in tensors:
        _check_range(path, tensor, sizes[tensor.external["location"]])
    return tuple(_read(name, place, is_stopped) for name, place in places.items())


def _place(path: Path, name: str) -> Path:
    """Return where a file lies.

    Raises:
        UnusableCheckpointError: not below the folder of the ONNX file.
    """
    parts = PurePosixPath(name).parts
    is_plain = bool(parts) and ".." not in parts and not name.startswith("/")
    place = path.parent.joinpath(*parts) if is_plain and not _UNSAFE.search(name) else None
    try:
        if place is not None and place.resolve().is_relative_to(path.parent.resolve()):
            return place
    except (OSError, ValueError, RuntimeError):
        pass
    raise UnusableCheckpointError(
        "{path} wants to read {name!r}, which lies outside of its folder; it is not opened.",
        path=path,
        name=class_names.clean(name),
    )


def _size(path: Path, name: str, place: Path) -> int:
    try:
        with open_ordinary(place) as file:
            return file.seek(0, 2)
    except FileNotFoundError as error:
        raise UnusableCheckpointError(
            "The parameters of {path} lie in {name!r}, which is not beside it; put it there.",
            path=path,
            name=class_names.clean(name),
        ) from error
    except OSError as error:
        raise UnusableCheckpointError(cannot_read(place, os_reason(error))) from error


def _check_range(path: Path, tensor: StoredTensor, size: int) -> None:
    offset = tensor.external.get("offset", "0")
    length = tensor.external.get("length", str(tensor.size_bytes))
    numbers = [_NUMBER.fullmatch(offset), _NUMBER.fullmatch(length)]
    if not all(numbers) or tensor.size_bytes not in (0, int(length)):
        raise unheld(path, tensor.name)
    if int(offset) + int(length) > size:
        raise unheld(path, tensor.name)


def unheld(path: Path, name: str) -> UnusableCheckpointError:
    """Return what to say of a tensor whose numbers are not there."""
    return UnusableCheckpointError(
        "{path} does not hold as many numbers for {name!r} as it says; copy or download it again.",
        path=path,
        name=class_names.clean(name) or tr("a constant"),
    )


def _read(name: str, place: Path, is_stopped: Callable[[], bool]) -> ExternalFile:
    """Read a file once, of one state of it, and hash the very bytes that are used."""
    found = hashlib.sha256()
    try:
        with open_ordinary(place) as file:
            before = os.fstat(file.fileno())
            content = bytearray(min(before.st_size, LARGEST_BYTES))
            view, read = memoryview(content), 0
            while count := file.readinto(view[read : read + _BLOCK_BYTES]):
                if is_stopped():
                    raise StoppedError
                found.update(view[read : read + count])
                read += count
            after = os.fstat(file.fileno())
    except OSError as error:
        raise UnusableCheckpointError(cannot_read(place, os_reason(error))) from error
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not same or read != before.st_size:
        raise UnusableCheckpointError(
            "{path} was changed while it was being opened; open it again once it is written.",
            path=place,
        )
    return ExternalFile(name, content, found.digest())
