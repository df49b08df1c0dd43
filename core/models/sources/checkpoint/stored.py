"""Parameters that still lie in their file: shapes are known at once, values are read when needed.

A tensor of a file that is being looked at lives on the meta device: it has a shape and no values,
so nobody computes with what was never read. Files are read by position and never mapped: a map
ends the program when a training script cuts the file off.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import torch
from torch import Tensor

from core.errors import StoppedError, UnusableCheckpointError, cannot_read, os_reason
from core.files import open_ordinary

_BLOCK_BYTES = 2**20
_SMALL_BYTES = 2**16
_SPREAD, _SPAN_BYTES, _MOST_ROWS = 8, 2**24, 20_000


class DamagedError(Exception):
    """A file that does not hold what its beginning promises."""


class Bytes(Protocol):
    """What containers are read from: a file, or bytes that stood in a pickle."""

    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Return exactly this many bytes.

        Raises:
            DamagedError: they end before.
        """

    def flat(self, offset: int, dtype: torch.dtype, count: int) -> Tensor:
        """Return elements as a flat tensor.

        Raises:
            DamagedError: the bytes end before.
        """


class Memory:
    """Bytes that stood in a pickle; tensors are views of them."""

    def __init__(self, content: bytes | bytearray) -> None:
        self.size = len(content)
        self._content = content

    def read_at(self, offset: int, size: int) -> bytes:
        """Return exactly this many bytes."""
        _check_within(offset, size, self.size)
        return bytes(self._content[offset : offset + size])

    def flat(self, offset: int, dtype: torch.dtype, count: int) -> Tensor:
        """Return elements as a flat tensor."""
        _check_within(offset, count * dtype.itemsize, self.size)
        if count == 0:
            return torch.empty(0, dtype=dtype)
        size = count * dtype.itemsize
        raw = torch.frombuffer(self._content, dtype=torch.uint8, count=size, offset=offset)
        return (raw if raw.data_ptr() % dtype.itemsize == 0 else raw.clone()).view(dtype)


@dataclass(frozen=True)
class _Place:
    """Where a storage's bytes come from.

    Attributes:
        read: fills a buffer with the bytes from a position on.
        size: of all of them.
        storage: holds the number that they are known by.
    """

    read: Callable[[int, memoryview], None]
    size: int
    storage: Tensor


class CheckpointFile:
    """A checkpoint, open: its hash and its parameters are of one and the same file.

    Args:
        path: of the file.

    Raises:
        UnusableCheckpointError: it cannot be opened.

    Attributes:
        path: as given.
        size: in bytes, when it was opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open_ordinary(path)
        except OSError as error:
            if isinstance(error, IsADirectoryError) and (path / "saved_model.pb").is_file():
                raise UnusableCheckpointError(
                    "{path} is a SavedModel of TensorFlow; save the model as one .h5 or .keras "
                    "file (Teachable Machine: export it as “Keras”).",
                    path=path,
                ) from error
            raise UnusableCheckpointError(cannot_read(path, os_reason(error))) from error
        self._status = self._seen()
        self.size = self._status[0]
        self._places: dict[int, _Place] = {}
        self._parts: dict[int, tuple[Tensor, ...]] = {}
        """What tensors that lie in pieces, or in another order, are made of."""
        self._lock = threading.Lock()

    def __enter__(self) -> CheckpointFile:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._file.close()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return exactly this many bytes.

        Raises:
            DamagedError: the file ends before.
        """
        _check_within(offset, size, self.size)
        if size <= _SMALL_BYTES and hasattr(os, "pread"):  # by the million, of some files
            found = os.pread(self._file.fileno(), size, offset)
            if len(found) == size:
                return found
        content = bytearray(size)
        self._read_into(offset, memoryview(content))
        return bytes(content)

    def flat(self, offset: int, dtype: torch.dtype, count: int) -> Tensor:
        """Return elements of the file as a flat tensor without values.

        Raises:
            DamagedError: the file ends before.
        """
        size = count * dtype.itemsize
        _check_within(offset, size, self.size)
        return self.later(
            lambda start, buffer: self._read_into(offset + start, buffer), dtype, size
        )

    def later(
        self, read: Callable[[int, memoryview], None], dtype: torch.dtype, size: int
    ) -> Tensor:
        """Return a flat tensor without values, whose bytes are read when it is taken.

        Args:
            read: fills a buffer with the bytes from a position on.
            dtype: of the elements.
            size: of all bytes.
        """
        flat = torch.empty(size // dtype.itemsize, dtype=dtype, device="meta")
        self._places[_number(flat)] = _Place(read, size, flat)
        return flat

    def holds(self, tensor: Tensor) -> bool:
        """Return whether a tensor has values: of its own, or in this file."""
        return not tensor.is_meta or _number(tensor) in self._places

    def address(self, tensor: Tensor) -> tuple[int, int] | None:
        """Return what is the same for tensors of the same values; None where there are none."""
        if tensor.layout != torch.strided or tensor.numel() < 2 or not self.holds(tensor):
            return None
        return _number(tensor), int(tensor.storage_offset())

    def reshaped(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Return a tensor in another shape of as many elements."""
        made = tensor.reshape(shape)
        if tensor.is_meta and _number(made) != _number(tensor):  # it could not be a view
            return self._made_of((tensor,), made)
        return made

    def joined(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return tensors of one type as one, one after the other along their first dimension.

        Args:
            tensors: with values; their other dimensions agree.
        """
        first = tensors[0]
        shape = (sum(one.shape[0] for one in tensors), *first.shape[1:])
        made = torch.empty(shape, dtype=first.dtype, device="meta")
        return self._made_of(tuple(tensors), made)

    def stored_bytes(self, tensors: Iterable[Tensor]) -> int:
        """Return how many bytes these tensors take in the file, each storage counted once."""
        pieces = itertools.chain.from_iterable(map(self._pieces, tensors))
        held = {_number(one): one for one in pieces if one.layout == torch.strided}
        return sum(
            self._places[number].size if number in self._places else one.untyped_storage().nbytes()
            for number, one in held.items()
        )

    def take(self, tensor: Tensor) -> Tensor:
        """Return a tensor with its values, in memory of its own.

        Raises:
            DamagedError: the file has become shorter, or never had them.
        """
        if not tensor.is_meta:
            return tensor.clone(memory_format=torch.contiguous_format)
        number = _number(tensor)
        if number in self._parts:
            values = torch.cat([self.take(part).flatten() for part in self._parts[number]])
            place = (tensor.shape, tensor.stride(), tensor.storage_offset())
            return values.as_strided(*place).contiguous()
        if number not in self._places:
            raise DamagedError
        if tensor.numel() == 0:
            return torch.empty(tensor.shape, dtype=tensor.dtype)
        last = sum((s - 1) * step for s, step in zip(tensor.shape, tensor.stride(), strict=True))
        if last + 1 > _SPREAD * tensor.numel() and (last + 1) * tensor.dtype.itemsize > _SPAN_BYTES:
            if tensor.shape[0] > _MOST_ROWS:
                raise DamagedError
            return torch.stack(
                [self.take(row) for row in tensor]
            )  # a small part of something large
        values = torch.empty(last + 1, dtype=tensor.dtype)
        raw = memoryview(values.view(torch.uint8).numpy())  # type: ignore[arg-type]
        self._places[number].read(int(tensor.storage_offset()) * tensor.dtype.itemsize, raw)
        return values.as_strided(tensor.shape, tensor.stride()).contiguous()

    def first_values(self, tensor: Tensor, count: int) -> Tensor:
        """Return some values of a tensor, flat."""
        corner = tensor[tuple(slice(0, count) for _ in tensor.shape)]
        return self.take(corner).flatten()[:count]

    def sha256(self, is_stopped: Callable[[], bool]) -> str:
        """Return the file's SHA-256 in hexadecimal; from another thread, beside the reading.

        Args:
            is_stopped: asked before each piece.

        Raises:
            UnusableCheckpointError: it cannot be read.
            StoppedError: it was asked to stop.
        """
        found, block = hashlib.sha256(), memoryview(bytearray(_BLOCK_BYTES))
        with self.reading():
            for offset in range(0, self.size, _BLOCK_BYTES):
                if is_stopped():
                    raise StoppedError
                piece = block[: min(_BLOCK_BYTES, self.size - offset)]
                self._read_into(offset, piece)
                found.update(piece)
        return found.hexdigest()

    def reader(self) -> io.BufferedReader:
        """Return the file as an object with a position of its own, for libraries."""
        return io.BufferedReader(_Reader(self))

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Let what goes wrong while values are read end in a sentence.

        Raises:
            UnusableCheckpointError: the file was cut off meanwhile, or the disk reports an error.
        """
        try:
            yield
        except DamagedError as error:
            raise self.changed() from error
        except OSError as error:
            raise UnusableCheckpointError(cannot_read(self.path, os_reason(error))) from error

    def refuse_if_changed(self) -> None:
        """Make sure that all that was read is of one state of the file.

        Raises:
            UnusableCheckpointError: something has written into it since it was opened.
        """
        if self._seen() != self._status:
            raise self.changed()

    def changed(self) -> UnusableCheckpointError:
        """Return what to say where the file was written while it was read."""
        return UnusableCheckpointError(
            "{path} was changed while it was being opened; open it again once it is written.",
            path=self.path,
        )

    def _made_of(self, parts: tuple[Tensor, ...], made: Tensor) -> Tensor:
        self._parts[_number(made)] = parts
        self._places[_number(made)] = _Place(_no_bytes, made.nbytes, made)
        return made

    def _pieces(self, tensor: Tensor) -> Iterator[Tensor]:
        """Yield the tensors of the file itself that one is made of."""
        parts = self._parts.get(_number(tensor)) if tensor.layout == torch.strided else None
        if parts is None:
            yield tensor
        else:
            yield from itertools.chain.from_iterable(map(self._pieces, parts))

    @property
    def is_changed(self) -> bool:
        """Return whether something has written into it since it was opened."""
        return self._seen() != self._status

    def _seen(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    def _read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer from a position on; any number of threads may."""
        done = 0
        while done < len(buffer):
            if hasattr(os, "preadv"):
                count = os.preadv(self._file.fileno(), [buffer[done:]], offset + done)
            else:
                with self._lock:
                    self._file.seek(offset + done)
                    count = self._file.readinto(buffer[done:])
            if not count:
                raise DamagedError
            done += count


class _Reader(io.RawIOBase):
    """A checkpoint file with a position of its own."""

    def __init__(self, file: CheckpointFile) -> None:
        self._checkpoint, self._position = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = (0, self._position, self._checkpoint.size)[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._checkpoint.size - self._position))
        view[:count] = self._checkpoint.read_at(self._position, count)
        self._position += count
        return count


def _number(tensor: Tensor) -> int:
    """Return what tells storages apart, as long as they are held."""
    return int(tensor.untyped_storage()._cdata)


def _check_within(offset: int, size: int, whole: int) -> None:
    if offset < 0 or size < 0 or offset + size > whole:
        raise DamagedError


def _no_bytes(_: int, __: memoryview) -> None:
    raise DamagedError
