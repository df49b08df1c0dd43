"""Networks of the ResNets for CIFAR, which no library provides.

Source: He et al., CVPR 2016, arXiv:1512.03385, section 4.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CifarBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut.

    Args:
        inputs: channels.
        outputs: channels; where they are more, the block halves the size.
        has_projection: whether the shortcut is then a 1×1 convolution, else every second cell with
            channels of zeros on both sides.

    Attributes:
        pads_behind: whether those zeros all stand behind instead.
    """

    def __init__(self, inputs: int, outputs: int, *, has_projection: bool) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        self.pads_behind = False
        if stride > 1 and has_projection:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def residual(self, x: Tensor) -> Tensor:
        """Return F(x)."""
        found: Tensor = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return found

    def shortcut(self, x: Tensor) -> Tensor:
        """Return what is added to F(x)."""
        if self.downsample is not None:
            projected: Tensor = self.downsample(x)
            return projected
        missing = self.conv1.out_channels - self.conv1.in_channels
        if not missing:
            return x
        cells = x[:, :, ::2, ::2]
        before = 0 if self.pads_behind else missing // 2
        return nn.functional.pad(cells, (0, 0, 0, 0, before, missing - before))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, K, h', w') for (N, C, h, w)."""
        return torch.relu(self.residual(x) + self.shortcut(x))


class CifarResNet(nn.Module):
    """Three stages of blocks between a 3×3 convolution and the mean.

    Args:
        blocks: in each stage.
        width: channels of the first stage.
        has_projections: as for blocks.
    """

    def __init__(self, blocks: tuple[int, int, int], width: int, *, has_projections: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        inputs = width
        for stage, count in enumerate(blocks):
            outputs = width * 2**stage
            made = []
            for _ in range(count):
                made.append(CifarBlock(inputs, outputs, has_projection=has_projections))
                inputs = outputs
            self.add_module(f"layer{stage + 1}", nn.Sequential(*made))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) for (N, C, H, W)."""
        x = self.relu(self.bn1(self.conv1(x)))
        for stage in ("layer1", "layer2", "layer3"):
            x = self.get_submodule(stage)(x)
        logits: Tensor = self.fc(self.avgpool(x).flatten(1))
        return logits
