"""Inception v3 and GoogLeNet, two families of one idea: heads beside the main one in training."""

from core.models.families.base import CLASSIC, Family

_OPTIONS = {"aux_logits": False, "init_weights": False}

INCEPTION = Family(
    {"inception_v3": "Inception v3"},
    CLASSIC,
    "inception",
    "fc",
    options=_OPTIONS,
    auxiliary=("AuxLogits.",),
    transforms_input=True,
)
GOOGLENET = Family(
    {"googlenet": "GoogLeNet"},
    CLASSIC,
    "googlenet",
    "fc",
    options=_OPTIONS,
    auxiliary=("aux1.", "aux2."),
    transforms_input=True,
)
