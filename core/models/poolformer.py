"""PoolFormer, in which pooling stands in attention's place.

Source: Yu et al., CVPR 2022, arXiv:2111.11418.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from core.models.families.poolformer import PoolFormerForm

STRIDES, PADDINGS, POOLED = (4, 2, 2, 2), (2, 1, 1, 1), 3


class PoolFormerBlock(nn.Module):
    """A pooling and two 1×1 convolutions, each added to its input.

    Args:
        width: channels.
        hidden: channels between the convolutions.
        has_scales: whether each sum is of channels that are weighted.
    """

    def __init__(self, width: int, hidden: int, *, has_scales: bool) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(1, width)
        self.pool = nn.AvgPool2d(POOLED, 1, POOLED // 2, count_include_pad=False)
        self.scale1 = nn.Parameter(torch.empty(width)) if has_scales else None
        self.norm2 = nn.GroupNorm(1, width)
        self.conv1 = nn.Conv2d(width, hidden, 1)
        self.act = nn.GELU()
        self.conv2 = nn.Conv2d(hidden, width, 1)
        self.scale2 = nn.Parameter(torch.empty(width)) if has_scales else None

    def pooled(self, maps: Tensor) -> Tensor:
        """Return what pooling adds."""
        normed = self.norm1(maps)
        return _scaled(self.pool(normed) - normed, self.scale1)

    def convolved(self, maps: Tensor) -> Tensor:
        """Return what the convolutions add."""
        return _scaled(self.conv2(self.act(self.conv1(self.norm2(maps)))), self.scale2)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, C, h, w) for (N, C, h, w)."""
        maps = maps + self.pooled(maps)
        return maps + self.convolved(maps)


class PoolFormer(nn.Module):
    """Four stages, each of a convolution that halves the maps and of blocks.

    Args:
        form: how many blocks there are, and how large.
    """

    def __init__(self, form: PoolFormerForm) -> None:
        super().__init__()
        inputs = 3
        stages = []
        for stage, stride, padding in zip(form.stages, STRIDES, PADDINGS, strict=True):
            first = nn.Conv2d(inputs, stage.width, stage.kernel, stride, padding)
            blocks = (
                PoolFormerBlock(stage.width, stage.hidden, has_scales=form.has_scales)
                for _ in range(stage.blocks)
            )
            stages.append(nn.Sequential(first, *blocks))
            inputs = stage.width
        self.stages = nn.Sequential(*stages)
        self.norm = nn.GroupNorm(1, inputs)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(inputs, form.outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) for (N, 3, H, W)."""
        logits: Tensor = self.head(self.avgpool(self.norm(self.stages(images))).flatten(1))
        return logits


def _scaled(maps: Tensor, scale: Tensor | None) -> Tensor:
    return maps if scale is None else scale.reshape(-1, 1, 1) * maps
