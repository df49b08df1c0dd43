"""ResNets for pictures of 32×32 pixels whose blocks normalise first, wide ones among them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.language import lazy, tr
from core.models.families.base import CLASSIC, Dialect, Family, Shape, Shapes, no_weights
from core.models.families.blocks import Part, Paths, RunBlock
from core.models.families.cifar_resnet import batch_norm, preset_of_cifar

if TYPE_CHECKING:
    from torch import Tensor, nn

_STEM = "conv1.weight"
_STAGES = (3, 4)
_MOST_BLOCKS = 200

Blocks = tuple[tuple[int, ...], ...]
"""What the convolutions of each block of a stage give."""


@dataclass(frozen=True)
class PreactivationForm:
    """What shapes tell of such a network.

    Attributes:
        stem: channels of the first convolution.
        stages: each stage's blocks.
        projections: whether the first block of each stage projects its shortcut.
        normalises_last: whether batch norm stands before the mean.
        has_biases: whether convolutions add a bias.
    """

    stem: int
    stages: tuple[Blocks, ...]
    projections: tuple[bool, ...]
    normalises_last: bool
    has_biases: bool

    @property
    def title(self) -> str:
        """Return the name that papers give it, e.g. "Wide ResNet-28-10"."""
        convolutions = sum(len(block) for blocks in self.stages for block in blocks)
        wider = self.stages[0][0][0] // self.stem
        biases = ", with biases" if self.has_biases else ""
        if wider > 1 and len(self.stages[0][0]) == 2:
            # Papers count the projections of the three stages too.
            return f"Wide ResNet-{convolutions + 4}-{wider} (CIFAR{biases})"
        return f"Preactivation ResNet-{convolutions + 2} (CIFAR{biases})"

    @property
    def note(self) -> str:
        """Return what no shape tells and is taken to be so."""
        if self.has_biases:
            return tr(
                "Its blocks normalise before they convolve, and its convolutions have biases: as "
                "in the widespread code of that kind, shortcuts are taken to begin before the "
                "first ReLU and stages to halve the size in their second convolution."
            )
        return tr(
            "Its blocks normalise before they convolve: as in the widespread code of that kind, "
            "shortcuts that change the channels are taken to begin behind the first ReLU."
        )

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict, with 10 classes."""
        found = self._convolution("conv1", (self.stem, 3, 3, 3))
        inputs = self.stem
        for stage, blocks in enumerate(self.stages, 1):
            for number, widths in enumerate(blocks):
                place = f"layer{stage}.{number}"
                sides = (3, 3) if len(widths) == 2 else (1, 3, 1)
                for at, (before, after, side) in enumerate(
                    zip((inputs, *widths), widths, sides, strict=False), 1
                ):
                    found |= batch_norm(f"{place}.bn{at}", before)
                    found |= self._convolution(f"{place}.conv{at}", (after, before, side, side))
                if number == 0 and self.projections[stage - 1]:
                    shape = (widths[-1], inputs, 1, 1)
                    found |= self._convolution(f"{place}.shortcut", shape)
                inputs = widths[-1]
        if self.normalises_last:
            found |= batch_norm("bn1", inputs)
        return found | {"fc.weight": (10, inputs), "fc.bias": (10,)}

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.resnet_preactivated import PreactivationResNet  # costs start-up time

        del options
        return PreactivationResNet(
            self.stem,
            self.stages,
            self.projections,
            normalises_last=self.normalises_last,
            has_biases=self.has_biases,
        )

    def _convolution(self, name: str, shape: Shape) -> dict[str, Shape]:
        bias = {f"{name}.bias": shape[:1]} if self.has_biases else {}
        return {f"{name}.weight": shape, **bias}


def read_form(shapes: Shapes) -> PreactivationForm | None:
    """Return the form that a state dict's shapes have; None where it is not such a network."""
    stem = shapes.get(_STEM, ())
    if len(stem) != 4 or stem[1:] != (3, 3, 3):
        return None
    stages = tuple(itertools.takewhile(bool, (_blocks(shapes, stage) for stage in range(1, 6))))
    if len(stages) not in _STAGES:
        return None
    projections = tuple(f"layer{stage}.0.shortcut.weight" in shapes for stage in _numbers(stages))
    form = PreactivationForm(
        stem[0], stages, projections, "bn1.weight" in shapes, "conv1.bias" in shapes
    )
    # What follows the first ReLU of each stage tells it from a block that normalises behind:
    # there this has as many channels as the block gives.
    return form if _normalises_first(shapes, form) else None


def _normalises_first(shapes: Shapes, form: PreactivationForm) -> bool:
    before = [form.stem, *(blocks[-1][-1] for blocks in form.stages)]
    normed = [shapes.get(f"layer{stage}.0.bn1.weight") for stage in _numbers(form.stages)]
    changes = any(one != blocks[0][0] for one, blocks in zip(before, form.stages, strict=False))
    return changes and all(one == (many,) for one, many in zip(normed, before, strict=False))


def _blocks(shapes: Shapes, stage: int) -> Blocks:
    found: list[tuple[int, ...]] = []
    while len(found) < _MOST_BLOCKS:
        place = f"layer{stage}.{len(found)}"
        names = [f"{place}.conv{at}.weight" for at in (1, 2, 3)]
        widths = tuple(shapes[name][0] for name in names if len(shapes.get(name, ())) == 4)
        if len(widths) < 2:
            break
        found.append(widths)
    return tuple(found)


def _numbers(stages: tuple[Blocks, ...]) -> range:
    return range(1, len(stages) + 1)


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    residual, shortcut = block.paths(x)
    yield Paths(Part.WHOLE, x, residual, shortcut, residual + shortcut)


def _one_name(found: re.Match[str]) -> str:
    stage, number, rest = found.groups()
    return f"layer{stage}.{number}." + re.sub(r"^(convShortcut|shortcut\.0)\.", "shortcut.", rest)


_RULES = (
    (r"(?:layer|block)(\d)\.(?:layer\.)?(\d+)\.(.+)", _one_name),
    (r"bn\.(\w+)", r"bn1.\1"),
    (r"linear\.(\w+)", r"fc.\1"),
)

PREACTIVATION_RESNET = Family(
    {},
    CLASSIC,
    "resnet_preactivated",
    "fc",
    library="core.models",
    gives_maps=False,
    weights=no_weights,
    preset=preset_of_cifar,
    variant=read_form,
    dialects=(
        Dialect(lazy("the names of a widespread Wide ResNet"), "block1.layer.0.bn1.weight", _RULES),
        Dialect(lazy("the names of a widespread ResNet for CIFAR"), "linear.weight", _RULES),
    ),
    blocks={"PreactivationBlock": RunBlock(_run)},
)
"""Networks that no library provides; their sources are named with the network."""
