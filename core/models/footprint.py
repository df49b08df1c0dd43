"""Estimate what one pass of a network takes, before anything of it is computed."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from core.models.compiler import without_compiler

LARGEST_STEP_BYTES = 2**30
"""Inputs and outputs of one layer, for one photo; torchvision's own networks stay below a fifth."""


class TooLargeError(Exception):
    """A layer takes more memory than any classifier needs.

    Attributes:
        layer: its dotted name.
        size_bytes: of its inputs and outputs.
    """

    def __init__(self, layer: str, size_bytes: int) -> None:
        super().__init__(layer, size_bytes)
        self.layer, self.size_bytes = layer, size_bytes


def check_footprint(network: nn.Module, channels: int, input_size: tuple[int, int]) -> None:
    """Let shapes alone go through a network.

    Args:
        network: left as it is; its values are not read.
        channels: of its input.
        input_size: (height, width) of its input.

    Raises:
        TooLargeError: for one photo a layer takes more than ``LARGEST_STEP_BYTES``.
        Exception: of many types, where the layers do not fit each other.
    """
    shapes = copy.deepcopy(network).to("meta").eval()
    handles = [
        module.register_forward_hook(_checking(name))
        for name, module in shapes.named_modules()
        if not any(True for _ in module.children())
    ]
    try:
        with torch.no_grad(), without_compiler():
            shapes(torch.empty(1, channels, *input_size, device="meta"))
    finally:
        for handle in handles:
            handle.remove()


def _checking(name: str) -> object:
    def check(_: nn.Module, inputs: Any, output: Any) -> None:
        values = (*inputs, *(output if isinstance(output, tuple) else (output,)))
        size = sum(one.nbytes for one in values if isinstance(one, Tensor))
        if size > LARGEST_STEP_BYTES:
            raise TooLargeError(name, size)

    return check
