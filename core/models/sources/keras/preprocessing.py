"""What a Keras model is given for a photo, which its file hardly says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.errors import UnusableCheckpointError
from core.images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, LARGEST_SIDE_PX, Preprocessing
from core.language import lazy, tr
from core.models.families.keras_bodies import BODIES, USUAL_SIDE, Body
from core.models.sources.keras.configs import LayerConfig, ModelConfig, Output, shape_of_input
from core.models.sources.keras.translating import kind_of

_CAFFE_MEAN = (103.939, 116.779, 123.68)
_ORDERS = {1: "grey", 3: "RGB", 4: "RGBA"}
_TEACHABLE_SIDE = 224
_TEACHABLE = lazy(
    "It is laid out as Teachable Machine's models are, and is given photos as those are: the "
    "square in the middle, scaled to −1..1."
)


_SCALING = """
    Rescaling Normalization op_math.truediv op_math.divide op_math.multiply op_math.subtract
    op_math.add op___operators__.add op___operators__.mul op___operators__.truediv
    op___operators__.sub op_nn.bias_add op___operators__.getitem TrueDivide Divide Subtract Multiply
    Add GetItem
""".split()
_SCALING_KINDS = frozenset(one.replace("op_", "op ", 1) for one in _SCALING)
_FULL, _SMALL_SCALE = 255.0, 1 / 16
"""Of a full channel of a file; and a factor that only such channels are multiplied by."""

_WITH_KERNEL = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense", "BatchNormalization")
_OWN_OF_MODE = {"tf": ((0.5,) * 3, (0.5,) * 3), "torch": (IMAGENET_MEAN, IMAGENET_STD)}


@dataclass(frozen=True)
class Given:
    """What is given to a model, and what had to be assumed for it.

    Attributes:
        preprocessing: from photo to input.
        notes: sentences.
        body: whose layers it has; None for others.
        is_teachable: whether Teachable Machine made it.
    """

    preprocessing: Preprocessing
    notes: tuple[str, ...]
    body: Body | None
    is_teachable: bool


class _OwnScaling(NamedTuple):
    """What a model that scales photos itself is given: the value of a full channel."""

    scale: float
    is_told: bool


def preprocessing_of(path: object, model: ModelConfig) -> Given:
    """Return what a model is given.

    Raises:
        UnusableCheckpointError: it does not take photos.
    """
    channels, height, width = _input_of(path, model)
    body, teachable = _body_of(model), is_teachable_machine(model)
    first = tuple(_before_kernels(model))
    notes = []
    if height is None or width is None:
        side = _side_of(first) or ((body.side, body.side) if body else (USUAL_SIDE,) * 2)
        height, width = height or side[0], width or side[1]
        notes.append(
            tr(
                "The file does not say how large its photos were; {height}×{width} pixels are "
                "assumed.",
                height=height,
                width=width,
            )
        )
    plain = Preprocessing(
        resize=(height, width),
        crop=None,
        channel_order=_ORDERS[channels],  # type: ignore[arg-type] # one of the four
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        apply_orientation=False,
        transparency="dropped",
    )
    if teachable:
        return Given(
            _of_teachable_machine(plain), (*notes, str(_TEACHABLE)), body, is_teachable=True
        )
    notes.append(
        tr(
            "The file does not say how photos were made as large as it takes them; they are "
            "squashed to {height}×{width} pixels.",
            height=height,
            width=width,
        )
    )
    found, note = _scaled(plain, body, _own_scaling(first))
    return Given(found, (*notes, *([note] if note else [])), body, is_teachable=False)


def _of_teachable_machine(plain: Preprocessing) -> Preprocessing:
    """Return the square in the middle, as Teachable Machine's own example for Keras takes it."""
    height, width = plain.input_size
    return replace(
        plain,
        resize=height,
        crop=(height, width),
        interpolation="lanczos",
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    )


def _own_scaling(first: tuple[LayerConfig, ...]) -> _OwnScaling | None:
    """Return what a model that scales its photos itself is given; None where it does not.

    What its first such layer computes tells whether that is 0..255 or 0..1.
    """
    for layer in first:
        kind = kind_of(layer)
        if kind not in _SCALING_KINDS:
            continue
        scale, mean = layer.options.get("scale"), layer.options.get("mean")
        if kind == "Rescaling" and isinstance(scale, int | float):
            return _OwnScaling(_FULL if scale <= _SMALL_SCALE else 1.0, is_told=True)
        if kind == "Normalization":
            means = mean if isinstance(mean, list | tuple) else [mean]
            numbers = [one for one in means if isinstance(one, int | float)]
            if numbers:
                return _OwnScaling(_FULL if max(numbers) > 1 else 1.0, is_told=True)
            return _OwnScaling(_FULL, is_told=False)
        return _OwnScaling(_FULL, is_told=True)
    return None


def _scaled(
    plain: Preprocessing, body: Body | None, own: _OwnScaling | None
) -> tuple[Preprocessing, str]:
    """Return a preprocessing with its scale, and a sentence where that is assumed."""
    if own is not None:
        said = tr(
            "It scales its photos itself, by what it learnt of them; 0..255 is assumed for what it "
            "is given. The preprocessing can be set otherwise."
        )
        return replace(plain, scale=own.scale), "" if own.is_told else said
    if body is None or plain.channels != 3:
        return plain, tr(
            "The file does not say how its photos were scaled; 0..1 is assumed. The "
            "preprocessing can be set otherwise."
        )
    note = tr(
        "The file does not say how its photos were scaled; what Keras gives {title} is assumed.",
        title=body.title,
    )
    if body.mode == "caffe":
        return replace(plain, channel_order="BGR", scale=255.0, mean=_CAFFE_MEAN), note
    mean, std = _OWN_OF_MODE[body.mode]
    return replace(plain, mean=mean, std=std), note


def is_teachable_machine(model: ModelConfig) -> bool:
    """Return whether a model is laid out as Teachable Machine's: a body, pooled, and two layers."""
    parts = [layer for layer in model.layers.values() if layer.kind != "InputLayer"]
    if len(parts) != 2 or model.kind != "Sequential":
        return False
    first, second = (
        [one for one in part.model.layers.values() if one.kind != "InputLayer"]
        if part.model is not None
        else []
        for part in parts
    )
    return (
        [one.kind == "GlobalAveragePooling2D" for one in first] == [False, True]
        and first[0].model is not None
        and [one.kind for one in second] == ["Dense", "Dense"]
        and second[1].options.get("use_bias") is False
        and shape_of_input(next(iter(_inputs(model)))) in ((_TEACHABLE_SIDE,) * 2 + (3,), None)
    )


def _input_of(path: object, model: ModelConfig) -> tuple[int, int | None, int | None]:
    """Return channels, height and width of a model's photos."""
    shapes = [shape for layer in _inputs(model) if (shape := shape_of_input(layer)) is not None]
    if len(model.inputs) == 1 and shapes and len(shapes[0]) == 3:
        height, width, channels = shapes[0]
        small = all(side is None or side <= LARGEST_SIDE_PX for side in (height, width))
        if channels in _ORDERS and small:
            return channels, height, width
    raise UnusableCheckpointError(
        "{path} holds a network that does not take photos: Droplens opens those with one input "
        "of the shape (height, width, channels), with 1, 3 or 4 channels.",
        path=path,
    )


def _inputs(model: ModelConfig) -> Iterator[LayerConfig]:
    """Return the input layer of a model, then that of the model that it is given to, and so on."""
    while len(model.inputs) == 1:
        name = model.inputs[0]
        yield model.layers[name]
        inner = [one for one in _fed_by(model, Output(name, 0)) if one.model is not None]
        if not inner or inner[0].model is None:
            return
        model = inner[0].model


def _body_of(model: ModelConfig) -> Body | None:
    models = list(_models(model))
    for body in BODIES:
        if any(re.fullmatch(rf"{body.model}(_[\d.]+)*", one.name, re.I) for one in models):
            return body
    for body in BODIES:
        if any(body.layer in one.layers for one in models):
            return body
    return None


def _models(model: ModelConfig) -> Iterator[ModelConfig]:
    yield model
    for layer in model.layers.values():
        if layer.model is not None:
            yield from _models(layer.model)


def _before_kernels(model: ModelConfig) -> Iterator[LayerConfig]:
    """Return the layers that a photo passes before the first that is learnt."""
    waiting = [(model, Output(model.inputs[0], 0))] if model.inputs else []
    seen = set()
    while waiting:
        within, place = waiting.pop()
        for layer in _fed_by(within, place):
            if (id(within), layer.name) in seen or layer.kind in _WITH_KERNEL:
                continue
            seen.add((id(within), layer.name))
            yield layer
            if layer.model is None:
                waiting.append((within, Output(layer.name, 0)))
            elif layer.model.inputs:
                waiting.append((layer.model, Output(layer.model.inputs[0], 0)))


def _fed_by(model: ModelConfig, place: Output) -> list[LayerConfig]:
    return [
        layer
        for layer in model.layers.values()
        if any(place in call.arguments for call in layer.calls)
    ]


def _side_of(first: tuple[LayerConfig, ...]) -> tuple[int, int] | None:
    """Return the size that a model itself makes of its photos."""
    for layer in first:
        if layer.kind != "Resizing":
            continue
        height, width = layer.options.get("height"), layer.options.get("width")
        if all(type(side) is int and 0 < side <= LARGEST_SIDE_PX for side in (height, width)):
            return int(height), int(width)  # type: ignore[arg-type] # checked above
    return None
