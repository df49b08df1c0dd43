"""MNASNet."""

from core.models.families.base import SEARCHED, Family
from core.models.families.blocks import adding

MNASNET = Family(
    {f"mnasnet{width.replace('.', '_')}": f"MNASNet {width}"
     for width in ("0.5", "0.75", "1.0", "1.3")},
    SEARCHED,
    "mnasnet",
    "classifier.1",
    blocks={"_InvertedResidual": adding(lambda block, x: block.layers(x))},
)  # fmt: skip
