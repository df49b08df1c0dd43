"""Vision transformers that differ from torchvision's in tokens, attention and pooling.

Sources: Touvron et al., arXiv:2012.12877 (DeiT); Bao et al., arXiv:2106.08254 (BEiT); Oquab et al.,
arXiv:2304.07193 (DINOv2); Darcet et al., arXiv:2309.16588 (registers); Radford et al.,
arXiv:2103.00020 (CLIP); Zhai et al., arXiv:2303.15343 (SigLIP).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from core.models.families.token_form import TokenForm


class PositionBias(nn.Module):
    """What is added to attention for each offset between two patches, one number a head.

    Args:
        distances: all offsets on a square grid, and three that have to do with the class token.
        heads: of the attention.

    Attributes:
        grid: rows and columns of the patches that are looked at.
    """

    def __init__(self, distances: int, heads: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(distances, heads))
        self._side = (math.isqrt(distances - 3) + 1) // 2
        self.grid = (self._side, self._side)

    def forward(self) -> Tensor:
        """Return shape (1, heads, T, T), with a class token before the patches."""
        rows, columns = self.grid
        table = self._resized(2 * rows - 1, 2 * columns - 1)
        index = _offsets(rows, columns, table)
        return table[index].permute(2, 0, 1).unsqueeze(0)

    def _resized(self, height: int, width: int) -> Tensor:
        whole = 2 * self._side - 1
        if (height, width) == (whole, whole):
            return self.table
        patches, others = self.table[:-3], self.table[-3:]
        maps = patches.T.reshape(1, -1, whole, whole)
        maps = functional.interpolate(maps, (height, width), mode="bilinear")
        return torch.cat([maps.reshape(maps.shape[1], -1).T, others])


def _offsets(rows: int, columns: int, table: Tensor) -> Tensor:
    """Return which entry of a table belongs to each pair of tokens, shape (T, T)."""
    distances = table.shape[0]
    row = torch.arange(rows, device=table.device)[:, None].expand(rows, columns).flatten()
    column = torch.arange(columns, device=table.device).repeat(rows)
    down = row[:, None] - row[None, :] + rows - 1
    right = column[:, None] - column[None, :] + columns - 1
    index = functional.pad(down * (2 * columns - 1) + right, (1, 0, 1, 0))
    index[0, :], index[:, 0], index[0, 0] = distances - 3, distances - 2, distances - 1
    return index


class TokenAttention(nn.Module):
    """Attention of every token to every other.

    Args:
        width: numbers a token has.
        heads: how many times it attends; set by whoever knows.
        has_bias: whether queries, keys and values have one.
        bias: of its own for positions.
        shared: the same for all blocks.

    Attributes:
        fused_attn: whether torch's own attention is used, which shows no weights.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        has_bias: bool,
        bias: PositionBias | None,
        shared: PositionBias | None,
    ) -> None:
        super().__init__()
        self.num_heads = heads
        self.fused_attn = True
        self.qkv = nn.Linear(width, 3 * width, bias=has_bias)
        self.proj = nn.Linear(width, width)
        self.bias = bias
        self._shared = (shared,)  # in a tuple: it is a part of the network, not of each block

    def forward(self, tokens: Tensor) -> Tensor:
        """Return shape (N, T, C) for (N, T, C)."""
        count, length, width = tokens.shape
        parts = self.qkv(tokens).reshape(count, length, 3, self.num_heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        biases = [bias() for bias in (self.bias, *self._shared) if bias is not None]
        added = sum(biases[1:], biases[0]) if biases else None
        if self.fused_attn:
            heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=added)
        else:
            weights = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
            heads = (weights if added is None else weights + added).softmax(dim=-1) @ value
        attended: Tensor = self.proj(heads.transpose(1, 2).reshape(count, length, width))
        return attended


class TokenMlp(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return shape (N, T, C) for (N, T, C)."""
        found: Tensor = self.fc2(self.act(self.fc1(tokens)))
        return found


class GatedMlp(nn.Module):
    """Two linear layers, the first of which gates itself. Source: Shazeer, arXiv:2002.05202."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gated = nn.Linear(width, 2 * hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return shape (N, T, C) for (N, T, C)."""
        gate, values = self.gated(tokens).chunk(2, dim=-1)
        found: Tensor = self.fc2(functional.silu(gate) * values)
        return found


class TokenBlock(nn.Module):
    """Attention and a small network, each added to its input."""

    def __init__(self, form: TokenForm, shared: PositionBias | None) -> None:
        super().__init__()
        width, scales = form.width, form.has("blocks.0.scale1")
        gated = form.has("blocks.0.mlp.gated.weight")
        own = _bias(form, "blocks.0.attention.bias.table")
        self.norm1 = nn.LayerNorm(width)
        self.attention = TokenAttention(
            width,
            form.heads,
            has_bias=form.has("blocks.0.attention.qkv.bias"),
            bias=own,
            shared=shared,
        )
        self.scale1 = nn.Parameter(torch.empty(width)) if scales else None
        self.norm2 = nn.LayerNorm(width)
        self.mlp = (GatedMlp if gated else TokenMlp)(width, form.hidden)
        self.scale2 = nn.Parameter(torch.empty(width)) if scales else None

    def attended(self, tokens: Tensor) -> Tensor:
        """Return what attention adds."""
        found: Tensor = self.attention(self.norm1(tokens))
        return found if self.scale1 is None else found * self.scale1

    def computed(self, tokens: Tensor) -> Tensor:
        """Return what the small network adds."""
        found: Tensor = self.mlp(self.norm2(tokens))
        return found if self.scale2 is None else found * self.scale2

    def forward(self, tokens: Tensor) -> Tensor:
        """Return shape (N, T, C) for (N, T, C)."""
        tokens = tokens + self.attended(tokens)
        return tokens + self.computed(tokens)


class TokenNetwork(nn.Module):
    """A vision transformer of any of the forms.

    Args:
        form: which of its parts it has, and how large they are.

    Attributes:
        num_prefix_tokens: how many tokens stand before those of the patches.
    """

    def __init__(self, form: TokenForm) -> None:
        super().__init__()
        width = form.width
        self.form = form
        self.num_prefix_tokens = form.placed + form.registers
        self.patches = nn.Conv2d(3, width, form.patch, form.patch, bias=form.has("patches.bias"))
        self.class_token = _tokens(int(form.has("class_token")), width)
        self.distillation_token = _tokens(int(form.has("distillation_token")), width)
        self.registers = _tokens(form.registers, width)
        self.positions = _tokens(form.positions, width)
        self.norm_before = _norm(form, "norm_before")
        self.shared_bias = _bias(form, "shared_bias.table")
        self.blocks = nn.Sequential(
            *(TokenBlock(form, self.shared_bias) for _ in range(form.depth))
        )
        self.norm = _norm(form, "norm")
        self.pooled_norm = _norm(form, "pooled_norm")
        second = form.distilled_outputs
        self.distillation_head = nn.Linear(width, second) if second else None
        self.head = nn.Linear(width * (2 if form.pools_twice else 1), form.outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) for (N, 3, H, W)."""
        tokens = self.blocks(self._embedded(images))
        tokens = tokens if self.norm is None else self.norm(tokens)
        logits: Tensor = self.head(self._pooled(tokens))
        if self.distillation_head is None:
            return logits
        distilled: Tensor = self.distillation_head(tokens[:, 1])
        return (logits + distilled) / 2

    def _embedded(self, images: Tensor) -> Tensor:
        maps = self.patches(images)
        count, (rows, columns) = maps.shape[0], maps.shape[2:]
        for module in self.modules():
            if isinstance(module, PositionBias):
                module.grid = (int(rows), int(columns))
        before = [self.class_token, self.distillation_token]
        tokens = torch.cat(
            [
                *(token.expand(count, -1, -1) for token in before if token is not None),
                maps.flatten(2).transpose(1, 2),
            ],
            dim=1,
        )
        if self.positions is not None:
            tokens = tokens + self._placed(self.positions, int(rows), int(columns))
        if self.registers is not None:
            registers = self.registers.expand(count, -1, -1)
            tokens = torch.cat([tokens[:, :1], registers, tokens[:, 1:]], dim=1)
        return tokens if self.norm_before is None else self.norm_before(tokens)

    def _placed(self, positions: Tensor, rows: int, columns: int) -> Tensor:
        """Return the positions, resized where there are other patches than they were learnt for."""
        side = math.isqrt(self.form.positions - self.form.placed)
        if (rows, columns) == (side, side):
            return positions
        before, patches = positions[:, : self.form.placed], positions[:, self.form.placed :]
        maps = patches.transpose(1, 2).reshape(1, -1, side, side)
        sharp = self.form.registers > 0
        maps = functional.interpolate(maps, (rows, columns), mode="bicubic", antialias=sharp)
        return torch.cat([before, maps.flatten(2).transpose(1, 2)], dim=1)

    def _pooled(self, tokens: Tensor) -> Tensor:
        if self.form.pools_class_token:
            return tokens[:, 0]
        mean = tokens[:, self.num_prefix_tokens :].mean(dim=1)
        if self.form.pools_twice:
            return torch.cat([tokens[:, 0], mean], dim=1)
        return mean if self.pooled_norm is None else self.pooled_norm(mean)


def _tokens(count: int, width: int) -> nn.Parameter | None:
    return nn.Parameter(torch.empty(1, count, width)) if count else None


def _norm(form: TokenForm, name: str) -> nn.LayerNorm | None:
    return nn.LayerNorm(form.width) if form.has(f"{name}.weight") else None


def _bias(form: TokenForm, name: str) -> PositionBias | None:
    return PositionBias(form.distances, form.heads) if form.has(name) else None
