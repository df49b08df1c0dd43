"""How many passes of a network make one step, between which it answers others."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

_STEP_SECONDS = 0.25
"""That a click may have to wait."""

_MOST = 5


def timed_pass(network: nn.Module, inputs: Tensor) -> tuple[Tensor, int]:
    """Return what a network gives without gradients, and how many such passes make one step.

    Args:
        network: in evaluation mode; only run.
        inputs: preprocessed, float32, shape (1, C, H, W), on the network's device.
    """
    begun = time.perf_counter()
    with torch.no_grad():
        outputs: Tensor = network(inputs)
    seconds = time.perf_counter() - begun
    return outputs, max(1, min(_MOST, int(_STEP_SECONDS / max(seconds, 1e-3))))
