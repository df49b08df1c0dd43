"""MobileNet V2 and V3."""

import re
from collections.abc import Callable, Iterator

from core.language import lazy
from core.models.families.base import LIGHTWEIGHT, Dialect, Family, Shapes
from core.models.families.blocks import adding
from core.models.families.configured import EDGES, Configured, Difference, Settings, always

_KINDS = ("convolution", "normalization")
_PARTS = rf"({'|'.join(_KINDS)})\.(\w+)"


def _one(place: str) -> Callable[[re.Match[str]], str]:
    """Return the replacement for a convolution and its batch norm that stand side by side."""
    return lambda it: f"{place}.{_KINDS.index(it[1])}.{it[2]}"


def _of_block(place: str) -> Callable[[re.Match[str]], str]:
    """Return the replacement for those of a block that expands."""
    return lambda it: f"features.{int(it[1]) + 2}.conv.{place}.{_KINDS.index(it[2])}.{it[3]}"


def _last(block: int, first: int, kind: str, rest: str) -> str:
    """Return the name of the last convolution of a block, or of its batch norm."""
    return f"features.{block}.conv.{first + _KINDS.index(kind)}.{rest}"


def _edges(settings: Settings, shapes: Shapes) -> Iterator[Difference]:
    """Yield that the convolutions pad as TensorFlow's, where they do."""
    if settings.get("tf_padding", True):
        for name, shape in shapes.items():
            if len(shape) == 4 and shape[2] > 1:
                yield name.removesuffix(".weight"), EDGES, True


HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "conv_stem.first_conv.convolution.weight",
    (
        (rf"conv_stem\.first_conv\.{_PARTS}", _one("features.0")),
        (rf"conv_stem\.conv_3x3\.{_PARTS}", _one("features.1.conv.0")),
        (rf"conv_stem\.reduce_1x1\.{_PARTS}", lambda it: _last(1, 1, it[1], it[2])),
        (rf"layer\.(\d+)\.expand_1x1\.{_PARTS}", _of_block("0")),
        (rf"layer\.(\d+)\.conv_3x3\.{_PARTS}", _of_block("1")),
        (rf"layer\.(\d+)\.reduce_1x1\.{_PARTS}", lambda it: _last(int(it[1]) + 2, 2, it[2], it[3])),
        (rf"conv_1x1\.{_PARTS}", _one("features.18")),
    ),
    configured=Configured(
        {"mobilenet_v2": 0.001},
        lambda *_: {
            "hidden_act": always("relu6"),
            "output_stride": always(32),
            "tf_padding": always(True, False),
        },
        "layer_norm_eps",
        r"features\..+",
        _edges,
    ),
)

MOBILENET_V2 = Family(
    {"mobilenet_v2": "MobileNet V2"},
    LIGHTWEIGHT,
    "mobilenetv2",
    "classifier.1",
    dialects=(HUGGING_FACE,),
    blocks={"InvertedResidual": adding(lambda block, x: block.conv(x))},
)
MOBILENET_V3 = Family(
    {"mobilenet_v3_small": "MobileNet V3 Small", "mobilenet_v3_large": "MobileNet V3 Large"},
    LIGHTWEIGHT,
    "mobilenetv3",
    "classifier.3",
    blocks={"InvertedResidual": adding(lambda block, x: block.block(x))},
)
