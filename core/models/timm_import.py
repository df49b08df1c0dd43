"""Import timm, which builds networks that torchvision does not provide; it never gets weights."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from core.models.compiler import without_compiler
from core.models.torchvision_import import torchvision_models

if TYPE_CHECKING:
    from torch import nn


def timm_models() -> ModuleType:
    """Return ``timm``, which costs a third of a second after torch."""
    torchvision_models()  # timm imports torchvision, which needs a cure of its own
    with without_compiler():
        return importlib.import_module("timm")


def build_timm(architecture: str, **options: object) -> nn.Module:
    """Return timm's network of this name, untrained.

    Args:
        architecture: timm's name, without a tag of pretrained weights.
        options: of its builder, e.g. ``num_classes``.
    """
    network: nn.Module = timm_models().create_model(architecture, pretrained=False, **options)
    return network
