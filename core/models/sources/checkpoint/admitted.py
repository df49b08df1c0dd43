"""What a pickle may name: functions of our own that only make values, and what each costs."""

from __future__ import annotations

import encodings.raw_unicode_escape  # noqa: F401 - of pickle's texts: no file imports it later
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from core.models.sources.checkpoint.inert import PickledArray, Stub

UnpicklingError = pickle.UnpicklingError

MOST_DIMENSIONS = 16

_LARGEST_KEY = 2**60
"""Integers above it can be made to share one hash, and a dictionary of them takes hours."""


def is_key(value: object) -> bool:
    """Return whether a value may be hashed.

    A tuple nested deep enough would end the program, and of many tuples or great integers a file
    can choose the hash.
    """
    if isinstance(value, int):
        return abs(value) < _LARGEST_KEY
    return value is None or isinstance(value, str | float | bytes | Stub | torch.dtype)


TENSOR_COST = 20
"""Cutting a tensor, and finding its storage, each take as long as this many operations."""

_TEXT_ENCODINGS = ("latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii")

_NUMPY_TYPE = re.compile(r"[<>|=]?([biufSU]\d+|\?|O8?)")

INNER_STORAGE = ("torch.storage", "_load_from_bytes")

STORAGE_KINDS = {
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


def is_side(value: object) -> bool:
    """Return whether a value is a size as memory can have it."""
    return type(value) is int and 0 <= value < 2**48


def rebuild_tensor(flat: object, offset: Any, size: Any, stride: object, *_: object) -> Any:
    """Cut a tensor from its storage; one larger than its storage keeps only its shape."""
    size, stride = _sides(size), _sides(stride)
    if not isinstance(flat, Tensor) or flat.ndim != 1:
        raise UnpicklingError("a tensor without a storage")
    if not is_side(offset) or len(size) != len(stride):
        raise UnpicklingError("a tensor without strides for its sides")
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    if 0 not in size and last >= flat.numel():
        return torch.empty(size, dtype=flat.dtype, device="meta")
    if 0 in size:
        return torch.empty(size, dtype=flat.dtype)
    # Counted from the beginning of the storage, of which a view may be given.
    return flat.as_strided(size, stride, offset + flat.storage_offset())


def _sides(value: object) -> tuple[int, ...]:
    """Return the sides or strides of a tensor.

    Raises:
        UnpicklingError: they are something else; another tensor could give any number of them.
    """
    if not isinstance(value, list | tuple) or len(value) > MOST_DIMENSIONS:
        raise UnpicklingError("a tensor without sides")
    if not all(is_side(side) for side in value):
        raise UnpicklingError("a tensor of an impossible size")
    return tuple(value)


def _rebuild_parameter(data: object, *_: object) -> object:
    return data


def _rebuild_from_type(rebuild: Any, _: object, arguments: Any, *__: object) -> object:
    make = getattr(rebuild, "__wrapped__", rebuild)
    if make is not rebuild_tensor and make is not _rebuild_parameter:
        return Stub()
    return rebuild(*arguments)


def _meta_tensor(dtype: object, size: object, *_: object) -> Tensor:
    if not isinstance(dtype, torch.dtype):
        raise UnpicklingError("a tensor of an unknown kind")
    return torch.empty(_sides(size), dtype=dtype, device="meta")


def _sparse_tensor(_: object, data: Any) -> Tensor:
    """Stand in for a sparse tensor by its kind and size; sparse parameters are refused."""
    (size,) = (part for part in data if isinstance(part, torch.Size))
    none = torch.zeros(len(size), 0, dtype=torch.int64)
    return torch.sparse_coo_tensor(none, torch.zeros(0), size, check_invariants=False)


def _quantised_tensor(_: Any, __: object, size: object, *___: object) -> Tensor:
    """Stand in for a quantised tensor by its kind and size; whole numbers are refused."""
    return torch.zeros(1, dtype=torch.int8).expand(_sides(size))


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Encode as pickles of Python 2's text do; other codecs could do more than that."""
    if encoding not in _TEXT_ENCODINGS:  # looking another one up would import it
        raise UnpicklingError("a codec that is not admitted")
    return text.encode(encoding)


def collected(kind: Callable[[Iterable[object]], object]) -> Callable[..., object]:
    """Return a maker of plain values that takes a list, never a size."""
    is_hashing = kind in (set, frozenset)

    def collect(values: object = ()) -> object:
        if not isinstance(values, list | tuple | set | frozenset):
            return kind(())
        return kind(value for value in values if not is_hashing or is_key(value))

    return collect


def _ordered(pairs: object = (), *_: object) -> OrderedDict[object, object]:
    """Make a mapping of pairs, as Python 2 wrote it."""
    made: OrderedDict[object, object] = OrderedDict()
    for pair in pairs if isinstance(pairs, list | tuple) else ():
        key, value = pair
        if is_key(key):
            made[key] = value
    return made


def plain_bytes(value: object = b"", *encoding: Any) -> bytes:
    """Return bytes, as a pickle of Python 2 or 3 makes them."""
    if isinstance(value, str):
        return _encode(value, *encoding)
    return bytes(value) if isinstance(value, bytes | bytearray | list) else b""


def complex_number(real: Any = 0.0, imaginary: Any = 0.0) -> complex:
    """Return a complex number."""
    return complex(float(real), float(imaginary))


def _size(values: object = ()) -> torch.Size:
    return torch.Size(_sides(values))


def empty_dictionary(*_: object) -> dict[object, object]:
    """Return an empty dictionary, whatever kind it was."""
    return {}


def _numpy_type(text: object, *_: object) -> Stub:
    made = Stub()
    made.state["type"] = text if isinstance(text, str) and _NUMPY_TYPE.fullmatch(text) else ""
    return made


def numpy_scalar(kind: object, content: object = b"") -> object:
    """Return the content of a scalar of numpy."""
    array = PickledArray()
    array.take_state((1, (1,), kind, False, content))
    return array.values[0] if array.values else Stub()


def network_of_method(owner: object, *name: object) -> object:
    """Return the network whose method was saved, as ``torch.save(network.state_dict)`` does."""
    is_method = name == ("state_dict",) and isinstance(owner, Stub) and owner.is_module
    return owner if is_method else Stub()


def compiled_network(original: object = None, *_: object) -> object:
    """Return the network that ``torch.compile`` was given."""
    return original if isinstance(original, Stub) else Stub()


def numpy_array(*_: object) -> PickledArray:
    """Return a stand-in for an array of numpy's."""
    return PickledArray()


def numpy_from_buffer(content: object, kind: object, shape: object, *_: object) -> PickledArray:
    """Return a stand-in for an array of numpy's with its content."""
    array = PickledArray()
    held = content if isinstance(content, bytes | bytearray) else b""
    array.take_state((1, shape, kind, False, held))
    return array


ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _ordered,
    ("collections", "defaultdict"): empty_dictionary,
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
    ("torch._dynamo.eval_frame", "OptimizedModule"): compiled_network,
    ("__builtin__", "getattr"): network_of_method,
    ("builtins", "getattr"): network_of_method,
    ("numpy", "dtype"): _numpy_type,
}

ADMITTED |= {
    ("torch", name): value for name, value in vars(torch).items() if isinstance(value, torch.dtype)
}

COSTS: dict[object, int] = {_encode: 0, plain_bytes: 0, _ordered: 0, _size: 1}
"""What copies its arguments, or makes a tensor; and how many operations each counts for beside
the size of its arguments, since one argument may be given often."""

COSTS |= dict.fromkeys(
    (rebuild_tensor, _meta_tensor, _sparse_tensor, _quantised_tensor), TENSOR_COST
)
