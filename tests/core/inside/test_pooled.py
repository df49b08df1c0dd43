from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from core.inside.pooled import pooled_features
from core.models.torchvision_import import torchvision_models

SIZES = {
    "alexnet": 4096,
    "squeezenet1_1": 512,
    "resnet18": 512,
    "mobilenet_v3_small": 1024,
    "shufflenet_v2_x0_5": 1024,
    "densenet121": 1024,
    "vit_b_32": 768,
    "swin_t": 768,
    "convnext_tiny": 768,
    "regnet_y_400mf": 440,
}


@pytest.mark.parametrize("name", SIZES)
def test_the_vector_before_the_head(name: str) -> None:
    torch.manual_seed(0)
    network = torchvision_models().get_model(name, weights=None).eval()
    batch = torch.rand(2, 3, 224, 224)
    found = pooled_features(network, batch)
    assert found.shape == (2, SIZES[name])
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_equals_what_goes_into_the_last_layer() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    ).eval()
    batch = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = network[:4](batch)[0]
    expected = (expected / expected.norm()).numpy()
    assert np.allclose(pooled_features(network, batch)[0], expected, atol=1e-6)


def test_a_body_without_a_head_gives_its_output_pooled() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    batch = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = network(batch)[0].mean(dim=(1, 2))
    expected = (expected / expected.norm()).numpy()
    assert np.allclose(pooled_features(network, batch)[0], expected, atol=1e-6)


def test_hooks_are_taken_off_after_an_error() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(5, 2)).eval()
    with pytest.raises(RuntimeError):
        pooled_features(network, torch.rand(1, 3, 8, 8))
    assert not any(module._forward_pre_hooks for module in network.modules())
