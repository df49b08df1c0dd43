"""EfficientNet and EfficientNet V2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import SEARCHED, Dialect, Family, Unopened
from core.models.families.blocks import adding
from core.models.families.stages import stage

if TYPE_CHECKING:
    from torch import Tensor

TIMM = Dialect(
    "timm's names",
    "blocks.0.0.conv_dw.weight",
    (
        (r"conv_stem\.(\w+)", r"features.0.0.\1"),
        (r"bn1\.(\w+)", r"features.0.1.\1"),
        (r"conv_head\.(\w+)", r"features.8.0.\1"),
        (r"bn2\.(\w+)", r"features.8.1.\1"),
        (r"classifier\.(weight|bias)", r"classifier.1.\1"),
        # The first stage does not expand: depthwise, squeeze and excitation, project.
        (r"blocks\.(0)\.(\d+)\.conv_dw\.(\w+)", stage(1, 1, r"\2.block.0.0.\3")),
        (r"blocks\.(0)\.(\d+)\.bn1\.(\w+)", stage(1, 1, r"\2.block.0.1.\3")),
        (r"blocks\.(0)\.(\d+)\.se\.conv_reduce\.(\w+)", stage(1, 1, r"\2.block.1.fc1.\3")),
        (r"blocks\.(0)\.(\d+)\.se\.conv_expand\.(\w+)", stage(1, 1, r"\2.block.1.fc2.\3")),
        (r"blocks\.(0)\.(\d+)\.conv_pw\.(\w+)", stage(1, 1, r"\2.block.2.0.\3")),
        (r"blocks\.(0)\.(\d+)\.bn2\.(\w+)", stage(1, 1, r"\2.block.2.1.\3")),
        (r"blocks\.(\d)\.(\d+)\.conv_pw\.(\w+)", stage(1, 1, r"\2.block.0.0.\3")),
        (r"blocks\.(\d)\.(\d+)\.bn1\.(\w+)", stage(1, 1, r"\2.block.0.1.\3")),
        (r"blocks\.(\d)\.(\d+)\.conv_dw\.(\w+)", stage(1, 1, r"\2.block.1.0.\3")),
        (r"blocks\.(\d)\.(\d+)\.bn2\.(\w+)", stage(1, 1, r"\2.block.1.1.\3")),
        (r"blocks\.(\d)\.(\d+)\.se\.conv_reduce\.(\w+)", stage(1, 1, r"\2.block.2.fc1.\3")),
        (r"blocks\.(\d)\.(\d+)\.se\.conv_expand\.(\w+)", stage(1, 1, r"\2.block.2.fc2.\3")),
        (r"blocks\.(\d)\.(\d+)\.conv_pwl\.(\w+)", stage(1, 1, r"\2.block.3.0.\3")),
        (r"blocks\.(\d)\.(\d+)\.bn3\.(\w+)", stage(1, 1, r"\2.block.3.1.\3")),
    ),
    batch_norm_epsilon=1e-5,
    refused=r"^tf_|_ap$|_ns$",
    why_refused=lazy(
        "pads its convolutions otherwise than torchvision's EfficientNet; its answers would be "
        "wrong here"
    ),
    doubt=lazy(
        "The names are timm's. Its variants called tf_efficientnet pad otherwise, which no "
        "checkpoint tells; of those the answers are wrong here."
    ),
)


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
    dialects=(TIMM,),
    unopened=(
        Unopened(
            lazy(
                "is a network of timm's EfficientNet and MobileNet family that torchvision "
                "does not provide"
            ),
            (r"(^|\.)conv_stem\.weight", r"(^|\.)blocks\.\d+\.\d+\."),
        ),
    ),
    blocks={"MBConv": adding(_path), "FusedMBConv": adding(_path)},
)
