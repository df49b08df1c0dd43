"""Import torchvision, also where its C++ operators cannot load.

torchvision's Linux wheel is a CUDA build; beside a CPU-only torch its extension does not load,
and its import fails for want of two operators that classification never calls. Declaring them
first cures that. Source: pytorch/pytorch issue 157648.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")


def torchvision_models() -> ModuleType:
    """Return ``torchvision.models``."""
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in _OPERATORS:
        torch.library.define(f"torchvision::{name}", _SCHEMA)
    return importlib.import_module("torchvision.models")
