"""From a layer of Keras to a module of torch: one function a kind, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import UnusableCheckpointError
from core.models.class_names.lists import clean
from core.models.sources.keras import activations, modules
from core.models.sources.keras.activations import Activation
from core.models.sources.keras.configs import LayerConfig
from core.models.sources.keras.options import (
    Options,
    axes_of,
    channel_numbers,
    flag,
    integer,
    measure,
    pair,
    sides,
    slice_in,
)

Convert = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Translated:
    """A layer as a module on the meta device.

    Attributes:
        module: of torch.
        values: for each name of its state dict, the array of the file and what makes torch's
            value of it.
    """

    module: nn.Module
    values: Mapping[str, tuple[Tensor, Convert]] = field(default_factory=dict)


class Translator:
    """Makes modules of one file's layers.

    Args:
        path: of the file.
        is_keras_3: whether Keras 3 wrote it.
    """

    def __init__(self, path: Path, *, is_keras_3: bool) -> None:
        self.path, self.is_keras_3 = path, is_keras_3

    def translate(self, layer: LayerConfig, arrays: Mapping[str, Tensor]) -> Translated:
        """Return a layer as a module.

        Args:
            layer: of no model.
            arrays: its parameters without values, by Keras's names.

        Raises:
            UnusableCheckpointError: Droplens does not know it, or its options make no sense.
        """
        make = _TABLE.get(kind_of(layer))
        if make is None:
            raise self.unknown(layer)
        if layer.options.get("data_format") == "channels_first":
            raise UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} takes channels first, which Keras "
                "computes on GPUs alone; Droplens opens models with channels last.",
                path=self.path,
                layer=clean(layer.name),
            )
        try:
            with torch.device("meta"):
                return make(Making(self, layer, arrays))
        except (ValueError, TypeError, KeyError, RuntimeError, OverflowError, IndexError) as error:
            raise misfit(self.path, layer.name, layer.kind) from error

    def unknown(self, layer: LayerConfig) -> UnusableCheckpointError:
        """Return what to say of a layer that is not opened."""
        kind = (
            str(layer.options.get("function") or layer.kind) if layer.is_operation else layer.kind
        )
        if layer.kind == "Lambda":
            return UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} is a Lambda, which is Python code; "
                "Droplens runs no code of a file.",
                path=self.path,
                layer=clean(layer.name),
            )
        return UnusableCheckpointError(
            "{path} cannot be used: its layer {layer!r} is of the kind {kind!r}, which Droplens "
            "does not know.",
            path=self.path,
            layer=clean(layer.name),
            kind=clean(kind),
        )


def misfit(path: Path, layer: str, kind: str) -> UnusableCheckpointError:
    """Return what to say of a layer that does not fit its options, parameters or inputs."""
    return UnusableCheckpointError(
        "{path} cannot be used: its layer {layer!r} ({kind}) does not fit its own options, its "
        "parameters or the layers before it.",
        path=path,
        layer=clean(layer),
        kind=clean(kind),
    )


def kind_of(layer: LayerConfig) -> str:
    """Return what a layer is in the table: its class, or the function that it stands for."""
    if layer.is_operation:
        return f"op {layer.options.get('function') or layer.kind}"
    return layer.kind


@dataclass(frozen=True)
class Making:
    """What a module is made from."""

    translator: Translator
    layer: LayerConfig
    arrays: Mapping[str, Tensor]

    @property
    def options(self) -> Options:
        """Return the layer's options."""
        return self.layer.options

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """Return the shape of one of the layer's parameters."""
        shape = tuple(self.arrays[name].shape)
        if len(shape) != rank or 0 in shape:
            raise ValueError(name)
        return shape

    def activation(self) -> Activation:
        """Return the activation that the options name.

        Raises:
            UnusableCheckpointError: Droplens does not know it.
        """
        described = self.options.get("activation")
        name = activations.name_in(described)
        if name is not None:
            known = activations.of_name(name, is_keras_3=self.translator.is_keras_3)
        else:
            known = self._activation_layer(described)
        if known is None:
            shown = name or (described.get("class_name") if isinstance(described, dict) else "")
            raise UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} has the activation {name!r}, which "
                "Droplens does not know.",
                path=self.translator.path,
                layer=clean(self.layer.name),
                name=clean(str(shown)),
            )
        return known

    def _activation_layer(self, described: Any) -> Activation | None:
        """Return an activation that is given as a layer of its own."""
        if not isinstance(described, dict) or not isinstance(described.get("config"), dict):
            return None
        known = _ACTIVATIONS.get(str(described.get("class_name")))
        return None if known is None else known(described["config"])


# Layers with parameters


def _oihw(kernel: Tensor) -> Tensor:
    return kernel.permute(3, 2, 0, 1)


def _one_by_one(kernel: Tensor) -> Tensor:
    """Return a depthwise kernel (h, w, inputs, multiplier) as torch has it."""
    height, width, inputs, multiplier = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(inputs * multiplier, 1, height, width)


def _same(values: Tensor) -> Tensor:
    return values


def _geometry(making: Making) -> dict[str, Any]:
    """Return stride and dilation, and whether the padding is "same"."""
    padding = making.options.get("padding", "valid")
    if padding not in ("same", "valid"):
        raise ValueError(padding)
    return {
        "stride": pair(making.options.get("strides", 1)),
        "dilation": pair(making.options.get("dilation_rate", 1)),
        "is_same": padding == "same",
    }


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
        **_geometry(making),
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
        **_geometry(making),
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
            **_geometry(making),
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


# Layers without


def _activation(making: Making) -> Translated:
    return Translated(modules.Activation_(making.activation()))


def _relu_of(options: Options) -> Activation:
    maximum = options.get("max_value")
    return activations.rectified(
        None if maximum is None else measure(options, "max_value"),
        measure(options, "negative_slope", default=0.0),
        measure(options, "threshold", default=0.0),
    )


def _leaky_of(options: Options) -> Activation:
    name = "alpha" if "alpha" in options else "negative_slope"
    return activations.leaky(measure(options, name, default=0.3))


def _softmax_of(options: Options) -> Activation:
    axis = axes_of(options)
    if axis not in ((-1,), (3,)):
        raise ValueError(axis)
    found = activations.of_name("softmax", is_keras_3=True)
    assert found is not None
    return found


_ACTIVATIONS: Mapping[str, Callable[[Options], Activation]] = {
    "ReLU": _relu_of,
    "LeakyReLU": _leaky_of,
    "ELU": lambda options: activations.exponential_linear(measure(options, "alpha", default=1.0)),
    "Softmax": _softmax_of,
}


def _activation_layer(making: Making) -> Translated:
    return Translated(modules.Activation_(_ACTIVATIONS[making.layer.kind](making.options)))


def _named(name: str) -> Callable[[Making], Translated]:
    def make(making: Making) -> Translated:
        found = activations.of_name(name, is_keras_3=making.translator.is_keras_3)
        assert found is not None
        return Translated(modules.Activation_(found))

    return make


def _pooling(making: Making) -> Translated:
    window = pair(making.options.get("pool_size", 2))
    strides = making.options.get("strides")
    kind = {"MaxPooling2D": modules.MaxPooling2D, "AveragePooling2D": modules.AveragePooling2D}[
        making.layer.kind
    ]
    step = window if strides is None else pair(strides)
    return Translated(kind(window, step, _geometry(making)["is_same"]))


def _global_pooling(making: Making) -> Translated:
    kind = {
        "GlobalAveragePooling2D": modules.GlobalAveragePooling2D,
        "GlobalMaxPooling2D": modules.GlobalMaxPooling2D,
    }[making.layer.kind]
    return Translated(kind(flag(making.options, "keepdims", default=False)))


def _reshape(making: Making) -> Translated:
    shape = making.options["target_shape"]
    if len(shape) > 3 or not all(type(one) is int and -1 <= one < 2**31 for one in shape):
        raise ValueError(shape)
    return Translated(modules.Reshape(tuple(shape)))


def _permute(making: Making) -> Translated:
    order = making.options["dims"]
    if sorted(order) != list(range(1, len(order) + 1)):
        raise ValueError(order)
    return Translated(modules.Permute(tuple(order)))


def _padding(making: Making) -> Translated:
    return Translated(modules.ZeroPadding2D(sides(making.options.get("padding", 1))))


def _cropping(making: Making) -> Translated:
    left, right, top, bottom = sides(making.options.get("cropping", 0))
    return Translated(modules.Cropping2D((-left, -right, -top, -bottom)))


def _interpolation(options: Options, default: str) -> str:
    name = options.get("interpolation", default)
    if name not in ("nearest", "bilinear"):
        raise ValueError(name)
    return str(name)


def _upsampling(making: Making) -> Translated:
    factor = pair(making.options.get("size", 2))
    return Translated(modules.UpSampling2D(factor, _interpolation(making.options, "nearest")))


def _resizing(making: Making) -> Translated:
    options = making.options
    for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if flag(options, name, default=False):
            raise ValueError(name)
    size = (integer(options, "height"), integer(options, "width"))
    return Translated(modules.Resizing(size, _interpolation(options, "bilinear")))


def _concatenate(making: Making) -> Translated:
    return Translated(modules.Concatenate(axes_of(making.options)[0]))


def _stack(making: Making) -> Translated:
    return Translated(modules.Stack(axes_of(making.options)[0]))


def _plain(kind: type[nn.Module]) -> Callable[[Making], Translated]:
    return lambda _: Translated(kind())


def _slice(making: Making) -> Translated:
    (call,) = making.layer.calls
    return Translated(modules.SliceChannels(slice_in(call.options["slice_spec"])))


def _mean(making: Making) -> Translated:
    (call,) = making.layer.calls
    options = {**making.options, **call.options}
    if axes_of(options) not in ((1, 2), (-3, -2)):
        raise ValueError(options["axis"])
    return Translated(modules.Mean(flag(options, "keepdims", default=False)))


_MERGES: Mapping[str, type[nn.Module]] = {
    "Add": modules.Add,
    "Subtract": modules.Subtract,
    "Multiply": modules.Multiply,
    "Average": modules.Average,
    "Maximum": modules.Maximum,
    "Minimum": modules.Minimum,
}
_IN_TRAINING_ALONE = """
    Dropout SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness
    RandomHeight RandomWidth RandomHue RandomSaturation RandomColorJitter RandomGrayscale
    RandomErasing RandomShear RandomSharpness RandomGaussianBlur RandomInvert RandomPerspective
    RandomPosterization RandomColorDegeneration RandomApply AugMix RandAugment CutMix MixUp Identity
""".split()
_OPERATIONS: Mapping[str, type[nn.Module]] = {
    "math.truediv": modules.Divide,
    "math.divide": modules.Divide,
    "math.subtract": modules.Subtract,
    "math.add": modules.Add,
    "math.multiply": modules.Multiply,
    "__operators__.truediv": modules.Divide,
    "__operators__.sub": modules.Subtract,
    "__operators__.add": modules.Add,
    "__operators__.mul": modules.Multiply,
    "nn.bias_add": modules.Add,
    "cast": modules.Dropout,
    "identity": modules.Dropout,
}
_FUNCTIONS = {
    "nn.relu": "relu",
    "nn.relu6": "relu6",
    "nn.silu": "silu",
    "nn.swish": "silu",
    "nn.softmax": "softmax",
    "nn.sigmoid": "sigmoid",
    "math.sigmoid": "sigmoid",
    "math.tanh": "tanh",
}
_OPERATIONS_OF_KERAS_3: Mapping[str, Callable[[Making], Translated]] = {
    "TrueDivide": _plain(modules.Divide),
    "Divide": _plain(modules.Divide),
    "Cast": _plain(modules.Dropout),
    "GetItem": _slice,
    "Mean": _mean,
    "Stack": _stack,
    "Relu": _named("relu"),
    "Relu6": _named("relu6"),
    "Silu": _named("silu"),
    "Sigmoid": _named("sigmoid"),
    "Tanh": _named("tanh"),
}

_TABLE: Mapping[str, Callable[[Making], Translated]] = {
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
    "Activation": _activation,
    **dict.fromkeys(_ACTIVATIONS, _activation_layer),
    "MaxPooling2D": _pooling,
    "AveragePooling2D": _pooling,
    "GlobalAveragePooling2D": _global_pooling,
    "GlobalMaxPooling2D": _global_pooling,
    "Flatten": _plain(modules.Flatten),
    "Reshape": _reshape,
    "Permute": _permute,
    "ZeroPadding2D": _padding,
    "Cropping2D": _cropping,
    "UpSampling2D": _upsampling,
    "Resizing": _resizing,
    "Concatenate": _concatenate,
    **{name: _plain(kind) for name, kind in _MERGES.items()},
    **dict.fromkeys(_IN_TRAINING_ALONE, _plain(modules.Dropout)),
    **{f"op {name}": _plain(kind) for name, kind in _OPERATIONS.items()},
    **{f"op {name}": _named(function) for name, function in _FUNCTIONS.items()},
    "op __operators__.getitem": _slice,
    "op math.reduce_mean": _mean,
    **_OPERATIONS_OF_KERAS_3,
}
