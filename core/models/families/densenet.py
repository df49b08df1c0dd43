"""DenseNet."""

from core.models.families.base import CLASSIC, Family

DENSENET = Family(
    {f"densenet{depth}": f"DenseNet-{depth}" for depth in (121, 161, 169, 201)},
    CLASSIC,
    "densenet",
    "classifier",
    # Files of before torchvision 0.3, its own among them, say norm.1 for norm1.
    old_names=((r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2."),),
    before_pooling=lambda maps: maps.relu(),
)
