"""Batch norms in convolutions: the same answers, the original untouched, nothing taken on trust."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.inference.classifier import Classifier
from core.inference.devices import processor
from core.inference.folding import folded
from core.models.sources.base import OpenedModel
from core.models.sources.checkpoint.source import open_model
from core.models.timm_import import build_timm
from core.values.spec import ModelChoice
from tests.networks import trained


def photo(size: int = 64) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))


def of_timm(architecture: str) -> nn.Module:
    torch.manual_seed(0)
    network = build_timm(architecture, num_classes=3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize(
    "network",
    [
        trained("resnet18", 3),
        trained("densenet121", 3),
        trained("mobilenet_v3_small", 3),
        of_timm("resnet26d"),
        of_timm("tf_efficientnet_lite0"),
        of_timm("mobilenetv4_conv_small"),
    ],
    ids=["resnet18", "densenet121", "mobilenet_v3_small", "resnet26d", "lite0", "mobilenetv4"],
)
def test_folded_networks_compute_the_same(network: nn.Module) -> None:
    network.requires_grad_(False)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    with torch.inference_mode():
        expected = network(photo())
        made = folded(network, photo()[:1])
        assert made is not None
        found = made(photo())
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-4
    assert sum(isinstance(one, nn.BatchNorm2d) for one in made.modules()) < len(norms)
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.modules())


def test_what_has_no_norms_stays_as_it_is() -> None:
    assert folded(trained("squeezenet1_1", 3), photo()[:1]) is None


class Twice(nn.Module):
    """A network that reads a convolution's output beside the norm that is given it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.bn = nn.BatchNorm2d(3)
        nn.init.uniform_(self.bn.running_mean, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return (10 * self.bn(y) - y).mean((2, 3))


def test_a_network_that_reads_more_is_left_to_plain_pytorch(tmp_path: Path) -> None:
    opened = open_model(ModelChoice())
    torch.manual_seed(0)
    spec = replace(opened.spec, class_names=("a", "b", "c"))
    used = Classifier(OpenedModel(spec, Twice().eval()), processor(""), print)
    used.check_input()
    assert folded(used.network, photo()[:1]) is not None
    eager = used._eager
    assert not used.fold()
    assert used._backend is eager


def test_a_folded_network_serves_where_it_agrees(tmp_path: Path) -> None:
    torch.save(of_timm("resnet26d").state_dict(), tmp_path / "model.pth")
    used = Classifier(open_model(ModelChoice(tmp_path / "model.pth")), processor(""), print)
    used.check_input()
    assert used.fold()
    assert used.backend == "PyTorch"
    assert used._backend is not used._eager
