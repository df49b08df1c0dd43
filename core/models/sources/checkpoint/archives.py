"""The containers of checkpoints: zip, the older stream of pickles, tar, and safetensors.

What is read of each is names, shapes and places; values stay in the file until they are taken.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping

import torch
from torch import Tensor

from core import zip_files
from core.models.sources.checkpoint.admitted import MOST_DIMENSIONS, UnpicklingError, rebuild_tensor
from core.models.sources.checkpoint.stored import Bytes, CheckpointFile, DamagedError, Memory
from core.models.sources.checkpoint.unpickling import MOST_OPERATIONS, Source, Unpickler, load

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_INNER_HEAD_BYTES = 1000
_INNER_OPERATIONS = 1000
_LARGEST_HEADER_BYTES = 5 * 2**20
"""Of a safetensors file; torchvision's largest classifiers have 200 KB."""

_LARGEST_PICKLE_BYTES = 512 * 2**20
_TAR_BLOCK = 512
_MOST_TAR_MEMBERS = 1000
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


def open_zip(file: CheckpointFile) -> zipfile.ZipFile | None:
    """Return a file as a zip archive; None where it is none.

    Raises:
        DamagedError: its directory is damaged, or far longer than that of any checkpoint.
    """
    try:
        return zip_files.open_zip(file.reader())
    except zipfile.BadZipFile as error:
        raise DamagedError from error


def read_zip(file: CheckpointFile, archive: zipfile.ZipFile) -> object:
    """Return what an archive of ``torch.save`` or of TorchScript holds.

    Args:
        file: of the archive.
        archive: as ``open_zip`` gave it.
    """
    members = {one.filename: one for one in archive.infolist()}
    pickles = sorted((one for one in members if one.endswith("data.pkl")), key=len)
    if not pickles:
        raise DamagedError
    root = pickles[0].removesuffix("data.pkl")
    order = f"{root}byteorder"
    if order in members and _unpacked(archive, members[order]) == b"big":
        raise UnpicklingError("numbers in the byte order of another processor")
    content = _unpacked(archive, members[pickles[0]])
    unpacked = _LastUnpacked(archive)
    storages: dict[tuple[str, torch.dtype], Tensor] = {}

    def storage(key: str, dtype: torch.dtype, count: int) -> Tensor:
        member = members[f"{root}data/{key}"]
        if count * dtype.itemsize > member.file_size:
            raise DamagedError
        if (key, dtype) not in storages:
            storages[key, dtype] = _member_storage(file, unpacked, member, dtype)
        return storages[key, dtype][:count]

    return load(Source(Memory(content)), storage)


def read_stream(stored: Bytes, most_operations: int = MOST_OPERATIONS) -> object:
    """Return what ``torch.save`` wrote before version 1.6: pickles, then the storages' bytes.

    The pickle of the content comes before the places of its storages are known, so it is read
    twice: first with storages that have only a size. A plain pickle holds a stream a storage.
    """
    source = Source(stored)
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
        return stored.flat(offset, dtype, count)

    return load(Source(stored, start), storage, most_operations=most_operations)


def _read_inner(content: bytes) -> object:
    """Return the storage that ``pickle.dump`` of a tensor keeps as a stream of its own."""
    if content.find(b"storage", 0, _INNER_HEAD_BYTES) < 0:
        raise DamagedError  # not what torch writes there: a few hundred bytes, then the numbers
    return read_stream(Memory(bytearray(content)), most_operations=_INNER_OPERATIONS)


def read_tar(file: CheckpointFile) -> object:
    """Return what ``torch.save`` wrote before version 0.1.10: a tar archive of three members."""
    places = _tar_places(file)
    if not {"storages", "tensors", "pickle"} <= set(places):
        raise DamagedError
    sources = {name: Source(file, start, end) for name, (start, end) in places.items()}
    storages = _tar_storages(sources["storages"], file)
    tensors = _tar_tensors(sources["tensors"], storages)
    return _TarUnpickler(sources["pickle"], tensors).load()


def _tar_places(file: CheckpointFile) -> dict[str, tuple[int, int]]:
    """Return where the members of a tar archive lie, by name.

    torch wrote plain headers alone, so nothing else is read: the standard library takes minutes
    for some extended headers, and holds the interpreter meanwhile.

    Source: POSIX.1-1988, the ustar format.
    """
    places: dict[str, tuple[int, int]] = {}
    at = 0
    for _ in range(_MOST_TAR_MEMBERS):
        if at + _TAR_BLOCK > file.size:
            break
        header = file.read_at(at, _TAR_BLOCK)
        if not header.strip(b"\0"):
            break
        size = int(header[124:136].strip(b"\0 ") or b"0", 8)
        start = at + _TAR_BLOCK
        if size < 0 or start + size > file.size or header[156:157] not in b"\x0005":
            raise DamagedError
        name = header[:100].split(b"\0", 1)[0].decode("ascii", "replace")
        places[name.removeprefix("./")] = (start, start + size)
        at = start + -(-size // _TAR_BLOCK) * _TAR_BLOCK
    return places


class _TarUnpickler(Unpickler):
    """Takes whole tensors by number, where later formats take storages."""

    def __init__(self, source: Source, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(source)
        self._tensors = tensors

    def persistent_load(self, given: object) -> object:
        """Return the tensor of this number, or the network kept with its source text."""
        return given[0] if isinstance(given, tuple) and given else self._tensors[str(given)]


def _tar_storages(source: Source, file: CheckpointFile) -> dict[str, Tensor]:
    storages: dict[str, Tensor] = {}

    def here(_: str, dtype: torch.dtype, count: int) -> Tensor:
        return file.flat(source.position, dtype, count)

    for _ in range(_count(load(source))):
        key, _, kind = load(source)
        (count,) = struct.unpack("<q", source.read(8))
        flat = Unpickler(source, here).persistent_load(("storage", kind, key, "cpu", count))
        storages[str(key)] = flat
        source.position += flat.numel() * flat.dtype.itemsize
    for view, root, offset, count in load(source):
        whole = storages[str(root)]
        if not 0 <= _count(offset) <= _count(count) + offset <= whole.numel():
            raise DamagedError
        storages[str(view)] = whole[offset : offset + count]
    return storages


def _tar_tensors(source: Source, storages: Mapping[str, Tensor]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for _ in range(_count(load(source))):
        key, storage, _ = load(source)
        dimensions, _ = struct.unpack("<ii", source.read(8))
        if not 0 <= dimensions <= MOST_DIMENSIONS:
            raise DamagedError
        size = struct.unpack(f"<{dimensions}q", source.read(8 * dimensions))
        stride = struct.unpack(f"<{dimensions}q", source.read(8 * dimensions))
        (offset,) = struct.unpack("<q", source.read(8))
        tensors[str(key)] = rebuild_tensor(storages[str(storage)], offset, size, stride)
    return tensors


def read_safetensors(file: CheckpointFile) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the text pairs of a safetensors file.

    Source: the format's description at huggingface.co/docs/safetensors.
    """
    size = int.from_bytes(file.read_at(0, 8), "little")
    if size > min(_LARGEST_HEADER_BYTES, file.size - 8):
        raise DamagedError
    header = json.loads(file.read_at(8, size))
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        dtype, shape = _SAFETENSORS_KINDS[entry["dtype"]], tuple(entry["shape"])
        start, end = entry["data_offsets"]
        count, left = divmod(end - start, dtype.itemsize)
        if left or not all(type(one) is int and one >= 0 for one in (*shape, start)):
            raise DamagedError
        tensors[name] = file.flat(8 + size + start, dtype, count).reshape(shape)
    return tensors, {str(key): str(value) for key, value in metadata.items()}


class _LastUnpacked:
    """Unpacks members of an archive, and keeps the last: many tensors may be views of one."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._last: tuple[str, bytes] = ("", b"")

    def content(self, member: zipfile.ZipInfo) -> bytes:
        """Return a member's bytes."""
        if self._last[0] != member.filename:
            self._last = (member.filename, self._archive.read(member))
        return self._last[1]


def _member_storage(
    file: CheckpointFile, unpacked: _LastUnpacked, member: zipfile.ZipInfo, dtype: torch.dtype
) -> Tensor:
    """Return a member's bytes as a flat tensor without values; compressed ones are not unpacked."""
    size = member.file_size - member.file_size % dtype.itemsize
    if member.compress_type == zipfile.ZIP_STORED:
        return file.flat(member_start(file, member), dtype, size // dtype.itemsize)
    check_expansion(member)

    def unpack(start: int, buffer: memoryview) -> None:
        buffer[:] = memoryview(unpacked.content(member))[start : start + len(buffer)]

    return file.later(unpack, dtype, size)


def member_start(file: CheckpointFile, member: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin, behind a header of its own that names it again."""
    header = file.read_at(member.header_offset, 30)
    name_size, extra_size = struct.unpack("<HH", header[26:30])
    return int(member.header_offset + 30 + name_size + extra_size)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member that is a pickle or a note."""
    check_expansion(member)
    if member.file_size > _LARGEST_PICKLE_BYTES:
        raise DamagedError
    return archive.read(member)


def check_expansion(member: zipfile.ZipInfo) -> None:
    """Refuse a bomb."""
    if zip_files.expands_too_much(member):
        raise DamagedError


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 10**6:
        raise DamagedError
    return value
