"""Unpickle without running anything: what is not on a short list becomes an inert stub.

``torch.load`` takes this module as its ``pickle_module``. Tensors are rebuilt, plain containers
stand as they are, and every other class or function of the file is replaced by ``Stub``, which
keeps what it was given and does nothing. Nothing outside the list is imported, ever.
"""

from __future__ import annotations

import argparse
import codecs
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from typing import IO, Any

import torch
from torch import Tensor

UnpicklingError = pickle.UnpicklingError
_TENSOR_DTYPES = tuple(name for name in dir(torch) if isinstance(getattr(torch, name), torch.dtype))


class Stub:
    """Stands for an object, class or function that is not admitted.

    Attributes:
        origin: module and name of what it stands for.
        state: the attributes that its pickle carried.
    """

    origin: tuple[str, str] = ("", "")
    dump_patches = False  # asked by torch of networks in its old format; True would write a file

    def __new__(cls, *_: Any, **__: Any) -> Stub:
        """Make one from whatever arguments the pickle gives."""
        made = super().__new__(cls)
        made.state = {}
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: dict[Any, Any]

    def __call__(self, *_: Any, **__: Any) -> Stub:
        """Answer a call with another stub: the function itself is not here."""
        return Stub()

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.state.update(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.state[key] = value

    def append(self, _: Any) -> None:
        """Take an element, as a list would."""

    def extend(self, _: Iterable[Any]) -> None:
        """Take elements, as a list would."""

    def add(self, _: Any) -> None:
        """Take an element, as a set would."""


def _rebuild_tensor(
    storage: Any, offset: int, size: Iterable[int], stride: Iterable[int], *_: Any
) -> Tensor:
    rebuild: Any = torch._utils._rebuild_tensor
    made: Tensor = rebuild(storage, offset, size, stride)
    return made


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    return data


def _meta_tensor(dtype: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    return torch.empty_strided(size, stride, dtype=dtype, device="meta")


def _sparse_tensor(_: Any, data: Any) -> Tensor:
    """Stand in for a sparse tensor by its kind and size; sparse parameters are refused."""
    (size,) = (part for part in data if isinstance(part, torch.Size))
    none = torch.zeros(len(size), 0, dtype=torch.int64)
    return torch.sparse_coo_tensor(none, torch.zeros(0), size)


def _quantised_tensor(_: Any, __: Any, size: Any, *___: Any) -> Tensor:
    """Stand in for a quantised tensor by its kind and size; whole numbers are refused."""
    return torch.zeros(1, dtype=torch.int8).expand(tuple(size))


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Encode as pickles of Python 2's text do; other codecs could do more than that."""
    if codecs.lookup(encoding).name not in ("iso8859-1", "utf-8", "ascii"):
        raise UnpicklingError("a codec that is not admitted")
    return text.encode(encoding)


_ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): lambda *_: defaultdict(None),
    ("argparse", "Namespace"): argparse.Namespace,
    ("_codecs", "encode"): _encode,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("torch", "Tensor"): torch.Tensor,
    ("torch", "UntypedStorage"): torch.UntypedStorage,
    ("torch.storage", "UntypedStorage"): torch.UntypedStorage,
    ("torch.storage", "TypedStorage"): torch.TypedStorage,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): _meta_tensor,
    ("torch._utils", "_rebuild_sparse_tensor"): _sparse_tensor,
    ("torch._utils", "_rebuild_qtensor"): _quantised_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
}
_ADMITTED |= {("torch", name): getattr(torch, name) for name in _TENSOR_DTYPES}
_ADMITTED |= {
    (module, kind.__name__): kind
    for module in ("builtins", "__builtin__")
    for kind in (dict, list, tuple, set, frozenset, int, float, bool, str, bytes, complex)
}


class Unpickler(pickle.Unpickler):
    """Admits what rebuilds tensors and plain containers; the rest becomes stubs."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the admitted object or a new kind of stub; import nothing."""
        admitted = _ADMITTED.get((module, name))
        if admitted is not None:
            return admitted
        return type("Stub", (Stub,), {"origin": (module, name)})


def load(file: IO[bytes], **options: Any) -> Any:
    """Return what one pickle holds; ``torch.load`` calls this for old formats."""
    return Unpickler(file, **options).load()


def is_module(stub: Stub) -> bool:
    """Return whether a stub stands for a network: it has parameters or parts."""
    return any(isinstance(stub.state.get(key), dict) for key in ("_parameters", "_modules"))


def parameters_of(stub: Stub) -> dict[str, Tensor]:
    """Return the state dict of a stub that stands for a network.

    Args:
        stub: of a pickled ``nn.Module``; its parts stand in its ``_modules``.
    """
    found: dict[str, Tensor] = {}
    waiting: list[tuple[str, Stub]] = [("", stub)]
    seen: set[int] = set()
    while waiting:
        prefix, module = waiting.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        for kind in ("_parameters", "_buffers"):
            for name, tensor in _items(module.state.get(kind)):
                if isinstance(tensor, Tensor):
                    found[f"{prefix}{name}"] = tensor
        for name, part in _items(module.state.get("_modules")):
            if isinstance(part, Stub):
                waiting.append((f"{prefix}{name}.", part))
    return found


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, dict) else ()
