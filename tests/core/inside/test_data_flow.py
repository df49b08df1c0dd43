"""The data flow that a pass shows, against torch.fx, which traces the code without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn

from core.images.preprocessing import Preprocessing
from core.inside.data_flow import DataFlow
from core.inside.drawing import draw
from core.inside.layers import record
from core.inside.lens import Lens
from core.models.torchvision_import import torchvision_models
from tests.core.inside.drawings import check_drawing
from tests.core.inside.test_layers import FAMILIES, drawn_of, image_for
from tests.core.models.keras_files import teachable_machine, write_h5
from tests.core.models.test_keras_source import opened
from tests.networks import trained

Call = tuple[str, int]
Flows = dict[Call, frozenset[Call]]
Junctions = Counter[tuple[str, frozenset[Call]]]
INPUT: Call = ("input", 0)


def contracted(
    sources: Mapping[Hashable, Iterable[Hashable]], call_of: Callable[[Any], Call | None]
) -> Callable[[Hashable], frozenset[Call]]:
    """Return a function that gives the nearest calls before a step, past everything else."""
    known: dict[Hashable, frozenset[Call]] = {}

    def before(step: Hashable) -> frozenset[Call]:
        if step not in known:
            found: set[Call] = set()
            for source in sources[step]:
                call = call_of(source)
                found |= before(source) if call is None else {call}
            known[step] = frozenset(found)
        return known[step]

    return before


def by_fx(network: nn.Module) -> tuple[Flows, Junctions]:
    """Trace a network's code: which call of a module takes the outputs of which, and the sums."""
    torchvision_models()
    from torchvision.models.feature_extraction import NodePathTracer

    tracer = NodePathTracer()
    graph = tracer.trace(network)
    calls: Counter[str] = Counter()
    names: dict[fx.Node, Call] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            names[node] = INPUT
        elif node.op == "call_module" and not is_whole(network.get_submodule(str(node.target))):
            calls[str(node.target)] += 1
            names[node] = (str(node.target), calls[str(node.target)])
    before = contracted(
        # The size of a tensor is no data that flow.
        {node: () if node.target is getattr else node.all_input_nodes for node in graph.nodes},
        names.get,
    )
    flows = {call: before(node) for node, call in names.items()}
    junctions: Junctions = Counter()
    for node in graph.nodes:
        name = str(getattr(node.target, "__name__", node.target)).removeprefix("i")
        if name in ("add", "cat") and len(before(node)) > 1:
            junctions[name, before(node)] += 1
    return flows, junctions


def is_whole(module: nn.Module) -> bool:
    """Return whether fx does not look into a module although it has parts."""
    return any(True for _ in module.children())


def by_pass(flow: DataFlow, wanted: Iterable[Call]) -> tuple[Flows, Junctions]:
    """Return the same of what a pass showed, past the layers that fx does not know."""
    kept, groups = {*wanted}, flow.groups
    calls = {
        at: INPUT if step.operation == "input" else (step.layer, step.call)
        for at, step in enumerate(flow.steps)
        if at not in groups
    }
    names = {at: call for at, call in calls.items() if call in kept}
    sources = {at: step.sources for at, step in enumerate(flow.steps) if at not in groups}
    before = contracted(sources, names.get)
    junctions: Junctions = Counter()
    for at, step in enumerate(flow.steps):
        if step.operation in ("add", "cat") and len(before(at)) > 1:
            junctions[step.operation, before(at)] += 1
    return {call: before(at) for at, call in names.items()}, junctions


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_flow_is_that_of_the_code(architecture: str) -> None:
    torch.manual_seed(0)
    network, image = trained(architecture, 3), image_for(architecture)
    expected, sums = by_fx(network)
    flow = record(network, image).flow
    found, junctions = by_pass(flow, expected)
    assert found == expected
    assert len(found) > 20
    # Attention adds more, inside of what fx takes for one step.
    assert sums <= junctions
    weighted = {
        step.layer
        for at, step in enumerate(flow.steps)
        if at not in flow.groups and step.layer and _has_weights(network, step.layer)
    }
    assert weighted <= {name for name, _ in found}


def _has_weights(network: nn.Module, layer: str) -> bool:
    return isinstance(network.get_submodule(layer), nn.Conv2d | nn.Linear | nn.BatchNorm2d)


@pytest.mark.parametrize("architecture", ["resnet18", "googlenet", "vit_b_32", "swin_t"])
def test_what_is_recorded_changes_nothing(architecture: str) -> None:
    torch.manual_seed(0)
    network, image = trained(architecture, 3), image_for(architecture)
    with torch.no_grad():
        expected = network(image)
    outputs = record(network, image).outputs
    assert outputs is not None
    assert torch.allclose(outputs, expected, atol=1e-5)


class Reused(nn.Module):
    """Adds its input to what a dropped, in-place path gives, and calls a part twice."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        dropped = self.drop(x)
        y = self.relu(self.conv(dropped))
        y = self.relu(self.conv(y))
        y += x
        z = y.flatten(1)[:, :4]
        return torch.cat([z, z.new_zeros(1, 2)], 1)


def test_identities_and_layers_in_place_are_told_apart() -> None:
    image = torch.randn(1, 3, 8, 8)
    recording = record(Reused().eval(), image)
    steps = recording.flow.steps
    said = [step.layer or step.operation for step in steps]
    assert said == ["input", "drop", "conv", "relu", "conv", "relu", "add", "cat", "output"]
    assert [step.call for step in steps] == [0, 1, 1, 1, 2, 2, 0, 0, 0]
    assert [step.sources for step in steps] == [
        (), (0,), (1,), (2,), (3,), (4,), (5, 0), (6,), (7,),
    ]  # fmt: skip
    strengths = recording.strengths
    assert strengths is not None
    relu, added = strengths.maps[5], strengths.energies[6]
    assert relu is not None
    assert added[0] == pytest.approx(float((relu**2).sum()) * 3, rel=1e-3)
    assert added[1] == pytest.approx(float((image**2).sum()), rel=1e-3)


def test_strength_is_the_root_mean_square_over_channels() -> None:
    torch.manual_seed(0)
    network, image = trained("resnet18", 3), torch.randn(1, 3, 256, 256)
    recording = record(network, image, limit_bytes=2**32)
    strengths = recording.strengths
    assert strengths is not None
    for at, step in enumerate(recording.flow.steps):
        shown = recording.shown(step.layer, step.call)
        strength = strengths.maps[at]
        if shown is None or shown.layout == "vector":
            assert strength is None or step.operation
            continue
        assert strength is not None
        assert max(strength.shape) <= 64
        expected = shown.maps.square().mean(0).sqrt()
        if expected.shape == strength.shape:
            assert abs(strength - expected.numpy()).max() < 1e-5
        assert strength.mean() == pytest.approx(float(expected.mean()), rel=1e-3)
    assert len(strengths.energies) == 8


def test_a_pass_that_fails_shows_what_it_did() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(5, 6, 3))
    recording = record(network.eval(), torch.randn(1, 3, 8, 8))
    assert recording.error
    assert [step.layer for step in recording.flow.steps] == ["", "0", "1", "2"]
    assert recording.flow.edges == ((0, 1), (1, 2), (2, 3))


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("googlenet", {"aux1": "inception4a", "aux2": "inception4d"}),
        ("inception_v3", {"AuxLogits": "Mixed_6e"}),
        ("resnet18", {}),
    ],
)
def test_heads_that_run_only_while_the_network_learns(
    architecture: str, expected: dict[str, str]
) -> None:
    options = {} if architecture == "resnet18" else {"init_weights": False}
    network = torchvision_models().get_model(architecture, weights=None, **options).eval()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    side = 299 if architecture == "inception_v3" else 224
    lens = Lens(network, Preprocessing(resize=side, crop=(side, side)))
    table = lens.table(None)
    assert {part.name: (part.source or ("", 0))[0].split(".")[0] for part in table.idle} == expected
    assert not network.training
    assert all(torch.equal(before[name], one) for name, one in network.state_dict().items())
    boxes = draw(table, 1.5).boxes
    for name, source in expected.items():
        (at,) = [at for at, box in enumerate(boxes) if box.name == name]
        assert boxes[at].role == "idle"
        (arrow,) = [one for one in boxes[0].arrows if one.target == at]
        assert arrow.source is not None
        assert boxes[arrow.source].name == source
        assert not any(one.is_arc for one in boxes[0].arrows)


class Odd(nn.Module):
    """What networks do that is seldom: views written to, lists appended to, detours."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.d = (nn.Conv2d(3, 3, 1) for _ in range(3))
        self.keep = Keep()

    def forward(self, x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        y = self.a(x)
        y.view(1, -1).add_(self.b(x).view(1, -1))
        self.keep(y, kept)
        z = torch.empty_like(y)
        z.copy_(self.d(y))
        return z.transpose(2, 3)


class Keep(nn.Module):
    def forward(self, x: Tensor, kept: list[Tensor]) -> Tensor:
        kept.append(x)
        return x


def test_odd_networks() -> None:
    image = torch.randn(1, 3, 8, 8)
    recording = record(Odd().eval(), image)
    assert recording.error == ""
    steps = recording.flow.steps
    said = [step.layer or step.operation for step in steps]
    assert said == ["input", "a", "b", "add", "keep", "d", "copy", "output"]
    assert [step.sources for step in steps] == [(), (0,), (0,), (1, 2), (3,), (3,), (5,), (6,)]


def test_a_square_that_is_turned_is_another_tensor() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), Turned()).eval()
    recording = record(network, torch.randn(1, 3, 8, 8), limit_bytes=2**20)
    before, after = recording.shown("0", 1), recording.shown("1", 1)
    assert before is not None
    assert after is not None
    assert torch.equal(after.maps, before.maps.transpose(1, 2))


class Turned(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(2, 3)


class Broken(nn.Module):
    def forward(self, _: Tensor) -> Tensor:
        raise TypeError("not so")


def test_after_an_unexpected_failure_the_next_pass_is_seen_again() -> None:
    image = torch.randn(1, 3, 8, 8)
    for only in (None, "0"):
        with pytest.raises(TypeError, match="not so"):
            record(nn.Sequential(Broken()).eval(), image, only=only)
    said = [step.layer or step.operation for step in record(Reused().eval(), image).flow.steps]
    assert "add" in said


def test_a_graph_has_an_answer_too() -> None:
    class Graph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step = nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.from_numpy(self.step(x).mean((2, 3)).numpy())

    steps = record(Graph().eval(), torch.randn(1, 3, 8, 8)).flow.steps
    assert [step.layer or step.operation for step in steps] == ["input", "step", "mean", "output"]
    assert steps[-1].sources == (2,)


def test_what_a_keras_model_adds_is_drawn_as_a_sum(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "keras_model.h5", *teachable_machine())
    network = opened(path).network
    recording = record(network.eval(), torch.randn(1, 3, 224, 224))
    drawing = check_drawing(drawn_of(network, recording))
    (total,) = [box for box in drawing.boxes if box.role == "sum"]
    assert recording.strengths is not None
    assert len(recording.strengths.energies[total.step]) == 2
    assert drawing.boxes[drawing.boxes[0].children[-1]].role == "output"
    said = [box.kind for box in drawing.boxes if box.call and not box.children]
    assert said[0] == "ZeroPadding2D"
    assert "DepthwiseConv2D" in said or "Conv2d" in said
