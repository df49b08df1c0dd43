"""Layers with parameters: one function a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from core.models.sources.keras import modules
from core.models.sources.keras.making import Convert, Making, Translated, geometry
from core.models.sources.keras.options import axes_of, channel_numbers, flag, integer, measure, pair


def _oihw(kernel: Tensor) -> Tensor:
    return kernel.permute(3, 2, 0, 1)


def _one_by_one(kernel: Tensor) -> Tensor:
    """Return a depthwise kernel (h, w, inputs, multiplier) as torch has it."""
    height, width, inputs, multiplier = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(inputs * multiplier, 1, height, width)


def _same(values: Tensor) -> Tensor:
    return values


def _check_kernel(making: Making, shape: tuple[int, ...]) -> None:
    if shape[:2] != pair(making.options["kernel_size"]):
        raise ValueError(shape)


def _bias(making: Making, outputs: int, place: str) -> dict[str, tuple[Tensor, Convert]]:
    if not flag(making.options, "use_bias", default=True):
        return {}
    if making.shape("bias", 1) != (outputs,):
        raise ValueError("bias")
    return {place: (making.arrays["bias"], _same)}


def _convolution(making: Making) -> Translated:
    shape = making.shape("kernel", 4)
    _check_kernel(making, shape)
    groups = integer(making.options, "groups", default=1)
    if shape[3] != integer(making.options, "filters"):
        raise ValueError(shape)
    bias = _bias(making, shape[3], "bias")
    module = modules.Conv2D(
        shape[2] * groups,
        shape[3],
        kernel_size=shape[:2],
        groups=groups,
        bias=bool(bias),
        activation=making.activation(),
        **geometry(making),
    )
    return Translated(module, {"weight": (making.arrays["kernel"], _oihw), **bias})


def _depthwise(making: Making) -> Translated:
    shape = making.shape("depthwise_kernel", 4)
    _check_kernel(making, shape)
    if shape[3] != integer(making.options, "depth_multiplier", default=1):
        raise ValueError(shape)
    outputs = shape[2] * shape[3]
    bias = _bias(making, outputs, "bias")
    module = modules.DepthwiseConv2D(
        shape[2],
        outputs,
        kernel_size=shape[:2],
        groups=shape[2],
        bias=bool(bias),
        activation=making.activation(),
        **geometry(making),
    )
    return Translated(module, {"weight": (making.arrays["depthwise_kernel"], _one_by_one), **bias})


def _separable(making: Making) -> Translated:
    first, second = making.shape("depthwise_kernel", 4), making.shape("pointwise_kernel", 4)
    _check_kernel(making, first)
    between = first[2] * first[3]
    if second[:3] != (1, 1, between) or second[3] != integer(making.options, "filters"):
        raise ValueError(second)
    bias = _bias(making, second[3], "pointwise.bias")
    module = modules.SeparableConv2D(
        modules.DepthwiseConv2D(
            first[2],
            between,
            kernel_size=first[:2],
            groups=first[2],
            bias=False,
            **geometry(making),
        ),
        modules.Conv2D(
            between,
            second[3],
            kernel_size=1,
            bias=bool(bias),
            is_same=False,
            activation=making.activation(),
        ),
    )
    values = {
        "depthwise.weight": (making.arrays["depthwise_kernel"], _one_by_one),
        "pointwise.weight": (making.arrays["pointwise_kernel"], _oihw),
        **bias,
    }
    return Translated(module, values)


def _dense(making: Making) -> Translated:
    inputs, outputs = making.shape("kernel", 2)
    if outputs != integer(making.options, "units"):
        raise ValueError(outputs)
    bias = _bias(making, outputs, "bias")
    module = modules.Dense(inputs, outputs, bool(bias), making.activation())
    return Translated(module, {"weight": (making.arrays["kernel"], lambda one: one.T), **bias})


def _batch_normalization(making: Making) -> Translated:
    (channels,) = making.shape("moving_mean", 1)
    module = modules.BatchNormalization(
        axes_of(making.options)[-1], channels, measure(making.options, "epsilon", default=1e-3)
    )
    return Translated(module, _scaled(making, channels, ("moving_mean", "moving_variance")))


def _layer_normalization(making: Making) -> Translated:
    if flag(making.options, "rms_scaling", default=False):
        raise ValueError("rms_scaling")
    names = [one for one in ("gamma", "beta") if one in making.arrays]
    (channels,) = making.shape(names[0], 1)
    module = modules.LayerNormalization(
        axes_of(making.options)[-1], channels, measure(making.options, "epsilon", default=1e-3)
    )
    return Translated(module, _scaled(making, channels, ()))


_PLACES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def _scaled(
    making: Making, channels: int, needed: tuple[str, ...]
) -> dict[str, tuple[Tensor, Convert]]:
    """Return values of a normalisation; a scale or centre that is left out is 1 or 0."""
    if len(axes_of(making.options)) != 1:
        raise ValueError("axis")
    values: dict[str, tuple[Tensor, Convert]] = {
        "weight": (torch.ones(channels, device="cpu"), _same),
        "bias": (torch.zeros(channels, device="cpu"), _same),
    }
    for name in (*(one for one in ("gamma", "beta") if one in making.arrays), *needed):
        if making.shape(name, 1) != (channels,):
            raise ValueError(name)
        values[_PLACES[name]] = (making.arrays[name], _same)
    return values


def _prelu(making: Making) -> Translated:
    alpha = making.arrays["alpha"]
    to_here: Convert = (lambda one: one.permute(2, 0, 1)) if alpha.dim() == 3 else _same
    return Translated(modules.PReLU(tuple(to_here(alpha).shape)), {"weight": (alpha, to_here)})


def _normalization(making: Making) -> Translated:
    options = making.options
    if flag(options, "invert", default=False):
        raise ValueError("invert")
    if options.get("mean") is not None:
        mean = channel_numbers(options["mean"])
        variance = channel_numbers(options["variance"])
    else:
        mean, variance = making.arrays["mean"], making.arrays["variance"]
    if mean.numel() != variance.numel() or mean.numel() != max(mean.shape, default=1):
        raise ValueError("mean")
    values: dict[str, tuple[Tensor, Convert]] = {
        "mean": (mean, torch.flatten),
        "deviation": (variance, lambda one: one.flatten().sqrt().clamp(min=1e-7)),
    }
    return Translated(modules.Normalization(mean.numel()), values)


def _rescaling(making: Making) -> Translated:
    scale = channel_numbers(making.options["scale"])
    offset = channel_numbers(making.options.get("offset", 0.0))
    module = modules.Rescaling(scale.to("meta"), offset.to("meta"))
    return Translated(module, {"scale": (scale, _same), "offset": (offset, _same)})


LEARNT: Mapping[str, Callable[[Making], Translated]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": _dense,
    "BatchNormalization": _batch_normalization,
    "SyncBatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "PReLU": _prelu,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
}
