from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.inside.layers import Recording, count_multiply_adds, record
from core.inside.residual_blocks import list_blocks
from core.inside.summary import LayerTable, rows, to_csv, to_json, to_text
from core.models.building import build_network
from core.models.families import ARCHITECTURES
from core.models.torchvision_import import torchvision_models
from tests.core.inside.drawings import check_drawing
from tests.networks import trained

FAMILIES = [
    "alexnet",
    "vgg11_bn",
    "resnet18",
    "inception_v3",
    "googlenet",
    "densenet121",
    "squeezenet1_1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "efficientnet_b0",
    "regnet_y_400mf",
    "convnext_tiny",
    "vit_b_32",
    "swin_t",
    "swin_v2_t",
    "maxvit_t",
]
FIXED_SIZE = ("vit", "swin", "maxvit", "inception", "googlenet")


def filled(architecture: str) -> nn.Module:
    """Return a network with small random weights, without torch's slow initialisation."""
    network = build_network(architecture)
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            values = torch.empty(parameter.shape).uniform_(-0.02, 0.02)
            setattr(module, name, nn.Parameter(values, requires_grad=False))
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.is_meta:
                fill = 1.0 if name == "running_var" else 0.0
                setattr(module, name, torch.full(buffer.shape, fill).to(buffer.dtype))
    return network.eval()


def image_for(architecture: str) -> Tensor:
    if architecture.startswith("vit"):
        return torch.randn(1, 3, 224, 224)
    if architecture.startswith(FIXED_SIZE):
        models = torchvision_models()
        (size,) = next(iter(models.get_model_weights(architecture))).transforms().crop_size
        return torch.randn(1, 3, size, size)
    return torch.randn(1, 3, 64, 64)


def drawn_of(network: nn.Module, recording: Recording) -> LayerTable:
    blocks = {one.name: one for one in list_blocks(network)}
    layers, flow, strengths = recording.layers, recording.flow, recording.strengths
    return LayerTable(layers, {}, blocks, recording.error, (3, 224, 224), flow, strengths)


def plainly(network: nn.Module, image: Tensor) -> list[tuple[str, int, Tensor]]:
    """Copy every output in a plain hook: name, call, output."""
    kept: list[tuple[str, int, Tensor]] = []
    calls: Counter[str] = Counter()
    handles = []
    for name, module in network.named_modules():

        def hook(_: nn.Module, __: Any, output: Any, name: str = name) -> None:
            calls[name] += 1
            first = output[0] if isinstance(output, tuple) else output
            kept.append((name, calls[name], first.clone()))

        if name:
            handles.append(module.register_forward_hook(hook))
    with torch.no_grad():
        network(image)
    for handle in handles:
        handle.remove()
    return kept


@pytest.mark.parametrize("architecture", [one.name for one in ARCHITECTURES])
def test_every_layer_of_every_architecture_is_captured(architecture: str) -> None:
    network, image = filled(architecture), image_for(architecture)
    recording = record(network, image)
    assert recording.error == ""
    expected = {(name, call): tuple(one.shape) for name, call, one in plainly(network, image)}
    found = {(layer.name, layer.call): layer.output_shape for layer in recording.layers}
    assert found == expected
    for layer in recording.layers:
        if layer.shape is None:
            continue
        numbers = layer.shape[0] * layer.shape[1] * layer.shape[2]
        size = torch.Size(layer.output_shape).numel()
        token = layer.shape[0] if layer.layout == "tokens" else 0
        assert numbers + token == size, layer
    unseen = [layer for layer in recording.layers if layer.shape is None]
    assert all("cpb_mlp" in layer.name for layer in unseen), unseen
    check_drawing(drawn_of(network, recording))


@pytest.mark.parametrize("architecture", FAMILIES)
def test_values_equal_a_plain_reference(architecture: str) -> None:
    torch.manual_seed(0)
    network, image = trained(architecture, 3), image_for(architecture)
    recording = record(network, image, limit_bytes=2**32)
    for name, call, expected in plainly(network, image):
        shown = recording.shown(name, call)
        if shown is None:
            continue
        values = shown.maps.flatten()
        if shown.class_token is not None:
            values = torch.cat([values, shown.class_token])
        assert values.numel() == expected.numel()
        difference = values.sort().values - expected.flatten().sort().values
        assert difference.abs().max() < 1e-5
    assert sum(len(module._forward_hooks) for module in network.modules()) == 0


def test_layouts_put_every_number_in_its_place() -> None:
    """Where channels stand last, in tokens and in windows, compared by hand."""
    swin, image = trained("swin_t", 2), image_for("swin_t")
    plain = {name: one for name, _, one in plainly(swin, image)}
    kept = record(swin, image, limit_bytes=2**32)
    block = kept.shown("features.3.1", 1)
    assert block is not None
    assert torch.equal(block.maps, plain["features.3.1"][0].permute(2, 0, 1))
    first = kept.shown("features.0.0", 1)
    assert first is not None
    assert torch.equal(first.maps, plain["features.0.0"][0])
    vit, image = trained("vit_b_32", 2), image_for("vit_b_32")
    plain = {name: one for name, _, one in plainly(vit, image)}
    tokens = record(vit, image, limit_bytes=2**32).shown("encoder.ln", 1)
    assert tokens is not None
    assert tokens.class_token is not None
    assert torch.equal(tokens.class_token, plain["encoder.ln"][0, 0])
    assert torch.equal(tokens.maps[:, 2, 3], plain["encoder.ln"][0, 1 + 2 * 7 + 3])
    maxvit, image = trained("maxvit_t", 2), image_for("maxvit_t")
    kept = record(maxvit, image, limit_bytes=2**32)
    for kind in ("window", "grid"):
        place = f"blocks.0.layers.0.layers.{kind}_attention"
        before = kept.shown(f"{place}.partition_swap", 1)
        after = kept.shown(f"{place}.departition_op", 1)
        given = kept.shown(f"{place}.departition_swap", 1)
        assert before is not None
        assert after is not None
        assert given is not None
        assert torch.equal(given.maps, after.maps)


def test_memory_is_bounded_and_the_table_is_whole() -> None:
    network, image = trained("resnet18", 3), torch.randn(1, 3, 224, 224)
    whole = record(network, image, limit_bytes=2**30)
    bounded = record(network, image, limit_bytes=10 * 2**20)
    assert len(bounded.layers) == len(whole.layers)
    assert bounded.kept_bytes <= 10 * 2**20 < whole.kept_bytes
    assert record(network, image).kept_bytes == 0
    shared, inner = whole.shown("layer1", 1), whole.shown("layer1.1", 1)
    assert shared is not None
    assert inner is not None
    assert shared.maps.data_ptr() == inner.maps.data_ptr()


class Breaking(nn.Module):
    def forward(self, _: Tensor) -> Tensor:
        raise RuntimeError("shapes do not fit\nsecond line")


def test_a_pass_that_fails_shows_up_to_where() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), Breaking(), nn.Flatten())
    recording = record(network.eval(), torch.zeros(1, 3, 8, 8))
    assert [layer.name for layer in recording.layers] == ["0", "1"]
    assert recording.error == "shapes do not fit"
    assert recording.outputs is None
    assert not any(module._forward_hooks for module in network.modules())
    assert not any(module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize("architecture", ["resnet18", "vit_b_32", "swin_t", "mobilenet_v3_small"])
def test_multiply_adds_are_those_that_torchvision_publishes(architecture: str) -> None:
    models = torchvision_models()
    entry = next(iter(models.get_model_weights(architecture)))
    network = models.get_model(architecture, weights=None).eval()
    (size,) = entry.transforms().crop_size
    counts = count_multiply_adds(network, torch.zeros(1, 3, size, size))
    assert counts[""] / 1e9 == pytest.approx(entry.meta["_ops"], abs=0.006)
    assert torch.backends.mha.get_fastpath_enabled()


def table_of(architecture: str, classes: int) -> LayerTable:
    network, image = trained(architecture, classes), torch.randn(1, 3, 224, 224)
    recording = record(network, image)
    blocks = {one.name: one for one in list_blocks(network)}
    counts = count_multiply_adds(network, image)
    return LayerTable(recording.layers, counts, blocks, "", (3, 224, 224))


def test_resnet_18_as_textbooks_draw_it() -> None:
    table = table_of("resnet18", 5)
    assert table.stages == (
        ("conv1", (64, 112, 112)),
        ("maxpool", (64, 56, 56)),
        ("layer1", (64, 56, 56)),
        ("layer2", (128, 28, 28)),
        ("layer3", (256, 14, 14)),
        ("layer4", (512, 7, 7)),
        ("avgpool", (512, 1, 1)),
        ("fc", (5,)),
    )
    assert table.weighted_layers == 18
    assert table_of("vgg11_bn", 5).weighted_layers == 11
    names = [layer.name for layer in table.layers]
    assert names.index("layer1") < names.index("layer1.0") < names.index("layer1.0.conv1")
    relus = [(one.call, one.calls) for one in table.layers if one.name == "layer1.0.relu"]
    assert relus == [(1, 2), (2, 2)]


def test_the_table_as_text_csv_and_json() -> None:
    table = table_of("resnet18", 5)
    assert len(rows(table)) == len(table.layers) == len(to_text(table).splitlines()) - 1
    content = to_csv(table)
    assert content.startswith(b"\xef\xbb\xbflayer,kind,call")
    assert len(content.splitlines()) == len(table.layers) + 1
    first = to_json(table.layers)[0]
    assert first["layer"] == "conv1"
    assert first["input_shapes"] == [[1, 3, 224, 224]]
    assert first["output_shape"] == [1, 64, 112, 112]
    assert first["parameters"] == 9408
    conv = next(line for line in rows(table) if line[0] == "conv1")
    assert conv[6] == 9408 * 112 * 112
    assert re.match(r"^\d\.\d+$", conv[7])


def test_statistics_are_those_of_the_output() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU()).eval()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
    image = torch.arange(1.0, 5).reshape(1, 1, 2, 2)
    conv, relu = record(network, image).layers
    assert (conv.minimum, conv.mean, conv.maximum, conv.dead) == (-4, 0, 4, 0)
    assert (relu.minimum, relu.mean, relu.maximum, relu.dead) == (0, 1.25, 4, 0.5)
