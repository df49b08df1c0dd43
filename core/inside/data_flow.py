"""The way of the data through a network: which step takes the output of which, in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NETWORK = -1
"""Stands for the network itself among the calls that a step happens in."""


@dataclass(frozen=True)
class Step:
    """A call of a layer, or something computed between layers.

    Attributes:
        layer: dotted name; "" of what is no layer.
        call: which of the layer's calls it is, from 1; 0 of what is no layer.
        operation: "" of a layer, else what is computed, e.g. "add"; "input" and "output" are the
            network's own.
        scope: place of the call that it happens in, or ``NETWORK``.
        sources: places of the steps whose outputs it takes, each once; those of a call with steps
            inside are what it is given.
        shape: of what it gives, the batch included; () where that is no tensor.
    """

    layer: str
    call: int
    operation: str
    scope: int
    sources: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class DataFlow:
    """All steps of one pass.

    Attributes:
        steps: in order of execution, a call before what happens in it. The first is the input.
    """

    steps: tuple[Step, ...] = ()

    @property
    def groups(self) -> frozenset[int]:
        """Return the places of calls that others happen in."""
        return frozenset(step.scope for step in self.steps) - {NETWORK}

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Return from which step to which data go, calls with steps inside left out."""
        groups = self.groups
        return tuple(
            (source, at)
            for at, step in enumerate(self.steps)
            if at not in groups
            for source in step.sources
        )


@dataclass(frozen=True)
class Strengths:
    """How strong a photo makes each step of a data flow.

    Attributes:
        maps: root mean square over the channels at each place, float32, shape (h, w), at most
            64 wide and high, one a step; None where its output has no image's layout.
        energies: of the inputs of a sum, in the order of its sources: their squares added up; by
            the place of the step.
    """

    maps: tuple[npt.NDArray[np.float32] | None, ...]
    energies: Mapping[int, tuple[float, ...]]
