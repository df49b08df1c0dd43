from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import NotSpatialError, UnknownLayerError, UnreadableImageError
from core.images.preprocessing import Preprocessing
from core.inside.feature_maps import capture_feature_maps, list_layers
from core.inside.lens import Lens, require_maps
from core.inside.rendering import grid, smoothed, strength, to_grey
from tests.networks import trained


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return trained("resnet18", 3)


def reference(network: nn.Module, image: Tensor, layer: str) -> list[Tensor]:
    """Copy in the hook, by hand."""
    kept: list[Tensor] = []

    def hook(_: nn.Module, __: Any, output: Tensor) -> None:
        kept.append(output.clone())

    handle = network.get_submodule(layer).register_forward_hook(hook)
    with torch.no_grad():
        network(image)
    handle.remove()
    return kept


def hooks_of(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in network.modules())


@pytest.mark.parametrize(
    ("layer", "calls"),
    [
        ("conv1", 1),
        ("bn1", 1),
        ("relu", 1),
        ("layer1.0.bn2", 1),
        ("layer1.0.relu", 2),
        ("layer3", 1),
    ],
)
def test_maps_equal_a_reference_that_copies_in_the_hook(
    resnet: nn.Module, layer: str, calls: int
) -> None:
    image = torch.randn(1, 3, 96, 96)
    found = capture_feature_maps(resnet, image, layer)
    expected = reference(resnet, image, layer)
    assert len(found) == len(expected) == calls
    for number, (one, wanted) in enumerate(zip(found, expected, strict=True), start=1):
        assert (one.layer, one.call) == (layer, number)
        assert one.values.dtype == np.float32
        assert np.array_equal(one.values, wanted[0].numpy())


def test_in_place_layers_do_not_spoil_what_came_before() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 1)).eval()
    image = torch.randn(1, 3, 5, 5)
    (before,) = capture_feature_maps(network, image, "0")
    (after,) = capture_feature_maps(network, image, "1")
    with torch.no_grad():
        plain = network[0](image)[0].numpy()
    assert np.array_equal(before.values, plain)
    assert before.values.min() < 0
    assert np.array_equal(after.values, np.maximum(plain, 0))


def test_layers_stand_in_order_of_execution_one_entry_a_call(resnet: nn.Module) -> None:
    layers = list_layers(resnet, torch.zeros(1, 3, 64, 64))
    names = [(layer.name, layer.call) for layer in layers]
    assert names[:7] == [
        ("conv1", 1),
        ("bn1", 1),
        ("relu", 1),
        ("maxpool", 1),
        ("layer1", 1),
        ("layer1.0", 1),
        ("layer1.0.conv1", 1),
    ]
    assert ("layer1.0.relu", 2) in names
    assert {layer.calls for layer in layers if layer.name == "layer1.0.relu"} == {2}
    assert layers[-1].layout == "vector"
    first = layers[0]
    assert (first.kind, first.shape) == ("Conv2d", (64, 32, 32))


@pytest.mark.parametrize("architecture", ["swin_t", "maxvit_t", "vit_b_32", "densenet121"])
def test_every_listed_layer_can_be_captured(architecture: str) -> None:
    network = trained(architecture, 2)
    size = 224 if architecture == "maxvit_t" else 64 if architecture == "densenet121" else 224
    image = torch.randn(1, 3, size, size)
    layers = list_layers(network, image)
    for layer in layers[:: max(1, len(layers) // 12)]:
        found = capture_feature_maps(network, image, layer.name)
        shape = found[layer.call - 1].values.shape if layer.calls == len(found) else layer.shape
        assert shape == layer.shape


def test_swins_channels_come_first() -> None:
    network = trained("swin_t", 2)
    image = torch.randn(1, 3, 224, 224)
    (found,) = capture_feature_maps(network, image, "features.1")
    assert found.values.shape == (96, 56, 56)
    (expected,) = reference(network, image, "features.1")
    assert np.array_equal(found.values, expected[0].permute(2, 0, 1).numpy())
    (patches,) = capture_feature_maps(network, image, "features.0.0")
    assert patches.values.shape == (96, 56, 56)


def test_a_vector_is_one_number_a_channel(
    resnet: nn.Module, make_photo: Callable[..., Path]
) -> None:
    image = torch.randn(1, 3, 64, 64)
    (found,) = capture_feature_maps(resnet, image, "fc")
    with torch.no_grad():
        assert np.array_equal(found.values[:, 0, 0], resnet(image)[0].numpy())
    assert (found.layout, found.values.shape) == ("vector", (3, 1, 1))
    lens = Lens(resnet, Preprocessing(resize=64, crop=(64, 64)))
    with pytest.raises(NotSpatialError, match="'fc' has no height and width"):
        require_maps(lens.feature_maps(make_photo(), "fc", 1))


def test_unknown_layers_are_refused(resnet: nn.Module) -> None:
    image = torch.zeros(1, 3, 64, 64)
    for name in ("layer9", "", "conv1.weight"):
        with pytest.raises(UnknownLayerError):
            capture_feature_maps(resnet, image, name)


def test_a_layer_that_never_runs_is_refused() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = nn.Conv2d(3, 1, 1), nn.Conv2d(3, 1, 1)

        def forward(self, image: Tensor) -> Tensor:
            return self.used(image)

    with pytest.raises(UnknownLayerError, match="never runs"):
        capture_feature_maps(Idle(), torch.zeros(1, 3, 4, 4), "idle")


def test_hooks_are_gone_also_after_an_error(resnet: nn.Module) -> None:
    capture_feature_maps(resnet, torch.zeros(1, 3, 64, 64), "conv1")
    list_layers(resnet, torch.zeros(1, 3, 64, 64))
    with pytest.raises(UnknownLayerError):
        capture_feature_maps(resnet, torch.zeros(1, 5, 64, 64), "conv1")
    assert hooks_of(resnet) == 0


def test_maps_of_a_photo(resnet: nn.Module, make_photo: Callable[..., Path]) -> None:
    own = Preprocessing(resize=64, crop=(64, 64))
    path = make_photo(size=(128, 64))
    lens = Lens(resnet, own)
    found = lens.feature_maps(path, "layer1.0.relu", 2)
    assert found.maps.call == 2
    assert found.grey.shape == found.maps.values.shape == (64, 16, 16)
    assert found.box == (32, 0, 96, 64)
    with pytest.raises(UnknownLayerError, match="runs 2 times; there is no call 3"):
        lens.feature_maps(path, "layer1.0.relu", 3)
    with pytest.raises(UnreadableImageError):
        lens.feature_maps(path.with_name("gone.png"), "conv1", 1)


def test_the_lens_runs_a_photo_once_and_stays_within_its_memory(
    resnet: nn.Module, make_photo: Callable[..., Path]
) -> None:
    passes = []
    handle = resnet.register_forward_hook(lambda *_: passes.append(1))
    try:
        own = Preprocessing(resize=64, crop=(64, 64))
        lens = Lens(resnet, own)
        path = make_photo()
        for layer in ("conv1", "layer1.0.conv1", "fc"):
            lens.feature_maps(path, layer, 1)
        assert len(passes) == 1
        small = Lens(resnet, own, limit_bytes=2**20)
        found = small.feature_maps(path, "layer4", 1)  # run again, since it was not kept
        assert np.array_equal(found.maps.values, lens.feature_maps(path, "layer4", 1).maps.values)
        for number in range(6):
            other = path.with_name(f"{number}.png")
            other.write_bytes(path.read_bytes())
            small.feature_maps(other, "conv1", 1)
            assert small.kept_bytes <= 2**20
    finally:
        handle.remove()


def test_grey_pictures() -> None:
    values = np.array([[[0.0, 1.0], [2.0, 4.0]], [[5.0, 5.0], [5.0, 5.0]]], np.float32)
    grey = to_grey(values)
    assert grey.dtype == np.uint8
    assert grey[0].tolist() == [[0, 64], [128, 255]]
    assert grey[1].max() == 0
    assert strength(-values).tolist() == [1.75, 5.0]
    assert to_grey(np.array([[[np.nan, np.inf, 1.0]]], np.float32))[0].tolist() == [[0, 0, 255]]


@pytest.mark.parametrize(("count", "height", "width"), [(1, 3, 5), (7, 4, 4), (64, 1, 9)])
def test_the_grid_holds_every_map(count: int, height: int, width: int) -> None:
    values = np.random.default_rng(0).normal(size=(count, height, width)).astype(np.float32)
    picture = grid(values)
    columns = (picture.shape[1] - 2) // (width + 2)
    for channel, wanted in enumerate(to_grey(values)):
        top = channel // columns * (height + 2) + 2
        left = channel % columns * (width + 2) + 2
        assert np.array_equal(picture[top : top + height, left : left + width], wanted)


def test_convnexts_inner_layers_have_channels_first() -> None:
    network = trained("convnext_tiny", 2)
    image = torch.randn(1, 3, 64, 64)
    for position in range(7):
        layer = f"features.1.0.block.{position}"
        (found,) = capture_feature_maps(network, image, layer)
        channels = 384 if position in (3, 4) else 96
        assert found.values.shape == (channels, 16, 16), layer
    (found,) = capture_feature_maps(network, image, "features.1.0.block.2")
    (expected,) = reference(network, image, "features.1.0.block.2")
    assert np.array_equal(found.values, expected[0].permute(2, 0, 1).numpy())


def test_a_smoothed_map_keeps_its_range_and_its_places() -> None:
    values = np.zeros((7, 7), np.float32)
    values[2, 5] = 3
    smooth = smoothed(values, (210, 140))
    assert smooth.shape == (210, 140)
    assert smooth.min() >= 0
    assert smooth.max() <= 3
    row, column = divmod(int(smooth.argmax()), 140)
    assert (row // 30, column // 20) == (2, 5)
    assert abs(np.diff(smooth, axis=0)).max() < 0.3  # no edges between cells
