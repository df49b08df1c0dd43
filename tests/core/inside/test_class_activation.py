from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from core.inside.class_activation import channel_counts, class_activation
from core.inside.layouts import attention_maps
from tests.core.inside.test_layers import FAMILIES, image_for
from tests.networks import trained

EXACT = {
    "resnet18",
    "inception_v3",
    "googlenet",
    "densenet121",
    "squeezenet1_1",
    "mobilenet_v2",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "efficientnet_b0",
    "regnet_y_400mf",
    "swin_t",
    "swin_v2_t",
}


def state_of(network: nn.Module) -> list[object]:
    hooks = [
        (len(one._forward_hooks), len(one._forward_pre_hooks), one.training)
        for one in network.modules()
    ]
    values = [
        (one.requires_grad, one.grad, float(one.detach().sum())) for one in network.parameters()
    ]
    return [*hooks, *values]


def test_cam_of_resnet_18_is_the_definition() -> None:
    torch.manual_seed(0)
    network, image = trained("resnet18", 5), torch.randn(1, 3, 224, 224)
    kept: list[torch.Tensor] = []
    handle = network.layer4.register_forward_hook(lambda *given: kept.append(given[2].clone()))
    with torch.no_grad():
        logits = network(image)[0]
    handle.remove()
    found = class_activation(network, image, (3, 1))
    assert (found.method, found.classes, found.maps.shape) == ("CAM", (3, 1), (2, 7, 7))
    for number, index in enumerate((3, 1)):
        weights = network.fc.weight[index].detach()
        wanted = (weights[:, None, None] * kept[0][0]).sum(0) / 49
        assert np.abs(found.maps[number] - wanted.numpy()).max() < 1e-5
        bias = float(network.fc.bias[index].detach())
        assert found.maps[number].sum() == pytest.approx(float(logits[index]) - bias, abs=1e-5)
        assert found.logits[number] == pytest.approx(float(logits[index]), abs=1e-5)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_every_family_gives_a_map_and_is_left_as_it_was(architecture: str) -> None:
    torch.manual_seed(0)
    network, image = trained(architecture, 3), image_for(architecture)
    before = state_of(network)
    found = class_activation(network, image, (0, 2))
    assert state_of(network) == before
    assert found.method == ("CAM" if architecture in EXACT else "Grad-CAM")
    assert found.maps.shape[0] == 2
    assert min(found.maps.shape[1:]) > 1
    assert np.isfinite(found.maps).all()
    with torch.no_grad():
        logits = network(image)[0]
    assert np.abs(found.logits - logits[[0, 2]].numpy()).max() < 1e-4
    if found.method == "CAM":
        last = [one for one in network.modules() if isinstance(one, nn.Linear)]
        bias = last[-1].bias[[0, 2]].detach().numpy() if last else np.zeros(2)
        assert np.abs(found.maps.sum((1, 2)) - (found.logits - bias)).max() < 1e-4


def test_grad_cam_is_its_definition() -> None:
    torch.manual_seed(0)
    network, image = trained("vgg11_bn", 3), torch.randn(1, 3, 64, 64)
    found = class_activation(network, image, (1,))
    assert found.layer == "avgpool"
    with torch.enable_grad():
        maps = network.avgpool(network.features(image)).detach().requires_grad_(True)
        network.classifier(maps.flatten(1))[0, 1].backward()
    assert maps.grad is not None
    weights = maps.grad[0].mean((1, 2), keepdim=True)
    wanted = (weights * maps[0].detach()).sum(0).relu()
    assert np.abs(found.maps[0] - wanted.numpy()).max() < 1e-6


def test_an_error_leaves_the_network_as_it_was() -> None:
    network = trained("vgg11_bn", 3)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    before = state_of(network)
    with pytest.raises(IndexError):
        class_activation(network, torch.randn(1, 3, 64, 64), (99,))
    assert state_of(network) == before


@pytest.mark.parametrize(
    ("architecture", "layer", "heads", "side"),
    [
        ("vit_b_32", "encoder.layers.encoder_layer_3.self_attention", 12, 7),
        ("swin_t", "features.1.0.attn", 3, 56),
        ("swin_t", "features.1.1.attn", 3, 56),
        ("swin_v2_t", "features.3.1.attn", 6, 32),
        ("maxvit_t", "blocks.0.layers.0.layers.grid_attention.attn_layer.1", 2, 56),
    ],
)
def test_attention_is_a_map_a_head(architecture: str, layer: str, heads: int, side: int) -> None:
    torch.manual_seed(0)
    network, image = trained(architecture, 3), image_for(architecture)
    maps = attention_maps(network, image, layer)
    assert maps is not None
    assert maps.shape == (heads, side, side)
    assert (maps >= 0).all()
    # What the queries of a window give away is one in all; the class token keeps a part.
    total = maps.sum((1, 2))
    if architecture == "vit_b_32":
        assert (total < 1).all()
    else:
        cells = 49 if architecture != "swin_v2_t" else 64
        assert total == pytest.approx(torch.full((heads,), side * side / cells), rel=1e-4)
    assert attention_maps(network, image, layer.split(".")[0]) is None
    assert not any(one._forward_hooks for one in network.modules())


def test_attention_of_vit_is_what_its_output_is_made_of() -> None:
    torch.manual_seed(0)
    network, image = trained("vit_b_32", 3), image_for("vit_b_32")
    layer = "encoder.layers.encoder_layer_0.self_attention"
    given: list[torch.Tensor] = []
    module = network.get_submodule(layer)
    handle = module.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    with torch.no_grad():
        network(image)
    handle.remove()
    query, key, _ = (given[0] @ module.in_proj_weight.T + module.in_proj_bias).chunk(3, dim=-1)
    query, key = (one.reshape(50, 12, 64).transpose(0, 1) for one in (query, key))
    weights = (query @ key.transpose(1, 2) / 8).softmax(-1)
    found = attention_maps(network, image, layer)
    assert found is not None
    assert (found.flatten(1) - weights[:, 0, 1:]).abs().max() < 1e-5


@pytest.mark.parametrize("layer", ["layer4", "layer2.0.conv1", "fc"])
def test_what_channels_count_adds_up_where_the_rest_is_linear(layer: str) -> None:
    torch.manual_seed(0)
    network, image = trained("resnet18", 3), torch.randn(1, 3, 64, 64)
    before = state_of(network)
    counts = channel_counts(network, image, layer, 1, 2)
    assert state_of(network) == before
    assert counts is not None
    with torch.no_grad():
        logit = float(network(image)[0, 2])
    bias = float(network.fc.bias[2].detach())
    if layer == "layer4":  # mean and linear layer follow: the counts are the logit's parts
        assert counts.sum() == pytest.approx(logit - bias, abs=1e-4)
    elif layer == "fc":
        assert counts == pytest.approx([0, 0, logit], abs=1e-5)
    else:
        assert counts.shape == (128,)
    assert channel_counts(network, image, "layer1.0.relu", 3, 2) is None
