"""What a person should be able to see of a ResNet, each with its place in the drawing."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from core.inside.drawing import Arrow, Box, Drawing, draw
from core.inside.layers import Layer, record
from core.inside.residual_blocks import list_blocks
from core.inside.summary import LayerTable
from core.models.torchvision_import import torchvision_models
from tests.core.inside.test_layers import filled

BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
DEPTHS = {"resnet18": 18, "resnet34": 34, "resnet50": 50, "resnet101": 101, "resnet152": 152}
WIDE = ("resnet50", "resnet101", "resnet152")
DRAWN = ("resnet18", "resnet50", "resnet152")


class Drawn(NamedTuple):
    """A network with its drawing, and what its boxes and layers are called."""

    network: nn.Module
    table: LayerTable
    drawing: Drawing
    layers: dict[tuple[str, int], Layer]

    def box(self, name: str, call: int = 1) -> Box:
        at = self.drawing.place_of(name, call)
        assert at is not None, name
        return self.drawing.boxes[at]

    def inside(self, box: Box) -> list[Box]:
        return [self.drawing.boxes[at] for at in box.children]

    def settings(self, name: str) -> dict[str, str]:
        return dict(self.layers[name, 1].described.settings)

    def way(self, box: Box) -> list[str]:
        """Return the roles or kinds along the longest way through a box."""
        return [one.kind or one.role for one in self.inside(box)]

    def arrows(self, box: Box) -> Iterator[tuple[str, str, Arrow]]:
        def name(at: int | None) -> str:
            return "" if at is None else self.drawing.boxes[at].name.rpartition(".")[2]

        for arrow in box.arrows:
            yield name(arrow.source), name(arrow.target), arrow


def drawn_of(network: nn.Module, side: int = 224) -> Drawn:
    recording = record(network, torch.zeros(1, 3, side, side))
    blocks = {one.name: one for one in list_blocks(network)}
    layers, flow = recording.layers, recording.flow
    table = LayerTable(layers, {}, blocks, recording.error, (3, side, side), flow)
    known = {(one.name, one.call): one for one in layers}
    return Drawn(network, table, draw(table, 1.5), known)


@functools.lru_cache(maxsize=5)
def drawn(architecture: str) -> Drawn:
    return drawn_of(filled(architecture))


def blocks_of(made: Drawn) -> list[str]:
    return list(made.table.blocks)


@pytest.fixture(params=DRAWN)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_1_to_4_the_stem(architecture: str) -> None:
    made = drawn(architecture)
    first = [(box.name, box.kind, box.shape) for box in made.inside(made.drawing.boxes[0])][:5]
    assert first == [
        ("input", "input", (3, 224, 224)),
        ("conv1", "Conv2d", (64, 112, 112)),
        ("bn1", "BatchNorm2d", (64, 112, 112)),
        ("relu", "ReLU", (64, 112, 112)),
        ("maxpool", "MaxPool2d", (64, 56, 56)),
    ]
    conv, pool = made.settings("conv1"), made.settings("maxpool")
    assert (conv["kernel"], conv["stride"], conv["padding"], conv["bias"]) == (
        "7×7", "2×2", "3×3", "no",
    )  # fmt: skip
    assert (pool["kernel"], pool["stride"], pool["padding"]) == ("3×3", "2×2", "1×1")


def test_5_to_10_the_stages(architecture: str) -> None:
    made = drawn(architecture)
    wide = 4 if architecture in WIDE else 1
    last = [(box.name, box.shape) for box in made.inside(made.drawing.boxes[0])][5:]
    assert last == [
        ("layer1", (64 * wide, 56, 56)),
        ("layer2", (128 * wide, 28, 28)),
        ("layer3", (256 * wide, 14, 14)),
        ("layer4", (512 * wide, 7, 7)),
        ("avgpool", (512 * wide, 1, 1)),
        ("fc", (1000,)),
        ("output", (1000,)),
    ]


@pytest.mark.parametrize("architecture", BLOCKS)
def test_11_to_13_blocks_and_weighted_layers(architecture: str) -> None:
    made = drawn(architecture)
    stages = [made.inside(made.box(f"layer{stage}")) for stage in (1, 2, 3, 4)]
    assert tuple(map(len, stages)) == BLOCKS[architecture]
    kind = "Bottleneck" if architecture in WIDE else "BasicBlock"
    assert {box.kind for stage in stages for box in stage} == {kind}
    assert made.table.weighted_layers == DEPTHS[architecture]
    convolutions = 3 if kind == "Bottleneck" else 2
    for stage in stages:
        for box in stage:
            kinds = [one.kind for one in made.inside(box)]
            assert kinds.count("Conv2d") == convolutions  # those of projections lie deeper


def test_14_both_paths_have_one_shape_and_relu_comes_after_the_sum(architecture: str) -> None:
    made = drawn(architecture)
    steps = made.table.flow.steps
    for name in blocks_of(made):
        inside = made.inside(made.box(name))
        (at,) = [at for at, box in enumerate(inside) if box.role == "sum"]
        total = steps[inside[at].step]
        assert {steps[one].shape for one in total.sources} == {total.shape}
        assert len(total.sources) == 2
        assert [(box.kind, box.role) for box in inside[at + 1 :]] == [("ReLU", "layer")]


def test_15_to_18_shortcuts(architecture: str) -> None:
    made = drawn(architecture)
    wide = 4 if architecture in WIDE else 1
    for name in blocks_of(made):
        stage, number = int(name[5]), int(name.rpartition(".")[2])
        box, info = made.box(name), made.table.blocks[name]
        way_in = [(a, b, arrow) for a, b, arrow in made.arrows(box) if arrow.source is None]
        projects = number == 0 and (stage > 1 or wide == 4)
        assert info.shortcut == ("projection" if projects else "identity")
        if projects:
            shortcut = made.box(f"{name}.downsample")
            assert [one.kind for one in made.inside(shortcut)] == ["Conv2d", "BatchNorm2d"]
            conv = made.settings(f"{name}.downsample.0")
            stride = "1×1" if stage == 1 else "2×2"
            assert (conv["kernel"], conv["stride"]) == ("1×1", stride)
            assert {b for _, b, _ in way_in} == {"conv1", "downsample"}
            assert not any(arrow.is_arc for *_, arrow in made.arrows(box))
        else:
            assert [(b, arrow.is_arc) for _, b, arrow in way_in if b != "conv1"] == [("add", True)]
            assert info.reason == "same size and channels"
    if wide == 1:
        assert made.table.blocks["layer2.0"].reason == "stride 2, 64→128 channels"
    else:
        assert made.table.blocks["layer1.0"].reason == "64→256 channels"
        assert made.table.blocks["layer2.0"].reason == "stride 2, 256→512 channels"


def test_19_and_20_a_basic_block() -> None:
    made = drawn("resnet18")
    for name in blocks_of(made):
        path = [box for box in made.inside(made.box(name)) if box.kind != "Sequential"]
        assert [box.kind for box in path] == [
            "Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "add", "ReLU",
        ]  # fmt: skip
        relus = [box for box in path if box.kind == "ReLU"]
        assert [(box.name, box.call, box.calls) for box in relus] == [
            (f"{name}.relu", 1, 2), (f"{name}.relu", 2, 2),
        ]  # fmt: skip
        assert {made.settings(f"{name}.conv{at}")["kernel"] for at in (1, 2)} == {"3×3"}
        assert made.box(f"{name}.conv1").shape[0] == made.box(name).shape[0]  # expansion 1
    assert made.settings("layer2.0.conv1")["stride"] == "2×2"
    assert made.settings("layer2.0.conv2")["stride"] == "1×1"


@pytest.mark.parametrize("architecture", ["resnet50", "resnet152"])
def test_21_and_22_a_bottleneck(architecture: str) -> None:
    made = drawn(architecture)
    for name in blocks_of(made):
        path = [box for box in made.inside(made.box(name)) if box.kind != "Sequential"]
        assert [box.kind for box in path] == [
            *("Conv2d", "BatchNorm2d", "ReLU") * 2, "Conv2d", "BatchNorm2d", "add", "ReLU",
        ]  # fmt: skip
        relus = [(box.call, box.calls) for box in path if box.kind == "ReLU"]
        assert relus == [(1, 3), (2, 3), (3, 3)]
        kernels = [made.settings(f"{name}.conv{at}")["kernel"] for at in (1, 2, 3)]
        assert kernels == ["1×1", "3×3", "1×1"]
        narrow, wide = made.box(f"{name}.conv2").shape[0], made.box(name).shape[0]
        assert wide == 4 * narrow  # expansion 4
        texts = [step.text for step in made.table.blocks[name].steps]
        assert texts[2].startswith("1×1 expand ×4")
    first = [step.text for step in made.table.blocks["layer2.0"].steps]
    assert first[0].startswith("1×1 reduce 256→128")
    assert first[1] == "3×3 128→128, stride 2"


@pytest.mark.parametrize(
    ("architecture", "width", "groups"),
    [("resnext50_32x4d", 128, 32), ("wide_resnet50_2", 128, 1), ("resnet50", 64, 1)],
)
def test_23_the_width_of_the_middle(architecture: str, width: int, groups: int) -> None:
    made = drawn_of(filled(architecture), 64)
    assert made.settings("layer1.0.conv2")["channels"] == f"{width}→{width}"
    assert made.settings("layer1.0.conv2")["groups"] == str(groups)


def test_24_a_basic_block_takes_nothing_else() -> None:
    block = torchvision_models().resnet.BasicBlock
    for options in ({"groups": 2}, {"base_width": 128}, {"dilation": 2}):
        with pytest.raises((ValueError, NotImplementedError)):
            block(64, 64, **options)


def test_25_stride_that_dilation_replaces() -> None:
    network = torchvision_models().resnet50(
        weights=None, replace_stride_with_dilation=[False, True, True]
    )
    made = drawn_of(network.eval(), 64)
    assert made.box("layer2").shape == (512, 8, 8)
    assert made.box("layer4").shape == (2048, 8, 8)
    settings = [made.settings(f"layer{stage}.{at}.conv2") for stage in (3, 4) for at in (0, 1)]
    assert [one["dilation"] for one in settings] == ["1×1", "2×2", "2×2", "4×4"]
    assert {one["stride"] for one in settings} == {"1×1"}
    assert made.layers["layer4.1.conv2", 1].described.short == "3×3, dilation 4"


def test_26_a_block_that_begins_as_an_identity() -> None:
    """With zero_init_residual F(x) is 0 in a file that is not trained."""
    builder = torchvision_models().resnet18
    for is_zero in (False, True):
        network = builder(weights=None, zero_init_residual=is_zero)
        assert all(one.is_silent is is_zero for one in list_blocks(network))
        norm = network.layer1[0].bn2
        assert float(norm.weight.detach().abs().sum()) == (0 if is_zero else 64)
        assert not norm.bias.any()
    recording = record(network.eval(), torch.randn(1, 3, 64, 64))
    assert recording.strengths is not None
    assert {energies[0] for energies in recording.strengths.energies.values()} == {0}


def test_14_again_the_shares_are_those_of_the_sum() -> None:
    torch.manual_seed(0)
    network = torchvision_models().resnet18(weights=None).eval()
    image = torch.randn(1, 3, 64, 64)
    kept: dict[str, Tensor] = {}
    for name in ("layer2.1.bn2", "layer2.0"):

        def keep(_: nn.Module, __: object, output: Tensor, name: str = name) -> None:
            kept[name] = output.clone()

        network.get_submodule(name).register_forward_hook(keep)
    recording = record(network, image)
    assert recording.strengths is not None
    steps = recording.flow.steps
    added = next(
        at
        for at, step in enumerate(steps)
        if step.operation == "add" and steps[step.scope].layer == "layer2.1"
    )
    residual, shortcut = recording.strengths.energies[added]
    assert residual == pytest.approx(float((kept["layer2.1.bn2"] ** 2).sum()), rel=1e-4)
    assert shortcut == pytest.approx(float((kept["layer2.0"] ** 2).sum()), rel=1e-4)
