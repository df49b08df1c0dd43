"""Layers without parameters, and functions that stand for layers: one function a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from core.models.sources.keras import activations, shaping
from core.models.sources.keras.making import ACTIVATION_LAYERS, Making, Translated, geometry
from core.models.sources.keras.options import Options, axes_of, flag, integer, pair, sides, slice_in


def _activation(making: Making) -> Translated:
    return Translated(shaping.Activation_(making.activation()))


def _activation_layer(making: Making) -> Translated:
    return Translated(shaping.Activation_(ACTIVATION_LAYERS[making.layer.kind](making.options)))


def _named(name: str) -> Callable[[Making], Translated]:
    def make(making: Making) -> Translated:
        found = activations.of_name(name, is_keras_3=making.is_keras_3)
        assert found is not None
        return Translated(shaping.Activation_(found))

    return make


def _pooling(making: Making) -> Translated:
    window = pair(making.options.get("pool_size", 2))
    strides = making.options.get("strides")
    kind = {"MaxPooling2D": shaping.MaxPooling2D, "AveragePooling2D": shaping.AveragePooling2D}[
        making.layer.kind
    ]
    step = window if strides is None else pair(strides)
    return Translated(kind(window, step, geometry(making)["is_same"]))


def _global_pooling(making: Making) -> Translated:
    kind = {
        "GlobalAveragePooling2D": shaping.GlobalAveragePooling2D,
        "GlobalMaxPooling2D": shaping.GlobalMaxPooling2D,
    }[making.layer.kind]
    return Translated(kind(flag(making.options, "keepdims", default=False)))


def _reshape(making: Making) -> Translated:
    shape = making.options["target_shape"]
    if len(shape) > 3 or not all(type(one) is int and -1 <= one < 2**31 for one in shape):
        raise ValueError(shape)
    return Translated(shaping.Reshape(tuple(shape)))


def _permute(making: Making) -> Translated:
    order = making.options["dims"]
    if sorted(order) != list(range(1, len(order) + 1)):
        raise ValueError(order)
    return Translated(shaping.Permute(tuple(order)))


def _padding(making: Making) -> Translated:
    return Translated(shaping.ZeroPadding2D(sides(making.options.get("padding", 1))))


def _cropping(making: Making) -> Translated:
    left, right, top, bottom = sides(making.options.get("cropping", 0))
    return Translated(shaping.Cropping2D((-left, -right, -top, -bottom)))


def _interpolation(options: Options, default: str) -> str:
    name = options.get("interpolation", default)
    if name not in ("nearest", "bilinear"):
        raise ValueError(name)
    return str(name)


def _upsampling(making: Making) -> Translated:
    factor = pair(making.options.get("size", 2))
    return Translated(shaping.UpSampling2D(factor, _interpolation(making.options, "nearest")))


def _resizing(making: Making) -> Translated:
    options = making.options
    for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if flag(options, name, default=False):
            raise ValueError(name)
    size = (integer(options, "height"), integer(options, "width"))
    return Translated(shaping.Resizing(size, _interpolation(options, "bilinear")))


def _concatenate(making: Making) -> Translated:
    return Translated(shaping.Concatenate(axes_of(making.options)[0]))


def _stack(making: Making) -> Translated:
    return Translated(shaping.Stack(axes_of(making.options)[0]))


def _plain(kind: type[nn.Module]) -> Callable[[Making], Translated]:
    return lambda _: Translated(kind())


def _slice(making: Making) -> Translated:
    (call,) = making.layer.calls
    return Translated(shaping.SliceChannels(slice_in(call.options["slice_spec"])))


def _mean(making: Making) -> Translated:
    (call,) = making.layer.calls
    options = {**making.options, **call.options}
    if axes_of(options) not in ((1, 2), (-3, -2)):
        raise ValueError(options["axis"])
    return Translated(shaping.Mean(flag(options, "keepdims", default=False)))


_MERGES: Mapping[str, type[nn.Module]] = {
    "Add": shaping.Add,
    "Subtract": shaping.Subtract,
    "Multiply": shaping.Multiply,
    "Average": shaping.Average,
    "Maximum": shaping.Maximum,
    "Minimum": shaping.Minimum,
}
_IN_TRAINING_ALONE = """
    Dropout SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness
    RandomHeight RandomWidth RandomHue RandomSaturation RandomColorJitter RandomGrayscale
    RandomErasing RandomShear RandomSharpness RandomGaussianBlur RandomInvert RandomPerspective
    RandomPosterization RandomColorDegeneration RandomApply AugMix RandAugment CutMix MixUp Identity
""".split()
_OPERATIONS: Mapping[str, type[nn.Module]] = {
    "math.truediv": shaping.Divide,
    "math.divide": shaping.Divide,
    "math.subtract": shaping.Subtract,
    "math.add": shaping.Add,
    "math.multiply": shaping.Multiply,
    "__operators__.truediv": shaping.Divide,
    "__operators__.sub": shaping.Subtract,
    "__operators__.add": shaping.Add,
    "__operators__.mul": shaping.Multiply,
    "nn.bias_add": shaping.Add,
    "cast": shaping.Dropout,
    "identity": shaping.Dropout,
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
    "TrueDivide": _plain(shaping.Divide),
    "Divide": _plain(shaping.Divide),
    "Cast": _plain(shaping.Dropout),
    "GetItem": _slice,
    "Mean": _mean,
    "Stack": _stack,
    "Relu": _named("relu"),
    "Relu6": _named("relu6"),
    "Silu": _named("silu"),
    "Sigmoid": _named("sigmoid"),
    "Tanh": _named("tanh"),
}

PLAIN: Mapping[str, Callable[[Making], Translated]] = {
    "Activation": _activation,
    **dict.fromkeys(ACTIVATION_LAYERS, _activation_layer),
    "MaxPooling2D": _pooling,
    "AveragePooling2D": _pooling,
    "GlobalAveragePooling2D": _global_pooling,
    "GlobalMaxPooling2D": _global_pooling,
    "Flatten": _plain(shaping.Flatten),
    "Reshape": _reshape,
    "Permute": _permute,
    "ZeroPadding2D": _padding,
    "Cropping2D": _cropping,
    "UpSampling2D": _upsampling,
    "Resizing": _resizing,
    "Concatenate": _concatenate,
    **{name: _plain(kind) for name, kind in _MERGES.items()},
    **dict.fromkeys(_IN_TRAINING_ALONE, _plain(shaping.Dropout)),
    **{f"op {name}": _plain(kind) for name, kind in _OPERATIONS.items()},
    **{f"op {name}": _named(function) for name, function in _FUNCTIONS.items()},
    "op __operators__.getitem": _slice,
    "op math.reduce_mean": _mean,
    **_OPERATIONS_OF_KERAS_3,
}
