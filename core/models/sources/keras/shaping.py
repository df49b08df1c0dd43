"""Keras's layers without parameters as modules of torch, under Keras's names.

Maps stand as in ``modules``.
"""

from __future__ import annotations

import functools
import operator

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.models.sources.keras.activations import Activation
from core.models.sources.keras.modules import (
    MisfitError,
    Pair,
    Sides,
    channels_first,
    channels_last,
    same_padding,
    size_of,
)


class Activation_(nn.Module):  # noqa: N801 - shown under Keras's name, which the type has here
    """An activation."""

    def __init__(self, activation: Activation) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, values: Tensor) -> Tensor:
        """Return the values."""
        return self.activation(values)


Activation_.__name__ = Activation_.__qualname__ = "Activation"


class Dropout(nn.Identity):
    """Whatever does something in training alone."""


class MaxPooling2D(nn.Module):
    """The greatest value of each window."""

    def __init__(self, window: Pair, stride: Pair, is_same: bool) -> None:
        super().__init__()
        self._window, self._stride, self._is_same = window, stride, is_same

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        size = size_of(maps)
        if self._is_same:
            sides = same_padding(size, self._window, self._stride)
            maps = functional.pad(maps, sides, value=float("-inf")) if any(sides) else maps
        return functional.max_pool2d(maps, self._window, self._stride)


class AveragePooling2D(MaxPooling2D):
    """The mean of each window; what was padded does not count."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        size = size_of(maps)
        sides = same_padding(size, self._window, self._stride) if self._is_same else (0, 0, 0, 0)
        if not any(sides):
            return functional.avg_pool2d(maps, self._window, self._stride)
        there = functional.pad(maps.new_ones(1, 1, *size), sides)
        sums = functional.avg_pool2d(functional.pad(maps, sides), self._window, self._stride)
        return sums / functional.avg_pool2d(there, self._window, self._stride)


class GlobalAveragePooling2D(nn.Module):
    """The mean of each map."""

    def __init__(self, keeps_sides: bool) -> None:
        super().__init__()
        self._keeps_sides = keeps_sides

    def forward(self, maps: Tensor) -> Tensor:
        """Return a value a channel."""
        size_of(maps)
        return maps.mean((2, 3), keepdim=self._keeps_sides)


class GlobalMaxPooling2D(GlobalAveragePooling2D):
    """The greatest value of each map."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return a value a channel."""
        size_of(maps)
        return maps.amax((2, 3), keepdim=self._keeps_sides)


class Flatten(nn.Module):
    """All values in a row, in Keras's order: row by row, and of each place its channels."""

    def forward(self, values: Tensor) -> Tensor:
        """Return a vector."""
        return channels_last(values).flatten(1)


class Reshape(nn.Module):
    """The same values in another shape, in Keras's order."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._shape = shape

    def forward(self, values: Tensor) -> Tensor:
        """Return them."""
        return channels_first(channels_last(values).reshape(values.shape[0], *self._shape))


class Permute(nn.Module):
    """The axes in another order."""

    def __init__(self, order: tuple[int, ...]) -> None:
        super().__init__()
        self._order = order

    def forward(self, values: Tensor) -> Tensor:
        """Return the values."""
        return channels_first(channels_last(values).permute(0, *self._order))


class ZeroPadding2D(nn.Module):
    """Zeros around the maps, or with numbers below zero less of them."""

    def __init__(self, sides: Sides) -> None:
        super().__init__()
        self._sides = sides

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        size_of(maps)
        return functional.pad(maps, self._sides)


class Cropping2D(ZeroPadding2D):
    """Less of the maps."""


class UpSampling2D(nn.Module):
    """Maps so many times as large."""

    def __init__(self, factor: Pair, mode: str) -> None:
        super().__init__()
        self._factor, self._mode = factor, mode

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        height, width = size_of(maps)
        return _resized(maps, (height * self._factor[0], width * self._factor[1]), self._mode)


class Resizing(nn.Module):
    """Maps of a given size, without antialiasing, as TensorFlow resizes."""

    def __init__(self, size: Pair, mode: str) -> None:
        super().__init__()
        self._target, self._mode = size, mode

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        return maps if size_of(maps) == self._target else _resized(maps, self._target, self._mode)


def _resized(maps: Tensor, size: Pair, mode: str) -> Tensor:
    if mode == "nearest":
        return functional.interpolate(maps, size, mode="nearest-exact")
    return functional.interpolate(maps, size, mode="bilinear", align_corners=False)


class SliceChannels(nn.Module):
    """Some of the channels, or one of them alone, or all the other way round."""

    def __init__(self, wanted: slice | int) -> None:
        super().__init__()
        self._wanted = wanted

    def forward(self, values: Tensor) -> Tensor:
        """Return them."""
        values = channels_last(values)
        if isinstance(self._wanted, int):
            return values[..., self._wanted]
        start, stop, step = self._wanted.indices(values.shape[-1])
        chosen = torch.tensor(range(start, stop, step), dtype=torch.long, device=values.device)
        return channels_first(values.index_select(-1, chosen))


class Stack(nn.Module):
    """Several tensors as one of another dimension."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self._axis = axis

    def forward(self, *values: Tensor) -> Tensor:
        """Return it."""
        return channels_first(torch.stack([channels_last(one) for one in values], self._axis))


class Mean(nn.Module):
    """The mean over the height and width."""

    def __init__(self, keeps_sides: bool) -> None:
        super().__init__()
        self._keeps_sides = keeps_sides

    def forward(self, maps: Tensor) -> Tensor:
        """Return a value a channel."""
        size_of(maps)
        return maps.mean((2, 3), keepdim=self._keeps_sides)


# Layers of several inputs; each may be numbers, too


class Merge(nn.Module):
    """Base of those that take all inputs value by value."""

    def forward(self, *values: Tensor) -> Tensor:
        """Return one tensor."""
        return self.merge(_aligned(values))

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return one tensor of several that can be laid on each other."""
        raise NotImplementedError


class Add(Merge):
    """The sum."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        return functools.reduce(operator.add, values)


class Subtract(Merge):
    """The difference."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        first, second = values
        return first - second


class Multiply(Merge):
    """The product."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        return functools.reduce(operator.mul, values)


class Divide(Merge):
    """The quotient."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        first, second = values
        return first / second


class Average(Merge):
    """The mean."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        return functools.reduce(operator.add, values) / len(values)


class Maximum(Merge):
    """The greatest."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        return functools.reduce(torch.maximum, values)


class Minimum(Merge):
    """The least."""

    def merge(self, values: list[Tensor]) -> Tensor:
        """Return it."""
        return functools.reduce(torch.minimum, values)


class Concatenate(nn.Module):
    """One after the other along an axis of Keras's."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self._axis = axis

    def forward(self, *values: Tensor) -> Tensor:
        """Return one tensor."""
        rank = values[0].dim()
        axis = self._axis % rank
        if axis == 0 or any(one.dim() != rank for one in values):
            raise MisfitError
        if rank == 4:
            axis = (0, 2, 3, 1)[axis]
        return torch.cat(values, axis)


def _aligned(values: tuple[Tensor, ...]) -> list[Tensor]:
    """Return tensors whose channels meet: numbers a channel, and vectors beside maps."""
    rank = max(one.dim() for one in values)
    if rank != 4:
        return list(values)
    found = []
    for one in values:
        if one.dim() == 1:
            one = one.reshape(-1, 1, 1)
        elif one.dim() == 2:
            one = one[:, :, None, None]
        elif one.dim() == 3:
            raise MisfitError
        found.append(one)
    return found
