"""EfficientNet and EfficientNet V2."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import SEARCHED, Dialect, Family, Names, Shape, Shapes
from core.models.families.blocks import adding
from core.models.families.configured import EDGES, Configured, Difference, Settings, always
from core.models.families.stages import stage

if TYPE_CHECKING:
    from torch import Tensor


def _title(name: str) -> str:
    plain = re.sub(r"^efficientnet_(b\d)$", lambda found: f"EfficientNet-{found[1].upper()}", name)
    return plain if plain != name else f"EfficientNet V2 {name[-1].upper()}"


def _path(block: Any, x: Tensor) -> Tensor:
    added: Tensor = block.stochastic_depth(block.block(x))
    return added


_REPEATS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks in each stage of EfficientNet-B0."""

_DEPTHS = (1.0, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1)
"""How much deeper B0, B1, … are."""

_NUMBERED = re.compile(r"encoder\.blocks\.(\d+)\.(.+)")


def _by_stages(names: Names) -> Names:
    """Number blocks by stage and place, as the rules take them; Hugging Face counts on."""
    found = {name: _NUMBERED.fullmatch(name) for name in names}
    count = len({match[1] for match in found.values() if match})
    for depth in _DEPTHS:
        repeats = [math.ceil(depth * repeat) for repeat in _REPEATS]
        if sum(repeats) == count:
            places = [
                f"{stage}.{block}"
                for stage, repeat in enumerate(repeats)
                for block in range(repeat)
            ]
            return {
                f"blocks.{places[int(match[1])]}.{match[2]}"
                if match is not None and int(match[1]) < count
                else name: names[name]
                for name, match in found.items()
            }
    return names


def _edges(settings: Settings, shapes: Shapes) -> Iterator[Difference]:
    """Yield how convolutions pad: less before than after, but for some blocks.

    Source: ``correct_pad`` of transformers.
    """
    yield "features.0.0", EDGES, (0, 1)
    even = settings.get("depthwise_padding")
    layers = [
        name.removesuffix(".weight") for name, shape in shapes.items() if _is_depthwise(shape)
    ]
    for number, layer in enumerate(sorted(layers, key=_place)):
        half = shapes[f"{layer}.weight"][2] // 2
        is_even = isinstance(even, list) and number in even
        yield layer, EDGES, (half if is_even else half - 1, half)


def _is_depthwise(shape: Shape) -> bool:
    return len(shape) == 4 and shape[1] == 1 and shape[2] > 1


def _place(layer: str) -> tuple[int, ...]:
    return tuple(int(part) for part in layer.split(".") if part.isdecimal())


_BLOCK = r"blocks\.(\d)\.(\d+)\."
_FIRST = r"blocks\.(0)\.(\d+)\."

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "encoder.blocks.0.depthwise_conv.depthwise_conv.weight",
    (
        (r"embeddings\.convolution\.(\w+)", r"features.0.0.\1"),
        (r"embeddings\.batchnorm\.(\w+)", r"features.0.1.\1"),
        (r"encoder\.top_conv\.(\w+)", r"features.8.0.\1"),
        (r"encoder\.top_bn\.(\w+)", r"features.8.1.\1"),
        (rf"{_FIRST}depthwise_conv\.depthwise_conv\.(\w+)", stage(1, 1, r"\2.block.0.0.\3")),
        (rf"{_FIRST}depthwise_conv\.depthwise_norm\.(\w+)", stage(1, 1, r"\2.block.0.1.\3")),
        (rf"{_FIRST}squeeze_excite\.reduce\.(\w+)", stage(1, 1, r"\2.block.1.fc1.\3")),
        (rf"{_FIRST}squeeze_excite\.expand\.(\w+)", stage(1, 1, r"\2.block.1.fc2.\3")),
        (rf"{_FIRST}projection\.project_conv\.(\w+)", stage(1, 1, r"\2.block.2.0.\3")),
        (rf"{_FIRST}projection\.project_bn\.(\w+)", stage(1, 1, r"\2.block.2.1.\3")),
        (rf"{_BLOCK}expansion\.expand_conv\.(\w+)", stage(1, 1, r"\2.block.0.0.\3")),
        (rf"{_BLOCK}expansion\.expand_bn\.(\w+)", stage(1, 1, r"\2.block.0.1.\3")),
        (rf"{_BLOCK}depthwise_conv\.depthwise_conv\.(\w+)", stage(1, 1, r"\2.block.1.0.\3")),
        (rf"{_BLOCK}depthwise_conv\.depthwise_norm\.(\w+)", stage(1, 1, r"\2.block.1.1.\3")),
        (rf"{_BLOCK}squeeze_excite\.reduce\.(\w+)", stage(1, 1, r"\2.block.2.fc1.\3")),
        (rf"{_BLOCK}squeeze_excite\.expand\.(\w+)", stage(1, 1, r"\2.block.2.fc2.\3")),
        (rf"{_BLOCK}projection\.project_conv\.(\w+)", stage(1, 1, r"\2.block.3.0.\3")),
        (rf"{_BLOCK}projection\.project_bn\.(\w+)", stage(1, 1, r"\2.block.3.1.\3")),
    ),
    prepare=_by_stages,
    configured=Configured(
        {"efficientnet": 0.001},
        lambda *_: {
            "hidden_act": always("swish", "silu"),
            "pooling_type": always("mean"),
            "strides": always([1, 2, 2, 2, 1, 2, 1]),
        },
        "batch_norm_eps",
        r"features\..+",
        _edges,
    ),
)

EFFICIENTNET = Family(
    {
        name: _title(name)
        for name in (
            *(f"efficientnet_b{number}" for number in range(8)),
            *(f"efficientnet_v2_{size}" for size in "sml"),
        )
    },
    SEARCHED,
    "efficientnet",
    "classifier.1",
    dialects=(HUGGING_FACE,),
    blocks={"MBConv": adding(_path), "FusedMBConv": adding(_path)},
)
