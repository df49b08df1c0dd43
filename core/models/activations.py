"""Activations for which torch has no class of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn


class QuickGELU(nn.Module):
    """A GELU by way of the logistic function. Source: arXiv:1606.08415, section 2."""

    def forward(self, values: Tensor) -> Tensor:
        """Return values of the same shape."""
        return values * torch.sigmoid(1.702 * values)


class TanhGELU(nn.GELU):
    """A GELU by way of the hyperbolic tangent. Source: arXiv:1606.08415, section 2."""

    def __init__(self) -> None:
        super().__init__(approximate="tanh")


OWN_ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "QuickGELU": QuickGELU,
    "TanhGELU": TanhGELU,
}
