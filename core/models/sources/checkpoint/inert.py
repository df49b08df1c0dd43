"""What stands in for the objects of a file: they keep their state and do nothing."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

_MOST_VALUES = 100_000
_MOST_MODULES = 5_000
_MOST_PARAMETERS = 20_000
_DEEPEST = 50
"""Modules in modules; the names of a deeper network would fill the memory."""


class Stub:
    """Stands for an object, class or function that is not admitted.

    Attributes:
        origin: module and name of what it stands for.
        state: the attributes that its pickle carried.
        items: the elements, where it was a list.
    """

    origin: tuple[str, str] = ("", "")

    def __new__(cls, *_: object, **__: object) -> Stub:
        """Make one from whatever arguments the pickle gives."""
        made = super().__new__(cls)
        made.state = {}
        made.items = []
        return made

    def __init__(self, *_: object, **__: object) -> None:
        self.state: dict[object, Any]
        self.items: list[Any]

    def __call__(self, *_: Any, **__: object) -> Stub:
        """Answer a call with another stub: the function itself is not here."""
        return Stub()

    def take_state(self, state: object) -> None:
        """Keep the attributes that a pickle gives."""
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.state.update(part)

    @property
    def is_module(self) -> bool:
        """Return whether it stands for a network or a part of one."""
        return self._is_scripted or any(
            isinstance(self.state.get(key), dict) for key in ("_parameters", "_modules")
        )

    @property
    def parts(self) -> dict[str, Stub]:
        """Return the parts of a network by name, in their order."""
        held = self.state if self._is_scripted else self.state.get("_modules")
        return {name: part for name, part in _items(held) if isinstance(part, Stub)}

    @property
    def own_tensors(self) -> dict[str, Tensor]:
        """Return a module's own parameters and buffers, without those of its parts."""
        kinds: list[object] = [self.state] if self._is_scripted else []
        kinds += [self.state.get("_parameters"), self.state.get("_buffers")]
        return {
            name: value
            for kind in kinds
            for name, value in _items(kind)
            if isinstance(value, Tensor)
        }

    def modules(self) -> Iterator[tuple[str, Stub]]:
        """Yield a network and all its parts with their dotted names, "" first.

        A part that stands at two places is yielded at both, as in a state dict; one that
        stands in itself is not followed.
        """
        waiting: list[tuple[str, Stub, frozenset[int]]] = [("", self, frozenset())]
        for _ in range(_MOST_MODULES):
            if not waiting:
                return
            name, module, above = waiting.pop()
            yield name, module
            start = f"{name}." if name else ""
            if len(above) >= _DEEPEST:
                continue
            around = above | {id(module)}
            waiting += [
                (f"{start}{inner}", part, around)
                for inner, part in reversed(module.parts.items())
                if id(part) not in around
            ]

    def parameters(self) -> dict[str, Tensor]:
        """Return the state dict of a network."""
        named = (
            (f"{name}.{key}" if name else key, tensor)
            for name, module in self.modules()
            for key, tensor in module.own_tensors.items()
        )
        return dict(itertools.islice(named, _MOST_PARAMETERS))

    @property
    def _is_scripted(self) -> bool:
        """Return whether it is of a TorchScript archive, whose parts are plain attributes."""
        return self.origin[0].startswith("__torch__")


class PickledArray(Stub):
    """Stands for a NumPy array, of which text and numbers are read."""

    @property
    def values(self) -> list[object]:
        """Return the elements in order as plain values; none where they are something else."""
        kind, content = self.state.get("kind"), self.state.get("content")
        text = kind.state.get("type", "") if isinstance(kind, Stub) else ""
        if isinstance(content, list):
            return content[:_MOST_VALUES]
        if isinstance(content, bytes | bytearray) and text and "O" not in text:
            with contextlib.suppress(ValueError, TypeError):  # a size that does not fit
                found: list[object] = np.frombuffer(content, np.dtype(text))[:_MOST_VALUES].tolist()
                return found
        return []

    def take_state(self, state: object) -> None:
        """Keep the array's kind and bytes; they are read when somebody asks."""
        if isinstance(state, tuple) and len(state) == 5:
            self.state |= {"kind": state[2], "content": state[4]}


def _items(value: object) -> list[tuple[str, object]]:
    held = value.items() if isinstance(value, dict) else ()
    return [(name, one) for name, one in held if isinstance(name, str)]
