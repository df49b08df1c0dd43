"""Import torchvision: also where its C++ operators cannot load, and without torch's compiler.

torchvision's Linux wheel is a CUDA build; beside a CPU-only torch its extension does not load,
and its import fails for want of two operators that classification never calls. Declaring them
first cures that. Source: pytorch/pytorch issue 157648.

One of its operators for detectors asks torch's compiler whether it may be used. Importing the
compiler takes as long as importing torch, and classification never calls that operator; so the
question is put off until somebody asks it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_COMPILER = "torch._dynamo.utils"


def torchvision_models() -> ModuleType:
    """Return ``torchvision.models``."""
    with _put_off(_COMPILER):
        try:
            return importlib.import_module("torchvision.models")
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
        for name in _OPERATORS:
            torch.library.define(f"torchvision::{name}", _SCHEMA)
        return importlib.import_module("torchvision.models")


class _PutOff(ModuleType):
    """Stands for a module whose functions import it only when they are called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **named: Any) -> Any:
            real = importlib.import_module(self.__name__)
            return getattr(real, name)(*arguments, **named)

        return call


@contextmanager
def _put_off(module: str) -> Iterator[None]:
    """Let imports of a module have its stand-in, where it is not imported already."""
    if module in sys.modules:
        yield
        return
    stand_in = sys.modules[module] = _PutOff(module)
    try:
        yield
    finally:
        if sys.modules.get(module) is stand_in:
            del sys.modules[module]
