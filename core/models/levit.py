"""LeViT, whose attention shrinks its maps between stages.

Source: Graham et al., ICCV 2021, arXiv:2104.01136.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from core.models.families.levit import Layer, LevitForm


class NormedLinear(nn.Module):
    """A linear layer for each token, and its batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (N, T, C') for (N, T, C)."""
        values = self.linear(tokens)
        normed: Tensor = self.norm(values.flatten(0, 1)).reshape_as(values)
        return normed


class LevitAttention(nn.Module):
    """Attention of every token to every other, added to them.

    Args:
        layer: how large its parts are.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.num_heads, self.key, self.side = layer.heads, layer.key, layer.side
        self.qkv = NormedLinear(layer.inputs, 2 * layer.key * layer.heads + layer.inner)
        self.softmax = nn.Softmax(dim=-1)
        self.act = nn.Hardswish()
        self.proj = NormedLinear(layer.inner, layer.outputs)
        self.biases = nn.Parameter(torch.empty(layer.heads, layer.side**2))

    def residual(self, tokens: Tensor) -> Tensor:
        """Return what is added."""
        parts = _heads(self.qkv(tokens), self.num_heads)
        query, key, value = parts.tensor_split((self.key, 2 * self.key), dim=3)
        weights = self.softmax(_likeness(query, key) + _placed(self.biases, self.side, 1))
        found: Tensor = self.proj(self.act((weights @ value).transpose(1, 2).flatten(2)))
        return found

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (N, T, C) for (N, T, C)."""
        return tokens + self.residual(tokens)


class LevitShrinking(nn.Module):
    """Attention of every second token of every second row to all.

    Args:
        layer: how large its parts are.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.num_heads, self.key, self.side = layer.heads, layer.key, layer.side
        self.keys_values = NormedLinear(layer.inputs, layer.key * layer.heads + layer.inner)
        self.queries = NormedLinear(layer.inputs, layer.key * layer.heads)
        self.softmax = nn.Softmax(dim=-1)
        self.act = nn.Hardswish()
        self.proj = NormedLinear(layer.inner, layer.outputs)
        self.biases = nn.Parameter(torch.empty(layer.heads, layer.side**2))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (N, T', C') for (N, T, C)."""
        count, _, width = tokens.shape
        kept = tokens.reshape(count, self.side, self.side, width)[:, ::2, ::2]
        query = _heads(self.queries(kept.reshape(count, -1, width)), self.num_heads)
        parts = _heads(self.keys_values(tokens), self.num_heads)
        key, value = parts.tensor_split((self.key,), dim=3)
        weights = self.softmax(_likeness(query, key) + _placed(self.biases, self.side, 2))
        found: Tensor = self.proj(self.act((weights @ value).transpose(1, 2).flatten(2)))
        return found


class LevitMlp(nn.Module):
    """Two linear layers with an activation between them, added to their input."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.up = NormedLinear(layer.inputs, layer.inner)
        self.act = nn.Hardswish()
        self.down = NormedLinear(layer.inner, layer.outputs)

    def residual(self, tokens: Tensor) -> Tensor:
        """Return what is added."""
        found: Tensor = self.down(self.act(self.up(tokens)))
        return found

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (N, T, C) for (N, T, C)."""
        return tokens + self.residual(tokens)


_KINDS = {"attention": LevitAttention, "shrinking": LevitShrinking, "mlp": LevitMlp}


class Levit(nn.Module):
    """Four convolutions, stages of layers, the mean.

    Args:
        form: which layers there are, and how large.
    """

    num_prefix_tokens = 0

    def __init__(self, form: LevitForm) -> None:
        super().__init__()
        inputs = 3
        stem: list[nn.Module] = []
        for width in form.stem:
            parts = {
                "conv": nn.Conv2d(inputs, width, 3, 2, 1, bias=False),
                "norm": nn.BatchNorm2d(width),
            }
            if len(stem) < len(form.stem) - 1:
                parts["act"] = nn.Hardswish()
            stem.append(nn.Sequential(OrderedDict(parts)))
            inputs = width
        self.stem = nn.Sequential(*stem)
        self.stages = nn.Sequential(
            *(nn.Sequential(*(_KINDS[one.kind](one) for one in stage)) for stage in form.stages)
        )
        width = form.stages[-1][-1].outputs
        self.head = _head(width, form.outputs)
        second = form.distilled_outputs
        self.distillation_head = _head(width, second) if second else None

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) for (N, 3, H, W)."""
        features = self.stages(self.stem(images).flatten(2).transpose(1, 2)).mean(dim=1)
        logits: Tensor = self.head(features)
        if self.distillation_head is None:
            return logits
        distilled: Tensor = self.distillation_head(features)
        return (logits + distilled) / 2


def _head(width: int, outputs: int) -> nn.Sequential:
    parts = {"batch_norm": nn.BatchNorm1d(width), "linear": nn.Linear(width, outputs)}
    return nn.Sequential(OrderedDict(parts))


def _heads(values: Tensor, heads: int) -> Tensor:
    """Return (N, heads, T, C / heads) for (N, T, C)."""
    return values.reshape(*values.shape[:2], heads, -1).transpose(1, 2)


def _likeness(query: Tensor, key: Tensor) -> Tensor:
    """Return (N, heads, T, T')."""
    found: Tensor = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    return found


def _placed(biases: Tensor, side: int, stride: int) -> Tensor:
    """Return a head's bias for each pair of tokens, which depends on how far apart they lie."""
    place = torch.arange(side, device=biases.device)
    apart = (place[::stride, None] - place[None, :]).abs()
    index = apart[:, None, :, None] * side + apart[None, :, None, :]
    return biases[:, index.reshape(len(apart) ** 2, side**2)]
