"""ResNets for pictures of 32×32 pixels: three stages, from 16 channels on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.language import lazy
from core.models.families.base import CLASSIC, Dialect, Family, Shape, Shapes, no_weights
from core.models.families.blocks import Part, Paths, RunBlock

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.images.preprocessing import Preprocessing

_STEM = "conv1.weight"
_STAGES = 3


@dataclass(frozen=True)
class CifarForm:
    """What shapes tell of such a network.

    Attributes:
        blocks: in each of the three stages.
        width: channels of the first stage; each later one has twice as many.
        has_projections: whether a shortcut that changes its shape is a 1×1 convolution (option B);
            else its channels are padded with zeros (option A), which leaves no trace.
    """

    blocks: tuple[int, int, int]
    width: int
    has_projections: bool

    @property
    def title(self) -> str:
        """Return the name that papers give it, e.g. "ResNet-20 for CIFAR"."""
        name = f"ResNet-{2 * sum(self.blocks) + 2}"
        wider = f", {self.width} channels" if self.width != 16 else ""
        return f"{name} for CIFAR ({'B' if self.has_projections else 'A'}{wider})"

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict, with 10 classes.

        Source: He et al., CVPR 2016, arXiv:1512.03385, section 4.2.
        """
        found: dict[str, Shape] = {_STEM: (self.width, 3, 3, 3), **batch_norm("bn1", self.width)}
        inputs = self.width
        for stage, count in enumerate(self.blocks):
            outputs = self.width * 2**stage
            for number in range(count):
                block = f"layer{stage + 1}.{number}"
                found[f"{block}.conv1.weight"] = (outputs, inputs, 3, 3)
                found |= batch_norm(f"{block}.bn1", outputs)
                found[f"{block}.conv2.weight"] = (outputs, outputs, 3, 3)
                found |= batch_norm(f"{block}.bn2", outputs)
                if inputs != outputs and self.has_projections:
                    found[f"{block}.downsample.0.weight"] = (outputs, inputs, 1, 1)
                    found |= batch_norm(f"{block}.downsample.1", outputs)
                inputs = outputs
        return found | {"fc.weight": (10, inputs), "fc.bias": (10,)}

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.resnet_of_three_stages import (
            CifarResNet,
        )  # torch, which costs start-up time

        del options
        return CifarResNet(self.blocks, self.width, has_projections=self.has_projections)


def read_form(shapes: Shapes) -> CifarForm | None:
    """Return the form that a state dict's shapes have; None where it is not such a network."""
    stem = shapes.get(_STEM, ())
    if len(stem) != 4 or stem[2:] != (3, 3) or any(name.startswith("layer4.") for name in shapes):
        return None
    counts = []
    for stage in range(1, _STAGES + 1):
        start = f"layer{stage}."
        numbers = {name[len(start) :].split(".", 1)[0] for name in shapes if name.startswith(start)}
        if not numbers or numbers != {str(number) for number in range(len(numbers))}:
            return None
        counts.append(len(numbers))
    one, two, three = counts
    return CifarForm((one, two, three), stem[0], "layer2.0.downsample.0.weight" in shapes)


def batch_norm(name: str, channels: int) -> dict[str, Shape]:
    """Return names and shapes of a batch norm's parameters."""
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    residual, shortcut = block.residual(x), block.shortcut(x)
    yield Paths(Part.WHOLE, x, residual, shortcut, (residual + shortcut).relu())


def preset_of_cifar(_: str) -> Preprocessing:
    """Return CIFAR-10's size and numbers."""
    from core.images.preprocessing import CIFAR_MEAN, CIFAR_STD, Preprocessing

    return Preprocessing(resize=32, crop=(32, 32), mean=CIFAR_MEAN, std=CIFAR_STD)


_RULES = (
    (r"(layer\d\.\d+)\.shortcut\.(.+)", r"\1.downsample.\2"),
    (r"(?:linear|fc)\.(\w+)", r"fc.\1"),
)

CIFAR_RESNET = Family(
    {},
    CLASSIC,
    "resnet_of_three_stages",
    "fc",
    library="core.models",
    gives_maps=False,
    weights=no_weights,
    preset=preset_of_cifar,
    variant=read_form,
    dialects=(
        Dialect(lazy("the names of a widespread ResNet for CIFAR"), "linear.weight", _RULES),
    ),
    blocks={"CifarBlock": RunBlock(_run)},
)
