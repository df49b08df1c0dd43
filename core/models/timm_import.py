"""Import timm, which builds networks that torchvision does not provide; it never gets weights."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from core.models.compiler import without_compiler
from core.models.torchvision_import import torchvision_models

if TYPE_CHECKING:
    from torch import nn

_HUB = "huggingface_hub"


def timm_models() -> ModuleType:
    """Return ``timm``, which costs a third of a second after torch."""
    torchvision_models()  # timm imports torchvision, which needs a cure of its own
    with without_compiler(), _without_hub():
        import timm  # a statement, which the installers' packer follows

    module: ModuleType = timm
    return module


@contextmanager
def _without_hub() -> Iterator[None]:
    """Let timm find no client of the hub, which it can do without: nothing can ask the network."""
    if "timm" in sys.modules:
        yield
        return
    held = sys.modules.get(_HUB)
    sys.modules[_HUB] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_HUB]
        if held is not None:
            sys.modules[_HUB] = held


def build_timm(architecture: str, **options: object) -> nn.Module:
    """Return timm's network of this name, untrained.

    Args:
        architecture: timm's name, without a tag of pretrained weights.
        options: of its builder, e.g. ``num_classes``.
    """
    network: nn.Module = timm_models().create_model(architecture, pretrained=False, **options)
    return network
