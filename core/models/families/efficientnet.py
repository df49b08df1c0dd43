"""EfficientNet and EfficientNet V2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.models.families.base import SEARCHED, Family
from core.models.families.blocks import adding

if TYPE_CHECKING:
    from torch import Tensor


def _title(name: str) -> str:
    plain = re.sub(r"^efficientnet_(b\d)$", lambda found: f"EfficientNet-{found[1].upper()}", name)
    return plain if plain != name else f"EfficientNet V2 {name[-1].upper()}"


def _path(block: Any, x: Tensor) -> Tensor:
    added: Tensor = block.stochastic_depth(block.block(x))
    return added


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
    blocks={"MBConv": adding(_path), "FusedMBConv": adding(_path)},
)
