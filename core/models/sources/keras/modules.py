"""Keras's layers with parameters as modules of torch, under Keras's names.

Tensors of four dimensions are maps, (N, C, H, W); all others stand as Keras has them. Options are
checked before a module is made; what does not fit the tensors given ends in torch's own errors.
"""

from __future__ import annotations

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


def size_of(maps: Tensor) -> Pair:
    """Return height and width of maps.

    Raises:
        MisfitError: they are no maps.
    """
    if maps.dim() != 4:
        raise MisfitError
    return maps.shape[2], maps.shape[3]


def channels_last(values: Tensor) -> Tensor:
    """Return a tensor as Keras has it."""
    return values.permute(0, 2, 3, 1) if values.dim() == 4 else values


def channels_first(values: Tensor) -> Tensor:
    """Return a tensor as it stands here."""
    return values.permute(0, 3, 1, 2) if values.dim() == 4 else values


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
        size = size_of(maps)
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
