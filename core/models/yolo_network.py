"""Networks of the YOLO classifiers, which no library among Droplens's provides.

Layers bear the names under which they are published. Sources: Wang et al., CSPNet, CVPR workshops
2020, arXiv:1911.11929 (maps split in two, one half computed on); Wang et al., ELAN, 2022,
arXiv:2211.04800 (all that was computed joined); Wang et al., YOLOv10, arXiv:2405.14458 (partial
self-attention); Khanam and Hussain, YOLO11, arXiv:2410.17725.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from core.models.families.yolo import SplitForm

_CHANNELS_A_HEAD = 64
"""Of the attention."""


def heads_of(channels: int) -> int:
    """Return how many heads attention over so many channels has."""
    return max(1, channels // _CHANNELS_A_HEAD)


class Conv(nn.Module):
    """A convolution, batch normalisation and SiLU.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: its sides.
        stride: of the convolution.
        groups: of the convolution.
        activates: whether SiLU follows.
        fused: whether the normalisation is part of the convolution already.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        activates: bool = True,
        fused: bool,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=fused
        )
        self.bn: nn.Module = nn.Identity() if fused else nn.BatchNorm2d(outputs)
        self.act: nn.Module = nn.SiLU() if activates else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, K, h', w') for (N, C, h, w)."""
        found: Tensor = self.act(self.bn(self.conv(x)))
        return found


class Bottleneck(nn.Module):
    """Two 3×3 convolutions, added to what they are given."""

    def __init__(self, channels: int, hidden: int, *, fused: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, hidden, 3, fused=fused)
        self.cv2 = Conv(hidden, channels, 3, fused=fused)

    def residual(self, x: Tensor) -> Tensor:
        """Return F(x)."""
        found: Tensor = self.cv2(self.cv1(x))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, h, w) for the same."""
        return x + self.residual(x)


class C3k(nn.Module):
    """Blocks on one projection of the maps, joined with another projection."""

    def __init__(self, channels: int, hidden: int, count: int, *, fused: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, hidden, fused=fused)
        self.cv2 = Conv(channels, hidden, fused=fused)
        self.cv3 = Conv(2 * hidden, channels, fused=fused)
        self.m = nn.Sequential(*(Bottleneck(hidden, hidden, fused=fused) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, h, w) for the same."""
        found: Tensor = self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))
        return found


class C2f(nn.Module):
    """Maps split in two; blocks follow each other on one half, and all of it is joined.

    C3k2 is the same with other blocks.
    """

    def __init__(self, inputs: int, form: SplitForm, *, fused: bool) -> None:
        super().__init__()
        self.cv1 = Conv(inputs, 2 * form.hidden, fused=fused)
        self.cv2 = Conv((2 + form.count) * form.hidden, form.outputs, fused=fused)
        self.m = nn.ModuleList(
            C3k(form.hidden, form.inner, form.depth, fused=fused)
            if form.depth
            else Bottleneck(form.hidden, form.inner, fused=fused)
            for _ in range(form.count)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, K, h, w) for (N, C, h, w)."""
        parts = list(self.cv1(x).chunk(2, 1))
        for block in self.m:
            parts.append(block(parts[-1]))
        found: Tensor = self.cv2(torch.cat(parts, 1))
        return found


class Attention(nn.Module):
    """Each cell's attention to all cells, and a depthwise convolution that tells where they are.

    Attributes:
        num_heads: of the attention.
        head_dim: channels of a value; queries and keys have half as many.
        key_dim: those.
    """

    def __init__(self, channels: int, *, fused: bool) -> None:
        super().__init__()
        self.num_heads = heads_of(channels)
        self.head_dim = channels // self.num_heads
        self.key_dim = self.head_dim // 2
        widened = channels + 2 * self.num_heads * self.key_dim
        self.qkv = Conv(channels, widened, activates=False, fused=fused)
        self.proj = Conv(channels, channels, activates=False, fused=fused)
        self.pe = Conv(channels, channels, 3, groups=channels, activates=False, fused=fused)
        self.softmax = nn.Softmax(-1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, h, w) for the same."""
        parts = self.qkv(x).unflatten(1, (self.num_heads, -1)).flatten(3)
        query, key, value = parts.split((self.key_dim, self.key_dim, self.head_dim), 2)
        weights = self.softmax(query.transpose(2, 3) @ key * self.key_dim**-0.5)
        attended = (value @ weights.transpose(2, 3)).reshape(x.shape)
        found: Tensor = self.proj(attended + self.pe(value.reshape(x.shape)))
        return found


class PSABlock(nn.Module):
    """Attention, then two 1×1 convolutions, each added to what it is given."""

    def __init__(self, channels: int, *, fused: bool) -> None:
        super().__init__()
        self.attn = Attention(channels, fused=fused)
        self.ffn = nn.Sequential(
            Conv(channels, 2 * channels, fused=fused),
            Conv(2 * channels, channels, activates=False, fused=fused),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, h, w) for the same."""
        x = x + self.attn(x)
        found: Tensor = x + self.ffn(x)
        return found


class C2PSA(nn.Module):
    """Maps split in two, with attention on one half."""

    def __init__(self, channels: int, count: int, *, fused: bool) -> None:
        super().__init__()
        hidden = channels // 2
        self.cv1 = Conv(channels, 2 * hidden, fused=fused)
        self.cv2 = Conv(2 * hidden, channels, fused=fused)
        self.m = nn.Sequential(*(PSABlock(hidden, fused=fused) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, h, w) for the same."""
        left, right = self.cv1(x).chunk(2, 1)
        found: Tensor = self.cv2(torch.cat((left, self.m(right)), 1))
        return found


class Classify(nn.Module):
    """A 1×1 convolution, the mean of each map, and a linear layer; it gives logits."""

    def __init__(self, inputs: int, features: int, outputs: int, *, fused: bool) -> None:
        super().__init__()
        self.conv = Conv(inputs, features, fused=fused)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) for (N, C, h, w)."""
        logits: Tensor = self.linear(self.pool(self.conv(x)).flatten(1))
        return logits


class YoloClassifier(nn.Sequential):
    """Convolutions that halve the maps, each but the first followed by a split stage.

    Args:
        widths: channels of the five convolutions.
        splits: the four stages.
        attention: blocks of the attention after them; 0 for none.
        features: what the last layer takes.
        outputs: classes.
        fused: as for ``Conv``.
    """

    def __init__(
        self,
        widths: Sequence[int],
        splits: Sequence[SplitForm],
        attention: int,
        features: int,
        outputs: int,
        *,
        fused: bool,
    ) -> None:
        layers: list[nn.Module] = [Conv(3, widths[0], 3, 2, fused=fused)]
        channels = widths[0]
        for width, split in zip(widths[1:], splits, strict=True):
            layers += [Conv(channels, width, 3, 2, fused=fused), C2f(width, split, fused=fused)]
            channels = split.outputs
        if attention:
            layers.append(C2PSA(channels, attention, fused=fused))
        super().__init__(*layers, Classify(channels, features, outputs, fused=fused))
