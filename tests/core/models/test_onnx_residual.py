"""Residual blocks are found in the graph of an ONNX network, and nothing else is taken for one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from torch import Tensor, nn

from core.errors import NotResidualError
from core.inside.layers import record
from core.inside.lens import Lens
from core.inside.names import BlockName
from core.inside.residual_blocks import BlockInfo, hidden_additions, list_blocks, run_block
from core.models.sources.onnx.graph import Graph, Node
from core.models.sources.onnx.residual import find_additions
from tests.core.models.test_onnx_source import (
    HEAD,
    SIDE,
    array,
    changed,
    exported,
    node,
    numbers,
    opened,
    photos,
    written,
)
from tests.networks import spread


class Block(nn.Module):
    """ResNet's: a projection where the stride asks for one."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.down = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return (self.second(self.norm(self.first(x)).relu()) + self.down(x)).relu()


class Mixing(nn.Module):
    """A transformer's kind of block, with channels last, and GELU written out."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.first, self.second = nn.LayerNorm(4), nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        y = self.first(self.norm(x))
        y = y * 0.5 * (1 + (0.8 * (y + 0.04 * y**3)).tanh())
        x = x + self.second(y)
        return x.permute(0, 3, 1, 2)


def network_of(*layers: nn.Module, channels: int) -> nn.Module:
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5)]
    return spread(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *layers, *end))


def blocks_of(path: Path, batch: Tensor) -> list[BlockInfo]:
    network = opened(path).network
    hidden = hidden_additions(network, record(network, batch).layers)
    return [block for block in list_blocks(network) if block.name not in hidden]


def outputs_of(network: nn.Module, batch: Tensor, names: Sequence[str]) -> list[np.ndarray]:  # type: ignore[type-arg]
    recording = record(network, batch, limit_bytes=2**30)
    shown = [recording.shown(name, 1) for name in names]
    return [one.maps.numpy() for one in shown if one is not None]


@pytest.mark.parametrize("free", [(0,), (0, 2, 3)])
def test_blocks_of_a_residual_network(tmp_path: Path, free: tuple[int, ...]) -> None:
    network, batch = network_of(Block(4, 4), Block(4, 8, 2), channels=8), photos(1)
    path = exported(network, tmp_path / "a.onnx", free=free)
    blocks = blocks_of(path, batch)
    assert [(one.kind, one.shortcut, one.reason) for one in blocks] == [
        ("Add", "identity", "same size and channels"),
        ("Add", "projection", "stride 2, 4→8 channels"),
    ]
    assert [step.text for step in blocks[1].steps] == ["3×3 expand ×2, 4→8, stride 2", "3×3 8→8"]
    ours = opened(path).network
    for at, block in enumerate(blocks):
        found = run_block(ours, batch, BlockName(block.name))
        names = [str(at), f"{at + 1}.second", f"{at + 1}.down", str(at + 1)]
        if block.shortcut == "identity":
            names[2] = str(at)
        given, residual, shortcut, output = outputs_of(network, batch, names)
        np.testing.assert_allclose(found.input, given, atol=1e-5)
        np.testing.assert_allclose(found.residual, residual, atol=1e-5)
        np.testing.assert_allclose(found.shortcut, shortcut, atol=1e-5)
        np.testing.assert_allclose(found.sum, residual + shortcut, atol=1e-5)
        np.testing.assert_allclose(found.output, output, atol=1e-5)
        assert 0 < found.residual_share < 1
    assert not any(one._forward_hooks for one in ours.modules())


def test_blocks_with_channels_last(tmp_path: Path) -> None:
    network, batch = network_of(Mixing(), nn.ReLU(), channels=4), photos(1)
    path = exported(network, tmp_path / "a.onnx")
    (block,) = blocks_of(path, batch)
    assert [step.text for step in block.steps] == ["linear expand ×2, 4→8", "linear reduce 8→4"]
    found = run_block(opened(path).network, batch, BlockName(block.name))
    given, total = outputs_of(network, batch, ["0", "1"])
    np.testing.assert_allclose(found.input, given, atol=1e-5)
    np.testing.assert_allclose(found.output, total, atol=1e-5)


def test_quantised_values_between_the_steps(tmp_path: Path) -> None:
    scale, zero = numbers("s", 0.1), numbers("z", 128, dtype=np.uint8)
    for one in (scale, zero):
        del one.dims[:]
    nodes = [
        node("Conv", "x V", "c"),
        node("QuantizeLinear", "c s z", "q"),
        node("DequantizeLinear", "q s z", "a"),
        node("DequantizeLinear", "q s z", "b"),
        node("Conv", "a U", "r"),
        node("Add", "r b", "m"),
        *HEAD,
    ]
    constants = [scale, zero, array("V", 3, 3, 1, 1), array("U", 3, 3, 1, 1), array("W", 3, 4)]
    path = written(tmp_path / "a.onnx", nodes, constants)
    (block,) = blocks_of(path, photos(1))
    found = run_block(opened(path).network, photos(1), BlockName(block.name))
    assert block.shortcut == "identity"
    np.testing.assert_array_equal(found.input, found.shortcut)


CONSTANTS = [
    array("U", 3, 3, 1, 1),
    array("V", 3, 3, 1, 1),
    array("W", 3, 4),
    numbers("k", 2),
    array("bias", 1, 3, 1, 1),
]


@pytest.mark.parametrize(
    "nodes",
    [
        # a bias
        [node("Conv", "x U", "c"), node("Add", "c bias", "m")],
        # no weights on the way: part of an activation
        [node("Conv", "x U", "c"), node("Pow", "c k", "q"), node("Add", "q c", "m")],
        # the same twice
        [node("Conv", "x U", "c"), node("Conv", "c V", "d"), node("Add", "d d", "m")],
        # neither is plainly the shortcut
        [node("Conv", "x U", "a"), node("Conv", "a U", "b"), node("Conv", "a V", "c"),
         node("Add", "b c", "m")],
        [node("Conv", "x U", "a"), node("Conv", "a U", "b"), node("Conv", "a V", "c"),
         node("Relu", "b", "d"), node("Relu", "c", "e"), node("Add", "d e", "m")],
        # what is added comes from before the block as well
        [node("Conv", "x U", "a"), node("Relu", "a", "b"), node("Conv", "b U", "c"),
         node("Mul", "c a", "d"), node("Add", "d b", "m")],
        # one number a channel is added to maps
        [node("Conv", "x U", "a"), node("GlobalAveragePool", "a", "g"), node("Conv", "g V", "b"),
         node("Add", "a b", "m")],
        # the two halves of one output
        [node("Concat", "x x", "t", axis=1), node("Split", "t", "a b", axis=1),
         node("Conv", "a U", "c"), node("Relu", "c", "r"), node("Add", "r b", "m")],
    ],
)  # fmt: skip
def test_what_is_no_block(tmp_path: Path, nodes: list[onnx.NodeProto]) -> None:
    path = written(tmp_path / "a.onnx", [*nodes, *HEAD], CONSTANTS)
    assert blocks_of(path, photos(1)) == []


def test_maps_whose_channels_may_stand_anywhere(tmp_path: Path) -> None:
    shape = numbers("shape", 1, 8, 32, 3, dtype=np.int64)
    back = numbers("back", 1, 3, SIDE, SIDE, dtype=np.int64)
    nodes = [
        node("Conv", "x U", "a"),
        node("Reshape", "a shape", "w"),
        node("MatMul", "w M", "r"),
        node("Add", "r w", "t"),
        node("Reshape", "t back", "m"),
        *HEAD,
    ]
    constants = [*CONSTANTS, array("M", 3, 3), shape, back]
    path = written(tmp_path / "a.onnx", nodes, constants)
    network = opened(path).network
    (block,) = list_blocks(network)
    assert blocks_of(path, photos(1)) == []
    with pytest.raises(NotResidualError):
        run_block(network, photos(1), BlockName(block.name))


def test_a_block_as_long_as_the_network(tmp_path: Path) -> None:
    steps = [node("Relu", f"t{at}" if at else "a", f"t{at + 1}") for at in range(2_000)]
    nodes = [
        node("Conv", "x U", "a"),
        *steps,
        node("Conv", "t2000 V", "b"),
        node("Add", "b a", "m"),
    ]
    path = written(tmp_path / "a.onnx", [*nodes, *HEAD], CONSTANTS)
    assert list_blocks(opened(path).network) == ()


def test_the_lens_shows_them(tmp_path: Path) -> None:
    from PIL import Image

    def renamed(model: onnx.ModelProto) -> None:  # as a method of torch is
        next(one for one in model.graph.node if one.op_type == "Add").name = "forward"

    network = network_of(Block(4, 4), channels=4)
    path = exported(network, tmp_path / "a.onnx")
    changed(path, renamed)
    photo = tmp_path / "photo.png"
    Image.new("RGB", (40, 30), "#2040f0").save(photo)
    model = opened(path)
    lens = Lens(model.network, model.spec.preprocessing)
    (name,) = lens.table(photo).blocks
    assert name == "forward_"
    assert lens.block(photo, BlockName(name)).block.info.shortcut == "identity"
    with pytest.raises(NotResidualError):
        lens.block(photo, BlockName("0/Conv"))


def test_the_command_writes_them(tmp_path: Path) -> None:
    from PIL import Image

    from core.cli.main import main

    path = exported(network_of(Block(4, 8, 2), channels=8), tmp_path / "a.onnx")
    photo, numbers_file = tmp_path / "photo.png", tmp_path / "block.npz"
    Image.new("RGB", (40, 30), "#2040f0").save(photo)
    (block,) = blocks_of(path, photos(1))
    where = ["--checkpoint", str(path), "--npz", str(numbers_file)]
    assert main(["residual-blocks", str(photo), "--block", block.name, *where]) == 0
    with np.load(numbers_file) as found:
        np.testing.assert_allclose(found["residual"] + found["shortcut"], found["sum"], atol=1e-5)


def test_a_graph_made_to_be_slow_is_given_up() -> None:
    nodes = [
        Node("", "Add", "", (f"t{at}", f"t{max(0, at - 400)}"), (f"t{at + 1}",), {})
        for at in range(30_000)
    ]
    graph = Graph((Node("", "Conv", "", ("x", "w"), ("t0",), {}), *nodes), (), (), {})
    begun = time.process_time()
    assert find_additions(graph, "x", {f"t{at}": f"layer{at}" for at in range(30_001)}) == ()
    assert time.process_time() - begun < 10
