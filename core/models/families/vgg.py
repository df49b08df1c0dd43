"""VGG."""

from __future__ import annotations

import math
import re

from core.models.families.base import CLASSIC, Dialect, Family, Shape

_DEPTHS = (11, 13, 16, 19)
_LINEAR_AS_CONVOLUTION = re.compile(r"classifier\.[036]\.weight")


def _reshape(name: str, shape: Shape) -> Shape:
    """Flatten what timm keeps as convolutions."""
    if len(shape) == 4 and _LINEAR_AS_CONVOLUTION.fullmatch(name):
        return (shape[0], math.prod(shape[1:]))
    return shape


TIMM = Dialect(
    "timm's names",
    "pre_logits.fc1.weight",
    (
        (r"pre_logits\.fc1\.(\w+)", r"classifier.0.\1"),
        (r"pre_logits\.fc2\.(\w+)", r"classifier.3.\1"),
        (r"head\.fc\.(\w+)", r"classifier.6.\1"),
    ),
    _reshape,
)

VGG = Family(
    {f"vgg{depth}": f"VGG-{depth}" for depth in _DEPTHS}
    | {f"vgg{depth}_bn": f"VGG-{depth} with batch norm" for depth in _DEPTHS},
    CLASSIC,
    "vgg",
    "classifier.6",
    pooled_cells=49,
    dialects=(TIMM,),
)
