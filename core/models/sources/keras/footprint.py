"""What one photo costs in a network that a file has described, before anything is computed."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from core.models.compiler import without_compiler
from core.models.footprint import LARGEST_STEP_BYTES, TooLargeError

_MOST_CALLS = 3000
"""NASNet, which has the most layers of Keras's own networks, runs some 1,100."""
_MOST_MULTIPLY_ADDS = 200 * 10**9
"""EfficientNet-B7, which takes photos of 600×600 pixels, needs 38 thousand million."""


class Footprint:
    """Lets shapes alone go through a network.

    Args:
        network: on the meta device, in evaluation mode.

    Attributes:
        output_shape: of the network.
        shapes: of what each module gave last.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._names = {module: name for name, module in network.named_modules()}
        self._calls = self._held_bytes = self._multiply_adds = 0
        self._alive: set[int] = set()
        self._begun: list[nn.Module] = []
        self.output_shape: tuple[int, ...] = ()
        self.shapes: dict[nn.Module, tuple[int, ...]] = {}

    def measure(self, channels: int, size: tuple[int, int]) -> None:
        """Run one photo.

        Args:
            channels: of the input.
            size: its height and width.

        Raises:
            TooLargeError: it takes more memory or time than any classifier needs.
            Exception: of many types, where the layers do not fit each other; ``failed_in`` says
                which does not.
        """
        with ExitStack() as hooks, torch.no_grad(), without_compiler():
            for module in self._names:
                hooks.enter_context(module.register_forward_pre_hook(self._begin))
                hooks.enter_context(module.register_forward_hook(self._end))
            output = self._network(torch.empty(1, channels, *size, device="meta"))
        self.output_shape = tuple(output.shape)

    @property
    def failed_in(self) -> str:
        """Return the dotted name of the layer that was being run."""
        return self._names[self._begun[-1]] if self._begun else ""

    def _begin(self, module: nn.Module, _: object) -> None:
        self._begun.append(module)
        self._calls += 1
        if self._calls > _MOST_CALLS:
            raise TooLargeError(self._names[module], self._held_bytes)

    def _end(self, module: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
        self._begun.pop()
        self.shapes[module] = tuple(output.shape)
        self._hold(output)
        if not any(True for _ in module.children()):
            step = output.nbytes + sum(one.nbytes for one in given if isinstance(one, Tensor))
            self._multiply_adds += _multiply_adds(module, output)
            if max(step, self._held_bytes) > LARGEST_STEP_BYTES:
                raise TooLargeError(self._names[module], max(step, self._held_bytes))
            if self._multiply_adds > _MOST_MULTIPLY_ADDS:
                raise TooLargeError(self._names[module], max(step, self._held_bytes))

    def _hold(self, output: Tensor) -> None:
        """Count an output for as long as anything holds it."""
        number, size = id(output), output.nbytes
        if number not in self._alive:
            self._alive.add(number)
            self._held_bytes += size
            weakref.finalize(output, self._let_go, number, size)

    def _let_go(self, number: int, size: int) -> None:
        self._alive.discard(number)
        self._held_bytes -= size


def _multiply_adds(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, nn.Conv2d | nn.Linear):
        return output.numel() * (module.weight.numel() // max(1, module.weight.shape[0]))
    return output.numel()
