"""ResNets that no builder names: their form read off the shapes, and the shapes of a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.models.architectures import Architecture
from core.models.heads import Shape

_WIDTHS = (64, 128, 256, 512)
_EXPANSION = {"BasicBlock": 1, "Bottleneck": 4}


@dataclass(frozen=True)
class ResNetForm:
    """The arguments of torchvision's ResNet that shapes depend on.

    Attributes:
        block: "BasicBlock" (two 3×3 convolutions) or "Bottleneck" (1×1, 3×3, 1×1).
        layers: blocks in each of the four stages.
        groups: of the 3×3 convolution of a Bottleneck.
        width_per_group: its channels a group in the first stage; doubled in each stage after.
    """

    block: Literal["BasicBlock", "Bottleneck"]
    layers: tuple[int, int, int, int]
    groups: int = 1
    width_per_group: int = 64

    @property
    def architecture(self) -> Architecture:
        """Return the form under the name that says all of it."""
        name = (
            f"ResNet({self.block}, {list(self.layers)}, groups={self.groups}, "
            f"width_per_group={self.width_per_group})"
        )
        return Architecture(name, name, "Classic", "fc")

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict, with 1,000 classes.

        Source: He et al., CVPR 2016, arXiv:1512.03385; Xie et al., CVPR 2017,
        arXiv:1611.05431.
        """
        found = {"conv1.weight": (64, 3, 7, 7), **_batch_norm("bn1", 64)}
        inputs, expansion = 64, _EXPANSION[self.block]
        for stage, (count, width) in enumerate(zip(self.layers, _WIDTHS, strict=True), start=1):
            for number in range(count):
                block = f"layer{stage}.{number}"
                found |= self._block(block, inputs, width)
                outputs = width * expansion
                if number == 0 and (stage > 1 or inputs != outputs):
                    found[f"{block}.downsample.0.weight"] = (outputs, inputs, 1, 1)
                    found |= _batch_norm(f"{block}.downsample.1", outputs)
                inputs = outputs
        return found | {"fc.weight": (1000, inputs), "fc.bias": (1000,)}

    def _block(self, name: str, inputs: int, width: int) -> dict[str, Shape]:
        if self.block == "BasicBlock":
            convolutions = [(width, inputs, 3, 3), (width, width, 3, 3)]
        else:
            inner = width * self.width_per_group // 64 * self.groups
            convolutions = [
                (inner, inputs, 1, 1),
                (inner, inner // self.groups, 3, 3),
                (width * 4, inner, 1, 1),
            ]
        found: dict[str, Shape] = {}
        for number, shape in enumerate(convolutions, start=1):
            found[f"{name}.conv{number}.weight"] = shape
            found |= _batch_norm(f"{name}.bn{number}", shape[0])
        return found


def read_form(shapes: Mapping[str, Shape]) -> ResNetForm | None:
    """Return the form that a state dict's shapes have; None where it is no ResNet."""
    counts = []
    for stage in range(1, 5):
        start = f"layer{stage}."
        numbers = {name[len(start) :].split(".", 1)[0] for name in shapes if name.startswith(start)}
        if not numbers or numbers != {str(number) for number in range(len(numbers))}:
            return None
        counts.append(len(numbers))
    one, two, three, four = counts
    layers = (one, two, three, four)
    if "layer1.0.conv3.weight" not in shapes:
        return ResNetForm("BasicBlock", layers)
    middle = shapes.get("layer1.0.conv2.weight", ())
    if len(middle) != 4 or not middle[1] or middle[0] % middle[1]:
        return None
    groups = middle[0] // middle[1]
    return ResNetForm("Bottleneck", layers, groups, middle[0] // groups)


def _batch_norm(name: str, channels: int) -> dict[str, Shape]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}
