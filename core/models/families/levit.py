"""LeViT of transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.language import lazy
from core.models.families.base import (
    TRANSFORMERS,
    Attention,
    Dialect,
    Family,
    Shape,
    Shapes,
    no_weights,
)
from core.models.families.blocks import adding
from core.models.families.configured import Configured, Setting, always
from core.models.families.forms import count_numbered, is_sound, shapes_of

if TYPE_CHECKING:
    from torch import nn

    from core.images.preprocessing import Preprocessing

_CONVOLUTIONS, _PATCH = 4, 16
_SIZES = {
    "128-256-384": "128S or 128",
    "192-288-384": "192",
    "256-384-512": "256",
    "384-512-768": "384",
}
"""What the paper calls them, by the widths of their stages."""


@dataclass(frozen=True)
class Layer:
    """One layer of a stage.

    Attributes:
        kind: "attention", "shrinking" or "mlp".
        inputs: numbers that a token has.
        outputs: the same, afterwards.
        inner: of all heads' values, or between the two layers of a small network.
        heads: of attention.
        key: numbers of a head's query and key.
        side: tokens in a row that it is given.
    """

    kind: str
    inputs: int
    outputs: int
    inner: int
    heads: int = 0
    key: int = 0
    side: int = 0


@dataclass(frozen=True)
class LevitForm:
    """What shapes tell of such a network.

    Attributes:
        stem: channels of its convolutions.
        stages: the layers of each.
        outputs: of the head.
        distilled_outputs: of a second head; 0 without it.
    """

    stem: tuple[int, ...]
    stages: tuple[tuple[Layer, ...], ...]
    outputs: int
    distilled_outputs: int

    @property
    def title(self) -> str:
        """Return the name that the paper gives it, e.g. "LeViT 256"."""
        widths = "-".join(str(stage[0].inputs) for stage in self.stages)
        return f"LeViT {_SIZES.get(widths, widths)}"

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict."""
        return shapes_of(self)

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.levit import Levit  # torch, which costs start-up time

        del options  # the image size is part of the form
        return Levit(self)


def read_form(shapes: Shapes) -> LevitForm | None:
    """Return the form that a state dict's shapes have; None where it is not such a network."""
    stem = [shapes.get(f"stem.{number}.conv.weight", ()) for number in range(_CONVOLUTIONS)]
    heads = [
        shapes[f"{head}.linear.weight"]
        for head in ("head", "distillation_head")
        if f"{head}.linear.weight" in shapes
    ]
    if not all(is_sound(shape, 4) for shape in stem) or not all(is_sound(one, 2) for one in heads):
        return None
    stages = [
        [_layer(shapes, f"stages.{stage}.{number}.") for number in range(count)]
        for stage in range(count_numbered(shapes, "stages."))
        for count in [count_numbered(shapes, f"stages.{stage}.")]
    ]
    found = tuple(tuple(layer for layer in stage if layer is not None) for stage in stages)
    if not found or any(not stage for stage in found) or not _fit(stem[-1][0], found):
        return None
    second = shapes.get("distillation_head.linear.weight", (0,))
    first = shapes.get("head.linear.weight", (1000,))
    return LevitForm(tuple(shape[0] for shape in stem), found, first[0], second[0])


def _layer(shapes: Shapes, start: str) -> Layer | None:
    """Return the layer whose names begin so; None where there is none."""
    ends = ("qkv", "keys_values", "queries", "proj", "up", "down")
    linear = {end: shapes.get(f"{start}{end}.linear.weight", ()) for end in ends}
    found = {end: shape for end, shape in linear.items() if is_sound(shape, 2)}
    if {"up", "down"} <= set(found):
        return Layer("mlp", found["up"][1], found["down"][0], found["up"][0])
    biases = shapes.get(f"{start}biases", ())
    if "proj" not in found or not is_sound(biases, 2):
        return None
    heads, side = biases[0], math.isqrt(biases[1])
    outputs, inner = found["proj"]
    if "qkv" in found:
        rows, inputs = found["qkv"]
        key = (rows - inner) // (2 * heads)
        layer = Layer("attention", inputs, outputs, inner, heads, key, side)
    elif {"keys_values", "queries"} <= set(found):
        rows, inputs = found["queries"]
        key = rows // heads
        layer = Layer("shrinking", inputs, outputs, inner, heads, key, side)
    else:
        return None
    return layer if key > 0 and inner % heads == 0 else None


def _fit(width: int, stages: tuple[tuple[Layer, ...], ...]) -> bool:
    """Return whether each layer takes what the one before gives, the first of them a width."""
    side = stages[0][0].side
    for layer in (layer for stage in stages for layer in stage):
        is_residual = layer.kind != "shrinking"
        is_given = layer.inputs == width and layer.side in (side, 0) and side > 0
        if not is_given or (is_residual and layer.outputs != width):
            return False
        width, side = layer.outputs, side if is_residual else (side + 1) // 2
    return True


def image_size(shapes: Shapes) -> int | None:
    """Return the side in pixels that attention's biases fix."""
    form = read_form(shapes)
    return None if form is None else form.stages[0][0].side * _PATCH


def _settings(_: str, shapes: Shapes) -> dict[str, Setting]:
    side = image_size(shapes)
    return {
        "image_size": Setting(224, (side,), side),
        "patch_size": always(_PATCH),
        "stride": always(2),
        "padding": always(1),
    }


_STAGE = r"levit\.encoder\.stages\.(\d+)\.layers\.(\d+)\.(?:module\.)?"
_WORDS = {
    "queries_keys_values": "qkv",
    "keys_values": "keys_values",
    "queries": "queries",
    "projection": "proj",
    "linear_up": "up",
    "linear_down": "down",
}
_KINDS = {"convolution": "conv", "batch_norm": "norm", "linear": "linear"}

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "levit.patch_embeddings.embedding_layer_1.convolution.weight",
    (
        (
            r"levit\.patch_embeddings\.embedding_layer_(\d)\.(convolution|batch_norm)\.(\w+)",
            lambda it: f"stem.{int(it[1]) - 1}.{_KINDS[it[2]]}.{it[3]}",
        ),
        (
            rf"{_STAGE}({'|'.join(_WORDS)})\.(linear|batch_norm)\.(\w+)",
            lambda it: f"stages.{it[1]}.{it[2]}.{_WORDS[it[3]]}.{_KINDS[it[4]]}.{it[5]}",
        ),
        (rf"{_STAGE}attention_biases", r"stages.\1.\2.biases"),
        (rf"{_STAGE}(attention_bias_idxs)", r"unused.\1.\2.\3"),
        (r"classifier\.(.+)", r"head.\1"),
        (r"classifier_distill\.(.+)", r"distillation_head.\1"),
    ),
    configured=Configured({"levit": 0.0}, _settings),
)


def _preset(_: str) -> Preprocessing:
    from core.images.preprocessing import Preprocessing

    return Preprocessing(resize=256, crop=(224, 224), interpolation="bicubic")


LEVIT = Family(
    {},
    TRANSFORMERS,
    "levit",
    "head",
    library="core.models",
    gives_maps=False,
    weights=no_weights,
    preset=_preset,
    auxiliary=("unused.",),
    image_size=image_size,
    variant=read_form,
    dialects=(HUGGING_FACE,),
    blocks={
        kind: adding(lambda block, x: block.residual(x)) for kind in ("LevitAttention", "LevitMlp")
    },
    attention={"LevitAttention": Attention.TOKENS},
)
