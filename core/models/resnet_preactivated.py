"""ResNets for pictures of 32×32 pixels whose blocks normalise before they convolve.

Source: He et al., "Identity Mappings in Deep Residual Networks", arXiv:1603.05027; Zagoruyko and
Komodakis, "Wide Residual Networks", arXiv:1605.07146.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class PreactivationBlock(nn.Module):
    """Batch norm, ReLU and a convolution, two or three times, beside a shortcut.

    Args:
        inputs: channels.
        widths: what each convolution gives; two of 3×3, or three of which the middle one is 3×3.
        halves: whether it halves the size.
        has_projection: whether the shortcut is a 1×1 convolution.
        has_biases: whether convolutions add a bias. The widespread code that has them halves in
            its second convolution and projects what comes in; the others halve in the first 3×3
            one and project what the first ReLU gives.
    """

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        *,
        halves: bool,
        has_projection: bool,
        has_biases: bool,
    ) -> None:
        super().__init__()
        stride = 2 if halves else 1
        sides = (3, 3) if len(widths) == 2 else (1, 3, 1)
        strided = 1 if has_biases or len(widths) == 3 else 0
        self.projects_input = has_biases
        before = inputs
        for at, (side, width) in enumerate(zip(sides, widths, strict=True)):
            self.add_module(f"bn{at + 1}", nn.BatchNorm2d(before))
            step = stride if at == strided else 1
            made = nn.Conv2d(before, width, side, step, side // 2, bias=has_biases)
            self.add_module(f"conv{at + 1}", made)
            before = width
        self.shortcut: nn.Module | None = None
        if has_projection:
            self.shortcut = nn.Conv2d(inputs, before, 1, stride, bias=has_biases)

    def paths(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(x) and what is added to it."""
        activated = residual = torch.relu(self.get_submodule("bn1")(x))
        convolutions = [name for name, _ in self.named_children() if name.startswith("conv")]
        for at, name in enumerate(convolutions, 1):
            if at > 1:
                residual = torch.relu(self.get_submodule(f"bn{at}")(residual))
            residual = self.get_submodule(name)(residual)
        if self.shortcut is None:
            return residual, x
        return residual, self.shortcut(x if self.projects_input else activated)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, K, h', w') for (N, C, h, w)."""
        residual, shortcut = self.paths(x)
        return residual + shortcut


class PreactivationResNet(nn.Module):
    """Stages of such blocks between a 3×3 convolution and the mean.

    Args:
        stem: channels of the first convolution.
        stages: of each, what its blocks' convolutions give, a block after the other; all but the
            first halve the size.
        projections: whether the first block of each stage projects.
        normalises_last: whether batch norm and ReLU follow the last stage.
        has_biases: as for blocks.
    """

    def __init__(
        self,
        stem: int,
        stages: Sequence[Sequence[Sequence[int]]],
        projections: Sequence[bool],
        *,
        normalises_last: bool,
        has_biases: bool,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 3, 1, 1, bias=has_biases)
        channels = stem
        self.stages = len(stages)
        for number, (blocks, has_projection) in enumerate(zip(stages, projections, strict=True), 1):
            made = []
            for at, widths in enumerate(blocks):
                block = PreactivationBlock(
                    channels,
                    widths,
                    halves=number > 1 and at == 0,
                    has_projection=has_projection and at == 0,
                    has_biases=has_biases,
                )
                made.append(block)
                channels = widths[-1]
            self.add_module(f"layer{number}", nn.Sequential(*made))
        self.bn1: nn.Module | None = nn.BatchNorm2d(channels) if normalises_last else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) for (N, C, H, W)."""
        x = self.conv1(x)
        for number in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{number}")(x)
        if self.bn1 is not None:
            x = torch.relu(self.bn1(x))
        logits: Tensor = self.fc(self.avgpool(x).flatten(1))
        return logits
