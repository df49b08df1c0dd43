"""ResNet, Wide ResNet and ResNeXt, and forms of them that no builder names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.language import lazy, tr
from core.models.families.base import CLASSIC, Dialect, Family, Shape, Shapes
from core.models.families.blocks import Part, Paths, RunBlock
from core.models.families.configured import Configured, Difference, Settings, always

if TYPE_CHECKING:
    from torch import Tensor, nn

_STEM = "conv1.weight"
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
    def title(self) -> str:
        """Return the name that says all of it."""
        return (
            f"ResNet({self.block}, {list(self.layers)}, groups={self.groups}, "
            f"width_per_group={self.width_per_group})"
        )

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.torchvision_import import torchvision_models

        resnet = torchvision_models().resnet
        network: nn.Module = resnet.ResNet(
            getattr(resnet, self.block),
            list(self.layers),
            groups=self.groups,
            width_per_group=self.width_per_group,
            **options,
        )
        return network

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict, with 1,000 classes.

        Source: He et al., CVPR 2016, arXiv:1512.03385; Xie et al., CVPR 2017,
        arXiv:1611.05431.
        """
        found = {_STEM: (64, 3, 7, 7), **_batch_norm("bn1", 64)}
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


def read_form(shapes: Shapes) -> ResNetForm | None:
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
    if not _has_bottlenecks(shapes):
        return ResNetForm("BasicBlock", layers)
    middle = shapes.get("layer1.0.conv2.weight", ())
    if len(middle) != 4 or not middle[1] or middle[0] % middle[1]:
        return None
    groups = middle[0] // middle[1]
    return ResNetForm("Bottleneck", layers, groups, middle[0] // groups)


def _has_bottlenecks(shapes: Shapes) -> bool:
    return "layer1.0.conv3.weight" in shapes


def _batch_norm(name: str, channels: int) -> dict[str, Shape]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def _run(block: Any, x: Tensor) -> Iterator[Paths]:
    shortcut = x if block.downsample is None else block.downsample(x.clone())
    y = block.relu(block.bn1(block.conv1(x)))
    y = block.bn2(block.conv2(y))
    if hasattr(block, "conv3"):
        y = block.bn3(block.conv3(block.relu(y)))
    yield Paths(Part.WHOLE, x, y, shortcut, (y + shortcut).relu())


CIFAR = Dialect(
    lazy("the names of a widespread ResNet for CIFAR"),
    "layer2.0.shortcut.0.weight",
    ((r"(layer\d\.\d+)\.shortcut\.(.+)", r"\1.downsample.\2"), (r"linear\.(\w+)", r"fc.\1")),
)

_NORM = {"convolution": "conv", "normalization": "bn"}


def _layer(found: re.Match[str]) -> str:
    stage, block, number, part, rest = found.groups()
    return f"layer{int(stage) + 1}.{block}.{_NORM[part]}{int(number) + 1}.{rest}"


def _shortcut(found: re.Match[str]) -> str:
    stage, block, part, rest = found.groups()
    return f"layer{int(stage) + 1}.{block}.downsample.{list(_NORM).index(part)}.{rest}"


def _strides(settings: Settings, shapes: Shapes) -> Iterator[Difference]:
    """Yield where the stride of a stage stands if it is not in the 3×3 convolution."""
    if settings.get("downsample_in_bottleneck") and _has_bottlenecks(shapes):
        for stage in (2, 3, 4):
            yield f"layer{stage}.0.conv1", "stride", (2, 2)
            yield f"layer{stage}.0.conv2", "stride", (1, 1)


_PARTS = rf"({'|'.join(_NORM)})\.(\w+)"

HUGGING_FACE = Dialect(
    lazy("Hugging Face's names"),
    "embedder.embedder.convolution.weight",
    (
        (r"embedder\.embedder\.convolution\.(\w+)", r"conv1.\1"),
        (r"embedder\.embedder\.normalization\.(\w+)", r"bn1.\1"),
        (rf"encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d)\.{_PARTS}", _layer),
        (rf"encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.{_PARTS}", _shortcut),
    ),
    configured=Configured(
        {"resnet": 1e-5},
        lambda *_: {
            "hidden_act": always("relu"),
            "downsample_in_first_stage": always(False),
            "downsample_in_bottleneck": always(False, True),
        },
        differences=_strides,
    ),
)

RESNET = Family(
    {
        "resnet18": "ResNet-18",
        "resnet34": "ResNet-34",
        "resnet50": "ResNet-50",
        "resnet101": "ResNet-101",
        "resnet152": "ResNet-152",
        "wide_resnet50_2": "Wide ResNet-50-2",
        "wide_resnet101_2": "Wide ResNet-101-2",
        "resnext50_32x4d": "ResNeXt-50 32×4d",
        "resnext101_32x8d": "ResNeXt-101 32×8d",
        "resnext101_64x4d": "ResNeXt-101 64×4d",
    },
    CLASSIC,
    "resnet",
    "fc",
    usual="resnet50",
    small_stem=_STEM,
    can_dilate=_has_bottlenecks,
    variant=read_form,
    dialects=(CIFAR, HUGGING_FACE),
    blocks={"BasicBlock": RunBlock(_run), "Bottleneck": RunBlock(_run)},
)


def told_of_blocks() -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the two kinds of block, and what tells them apart.

    Source: He et al., CVPR 2016, arXiv:1512.03385, section 4.1; torchvision's definitions.
    """
    basic = tr(
        "Two 3×3 convolutions on the residual path, and as many channels behind it as between "
        "(expansion 1). ResNet-18 and ResNet-34 are made of it. It takes neither groups, nor "
        "another width, nor dilation."
    )
    bottleneck = tr(
        "1×1 reduces the channels, 3×3 works on the few, 1×1 expands them ×4: three convolutions "
        "that cost about as much as two of 3×3 on a quarter of the channels. ResNet-50, 101 and "
        "152 are made of it. Its 3×3 takes the stride, groups (ResNeXt), another width (wide "
        "ResNet: int(planes × base width / 64) × groups) and dilation."
    )
    return ("BasicBlock", basic), ("Bottleneck", bottleneck)
