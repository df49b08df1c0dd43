"""What the shapes of a vision transformer of transformers tell of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.models.families.base import Shape, Shapes
from core.models.families.forms import count_numbered, is_sound, shapes_of

if TYPE_CHECKING:
    from torch import nn

_SIZES = {
    (192, 12): "Ti",
    (384, 12): "S",
    (768, 12): "B",
    (1024, 24): "L",
    (1152, 27): "So400m",
    (1280, 32): "H",
    (1536, 40): "g",
}
"""What papers call them, by width and depth."""

_HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1152: 16, 1280: 16, 1408: 16, 1536: 24}
"""Of the published networks, by their width; no shape tells them."""

_OPTIONAL = (
    "class_token",
    "distillation_token",
    "registers",
    "positions",
    "patches.bias",
    "norm_before.weight",
    "shared_bias.table",
    "blocks.0.attention.qkv.bias",
    "blocks.0.attention.bias.table",
    "blocks.0.scale1",
    "blocks.0.mlp.gated.weight",
    "norm.weight",
    "pooled_norm.weight",
    "distillation_head.weight",
)
_TABLES = ("blocks.0.attention.bias.table", "shared_bias.table")
_CLASSES = 1000


@dataclass(frozen=True)
class TokenForm:
    """What shapes tell of such a network.

    Attributes:
        width: numbers a token has.
        depth: blocks.
        hidden: numbers between the two layers of a block's small network.
        patch: height and width in pixels.
        parts: names of parameters that not every form has.
        outputs: of the head.
        distilled_outputs: of a second head, for the distillation token; 0 without it.
        positions: how many are learnt, those of the tokens before the patches included.
        registers: tokens that stand for no patch and no class.
        distances: entries of a table of biases for positions; 0 without it.
        table_heads: columns of that table.
        pools_twice: whether the head takes the class token and the mean of the patches.
    """

    width: int
    depth: int
    hidden: int
    patch: tuple[int, int]
    parts: frozenset[str]
    outputs: int
    distilled_outputs: int
    positions: int
    registers: int
    distances: int
    table_heads: int
    pools_twice: bool

    def has(self, part: str) -> bool:
        """Return whether it has a parameter that not every form has."""
        return part in self.parts

    @property
    def heads(self) -> int:
        """Return how many heads its attention has, else those of its width; 0 for an odd one."""
        return self.table_heads or _HEADS.get(self.width, 0)

    @property
    def placed(self) -> int:
        """Return how many of the tokens before the patches have positions."""
        return self.has("class_token") + self.has("distillation_token")

    @property
    def side(self) -> int:
        """Return how many patches an image is high and wide; 0 where that is not fixed."""
        if self.positions:
            patches = max(0, self.positions - self.placed)
            side = math.isqrt(patches)
            return side if side * side == patches else 0
        whole = math.isqrt(max(0, self.distances - 3))
        return (whole + 1) // 2 if whole % 2 and whole * whole == self.distances - 3 else 0

    @property
    def pools_class_token(self) -> bool:
        """Return whether the class token alone is classified."""
        means = self.has("pooled_norm.weight") or not self.has("norm.weight")
        return self.has("class_token") and not means and not self.pools_twice

    @property
    def kind(self) -> str:
        """Return what transformers calls such a network."""
        if self.has("distillation_token"):
            return "DeiT"
        if self.registers:
            return "DINOv2 with registers"
        if self.pools_twice:
            return "DINOv2"
        if self.has("norm_before.weight"):
            return "CLIP"
        if not self.has("class_token"):
            return "SigLIP or I-JEPA"
        is_plain = not self.distances and not self.has("blocks.0.scale1")
        return "ViT" if is_plain and self.pools_class_token else "BEiT"

    @property
    def title(self) -> str:
        """Return the kind with its size as papers write it, e.g. "DINOv2 S/14"."""
        size = _SIZES.get((self.width, self.depth), f"{self.depth}×{self.width}")
        patch = "×".join(map(str, dict.fromkeys(self.patch)))
        return f"{self.kind} {size}/{patch}"

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict."""
        return shapes_of(self)

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.vit_of_hugging_face import TokenNetwork  # torch, which costs start-up time

        del options  # the image size is part of the form
        return TokenNetwork(self)


def read_form(shapes: Shapes) -> TokenForm | None:
    """Return the form that a state dict's shapes have; None where it is not such a network."""
    qkv, patches = shapes.get("blocks.0.attention.qkv.weight", ()), shapes.get("patches.weight", ())
    inner, head = shapes.get("blocks.0.mlp.fc2.weight", ()), shapes.get("head.weight", ())
    depth = count_numbered(shapes, "blocks.")
    tables = [shapes[name] for name in _TABLES if name in shapes]
    second = [shapes[name] for name in ("distillation_head.weight",) if name in shapes]
    matrices = [qkv, inner, *tables, *second, *([head] if head else [])]
    if not depth or not is_sound(patches, 4) or not all(is_sound(one, 2) for one in matrices):
        return None
    table = tables[0] if tables else (0, 0)
    form = TokenForm(
        width=qkv[1],
        depth=depth,
        hidden=inner[1],
        patch=(patches[2], patches[3]),
        parts=frozenset(name for name in _OPTIONAL if name in shapes),
        outputs=head[0] if head else _CLASSES,
        distilled_outputs=second[0][0] if second else 0,
        positions=_count(shapes, "positions"),
        registers=_count(shapes, "registers"),
        distances=table[0],
        table_heads=table[1],
        pools_twice=bool(head) and head[1] == 2 * qkv[1],
    )
    is_placed = "positions" in form.parts or bool(tables)
    return form if form.side or not is_placed else None


def _count(shapes: Shapes, name: str) -> int:
    shape = shapes.get(name, ())
    return shape[1] if is_sound(shape, 3) else 0


def image_size(shapes: Shapes) -> int | None:
    """Return the side in pixels that positions fix; None where any will do.

    DINOv2 learns positions for larger images than it is given as a rule.
    """
    form = read_form(shapes)
    if form is None or form.pools_twice or not form.side:
        return None
    return form.side * form.patch[0]
