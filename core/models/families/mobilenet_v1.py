"""MobileNet V1 of transformers; torchvision and timm have it without TensorFlow's padding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.language import lazy
from core.models.families.base import LIGHTWEIGHT, Dialect, Family, Shape, Shapes, no_weights
from core.models.families.configured import (
    ACTIVATIONS,
    EDGES,
    Configured,
    Difference,
    Setting,
    Settings,
    always,
)
from core.models.families.forms import is_sound, shapes_of

if TYPE_CHECKING:
    from torch import nn

    from core.images.preprocessing import Preprocessing

_PAIRS, _FULL_WIDTH = 13, 1024
_KINDS = ("convolution", "normalization")


@dataclass(frozen=True)
class MobileNetV1Form:
    """What shapes tell of such a network.

    Attributes:
        channels: that the first convolution and each pair of convolutions give.
        outputs: of the head.
    """

    channels: tuple[int, ...]
    outputs: int

    @property
    def title(self) -> str:
        """Return the name that papers give it, e.g. "MobileNet V1 0.75"."""
        width = self.channels[-1] / _FULL_WIDTH
        return "MobileNet V1" if width == 1 else f"MobileNet V1 {width:g}"

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict."""
        return shapes_of(self)

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.mobilenet_v1 import MobileNetV1  # torch, which costs start-up time

        del options
        return MobileNetV1(self.channels, self.outputs)


def read_form(shapes: Shapes) -> MobileNetV1Form | None:
    """Return the form that a state dict's shapes have; None where it is not such a network."""
    numbers = (0, *range(2, 2 * _PAIRS + 1, 2))
    found = [shapes.get(f"features.{number}.0.weight", ()) for number in numbers]
    head = shapes.get("classifier.weight", (1000, _FULL_WIDTH))
    if not all(is_sound(shape, 4) for shape in found) or not is_sound(head, 2):
        return None
    return MobileNetV1Form(tuple(shape[0] for shape in found), head[0])


def _settings(*_: object) -> dict[str, Setting]:
    return {"hidden_act": Setting("relu6", tuple(ACTIVATIONS)), "tf_padding": always(True, False)}


def _differences(settings: Settings, shapes: Shapes) -> Iterator[Difference]:
    """Yield activations, and that convolutions pad as TensorFlow's, where they do."""
    for name, shape in shapes.items():
        place = name.removesuffix(".0.weight")
        if len(shape) == 4 and place != name:
            yield f"{place}.2", "", ACTIVATIONS[settings["hidden_act"]]
            if settings["tf_padding"] and shape[2] > 1:
                yield f"{place}.0", EDGES, True


def _layer(found: re.Match[str]) -> str:
    number, kind, rest = found.groups()
    return f"features.{int(number) + 1}.{_KINDS.index(kind)}.{rest}"


_PARTS = rf"({'|'.join(_KINDS)})\.(\w+)"

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "conv_stem.convolution.weight",
    (
        (rf"conv_stem\.{_PARTS}", lambda it: f"features.0.{_KINDS.index(it[1])}.{it[2]}"),
        (rf"layer\.(\d+)\.{_PARTS}", _layer),
    ),
    configured=Configured(
        {"mobilenet_v1": 0.001}, _settings, "layer_norm_eps", r"features\.\d+\.1", _differences
    ),
)


def _preset(_: str) -> Preprocessing:
    from core.images.preprocessing import Preprocessing

    return Preprocessing(resize=256, crop=(224, 224), mean=(0.5,) * 3, std=(0.5,) * 3)


MOBILENET_V1 = Family(
    {},
    LIGHTWEIGHT,
    "mobilenet_v1",
    "classifier",
    library="core.models",
    weights=no_weights,
    preset=_preset,
    variant=read_form,
    dialects=(HUGGING_FACE,),
)
