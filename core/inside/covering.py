"""Evidence by covering parts of the photo, for networks that give neither gradients nor maps.

Each place is blurred in turn; what a class loses by that, the place spoke for. Nothing is needed
but passes of the network, whatever it is made of.

Source: occlusion sensitivity, Zeiler and Fergus, ECCV 2014, arXiv:1311.2901.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.inside.class_activation import ClassActivation
from core.inside.passes import timed_pass
from core.values.spec import Outputs

_CELLS = 12
"""Of the map, a side; a photo of fewer pixels has as many."""

_COVERED_CELLS = 3
"""A side of what is covered at a time."""


@dataclass(frozen=True)
class _Axis:
    """One side of the photo, divided into cells."""

    side_px: int

    @property
    def cells(self) -> int:
        return min(_CELLS, self.side_px)

    @property
    def covered(self) -> int:
        return min(_COVERED_CELLS, self.cells)

    @property
    def places(self) -> range:
        """Return the first cell of each place."""
        return range(self.cells - self.covered + 1)

    @property
    def blurs(self) -> int:
        """Return how many colours are left of it where it is blurred."""
        return max(1, self.cells // 2)

    def pixels(self, place: int) -> slice:
        """Return the pixels of a place."""
        ends = (place, place + self.covered)
        begin, end = (round(cell * self.side_px / self.cells) for cell in ends)
        return slice(begin, end)


def cover(
    network: nn.Module, inputs: Tensor, classes: Sequence[int], outputs: Outputs = "softmax"
) -> Iterator[ClassActivation]:
    """Yield where the evidence for classes lies, ever finer, after each few places.

    Args:
        network: in evaluation mode; only run.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
        classes: class indices.
        outputs: what the network's outputs are. Of one class of several it is the logarithm of
            the probability that counts, since their logits often fall all together; else the
            output as it is.
    """
    chosen = list(classes)
    high, wide = (_Axis(side) for side in inputs.shape[2:])
    blurred = _blurred(inputs, high, wide)[0]
    falls = torch.zeros(len(chosen), high.cells, wide.cells)
    counts = torch.zeros(high.cells, wide.cells)
    logits, at_a_time = timed_pass(network, inputs)
    before = _worth(logits, outputs)[:, chosen]
    places = _in_turn(high, wide)
    for begin in range(0, len(places), at_a_time):
        group = places[begin : begin + at_a_time]
        photos = inputs.repeat(len(group), 1, 1, 1)
        for photo, (row, column) in zip(photos, group, strict=True):
            part = (..., high.pixels(row), wide.pixels(column))
            photo[part] = blurred[part]
        with torch.no_grad():
            lost = before - _worth(network(photos), outputs)[:, chosen]
        for loss, (row, column) in zip(lost, group, strict=True):
            cells = (..., slice(row, row + high.covered), slice(column, column + wide.covered))
            falls[cells] += loss[:, None, None]
            counts[cells] += 1
        yield ClassActivation(
            classes=tuple(chosen),
            method="covering",
            layer="",
            maps=(falls / counts.clamp(min=1)).numpy(),
            logits=logits[0, chosen].float().cpu().numpy(),
            passes=(begin + len(group), len(places)),
        )


def _blurred(inputs: Tensor, high: _Axis, wide: _Axis) -> Tensor:
    """Return photos of which the mean colours are left, of some two cells each way."""
    few = functional.adaptive_avg_pool2d(inputs, (high.blurs, wide.blurs))
    return functional.interpolate(few, inputs.shape[2:], mode="bilinear", align_corners=False)


def _worth(logits: Tensor, outputs: Outputs) -> Tensor:
    """Return what classes lose or gain of, shape (N, K), on the CPU."""
    is_shared = outputs == "softmax" and logits.shape[1] > 1
    values = logits.float().cpu()
    return values.log_softmax(1) if is_shared else values


def _in_turn(high: _Axis, wide: _Axis) -> list[tuple[int, int]]:
    """Return all places, those first that lie side by side over the whole photo."""
    places = [(row, column) for row in high.places for column in wide.places]
    return sorted(places, key=lambda place: (place[0] % high.covered, place[1] % wide.covered))
