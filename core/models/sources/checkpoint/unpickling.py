"""Unpickle without running anything: what is not on a short list becomes an inert stub.

Tensors are rebuilt, plain containers stand as they are, and every other class or function of
the file is replaced by a ``Stub``, which keeps what it was given and does nothing. Nothing is
imported. Python's own slow unpickler does the walking: the fast one believes sizes that a file
only claims, and lets a file change what it was given.
"""

from __future__ import annotations

import encodings.raw_unicode_escape  # noqa: F401 - of pickle's texts: no file imports it later
import functools
import pickle
from collections.abc import Callable, Iterable, Sized
from typing import Any, ClassVar

import torch
from torch import Tensor

from core.models.sources.checkpoint.admitted import (
    ADMITTED,
    COSTS,
    INNER_STORAGE,
    STORAGE_KINDS,
    TENSOR_COST,
    UnpicklingError,
    collected,
    complex_number,
    empty_dictionary,
    is_key,
    is_side,
    numpy_array,
    numpy_from_buffer,
    numpy_scalar,
    plain_bytes,
)
from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.stored import Bytes

MOST_OPERATIONS = 1_000_000
_BYTES_AN_OPERATION = 256
_INNER_COST = 500
"""A pickle in a pickle counts like this many operations; a network has some hundreds of them."""

_STUB_COST = 200
"""So does a class that was not met before, which takes a kilobyte and more."""

_LARGEST_INTEGER_BYTES = 16_384
"""Multiplying the millions of digits that a file may hold keeps every thread waiting."""


_LONGEST_LINE_BYTES = 2**20
_WINDOW_BYTES = 2**16


StorageOf = Callable[[str, torch.dtype, int], Tensor]
"""Returns a storage as a flat tensor, from its key, kind and number of elements."""


class Source:
    """The bytes of one file, read from a place on; a claim beyond its end is an error."""

    def __init__(self, held: Bytes, start: int = 0, end: int | None = None) -> None:
        self.position = start
        self._held = held
        self._end = held.size if end is None else end
        self._window, self._first = b"", 0

    def read(self, size: int) -> bytes:
        """Return exactly this many bytes."""
        at = self.position - self._first
        end = at + size
        if not 0 <= at <= end <= len(self._window):  # it is read byte by byte, millions of times
            if size < 0 or size > self._end - self.position:
                raise UnpicklingError("the pickle ends before its end")
            ahead = max(size, min(_WINDOW_BYTES, self._end - self.position))
            self._window, self._first = self._held.read_at(self.position, ahead), self.position
            at, end = 0, size
        self.position += size
        return self._window[at:end]

    def readline(self) -> bytes:
        """Return the bytes up to and with the next line feed."""
        start = self.position
        at = start - self._first
        end = self._window.find(b"\n", at) + 1 if at >= 0 else 0
        if end:
            self.position = self._first + end
            return self._window[at:end]
        while self.position < self._end and self.position - start < _LONGEST_LINE_BYTES:
            piece = self.read(min(256, self._end - self.position))
            at = piece.find(b"\n")
            if at >= 0:
                end = self.position - len(piece) + at + 1
                self.position = start
                return self.read(end - start)
        raise UnpicklingError("a line without an end")

    def readinto(self, target: Any) -> int:
        """Fill a buffer."""
        target[:] = self.read(len(target))
        return len(target)


class Unpickler(pickle._Unpickler):
    """Admits what rebuilds tensors and plain containers; the rest becomes stubs.

    Args:
        source: where the pickle stands.
        storage: gives the storages that the tensors are cut from.
        from_bytes: gives a storage that stands in the pickle itself.
        most_operations: a file that asks for more is refused.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    stack: list[object]
    read: Callable[[int], bytes]
    append: Callable[[object], None]
    pop_mark: Callable[[], list[object]]

    def __init__(
        self,
        source: Source,
        storage: StorageOf | None = None,
        from_bytes: Callable[[bytes], object] | None = None,
        most_operations: int = MOST_OPERATIONS,
    ) -> None:
        super().__init__(source, encoding="utf-8", errors="surrogateescape")
        self.read, self.readline, self.readinto = source.read, source.readline, source.readinto
        self._budget = _Budget(most_operations)
        self._storage = storage
        self._from_bytes = from_bytes
        self._kinds: dict[tuple[str, str], type[Stub]] = {}

    def load(self) -> Any:
        """Return what the pickle holds; each operation is counted."""
        self.metastack: list[list[object]] = []
        self.stack = []
        self.append = self.stack.append
        read, dispatch, budget = self.read, self.dispatch, self._budget
        try:
            while True:
                budget.left -= 1  # as spend() does, without a call: there are millions
                if budget.left < 0:
                    budget.spend(0)
                dispatch[read(1)[0]](self)
        except pickle._Stop as end:  # type: ignore[attr-defined]
            return end.value

    def load_frame(self) -> None:
        """Pass over the size of a frame: what reads straight on reads the same."""
        self.read(8)

    def find_class(self, module: str, name: str) -> object:
        """Return the admitted object or a new kind of stub; import nothing."""
        admitted = ADMITTED.get((module, name))
        if admitted is not None and admitted in COSTS:
            return self._charged(admitted, each=COSTS[admitted])
        if admitted is not None:
            return admitted
        if (module, name) == INNER_STORAGE and self._from_bytes is not None:
            return self._charged(self._from_bytes, each=_INNER_COST)
        if (module, name) not in self._kinds:
            self._budget.spend(_STUB_COST)
            self._kinds[module, name] = type("Stub", (Stub,), {"origin": (module, name)})
        return self._kinds[module, name]

    def _charged(self, make: Callable[..., object], each: int = 0) -> Callable[..., object]:
        """Return a maker whose copies count as operations: one argument may be given often."""

        @functools.wraps(make)
        def charge(*arguments: object) -> object:
            cost = each
            for one in arguments:
                if isinstance(one, _SIZED):
                    cost += _cost(one)
            self._budget.spend(cost)
            return make(*arguments)

        return charge

    def persistent_load(self, given: object) -> Any:
        """Return the storage or the old network that stands outside the pickle."""
        if isinstance(given, tuple) and len(given) >= 2 and given[0] == "module":
            return given[1]
        if not isinstance(given, tuple) or len(given) < 5 or given[0] != "storage":
            raise UnpicklingError("a reference that PyTorch does not write")
        kind, key, _, count = given[1:5]
        if not (isinstance(kind, type) and issubclass(kind, Stub)):
            raise UnpicklingError("a storage of no kind")
        dtype = STORAGE_KINDS.get(kind.origin[1])
        if dtype is None or not is_side(count) or self._storage is None:
            raise UnpicklingError("a storage of an unknown kind")
        if not isinstance(key, str | int):
            raise UnpicklingError("a storage without a name")
        self._budget.spend(TENSOR_COST)
        found = self._storage(str(key), dtype, count)
        view = given[5] if len(given) > 5 else None
        if view is None:
            return found
        _, start, length = view
        if not (is_side(start) and is_side(length) and start + length <= found.numel()):
            raise UnpicklingError("a view beyond its storage")
        return found[start : start + length]

    def load_build(self) -> None:
        """Give a stub its state; nothing else of a file may change what it is given."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], Stub):
            parts = state if isinstance(state, tuple) else (state,)
            self._budget.spend(sum(len(part) for part in parts if isinstance(part, dict)))
            self.stack[-1].take_state(state)

    def load_bytearray8(self) -> None:
        """Read before making room: the file may only claim this size."""
        size = int.from_bytes(self.read(8), "little")
        self.append(bytearray(self.read(size)))

    def load_long4(self) -> None:
        """Read an integer of some size; those of a random generator have the most digits."""
        size = int.from_bytes(self.read(4), "little", signed=True)
        if size > _LARGEST_INTEGER_BYTES:
            raise UnpicklingError("an integer of too many digits")
        self.append(pickle.decode_long(self.read(size)))

    def load_ext(self) -> None:
        """Refuse names from Python's registry of extensions."""
        raise UnpicklingError("an extension of pickle")

    def load_setitem(self) -> None:
        """Set one entry of a mapping."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set_entries([(key, value)])

    def load_setitems(self) -> None:
        """Set entries of a mapping."""
        items = self.pop_mark()
        self._set_entries(zip(items[::2], items[1::2], strict=True))

    def load_append(self) -> None:
        """Append one element."""
        self._extend([self.stack.pop()])

    def load_appends(self) -> None:
        """Append elements."""
        self._extend(self.pop_mark())

    def load_additems(self) -> None:
        """Add elements to a set."""
        items = self.pop_mark()
        if isinstance(self.stack[-1], set):
            self.stack[-1].update(item for item in items if is_key(item))

    def load_dict(self) -> None:
        """Make a dictionary of what stands above the mark."""
        items = self.pop_mark()
        self.append({})
        self._set_entries(zip(items[::2], items[1::2], strict=True))

    def load_frozenset(self) -> None:
        """Make a set that stays as it is."""
        self.append(frozenset(item for item in self.pop_mark() if is_key(item)))

    def _set_entries(self, entries: Iterable[tuple[object, object]]) -> None:
        target = self.stack[-1]
        if isinstance(target, Stub):
            target = target.state
        if not isinstance(target, dict):
            raise UnpicklingError("entries for what takes none")
        for key, value in entries:
            if is_key(key):
                target[key] = value

    def _extend(self, items: list[object]) -> None:
        target = self.stack[-1]
        if isinstance(target, Stub):
            target.items.extend(items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            raise UnpicklingError("elements for what takes none")


_OVERRIDES = {
    pickle.FRAME: Unpickler.load_frame,
    pickle.BUILD: Unpickler.load_build,
    pickle.BYTEARRAY8: Unpickler.load_bytearray8,
    pickle.LONG4: Unpickler.load_long4,
    pickle.EXT1: Unpickler.load_ext,
    pickle.EXT2: Unpickler.load_ext,
    pickle.EXT4: Unpickler.load_ext,
    pickle.SETITEM: Unpickler.load_setitem,
    pickle.SETITEMS: Unpickler.load_setitems,
    pickle.APPEND: Unpickler.load_append,
    pickle.APPENDS: Unpickler.load_appends,
    pickle.ADDITEMS: Unpickler.load_additems,
    pickle.DICT: Unpickler.load_dict,
    pickle.FROZENSET: Unpickler.load_frozenset,
}
Unpickler.dispatch.update({code[0]: method for code, method in _OVERRIDES.items()})


_SIZED = (str, bytes, bytearray, list, tuple, set, frozenset)


def _cost(argument: Sized) -> int:
    """Return how many operations a copy counts for: bytes are copied faster than elements."""
    if isinstance(argument, str | bytes | bytearray):
        return len(argument) // _BYTES_AN_OPERATION
    return len(argument)


class _Budget:
    """How many operations are left before a file asks for more than any checkpoint needs."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take some away; with none left the file is refused."""
        self.left -= count
        if self.left < 0:
            raise UnpicklingError("more operations than a checkpoint needs")


# What is admitted


for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    ADMITTED[_module, "_reconstruct"] = numpy_array
    ADMITTED[_module, "scalar"] = numpy_scalar
for _module in ("numpy.core.numeric", "numpy._core.numeric"):
    ADMITTED[_module, "_frombuffer"] = numpy_from_buffer
for _module in ("builtins", "__builtin__"):
    for _name, _kind in (("set", set), ("frozenset", frozenset)):
        ADMITTED[_module, _name] = collected(_kind)
    ADMITTED[_module, "list"] = collected(list)
    ADMITTED[_module, "tuple"] = collected(tuple)
    COSTS |= {ADMITTED[_module, _name]: 0 for _name in ("set", "frozenset", "list", "tuple")}
    ADMITTED[_module, "dict"] = empty_dictionary
    ADMITTED[_module, "bytes"] = ADMITTED[_module, "bytearray"] = plain_bytes
    ADMITTED[_module, "complex"] = complex_number


def load(
    source: Source,
    storage: StorageOf | None = None,
    from_bytes: Callable[[bytes], object] | None = None,
    most_operations: int = MOST_OPERATIONS,
) -> Any:
    """Return what one pickle holds; the source then stands behind it.

    Raises:
        Exception: whatever a broken file provokes.
    """
    return Unpickler(source, storage, from_bytes, most_operations).load()
