"""PoolFormer of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import MODERN, Dialect, Family, Shape, Shapes, no_weights
from core.models.families.blocks import Part, Paths, RunBlock
from core.models.families.configured import (
    ACTIVATIONS,
    Configured,
    Difference,
    Setting,
    Settings,
    always,
)
from core.models.families.forms import count_numbered, is_sound, shapes_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.images.preprocessing import Preprocessing

_STAGES = 4
_SIZES = {"2-2-6-2": "S12", "4-4-12-4": "S24", "6-6-18-6": "S36 or M36", "8-8-24-8": "M48"}
"""What the paper calls them, by the blocks of their stages."""


@dataclass(frozen=True)
class Stage:
    """One of four.

    Attributes:
        blocks: how many.
        width: channels.
        hidden: channels between the two convolutions of a block.
        kernel: of the convolution that it begins with.
    """

    blocks: int
    width: int
    hidden: int
    kernel: int


@dataclass(frozen=True)
class PoolFormerForm:
    """What shapes tell of such a network.

    Attributes:
        stages: its four.
        has_scales: whether its blocks weight channels.
        outputs: of the head.
    """

    stages: tuple[Stage, ...]
    has_scales: bool
    outputs: int

    @property
    def title(self) -> str:
        """Return the name that the paper gives it, e.g. "PoolFormer S12"."""
        blocks = "-".join(str(stage.blocks) for stage in self.stages)
        return f"PoolFormer {_SIZES.get(blocks, blocks)}"

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict."""
        return shapes_of(self)

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.poolformer import PoolFormer  # torch, which costs start-up time

        del options
        return PoolFormer(self)


def read_form(shapes: Shapes) -> PoolFormerForm | None:
    """Return the form that a state dict's shapes have; None where it is not such a network."""
    stages = [_stage(shapes, f"stages.{number}.") for number in range(_STAGES)]
    found = tuple(stage for stage in stages if stage is not None)
    head = shapes.get("head.weight", (1000, 1))
    is_whole = len(found) == count_numbered(shapes, "stages.") == _STAGES
    if not is_whole or not is_sound(head, 2):
        return None
    return PoolFormerForm(found, "stages.0.1.scale1" in shapes, head[0])


def _stage(shapes: Shapes, start: str) -> Stage | None:
    first, inner = shapes.get(f"{start}0.weight", ()), shapes.get(f"{start}1.conv1.weight", ())
    parts = count_numbered(shapes, start)
    if not parts or not is_sound(first, 4) or not is_sound(inner, 4):
        return None
    return Stage(parts - 1, first[0], inner[0], first[2])


def _settings(*_: object) -> dict[str, Setting]:
    return {
        "hidden_act": Setting("gelu", tuple(ACTIVATIONS)),
        "strides": always([4, 2, 2, 2]),
        "padding": always([2, 1, 1, 1]),
        "pool_size": always(3),
        "num_encoder_blocks": always(_STAGES),
    }


def _activations(settings: Settings, shapes: Shapes) -> Iterator[Difference]:
    activation = ACTIVATIONS[settings["hidden_act"]]
    for name in shapes:
        block, _, rest = name.partition(".conv1.")
        if rest == "weight" and activation != "GELU":
            yield f"{block}.act", "", activation


def _renumbered(name: str) -> Any:
    """Return the replacement for a part of a block, which follows the stage's convolution."""
    return lambda it: f"stages.{it[1]}.{int(it[2]) + 1}.{name}{it[3]}"


_ENCODER = r"poolformer\.encoder\."
_BLOCK = rf"{_ENCODER}block\.(\d)\.(\d+)\."

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "poolformer.encoder.patch_embeddings.0.projection.weight",
    (
        (rf"{_ENCODER}patch_embeddings\.(\d)\.projection\.(\w+)", r"stages.\1.0.\2"),
        (rf"{_BLOCK}before_norm\.(\w+)", _renumbered("norm1.")),
        (rf"{_BLOCK}after_norm\.(\w+)", _renumbered("norm2.")),
        (rf"{_BLOCK}layer_scale_(\d)", _renumbered("scale")),
        (rf"{_BLOCK}output\.(conv\d\.\w+)", _renumbered("")),
        (r"classifier\.(\w+)", r"head.\1"),
    ),
    configured=Configured({"poolformer": 0.0}, _settings, differences=_activations),
)


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    first = block.pooled(x)
    residual = first + block.convolved(x + first)
    yield Paths(Part.WHOLE, x, residual, x, x + residual)


def _preset(_: str) -> Preprocessing:
    from core.images.preprocessing import Preprocessing

    return Preprocessing(resize=248, crop=(224, 224), interpolation="bicubic")


POOLFORMER = Family(
    {},
    MODERN,
    "poolformer",
    "head",
    library="core.models",
    weights=no_weights,
    preset=_preset,
    variant=read_form,
    dialects=(HUGGING_FACE,),
    blocks={"PoolFormerBlock": RunBlock(_run)},
)
