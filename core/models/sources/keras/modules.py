"""Keras's layers as modules of torch, under Keras's names.

Tensors of four dimensions are maps, (N, C, H, W); all others stand as Keras has them. Options are
checked before a module is made; what does not fit the tensors given ends in torch's own errors.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.models.sources.keras.activations import Activation, linear, over_channels

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
"""Pixels before and after the width, then before and after the height, as torch pads."""


class MisfitError(ValueError):
    """A layer is given what it cannot take."""


def same_padding(size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Sides:
    """Return TensorFlow's padding "same", of which the odd pixel comes after.

    Args:
        size: height and width of the input, as all pairs.
        kernel: of the layer.
        stride: of the layer.
        dilation: of the layer.

    Source: tensorflow.org/api_docs/python/tf/nn, "Notes on padding".
    """
    found = []
    for side, width, step, spread in zip(size, kernel, stride, dilation, strict=True):
        steps = -(-side // step)
        missing = max((steps - 1) * step + (width - 1) * spread + 1 - side, 0)
        found += [missing // 2, missing - missing // 2]
    top, bottom, left, right = found
    return left, right, top, bottom


def _size(maps: Tensor) -> Pair:
    if maps.dim() != 4:
        raise MisfitError
    return maps.shape[2], maps.shape[3]


def channels_last(values: Tensor) -> Tensor:
    """Return a tensor as Keras has it."""
    return values.permute(0, 2, 3, 1) if values.dim() == 4 else values


def channels_first(values: Tensor) -> Tensor:
    """Return a tensor as it stands here."""
    return values.permute(0, 3, 1, 2) if values.dim() == 4 else values


# Layers with parameters


class Conv2D(nn.Conv2d):
    """A convolution with Keras's padding, and its activation."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        is_same: bool,
        activation: Activation = linear,
        **options: Any,
    ) -> None:
        super().__init__(inputs, outputs, **options)
        self._is_same, self.activation = is_same, activation

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        size = _size(maps)
        if self._is_same:
            steps: Any = (self.kernel_size, self.stride, self.dilation)
            sides = same_padding(size, *steps)
            if any(sides):
                maps = functional.pad(maps, sides)
        return self.activation(super().forward(maps))


class DepthwiseConv2D(Conv2D):
    """A convolution of each channel for itself."""


class SeparableConv2D(nn.Module):
    """A convolution of each channel for itself, then one of all channels at each place."""

    def __init__(self, depthwise: DepthwiseConv2D, pointwise: Conv2D) -> None:
        super().__init__()
        self.depthwise, self.pointwise = depthwise, pointwise

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        found: Tensor = self.pointwise(self.depthwise(maps))
        return found


class Dense(nn.Linear):
    """A linear layer over the last axis, and its activation."""

    def __init__(self, inputs: int, outputs: int, bias: bool, activation: Activation) -> None:
        super().__init__(inputs, outputs, bias)
        self.activation = activation

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs."""
        return self.activation(channels_first(super().forward(channels_last(values))))


class BatchNormalization(nn.BatchNorm2d):
    """Batch normalisation over the last axis, with the trained mean and variance.

    Args:
        axis: as the layer's options give it.
        channels: along that axis.
        epsilon: added to the variance.
    """

    def __init__(self, axis: int, channels: int, epsilon: float) -> None:
        super().__init__(channels, epsilon)
        self._axis = axis

    def forward(self, values: Tensor) -> Tensor:
        """Return the values normalised."""
        if self._axis not in (-1, values.dim() - 1):
            raise MisfitError
        if values.dim() == 2:
            return super().forward(values[:, :, None, None])[:, :, 0, 0]
        if values.dim() == 3:
            return super().forward(values.mT[..., None])[..., 0].mT
        return super().forward(values)


class LayerNormalization(nn.LayerNorm):
    """Layer normalisation over the last axis."""

    def __init__(self, axis: int, channels: int, epsilon: float) -> None:
        super().__init__(channels, epsilon)
        self._axis = axis

    def forward(self, values: Tensor) -> Tensor:
        """Return the values normalised."""
        if self._axis not in (-1, values.dim() - 1):
            raise MisfitError
        return channels_first(super().forward(channels_last(values)))


class PReLU(nn.Module):
    """A ReLU whose slopes below zero are learnt, one a place or shared."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))

    def forward(self, values: Tensor) -> Tensor:
        """Return the values."""
        if values.dim() != self.weight.dim() + 1:
            raise MisfitError
        return values.clamp(min=0) + self.weight * values.clamp(max=0)


class Normalization(nn.Module):
    """The mean taken off, and divided by the deviation, of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.empty(channels))
        self.register_buffer("deviation", torch.empty(channels))

    def forward(self, values: Tensor) -> Tensor:
        """Return the values normalised."""
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        return (values - _along(mean, values)) / _along(deviation, values)


class Rescaling(nn.Module):
    """A factor and an offset, one for all channels or one for each."""

    def __init__(self, scale: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("offset", offset)

    def forward(self, values: Tensor) -> Tensor:
        """Return the values."""
        scale, offset = self.get_buffer("scale"), self.get_buffer("offset")
        return values * _along(scale, values) + _along(offset, values)


def _along(numbers: Tensor, values: Tensor) -> Tensor:
    """Return a number a channel so that it meets a tensor's channels."""
    if numbers.numel() not in (1, values.shape[over_channels(values)]):
        raise MisfitError
    return numbers.reshape(-1, 1, 1) if values.dim() == 4 else numbers


# Layers without


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
        size = _size(maps)
        if self._is_same:
            sides = same_padding(size, self._window, self._stride)
            maps = functional.pad(maps, sides, value=float("-inf")) if any(sides) else maps
        return functional.max_pool2d(maps, self._window, self._stride)


class AveragePooling2D(MaxPooling2D):
    """The mean of each window; what was padded does not count."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        size = _size(maps)
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
        _size(maps)
        return maps.mean((2, 3), keepdim=self._keeps_sides)


class GlobalMaxPooling2D(GlobalAveragePooling2D):
    """The greatest value of each map."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return a value a channel."""
        _size(maps)
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
        _size(maps)
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
        height, width = _size(maps)
        return _resized(maps, (height * self._factor[0], width * self._factor[1]), self._mode)


class Resizing(nn.Module):
    """Maps of a given size, without antialiasing, as TensorFlow resizes."""

    def __init__(self, size: Pair, mode: str) -> None:
        super().__init__()
        self._target, self._mode = size, mode

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        return maps if _size(maps) == self._target else _resized(maps, self._target, self._mode)


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
        _size(maps)
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
