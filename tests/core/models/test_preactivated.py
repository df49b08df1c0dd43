"""ResNets for CIFAR whose blocks normalise first, as the widespread codes name their layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.models.resnet_preactivated import PreactivationResNet
from core.models.sources.checkpoint.saving import save_model
from core.models.sources.checkpoint.source import inspect_checkpoint, open_model
from core.values.spec import ModelChoice


class PreactBlock(nn.Module):
    """One with projections behind the first ReLU, its second parameter set named by the paper."""

    def __init__(self, inputs: int, outputs: int, stride: int, layout: str) -> None:
        super().__init__()
        bias = layout == "biased"
        self.layout = layout
        steps = (1, stride) if bias else (stride, 1)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, steps[0], 1, bias=bias)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, steps[1], 1, bias=bias)
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=bias)
            if layout == "wide":
                self.convShortcut = projection
            else:
                self.shortcut = nn.Sequential(projection)

    def forward(self, x: Tensor) -> Tensor:
        first = self.bn1(x).relu()
        y = self.conv2(self.bn2(self.conv1(first)).relu())
        if self.layout == "wide":
            return y + (self.convShortcut(first) if hasattr(self, "convShortcut") else x)
        if not hasattr(self, "shortcut"):
            return y + x
        return y + self.shortcut(x if self.layout == "biased" else first)


class PreactNet(nn.Module):
    """As "wide" (block1.layer.0, bn1, fc), "kuang" (no last norm, linear) or "biased"."""

    def __init__(self, layout: str, widths: tuple[int, ...], count: int = 2) -> None:
        super().__init__()
        self.layout = layout
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1, bias=layout == "biased")
        channels = 8
        for stage, width in enumerate(widths, 1):
            blocks = []
            for at in range(count):
                stride = 2 if stage > 1 and at == 0 else 1
                blocks.append(PreactBlock(channels, width, stride, layout))
                channels = width
            made: nn.Module = nn.Sequential(*blocks)
            if layout == "wide":
                outer = nn.Module()
                outer.layer = made
                self.add_module(f"block{stage}", outer)
            else:
                self.add_module(f"layer{stage}", made)
        if layout != "kuang":
            self.bn1 = nn.BatchNorm2d(channels)
        self.add_module("fc" if layout == "wide" else "linear", nn.Linear(channels, 5))
        self.stages = len(widths)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for stage in range(1, self.stages + 1):
            if self.layout == "wide":
                x = self.get_submodule(f"block{stage}").layer(x)
            else:
                x = self.get_submodule(f"layer{stage}")(x)
        if self.layout != "kuang":
            x = self.bn1(x).relu()
        head = self.fc if self.layout == "wide" else self.linear
        return head(x.mean((2, 3)))


def trained(network: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return network.eval()


def assert_same(path: Path, network: nn.Module) -> None:
    photo = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = open_model(ModelChoice(checkpoint=path))
    with torch.inference_mode():
        expected, given = network(photo), found.network(photo)
    assert torch.allclose(expected, given, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("layout", "widths", "title"),
    [
        ("wide", (16, 32, 64), "Wide ResNet-16-2 (CIFAR)"),
        ("wide", (8, 16, 32), "Preactivation ResNet-14 (CIFAR)"),
        ("kuang", (8, 16, 32, 64), "Preactivation ResNet-18 (CIFAR)"),
        ("biased", (16, 32, 64), "Wide ResNet-16-2 (CIFAR, with biases)"),
    ],
)
def test_blocks_that_normalise_first(
    layout: str, widths: tuple[int, ...], title: str, tmp_path: Path
) -> None:
    network = trained(PreactNet(layout, widths))
    path = tmp_path / "model.pth"
    torch.save({"net": network.state_dict(), "acc": 95.1, "epoch": 199}, path)
    found = inspect_checkpoint(path)
    assert title in found.summary
    assert found.num_classes == 5
    assert found.preprocessing is not None
    assert found.preprocessing.input_size == (32, 32)
    assert any("normalise before they convolve" in one for one in found.problems)
    assert_same(path, network)


def test_it_stays_what_it_is_when_it_is_saved(tmp_path: Path) -> None:
    network = trained(PreactNet("biased", (16, 32, 64)))
    path, saved = tmp_path / "model.pth", tmp_path / "own.pth"
    torch.save(network.state_dict(), path)
    found = open_model(ModelChoice(checkpoint=path))
    assert found.plan is not None
    save_model(found.network, found.spec, found.plan, saved)
    assert not inspect_checkpoint(saved).problems
    assert_same(saved, network)


def test_three_convolutions_a_block(tmp_path: Path) -> None:
    stages = [[(8, 8, 32)] * 2, [(16, 16, 64)] * 2, [(32, 32, 128)] * 2, [(64, 64, 256)] * 2]
    network = trained(
        PreactivationResNet(8, stages, [True] * 4, normalises_last=False, has_biases=False)
    )
    path = tmp_path / "model.pth"
    torch.save(network.state_dict(), path)
    assert "Preactivation ResNet-26" in inspect_checkpoint(path).summary
    assert_same(path, network)
