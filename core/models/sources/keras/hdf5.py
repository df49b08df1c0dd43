"""The part of HDF5 that Keras writes: groups, attributes of text, and plain arrays.

HDF5's own library ends the program, or never ends, for one file in some hundred that are damaged;
here a file can only be refused. Whatever Keras does not write (compressed or chunked arrays, links
out of the file, arrays in other files, virtual arrays) is not read.

Source: HDF5 File Format Specification, version 3.0, docs.hdfgroup.org.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from core.models.sources.checkpoint.stored import Bytes, DamagedError

MAGIC = b"\x89HDF\r\n\x1a\n"

_BUDGET_BYTES = 256 * 2**20
_LEAST_COST = 1024
"""Of all that is read but arrays, and of one reading: whatever runs in a circle comes to an end."""
_WINDOW_BYTES = 4096
_UNDEFINED = 2**64 - 1
_MOST_DIMENSIONS = 8
_MOST_TEXTS = 100_000

_DATASPACE, _DATATYPE, _LINK_INFO = 0x01, 0x03, 0x02
_EXTERNAL_FILES, _LINK, _LAYOUT, _FILTERS, _ATTRIBUTE = 0x07, 0x06, 0x08, 0x0B, 0x0C
_CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x10, 0x11, 0x15
_IS_SHARED = 0x02
_COMPACT, _CONTIGUOUS = 0, 1
_FLOAT, _TEXT, _VARIABLE = 1, 3, 9
_FLOATS = {2: torch.float16, 4: torch.float32, 8: torch.float64}
_USUAL_FLOATS = {2: (15, 10, 5, 0, 10), 4: (31, 23, 8, 0, 23), 8: (63, 52, 11, 0, 52)}
"""Places of sign, exponent and fraction in IEEE 754's numbers, by their bytes."""


class OddArrayError(Exception):
    """An array is kept in a way that Keras does not use."""


@dataclass(frozen=True)
class _Type:
    """A datatype: its class, bytes an element, the bits of its class, and its properties."""

    kind: int
    size: int
    bits: int
    rest: bytes


class Hdf5:
    """An HDF5 file, or one that stands within another file.

    Args:
        stored: its bytes.

    Raises:
        DamagedError: it is not of the form that Keras writes.
    """

    def __init__(self, stored: Bytes) -> None:
        self.stored = stored
        self._left = _BUDGET_BYTES
        self._window, self._first = b"", 0
        self._nodes: dict[int, Node] = {}
        self._heaps: dict[int, dict[int, tuple[int, int]]] = {}
        head = self.read(0, min(stored.size, 128))
        if not head.startswith(MAGIC):
            raise DamagedError
        version = head[8]
        if version in (0, 1):
            sizes, place = head[13:15], 64 + 4 * version
        elif version in (2, 3):
            sizes, place = head[9:11], 36
        else:
            raise DamagedError
        base = _number(head, place - 40 if version < 2 else 12)
        if sizes != b"\x08\x08" or base != 0:
            raise DamagedError
        self.root = self.node(_number(head, place))

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes that describe something.

        Raises:
            DamagedError: the file ends before, or describes without end.
        """
        self._left -= max(size, _LEAST_COST)
        if self._left < 0:
            raise DamagedError
        at = offset - self._first
        if 0 <= at <= at + size <= len(self._window):  # what belongs together lies together
            return self._window[at : at + size]
        if 0 <= size < _WINDOW_BYTES <= self.stored.size - offset and offset >= 0:
            self._window, self._first = self.stored.read_at(offset, _WINDOW_BYTES), offset
            return self._window[:size]
        return self.stored.read_at(offset, size)

    def node(self, address: int) -> Node:
        """Return the group or array at a place of the file."""
        if address not in self._nodes:
            self._nodes[address] = Node(self, address)
        return self._nodes[address]

    def heap_text(self, address: int, index: int) -> bytes:
        """Return a text of variable length out of a global heap."""
        if address not in self._heaps:
            self._heaps[address] = dict(self._heap_objects(address))
        place, size = self._heaps[address].get(index, (0, -1))
        if size < 0:
            raise DamagedError
        return self.read(place, size)

    def _heap_objects(self, address: int) -> Iterator[tuple[int, tuple[int, int]]]:
        head = self.read(address, 16)
        if not head.startswith(b"GCOL"):
            raise DamagedError
        at, end = address + 16, address + _number(head, 8)
        while at + 16 <= end:
            index, size = struct.unpack("<H6xQ", self.read(at, 16))
            if index == 0:
                return
            yield index, (at + 16, size)
            at += 16 + -(-size // 8) * 8


class Node:
    """A group or an array.

    Args:
        file: that it stands in.
        address: of its header.
    """

    def __init__(self, file: Hdf5, address: int) -> None:
        self._file = file
        self._messages = tuple(_messages(file, address))

    def find(self, path: str) -> Node | None:
        """Return what stands under a path of names; None where there is nothing."""
        node = self
        for name in path.split("/"):
            address = node.children.get(name)
            if address is None:
                return None
            node = self._file.node(address)
        return node

    @cached_property
    def children(self) -> Mapping[str, int]:
        """Return the place of each member of a group, by its name."""
        found: dict[str, int] = {}
        for kind, content in self._messages:
            if kind == _SYMBOL_TABLE:
                tree, heap = struct.unpack_from("<QQ", content)
                found.update(_symbols(self._file, tree, heap))
            elif kind == _LINK:
                found.update(_link(content))
            elif kind == _LINK_INFO and _dense(content, 8) != _UNDEFINED:
                raise DamagedError
        return found

    @property
    def is_array(self) -> bool:
        """Return whether it is an array."""
        return any(kind == _LAYOUT for kind, _ in self._messages)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return an attribute of one or several texts; None where there is none of the name."""
        content = self._attributes.get(name)
        if content is None:
            return None
        type_, shape, raw = content
        count = _product(shape)
        if count > _MOST_TEXTS or count * type_.size > len(raw):
            raise DamagedError
        parts = (raw[at : at + type_.size] for at in range(0, count * type_.size, type_.size))
        if type_.kind == _TEXT:
            return tuple(_plain(part) for part in parts)
        if type_.kind == _VARIABLE and type_.size == 16:
            return tuple(_plain(self._pointed_to(part)) for part in parts)
        return () if count == 0 or not raw.strip(b"\0") else None

    def text(self, name: str) -> str | None:
        """Return an attribute of one text; None where there is none."""
        found = self.texts(name)
        return found[0] if found else None

    def array(self) -> Tensor:
        """Return an array without its values, which stay in the file.

        Raises:
            OddArrayError: it is kept in a way that Keras does not use.
            DamagedError: the file ends before it does.
        """
        messages = dict(self._messages)
        if messages.keys() & {_EXTERNAL_FILES, _FILTERS} or _LAYOUT not in messages:
            raise OddArrayError
        type_, shape = _type(messages[_DATATYPE]), _shape(messages[_DATASPACE])
        dtype = _FLOATS.get(type_.size) if _is_usual_float(type_) else None
        if dtype is None:
            raise OddArrayError
        layout, count = messages[_LAYOUT], _product(shape)
        if layout[:2] != bytes([3, _CONTIGUOUS]):
            raise OddArrayError
        offset, size = struct.unpack_from("<QQ", layout, 2)
        if offset == _UNDEFINED or size != count * dtype.itemsize:
            raise OddArrayError
        return self._file.stored.flat(offset, dtype, count).reshape(shape)

    def shape(self) -> tuple[int, ...]:
        """Return the shape of an array of any kind."""
        return _shape(dict(self._messages).get(_DATASPACE, b""))

    @cached_property
    def _attributes(self) -> Mapping[str, tuple[_Type, tuple[int, ...], bytes]]:
        """Return type, shape and bytes of each attribute."""
        for kind, content in self._messages:
            if kind == _ATTRIBUTE_INFO and _dense(content, 2) != _UNDEFINED:
                raise DamagedError
        return dict(_attribute(content) for kind, content in self._messages if kind == _ATTRIBUTE)

    def _pointed_to(self, pointer: bytes) -> bytes:
        length, address, index = struct.unpack("<IQI", pointer)
        return b"" if length == 0 else self._file.heap_text(address, index)[:length]


# Headers


def _messages(file: Hdf5, address: int) -> Iterator[tuple[int, bytes]]:
    """Return the messages of an object's header, those of its continuations included."""
    start = file.read(address, 16)
    if start.startswith(b"OHDR"):
        yield from _newer_messages(file, address, start)
        return
    if start[0] != 1:
        raise DamagedError
    (size,) = struct.unpack_from("<I", start, 8)
    blocks = [(address + 16, size)]
    for offset, length in blocks:  # grows meanwhile
        block = file.read(offset, length)
        at = 0
        while at + 8 <= length:
            kind, size, flags = struct.unpack_from("<HHB", block, at)
            content = block[at + 8 : at + 8 + size]
            at += 8 + size
            if kind == _CONTINUATION:
                blocks.append(struct.unpack_from("<QQ", content))
            else:
                yield kind, _own(kind, flags, content)


def _newer_messages(file: Hdf5, address: int, start: bytes) -> Iterator[tuple[int, bytes]]:
    flags, at = start[5], 6 + 16 * bool(start[5] & 0x20) + 4 * bool(start[5] & 0x10)
    width = 1 << (flags & 3)
    size = int.from_bytes(file.read(address + at, width), "little")
    blocks = [(address + at + width, size)]
    head = 6 if flags & 0x04 else 4
    for offset, length in blocks:  # grows meanwhile
        block = file.read(offset, length)
        at = 0
        while at + head <= length:
            kind, size, bits = struct.unpack_from("<BHB", block, at)
            content = block[at + head : at + head + size]
            at += head + size
            if kind == _CONTINUATION:
                place, length_2 = struct.unpack_from("<QQ", content)
                blocks.append((place + 4, length_2 - 8))  # between a signature and a checksum
            else:
                yield kind, _own(kind, bits, content)


def _own(kind: int, flags: int, content: bytes) -> bytes:
    """Return a message; one that stands elsewhere is refused where it would be needed."""
    if flags & _IS_SHARED and kind in (_DATASPACE, _DATATYPE, _LAYOUT, _ATTRIBUTE, _LINK):
        raise DamagedError
    return content


def _attribute(content: bytes) -> tuple[str, tuple[_Type, tuple[int, ...], bytes]]:
    version, flags, name_size, type_size, space_size = struct.unpack_from("<BBHHH", content)
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise DamagedError
    at = 9 if version == 3 else 8
    step = 8 if version == 1 else 1
    parts = []
    for size in (name_size, type_size, space_size):
        parts.append(content[at : at + size])
        at += -(-size // step) * step
    return _plain(parts[0]), (_type(parts[1]), _shape(parts[2]), content[at:])


def _type(content: bytes) -> _Type:
    first, low, high, _, size = struct.unpack_from("<BBBBI", content)
    if size == 0:
        raise DamagedError
    return _Type(first & 15, size, low | high << 8, content[8:])


def _is_usual_float(type_: _Type) -> bool:
    """Return whether numbers are IEEE 754's, the least byte first."""
    if type_.kind != _FLOAT or type_.size not in _USUAL_FLOATS or type_.bits & 0x41:
        return False
    sign, *places = _USUAL_FLOATS[type_.size]
    found = struct.unpack_from("<HHBBBB", type_.rest)
    return found == (0, 8 * type_.size, *places) and type_.bits >> 8 == sign


def _shape(content: bytes) -> tuple[int, ...]:
    version, rank, _, kind = struct.unpack_from("<BBBB", content)
    if version not in (1, 2) or rank > _MOST_DIMENSIONS:
        raise DamagedError
    if version == 2 and kind == 2:  # nothing at all
        return (0,)
    return struct.unpack_from(f"<{rank}Q", content, 8 if version == 1 else 4)


# Groups


def _symbols(file: Hdf5, tree: int, heap: int) -> Iterator[tuple[str, int]]:
    """Return the members of a group of the older form: a tree of tables of names."""
    head = file.read(heap, 32)
    if not head.startswith(b"HEAP"):
        raise DamagedError
    size, _, place = struct.unpack_from("<QQQ", head, 8)
    names = file.read(place, size)
    waiting = [tree]
    while waiting:
        address = waiting.pop()
        start = file.read(address, 8)
        if start.startswith(b"TREE") and start[4] == 0:
            (count,) = struct.unpack_from("<H", start, 6)
            content = file.read(address + 24, 16 * count + 8)
            waiting += [_number(content, 16 * number + 8) for number in range(count)]
        elif start.startswith(b"SNOD"):
            (count,) = struct.unpack_from("<H", start, 6)
            content = file.read(address + 8, 40 * count)
            for at in range(0, 40 * count, 40):
                name, target = struct.unpack_from("<QQ", content, at)
                if target != _UNDEFINED:  # a soft link has no place of its own
                    yield _plain(names[name : names.find(b"\0", name)]), target
        else:
            raise DamagedError


def _link(content: bytes) -> Iterator[tuple[str, int]]:
    """Return a member of a group of the newer form; nothing for links to other names or files."""
    flags, at = content[1], 2
    kind = 0
    if flags & 0x08:
        kind, at = content[at], at + 1
    at += 8 * bool(flags & 0x04) + bool(flags & 0x10)
    width = 1 << (flags & 3)
    size = int.from_bytes(content[at : at + width], "little")
    at += width
    if kind == 0:
        yield _plain(content[at : at + size]), _number(content, at + size)


def _dense(content: bytes, index_size: int) -> int:
    """Return where members lie that found no room in a header."""
    return _number(content, 2 + index_size * (content[1] & 1))


def _number(content: bytes, at: int) -> int:
    found: int = struct.unpack_from("<Q", content, at)[0]
    return found


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count


def _plain(content: bytes) -> str:
    return content.split(b"\0", 1)[0].decode("utf-8", "replace")
