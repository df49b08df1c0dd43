"""Keras's activations by name, on maps of shape (N, C, H, W) and on whatever else there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]


def over_channels(values: Tensor) -> int:
    """Return the axis that is Keras's last: maps have their channels first here."""
    return 1 if values.dim() == 4 else -1


def linear(values: Tensor) -> Tensor:
    """Return them as they are."""
    return values


def _older_hard_sigmoid(values: Tensor) -> Tensor:
    return (0.2 * values + 0.5).clamp(0, 1)


def _softmax(values: Tensor) -> Tensor:
    return values.softmax(over_channels(values))


def _log_softmax(values: Tensor) -> Tensor:
    return values.log_softmax(over_channels(values))


_ACTIVATIONS: Mapping[str, Activation] = {
    "linear": linear,
    "relu": functional.relu,
    "relu6": functional.relu6,
    "silu": functional.silu,
    "swish": functional.silu,
    "sigmoid": torch.sigmoid,
    "hard_silu": functional.hardswish,
    "hard_swish": functional.hardswish,
    "tanh": torch.tanh,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "gelu": functional.gelu,
    "elu": functional.elu,
    "selu": functional.selu,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "exponential": torch.exp,
    "mish": functional.mish,
    "leaky_relu": lambda values: functional.leaky_relu(values, 0.2),
}


def rectified(
    maximum: float | None = None, slope: float = 0.0, threshold: float = 0.0
) -> Activation:
    """Return Keras's ReLU with its three options."""
    if threshold == 0 and slope == 0 and maximum is None:
        return functional.relu

    def apply(values: Tensor) -> Tensor:
        below = slope * (values - threshold)
        found = torch.where(values >= threshold, values, below)
        return found if maximum is None else found.clamp(max=maximum)

    return apply


def leaky(slope: float) -> Activation:
    """Return a ReLU with a slope below zero."""
    return lambda values: functional.leaky_relu(values, slope)


def exponential_linear(alpha: float) -> Activation:
    """Return ELU."""
    return lambda values: functional.elu(values, alpha)


def of_name(name: str, *, is_keras_3: bool) -> Activation | None:
    """Return the activation of a name; None where there is none of it."""
    if name == "hard_sigmoid":
        return functional.hardsigmoid if is_keras_3 else _older_hard_sigmoid
    return _ACTIVATIONS.get(name)


def name_in(described: Any) -> str | None:
    """Return the name of an activation as a layer's options give it; None for another kind."""
    if described is None:
        return "linear"
    if isinstance(described, str):
        return described
    if isinstance(described, dict) and isinstance(described.get("config"), str):
        return str(described["config"])
    return None
