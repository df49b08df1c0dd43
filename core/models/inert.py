"""What stands in for the objects of a file: they keep their state and do nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

_MOST_VALUES = 100_000


class Stub:
    """Stands for an object, class or function that is not admitted.

    Attributes:
        origin: module and name of what it stands for.
        state: the attributes that its pickle carried.
        items: the elements, where it was a list.
    """

    origin: tuple[str, str] = ("", "")

    def __new__(cls, *_: Any, **__: Any) -> Stub:
        """Make one from whatever arguments the pickle gives."""
        made = super().__new__(cls)
        made.state = {}
        made.items = []
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: dict[Any, Any]
        self.items: list[Any]

    def __call__(self, *_: Any, **__: Any) -> Stub:
        """Answer a call with another stub: the function itself is not here."""
        return Stub()

    def take_state(self, state: Any) -> None:
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
        return {str(name): part for name, part in _items(held) if isinstance(part, Stub)}

    @property
    def own_tensors(self) -> dict[str, Tensor]:
        """Return a module's own parameters and buffers, without those of its parts."""
        kinds: list[Any] = [self.state] if self._is_scripted else []
        kinds += [self.state.get("_parameters"), self.state.get("_buffers")]
        return {
            str(name): value
            for kind in kinds
            for name, value in _items(kind)
            if isinstance(value, Tensor)
        }

    def modules(self) -> Iterator[tuple[str, Stub]]:
        """Yield a network and all its parts with their dotted names, "" first."""
        waiting: list[tuple[str, Stub]] = [("", self)]
        seen: set[int] = set()
        while waiting:
            name, module = waiting.pop(0)
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            start = f"{name}." if name else ""
            waiting += [(f"{start}{inner}", part) for inner, part in module.parts.items()]

    def parameters(self) -> dict[str, Tensor]:
        """Return the state dict of a network."""
        return {
            f"{name}.{key}" if name else key: tensor
            for name, module in self.modules()
            for key, tensor in module.own_tensors.items()
        }

    @property
    def _is_scripted(self) -> bool:
        """Return whether it is of a TorchScript archive, whose parts are plain attributes."""
        return self.origin[0].startswith("__torch__")


class PickledArray(Stub):
    """Stands for a NumPy array, of which text and numbers are read.

    Attributes:
        values: the elements in order; empty where they are something else.
    """

    @property
    def values(self) -> list[Any]:
        """Return the elements as plain values."""
        return self.items

    def take_state(self, state: Any) -> None:
        """Read the elements from the array's bytes."""
        if not isinstance(state, tuple) or len(state) != 5:
            return
        _, _, kind, _, content = state
        text = kind.state.get("type", "") if isinstance(kind, Stub) else ""
        if isinstance(content, list):
            self.items = content[:_MOST_VALUES]
        elif isinstance(content, bytes | bytearray) and text and "O" not in text:
            with contextlib.suppress(ValueError, TypeError):  # a size that does not fit
                array = np.frombuffer(content, dtype=np.dtype(text))
                self.items = array[:_MOST_VALUES].tolist()


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
