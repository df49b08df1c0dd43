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
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from core.models.sources.checkpoint.inert import PickledArray, Stub
from core.models.sources.checkpoint.stored import Bytes

UnpicklingError = pickle.UnpicklingError

MOST_OPERATIONS = 1_500_000
_BYTES_AN_OPERATION = 256
_INNER_COST = 500
"""A pickle in a pickle counts like this many operations; a network has some hundreds of them."""

_STUB_COST = 200
"""So does a class that was not met before, which takes a kilobyte and more."""

_TENSOR_COST = 10
MOST_DIMENSIONS = 16
_LARGEST_INTEGER_BYTES = 16_384
"""Multiplying the millions of digits that a file may hold keeps every thread waiting."""

_LARGEST_KEY = 2**60
"""Integers above it can be made to share one hash, and a dictionary of them takes hours."""

_LONGEST_LINE_BYTES = 2**20
_WINDOW_BYTES = 2**16

_TEXT_ENCODINGS = ("latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii")
_NUMPY_TYPE = re.compile(r"[<>|=]?([biufSU]\d+|\?|O8?)")

StorageOf = Callable[[str, torch.dtype, int], Tensor]
"""Returns a storage as a flat tensor, from its key, kind and number of elements."""

_INNER_STORAGE = ("torch.storage", "_load_from_bytes")
_STORAGE_KINDS = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
    "QInt8Storage": torch.int8,
    "QUInt8Storage": torch.uint8,
    "QInt32Storage": torch.int32,
    "UntypedStorage": torch.uint8,
}


class Source:
    """The bytes of one file, read from a place on; a claim beyond its end is an error."""

    def __init__(self, held: Bytes, start: int = 0, end: int | None = None) -> None:
        self.position = start
        self._held = held
        self._end = held.size if end is None else end
        self._window, self._first = b"", 0

    def read(self, size: int) -> bytes:
        """Return exactly this many bytes."""
        if size < 0 or size > self._end - self.position:
            raise UnpicklingError("the pickle ends before its end")
        at = self.position - self._first
        if at < 0 or at + size > len(self._window):
            ahead = max(size, min(_WINDOW_BYTES, self._end - self.position))
            self._window, self._first = self._held.read_at(self.position, ahead), self.position
            at = 0
        self.position += size
        return self._window[at : at + size]

    def readline(self) -> bytes:
        """Return the bytes up to and with the next line feed."""
        start = self.position
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
    stack: list[Any]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(
        self,
        source: Source,
        storage: StorageOf | None = None,
        from_bytes: Callable[[bytes], Any] | None = None,
        most_operations: int = MOST_OPERATIONS,
    ) -> None:
        super().__init__(source, encoding="utf-8", errors="surrogateescape")
        self._budget = _Budget(most_operations)
        vars(self)["dispatch"] = _Counted(type(self).dispatch, self._budget)
        self._storage = storage
        self._from_bytes = from_bytes
        self._kinds: dict[tuple[str, str], type[Stub]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return the admitted object or a new kind of stub; import nothing."""
        admitted = _ADMITTED.get((module, name))
        if admitted is not None and admitted in _COSTS:
            return self._charged(admitted, each=_COSTS[admitted])
        if admitted is not None:
            return admitted
        if (module, name) == _INNER_STORAGE and self._from_bytes is not None:
            return self._charged(self._from_bytes, each=_INNER_COST)
        if (module, name) not in self._kinds:
            self._budget.spend(_STUB_COST)
            self._kinds[module, name] = type("Stub", (Stub,), {"origin": (module, name)})
        return self._kinds[module, name]

    def _charged(self, make: Callable[..., Any], each: int = 0) -> Callable[..., Any]:
        """Return a maker whose copies count as operations: one argument may be given often."""

        @functools.wraps(make)
        def charge(*arguments: Any) -> Any:
            self._budget.spend(each + sum(_cost(one) for one in arguments))
            return make(*arguments)

        return charge

    def persistent_load(self, given: Any) -> Any:
        """Return the storage or the old network that stands outside the pickle."""
        if isinstance(given, tuple) and len(given) >= 2 and given[0] == "module":
            return given[1]
        if not isinstance(given, tuple) or len(given) < 5 or given[0] != "storage":
            raise UnpicklingError("a reference that PyTorch does not write")
        kind, key, _, count = given[1:5]
        if not (isinstance(kind, type) and issubclass(kind, Stub)):
            raise UnpicklingError("a storage of no kind")
        dtype = _STORAGE_KINDS.get(kind.origin[1])
        if dtype is None or not _is_side(count) or self._storage is None:
            raise UnpicklingError("a storage of an unknown kind")
        if not isinstance(key, str | int):
            raise UnpicklingError("a storage without a name")
        self._budget.spend(_TENSOR_COST)
        found = self._storage(str(key), dtype, count)
        view = given[5] if len(given) > 5 else None
        if view is None:
            return found
        _, start, length = view
        if not (_is_side(start) and _is_side(length) and start + length <= found.numel()):
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
            self.stack[-1].update(item for item in items if _is_key(item))

    def load_dict(self) -> None:
        """Make a dictionary of what stands above the mark."""
        items = self.pop_mark()
        self.append({})
        self._set_entries(zip(items[::2], items[1::2], strict=True))

    def load_frozenset(self) -> None:
        """Make a set that stays as it is."""
        self.append(frozenset(item for item in self.pop_mark() if _is_key(item)))

    def _set_entries(self, entries: Iterable[tuple[Any, Any]]) -> None:
        target = self.stack[-1]
        if isinstance(target, Stub):
            target = target.state
        if not isinstance(target, dict):
            raise UnpicklingError("entries for what takes none")
        for key, value in entries:
            if _is_key(key):
                target[key] = value

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Stub):
            target.items.extend(items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            raise UnpicklingError("elements for what takes none")


_OVERRIDES = {
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


def _cost(argument: Any) -> int:
    """Return how many operations a copy counts for: bytes are copied faster than elements."""
    if isinstance(argument, str | bytes | bytearray):
        return len(argument) // _BYTES_AN_OPERATION
    return len(argument) if isinstance(argument, list | tuple | set | frozenset) else 0


class _Budget:
    """How many operations are left before a file asks for more than any checkpoint needs."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take some away; with none left the file is refused."""
        self.left -= count
        if self.left < 0:
            raise UnpicklingError("more operations than a checkpoint needs")


class _Counted(dict[int, Any]):
    """The operations of pickle, each of which is counted."""

    def __init__(self, operations: Mapping[int, Any], budget: _Budget) -> None:
        super().__init__(operations)
        self._budget = budget

    def __getitem__(self, code: int) -> Any:
        self._budget.spend(1)
        return super().__getitem__(code)


def _is_key(value: Any) -> bool:
    """Return whether a value may be hashed.

    A tuple nested deep enough would end the program, and of many tuples or great integers a file
    can choose the hash.
    """
    if isinstance(value, int):
        return abs(value) < _LARGEST_KEY
    return value is None or isinstance(value, str | float | bytes | Stub | torch.dtype)


def _is_side(value: Any) -> bool:
    """Return whether a value is a size as memory can have it."""
    return type(value) is int and 0 <= value < 2**48


# What is admitted


def rebuild_tensor(flat: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
    """Cut a tensor from its storage; one larger than its storage keeps only its shape."""
    size, stride = _sides(size), _sides(stride)
    if not isinstance(flat, Tensor) or flat.ndim != 1:
        raise UnpicklingError("a tensor without a storage")
    if not _is_side(offset) or len(size) != len(stride):
        raise UnpicklingError("a tensor without strides for its sides")
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    if 0 not in size and last >= flat.numel():
        return torch.empty(size, dtype=flat.dtype, device="meta")
    if 0 in size:
        return torch.empty(size, dtype=flat.dtype)
    # Counted from the beginning of the storage, of which a view may be given.
    return flat.as_strided(size, stride, offset + flat.storage_offset())


def _sides(value: Any) -> tuple[int, ...]:
    """Return the sides or strides of a tensor.

    Raises:
        UnpicklingError: they are something else; another tensor could give any number of them.
    """
    if not isinstance(value, list | tuple) or len(value) > MOST_DIMENSIONS:
        raise UnpicklingError("a tensor without sides")
    if not all(_is_side(side) for side in value):
        raise UnpicklingError("a tensor of an impossible size")
    return tuple(value)


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    return data


def _rebuild_from_type(rebuild: Any, _: Any, arguments: Any, *__: Any) -> Any:
    make = getattr(rebuild, "__wrapped__", rebuild)
    if make is not rebuild_tensor and make is not _rebuild_parameter:
        return Stub()
    return rebuild(*arguments)


def _meta_tensor(dtype: Any, size: Any, *_: Any) -> Tensor:
    if not isinstance(dtype, torch.dtype):
        raise UnpicklingError("a tensor of an unknown kind")
    return torch.empty(_sides(size), dtype=dtype, device="meta")


def _sparse_tensor(_: Any, data: Any) -> Tensor:
    """Stand in for a sparse tensor by its kind and size; sparse parameters are refused."""
    (size,) = (part for part in data if isinstance(part, torch.Size))
    none = torch.zeros(len(size), 0, dtype=torch.int64)
    return torch.sparse_coo_tensor(none, torch.zeros(0), size, check_invariants=False)


def _quantised_tensor(_: Any, __: Any, size: Any, *___: Any) -> Tensor:
    """Stand in for a quantised tensor by its kind and size; whole numbers are refused."""
    return torch.zeros(1, dtype=torch.int8).expand(_sides(size))


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Encode as pickles of Python 2's text do; other codecs could do more than that."""
    if encoding not in _TEXT_ENCODINGS:  # looking another one up would import it
        raise UnpicklingError("a codec that is not admitted")
    return text.encode(encoding)


def _collected(kind: Callable[[Iterable[Any]], Any]) -> Callable[..., Any]:
    """Return a maker of plain values that takes a list, never a size."""
    is_hashing = kind in (set, frozenset)

    def collect(values: Any = ()) -> Any:
        if not isinstance(values, list | tuple | set | frozenset):
            return kind(())
        return kind(value for value in values if not is_hashing or _is_key(value))

    return collect


def _ordered(pairs: Any = (), *_: Any) -> OrderedDict[Any, Any]:
    """Make a mapping of pairs, as Python 2 wrote it."""
    made: OrderedDict[Any, Any] = OrderedDict()
    for pair in pairs if isinstance(pairs, list | tuple) else ():
        key, value = pair
        if _is_key(key):
            made[key] = value
    return made


def _plain_bytes(value: Any = b"", *encoding: Any) -> bytes:
    if isinstance(value, str):
        return _encode(value, *encoding)
    return bytes(value) if isinstance(value, bytes | bytearray | list) else b""


def _complex(real: Any = 0.0, imaginary: Any = 0.0) -> complex:
    return complex(float(real), float(imaginary))


def _size(values: Any = ()) -> torch.Size:
    return torch.Size(_sides(values))


def _empty_dictionary(*_: Any) -> dict[Any, Any]:
    return {}


def _numpy_type(text: Any, *_: Any) -> Stub:
    made = Stub()
    made.state["type"] = text if isinstance(text, str) and _NUMPY_TYPE.fullmatch(text) else ""
    return made


def _numpy_scalar(kind: Any, content: Any = b"") -> Any:
    array = PickledArray()
    array.take_state((1, (1,), kind, False, content))
    return array.values[0] if array.values else Stub()


def _numpy_array(*_: Any) -> PickledArray:
    return PickledArray()


def _numpy_from_buffer(content: Any, kind: Any, shape: Any, *_: Any) -> PickledArray:
    array = PickledArray()
    held = content if isinstance(content, bytes | bytearray) else b""
    array.take_state((1, shape, kind, False, held))
    return array


_ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _ordered,
    ("collections", "defaultdict"): _empty_dictionary,
    ("_codecs", "encode"): _encode,
    ("torch", "Size"): _size,
    ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_tensor,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): _meta_tensor,
    ("torch._utils", "_rebuild_sparse_tensor"): _sparse_tensor,
    ("torch._utils", "_rebuild_qtensor"): _quantised_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    ("torch.nn.parameter", "Parameter"): _rebuild_parameter,
    ("numpy", "dtype"): _numpy_type,
}
_ADMITTED |= {
    ("torch", name): value for name, value in vars(torch).items() if isinstance(value, torch.dtype)
}
_COSTS: dict[Any, int] = {_encode: 0, _plain_bytes: 0, _ordered: 0, _size: 1}
"""What copies its arguments, or makes a tensor; and how many operations each counts for beside
the size of its arguments, since one argument may be given often."""

_COSTS |= dict.fromkeys(
    (rebuild_tensor, _meta_tensor, _sparse_tensor, _quantised_tensor), _TENSOR_COST
)
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _ADMITTED[_module, "_reconstruct"] = _numpy_array
    _ADMITTED[_module, "scalar"] = _numpy_scalar
for _module in ("numpy.core.numeric", "numpy._core.numeric"):
    _ADMITTED[_module, "_frombuffer"] = _numpy_from_buffer
for _module in ("builtins", "__builtin__"):
    for _name, _kind in (("set", set), ("frozenset", frozenset)):
        _ADMITTED[_module, _name] = _collected(_kind)
    _ADMITTED[_module, "list"] = _collected(list)
    _ADMITTED[_module, "tuple"] = _collected(tuple)
    _COSTS |= {_ADMITTED[_module, _name]: 0 for _name in ("set", "frozenset", "list", "tuple")}
    _ADMITTED[_module, "dict"] = _empty_dictionary
    _ADMITTED[_module, "bytes"] = _ADMITTED[_module, "bytearray"] = _plain_bytes
    _ADMITTED[_module, "complex"] = _complex


def load(
    source: Source,
    storage: StorageOf | None = None,
    from_bytes: Callable[[bytes], Any] | None = None,
    most_operations: int = MOST_OPERATIONS,
) -> Any:
    """Return what one pickle holds; the source then stands behind it.

    Raises:
        Exception: whatever a broken file provokes.
    """
    return Unpickler(source, storage, from_bytes, most_operations).load()
