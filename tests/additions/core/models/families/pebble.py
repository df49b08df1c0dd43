"""Pebble: one convolution and a head, for the example's sake."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from core.models.families.base import LIGHTWEIGHT, Family

if TYPE_CHECKING:
    from torch import nn

    from core.images.preprocessing import Preprocessing


def _build(architecture: str) -> nn.Module:
    from torch import nn

    width = {"pebble_s": 4, "pebble_l": 8}[architecture]
    parts = {
        "conv1": nn.Conv2d(3, width, 3, padding=1),
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(width, 1000),
    }
    return nn.Sequential(OrderedDict(parts))


def _preset(_: str) -> Preprocessing:
    from core.images.preprocessing import Preprocessing

    return Preprocessing(resize=36, crop=(32, 32))


PEBBLE = Family(
    {"pebble_s": "Pebble S", "pebble_l": "Pebble L"},
    LIGHTWEIGHT,
    "pebble",
    "fc",
    build=_build,
    weights=lambda architecture: (),
    preset=_preset,
)
