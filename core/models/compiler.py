"""Keep torch's compiler from being imported by code that only asks whether it is in use.

Importing it takes as long as importing torch, holds the interpreter meanwhile, and Droplens
compiles nothing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_COMPILER = ("torch._dynamo", "torch._dynamo.utils")


@contextmanager
def without_compiler() -> Iterator[None]:
    """Let imports of the compiler have a stand-in, where it is not imported already.

    The stand-in knows how to switch the compiler off for a function, which it is anyway;
    whoever wants anything else of it gets the real one.
    """
    absent = [name for name in _COMPILER if name not in sys.modules]
    stand_ins = {name: _StandIn(name) for name in absent}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


class _StandIn(ModuleType):
    """Stands for a module whose functions import it when they are called."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _as_it_is if name == "disable" else _Late(self, name)


class _Late:
    """A function of a module that is imported when it is called."""

    def __init__(self, stand_in: ModuleType, name: str) -> None:
        self._stand_in, self._name = stand_in, name

    def __call__(self, *arguments: object, **named: object) -> object:
        module = self._stand_in.__name__
        for name in _COMPILER:
            if isinstance(sys.modules.get(name), _StandIn):
                del sys.modules[name]
        return getattr(importlib.import_module(module), self._name)(*arguments, **named)


def _as_it_is(function: object, *_: object, **__: object) -> object:
    return function
