"""Score-CAM, for networks that give no gradients but maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import NotSpatialError
from core.inside.class_activation import ClassActivation
from core.inside.layers import record
from core.inside.lens import Lens
from core.inside.score_cam import score_cam
from tests.core.models.test_onnx_source import exported, opened

SIDE = 24


def steps(network: nn.Module, photo: Tensor, classes: tuple[int, ...]) -> list[ClassActivation]:
    return list(score_cam(network, photo, classes, record(network, photo).layers))


def network_of(channels: int, side: int = 6) -> nn.Sequential:
    torch.manual_seed(0)
    body = [nn.Conv2d(3, channels, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(side)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(channels * side * side, 4)).eval()


def test_it_is_its_definition() -> None:
    network, photo = network_of(12), torch.rand(1, 3, SIDE, SIDE)
    found = steps(network, photo, (2, 0))
    assert found[0].passes[0] <= 5 < found[-1].passes[0] == found[-1].passes[1] == 12
    assert {(one.method, one.layer, one.classes) for one in found} == {("Score-CAM", "2", (2, 0))}
    with torch.no_grad():
        maps = network[:3](photo)
        large = nn.functional.interpolate(maps, (SIDE, SIDE), mode="bilinear")[0]
        scores, mean = [], photo.mean((2, 3), keepdim=True)
        for one in large:
            mask = (one - one.min()) / (one.max() - one.min())
            scores.append(network(photo * mask + mean * (1 - mask))[0, [2, 0]])
        weights = torch.stack(scores).softmax(0)
        wanted = torch.einsum("mk,mhw->khw", weights, maps[0]).relu()
        np.testing.assert_allclose(found[-1].logits, network(photo)[0, [2, 0]], atol=1e-6)
    np.testing.assert_allclose(found[-1].maps, wanted, atol=1e-5)
    assert not any(one._forward_hooks for one in network.modules())


def test_the_strongest_maps_of_many_count_and_flat_ones_never() -> None:
    network = network_of(100)
    assert steps(network, torch.rand(1, 3, SIDE, SIDE), (0,))[-1].passes == (64, 64)
    with torch.no_grad():
        network[0].weight[10:] = 0
    assert steps(network, torch.rand(1, 3, SIDE, SIDE), (0,))[-1].passes[1] <= 10
    with torch.no_grad():
        network[0].weight[:] = 0
    with pytest.raises(NotSpatialError):
        steps(network, torch.rand(1, 3, SIDE, SIDE), (0,))


def test_an_onnx_network_says_what_torchs_says(tmp_path: Path) -> None:
    network = network_of(8)
    path = exported(network, tmp_path / "a.onnx", shape=(1, 3, SIDE, SIDE), free=())
    photo = torch.rand(1, 3, SIDE, SIDE)
    ours, theirs = steps(opened(path).network, photo, (1, 3)), steps(network, photo, (1, 3))
    np.testing.assert_allclose(ours[-1].maps, theirs[-1].maps, atol=1e-5)


class Columns(nn.Module):
    """Ends in something of two axes that is no image, as attention is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.other, self.end = nn.Conv2d(3, 5, 3), nn.Identity(), nn.Linear(90, 2)

    def forward(self, photos: Tensor) -> Tensor:
        maps = nn.functional.adaptive_avg_pool2d(self.conv(photos), 6)
        columns: Tensor = self.other(maps.reshape(-1, 5, 2, 18)[:, :, :, :9])
        outputs: Tensor = self.end(columns.flatten(1))
        return outputs


def test_what_has_not_the_sides_of_the_photo_is_no_image() -> None:
    found = steps(Columns().eval(), torch.rand(1, 3, SIDE, SIDE), (0,))
    assert found[-1].layer == "conv"
    wide = nn.Sequential(nn.Conv2d(3, 5, 3, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    assert steps(wide, torch.rand(1, 3, 20, 50), (0,))[-1].maps.shape == (1, 5, 12)


def test_the_lens_takes_it_where_there_are_no_gradients(tmp_path: Path) -> None:
    from PIL import Image

    network = network_of(8)
    model = opened(exported(network, tmp_path / "a.onnx", shape=(1, 3, SIDE, SIDE)))
    photo = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)
    Image.fromarray(pixels).save(photo)
    lens = Lens(model.network, model.spec.preprocessing)
    (*_, found) = lens.evidence(photo, (0, 1), has_gradients=False)
    assert (found.found.method, found.found.maps.shape) == ("Score-CAM", (2, 6, 6))
    (found,) = Lens(network, model.spec.preprocessing).evidence(photo, (0, 1))
    assert found.found.method == "Grad-CAM"
