"""AlexNet."""

from core.models.families.base import CLASSIC, Family

ALEXNET = Family({"alexnet": "AlexNet"}, CLASSIC, "alexnet", "classifier.6", pooled_cells=36)
