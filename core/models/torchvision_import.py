"""Import torchvision: also where its C++ operators cannot load, and without torch's compiler.

torchvision's Linux wheel is a CUDA build; beside a CPU-only torch its extension does not load,
and its import fails for want of two operators that classification never calls. Declaring them
first cures that. Source: pytorch/pytorch issue 157648.

One of its operators for detectors imports torch's compiler to ask whether it may be used;
classification never calls that operator.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

from core.models.compiler import without_compiler

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")


def torchvision_models() -> ModuleType:
    """Return ``torchvision.models``."""
    with without_compiler():
        try:
            return importlib.import_module("torchvision.models")
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
        for name in _OPERATORS:
            torch.library.define(f"torchvision::{name}", _SCHEMA)
        return importlib.import_module("torchvision.models")


def torchvision_version() -> str:
    """Return torchvision's version."""
    torchvision_models()
    version: str = sys.modules["torchvision"].__version__
    return version
