"""The containers of checkpoints: zip, the older stream of pickles, tar, and safetensors.

Each is mapped, not read: a tensor is a view of the file until ``MappedFile.take`` copies it. So a
file of gigabytes is recognised at once, and only what the network needs is ever read.
"""

from __future__ import annotations

import json
import mmap
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import torch
from torch import Tensor

from core.models.unpickling import MOST_OPERATIONS, Source, Unpickler, UnpicklingError, load

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_INNER_HEAD_BYTES = 1000
_INNER_OPERATIONS = 1000
_LARGEST_HEADER_BYTES = 100 * 2**20
_LARGEST_EXPANSION = 8
_SAFETENSORS_KINDS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


class DamagedError(Exception):
    """A file that does not hold what its beginning promises."""


class Memory:
    """Bytes that tensors are views of."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def flat(self, offset: int, dtype: torch.dtype, count: int) -> Tensor:
        """Return elements as a flat tensor without reading them.

        Raises:
            DamagedError: the bytes end before.
        """
        size = dtype.itemsize
        if offset < 0 or offset + count * size > len(self.content):
            raise DamagedError
        if count == 0:
            return torch.empty(0, dtype=dtype)
        raw = torch.frombuffer(self.content, dtype=torch.uint8, count=count * size, offset=offset)
        return (raw if raw.data_ptr() % size == 0 else raw.clone()).view(dtype)


class MappedFile(Memory):
    """A file as memory that the system reads when it is touched."""

    def __init__(self, file: BinaryIO) -> None:
        # Copied on writing, so that nothing can change the file and torch may take it as its own.
        super().__init__(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        self._start = torch.frombuffer(self.content, dtype=torch.uint8, count=1).data_ptr()

    def take(self, tensor: Tensor) -> Tensor:
        """Return a copy in memory of its own, and let the system forget what was read for it.

        As a map it would die with the file when a training script writes that anew.
        """
        taken = tensor.clone(memory_format=torch.contiguous_format)
        storage = tensor.untyped_storage()
        first = (storage.data_ptr() - self._start) // mmap.PAGESIZE * mmap.PAGESIZE
        size = storage.nbytes()
        if hasattr(mmap, "MADV_DONTNEED") and first >= 0 and first + size <= len(self.content):
            self.content.madvise(mmap.MADV_DONTNEED, first, size)
        return taken


def read_zip(file: BinaryIO, mapped: MappedFile) -> Any:
    """Return what an archive of ``torch.save`` or of TorchScript holds."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        pickles = sorted((one for one in names if one.endswith("data.pkl")), key=len)
        if not pickles:
            raise DamagedError
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") == b"big":
            raise UnpicklingError("numbers in the byte order of another processor")

        def storage(key: str, dtype: torch.dtype, count: int) -> Tensor:
            member = archive.getinfo(f"{root}data/{key}")
            if count * dtype.itemsize > member.file_size:
                raise DamagedError
            if member.compress_type == zipfile.ZIP_STORED:
                return mapped.flat(_member_start(mapped, member), dtype, count)
            content = bytearray(_unpacked(archive, member))
            return torch.frombuffer(content, dtype=dtype, count=count)

        return load(Source(_unpacked(archive, archive.getinfo(pickles[0]))), storage)


def read_stream(memory: Memory, most_operations: int = MOST_OPERATIONS) -> Any:
    """Return what ``torch.save`` wrote before version 1.6: pickles, then the storages' bytes.

    The pickle of the content comes before the places of its storages are known, so it is read
    twice: first with storages that have only a size. A plain pickle holds a stream a storage.
    """
    source = Source(memory.content)
    first = load(source, from_bytes=_read_inner, most_operations=most_operations)
    if first != _LEGACY_MAGIC:
        return first
    load(source, most_operations=most_operations)  # version of the protocol
    load(source, most_operations=most_operations)  # sizes on the machine that wrote it
    start = source.position
    kinds: dict[str, torch.dtype] = {}

    def measured(key: str, dtype: torch.dtype, count: int) -> Tensor:
        kinds.setdefault(key, dtype)
        return torch.empty(count, dtype=dtype, device="meta")

    load(source, measured, most_operations=most_operations)
    keys = load(source, most_operations=most_operations)
    places: dict[str, tuple[int, int]] = {}
    for key in map(str, keys):
        (count,) = struct.unpack("<q", source.read(8))
        places[key] = (source.position, count)
        source.position += count * kinds[key].itemsize

    def storage(key: str, dtype: torch.dtype, count: int) -> Tensor:
        offset, held = places[key]
        if count > held:
            raise DamagedError
        return memory.flat(offset, dtype, count)

    return load(Source(memory.content, start), storage, most_operations=most_operations)


def _read_inner(content: bytes) -> Any:
    """Return the storage that ``pickle.dump`` of a tensor keeps as a stream of its own."""
    if content.find(b"storage", 0, _INNER_HEAD_BYTES) < 0:
        raise DamagedError  # not what torch writes there: a few hundred bytes, then the numbers
    return read_stream(Memory(bytearray(content)), most_operations=_INNER_OPERATIONS)


def read_tar(file: BinaryIO, mapped: MappedFile) -> Any:
    """Return what ``torch.save`` wrote before version 0.1.10: a tar archive of three members."""
    with tarfile.open(fileobj=file, mode="r:") as archive:
        members = {member.name.removeprefix("./"): member for member in archive}
        sources = {
            name: Source(mapped.content, member.offset_data, member.offset_data + member.size)
            for name, member in members.items()
            if member.isreg()
        }
    if not {"storages", "tensors", "pickle"} <= set(sources):
        raise DamagedError
    storages = _tar_storages(sources["storages"], mapped)
    tensors = _tar_tensors(sources["tensors"], storages)
    return _TarUnpickler(sources["pickle"], tensors).load()


class _TarUnpickler(Unpickler):
    """Takes whole tensors by number, where later formats take storages."""

    def __init__(self, source: Source, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(source)
        self._tensors = tensors

    def persistent_load(self, given: Any) -> Any:
        """Return the tensor of this number, or the network kept with its source text."""
        return given[0] if isinstance(given, tuple) and given else self._tensors[str(given)]


def _tar_storages(source: Source, mapped: MappedFile) -> dict[str, Tensor]:
    storages: dict[str, Tensor] = {}

    def here(_: str, dtype: torch.dtype, count: int) -> Tensor:
        return mapped.flat(source.position, dtype, count)

    for _ in range(_count(load(source))):
        key, _, kind = load(source)
        (count,) = struct.unpack("<q", source.read(8))
        flat = Unpickler(source, here).persistent_load(("storage", kind, key, "cpu", count))
        storages[str(key)] = flat
        source.position += flat.numel() * flat.dtype.itemsize
    for view, root, offset, count in load(source):
        storages[str(view)] = storages[str(root)][offset : offset + count]
    return storages


def _tar_tensors(source: Source, storages: Mapping[str, Tensor]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for _ in range(_count(load(source))):
        key, storage, _ = load(source)
        dimensions, _ = struct.unpack("<ii", source.read(8))
        size = struct.unpack(f"<{dimensions}q", source.read(8 * dimensions))
        stride = struct.unpack(f"<{dimensions}q", source.read(8 * dimensions))
        (offset,) = struct.unpack("<q", source.read(8))
        tensors[str(key)] = storages[str(storage)].as_strided(size, stride, offset)
    return tensors


def read_safetensors(mapped: MappedFile) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the text pairs of a safetensors file.

    Source: the format's description at huggingface.co/docs/safetensors.
    """
    size = int.from_bytes(mapped.content[:8], "little")
    if size > min(_LARGEST_HEADER_BYTES, len(mapped.content) - 8):
        raise DamagedError
    header = json.loads(mapped.content[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        dtype, shape = _SAFETENSORS_KINDS[entry["dtype"]], tuple(entry["shape"])
        start, end = entry["data_offsets"]
        count, left = divmod(end - start, dtype.itemsize)
        if left:
            raise DamagedError
        tensors[name] = mapped.flat(8 + size + start, dtype, count).reshape(shape)
    return tensors, {str(key): str(value) for key, value in metadata.items()}


def _member_start(mapped: MappedFile, member: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin, behind a header of its own that names it again."""
    header = mapped.content[member.header_offset : member.header_offset + 30]
    name_size, extra_size = struct.unpack("<HH", header[26:30])
    return int(member.header_offset + 30 + name_size + extra_size)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes; parameters do not shrink much, and a bomb does."""
    if member.file_size > 2**20 + _LARGEST_EXPANSION * member.compress_size:
        raise DamagedError
    return archive.read(member)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 10**6:
        raise DamagedError
    return value
