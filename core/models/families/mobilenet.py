"""MobileNet V2 and V3."""

from core.models.families.base import LIGHTWEIGHT, Family
from core.models.families.blocks import adding

MOBILENET_V2 = Family(
    {"mobilenet_v2": "MobileNet V2"},
    LIGHTWEIGHT,
    "mobilenetv2",
    "classifier.1",
    blocks={"InvertedResidual": adding(lambda block, x: block.conv(x))},
)
MOBILENET_V3 = Family(
    {"mobilenet_v3_small": "MobileNet V3 Small", "mobilenet_v3_large": "MobileNet V3 Large"},
    LIGHTWEIGHT,
    "mobilenetv3",
    "classifier.3",
    blocks={"InvertedResidual": adding(lambda block, x: block.block(x))},
)
