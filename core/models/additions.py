"""Residual blocks of networks that bring their own graph, whose layers are its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class WeightedStep:
    """A convolution or a linear layer on a residual path.

    Attributes:
        layer: its name.
        kernel: (height, width); None of a linear layer.
        inputs: how many channels.
        outputs: how many channels.
        groups: of channels.
        stride: of the convolution.
    """

    layer: str
    kernel: tuple[int, int] | None
    inputs: int
    outputs: int
    groups: int = 1
    stride: int = 1


@dataclass(frozen=True)
class Addition:
    """A step that adds both paths of a residual block, all by the names of their layers.

    Attributes:
        layer: the step itself; it gives the sum.
        kind: its operator.
        input: gives what goes into both paths.
        residual: gives F(x).
        shortcut: gives what is added to it.
        output: gives what leaves the block: the sum, or an activation right behind it.
        is_projection: whether the shortcut is computed from the input, not the input itself.
        is_of_square_maps: whether only the two equal sides of a map say where its channels stand.
        steps: on the residual path, in order.
    """

    layer: str
    kind: str
    input: str
    residual: str
    shortcut: str
    output: str
    is_projection: bool
    is_of_square_maps: bool
    steps: tuple[WeightedStep, ...]


@runtime_checkable
class _WithAdditions(Protocol):
    additions: tuple[Addition, ...]


def additions_of(network: nn.Module) -> tuple[Addition, ...]:
    """Return the additions that a network knows of, in order; () of torch's own networks."""
    return network.additions if isinstance(network, _WithAdditions) else ()
