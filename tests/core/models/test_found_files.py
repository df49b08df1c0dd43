"""Small files that people published, each of which was opened or named wrongly once."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.models.resnet_of_three_stages import CifarBlock, CifarResNet
from core.models.sources.checkpoint.source import inspect_checkpoint, open_model
from core.models.torchvision_import import torchvision_models
from core.values.spec import Inspection, ModelChoice, Overrides
from tests.networks import trained


def inspected(content: object, folder: Path, name: str = "model.pth") -> Inspection:
    torch.save(content, folder / name)
    return inspect_checkpoint(folder / name)


def network_of(folder: Path, **answers: str) -> nn.Module:
    overrides = Overrides(answers=tuple(answers.items()))
    return open_model(ModelChoice(checkpoint=folder / "model.pth", overrides=overrides)).network


def assert_same(found: nn.Module, network: nn.Module, size: int = 64) -> None:
    photo = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(found(photo), network(photo), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("architecture", "outputs", "word"),
    [("squeezenet1_0", "value", "never negative"), ("resnet18", "sigmoid", "yes or no")],
)
def test_one_output_is_said(architecture: str, outputs: str, word: str, tmp_path: Path) -> None:
    found = inspected(trained(architecture, 1).state_dict(), tmp_path)
    assert found.outputs == outputs
    assert any(word in problem for problem in found.problems)


@pytest.mark.parametrize(
    "architecture",
    ["mobilenet_v3_small", "squeezenet1_1", "efficientnet_b0", "mnasnet0_5", "convnext_tiny"],
)
def test_a_plain_network_pickled_whole_has_no_note(architecture: str, tmp_path: Path) -> None:
    assert inspected(trained(architecture, 3), tmp_path).problems == ()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("val_confmat.confmat", torch.zeros(5, 5, dtype=torch.long)),
        ("criterion.centers", torch.rand(5, 512)),
    ],
)
def test_what_metrics_and_losses_keep_is_left_out(
    name: str, state: torch.Tensor, tmp_path: Path
) -> None:
    network = trained("resnet18", 5)
    content = {f"model.{key}": value for key, value in network.state_dict().items()}
    found = inspected({"state_dict": {**content, name: state}}, tmp_path)
    assert found.num_classes == 5
    assert_same(network_of(tmp_path), network)


def test_a_dense_autoencoder_is_not_called_a_unet(tmp_path: Path) -> None:
    content = {"encoder.0.weight": torch.zeros(8, 16), "decoder.0.weight": torch.zeros(16, 8)}
    assert "U-Net" not in inspected(content, tmp_path).summary


def test_a_method_of_a_network_is_the_network(tmp_path: Path) -> None:
    network = trained("resnet18", 5)
    assert inspected(network.state_dict, tmp_path).usable
    assert_same(network_of(tmp_path), network)


def test_a_compiled_network_is_the_network(tmp_path: Path) -> None:
    network = trained("resnet18", 5)
    inspected(Compiled(network), tmp_path)
    assert_same(network_of(tmp_path), network)


class Compiled:
    """Pickled as torch pickles what ``torch.compile`` returns, without importing the compiler."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __reduce__(self) -> Any:
        from torch._dynamo.eval_frame import OptimizedModule

        return OptimizedModule, (self._network, None)


@pytest.mark.parametrize(
    "beside",
    [
        {"meta": {"CLASSES": ["a", "b", "c"]}},
        {"meta": {"dataset_meta": {"classes": ("a", "b", "c")}}},
        {"idx2label": {0: "a", 1: "b", 2: "c"}},
        {"names": {0: "a", 1: "b", 2: "c"}},
        {"label_encoder": {"classes_": ["a", "b", "c"]}},
    ],
)
def test_more_places_of_class_names(beside: dict[str, Any], tmp_path: Path) -> None:
    found = inspected({"state_dict": trained("resnet18", 3).state_dict(), **beside}, tmp_path)
    assert found.class_names == ("a", "b", "c")


def test_foreign_files_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", weight=np.zeros(3))
    assert "NumPy" in inspect_checkpoint(tmp_path / "arrays.npz").summary
    (tmp_path / "net.params").write_bytes(b"\x12\x01" + b"\0" * 30)
    assert "MXNet" in inspect_checkpoint(tmp_path / "net.params").summary
    table = {"linear.weight": np.zeros((2, 2)), "StructuredToParameterName@@": {}}
    assert "PaddlePaddle" in inspected(table, tmp_path).summary
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather have its newer forms used
        traced = torch.jit.trace(trained("squeezenet1_1", 3), torch.rand(1, 3, 64, 64))
        torch.jit.freeze(traced).save(str(tmp_path / "frozen.pt"))
    assert "frozen TorchScript" in inspect_checkpoint(tmp_path / "frozen.pt").summary


def test_a_yolo_classifier_is_not_called_a_detector(tmp_path: Path) -> None:
    names = ("model.0.conv.weight", "model.2.m.0.cv1.conv.weight", "model.9.linear.weight")
    content = {name: torch.zeros(3, 8, 1, 1) for name in names}
    assert "YOLO classifier" in inspected(content, tmp_path).summary


# Three stages


def cifar(*, has_projections: bool = False, width: int = 16) -> CifarResNet:
    torch.manual_seed(2)
    network = CifarResNet((3, 3, 3), width, has_projections=has_projections)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("has_projections", [False, True])
@pytest.mark.parametrize("foreign", [False, True])
def test_resnets_of_three_stages(has_projections: bool, foreign: bool, tmp_path: Path) -> None:
    network = cifar(has_projections=has_projections)
    state = network.state_dict()
    if foreign:
        state = OrderedDict(
            (name.replace("downsample", "shortcut").replace("fc.", "linear."), value)
            for name, value in state.items()
        )
    found = inspected(state, tmp_path)
    assert "ResNet-20 for CIFAR" in found.summary
    assert found.num_classes == 10
    assert found.preprocessing is not None
    assert found.preprocessing.input_size == (32, 32)
    assert [one.key for one in found.questions] == ([] if has_projections else ["shortcut"])
    assert len(found.problems) == len(found.questions)
    assert_same(network_of(tmp_path), network, 32)


def test_where_zeros_stand_is_the_users_choice(tmp_path: Path) -> None:
    network = cifar()
    inspected(network.state_dict(), tmp_path)
    for module in network.modules():
        if isinstance(module, CifarBlock):
            module.pads_behind = True
    assert_same(network_of(tmp_path, shortcut="behind"), network, 32)


@pytest.mark.parametrize("pooled", [False, True])
def test_pooling_after_a_small_stem_is_the_users_choice(pooled: bool, tmp_path: Path) -> None:
    network = torchvision_models().resnet18(num_classes=4).eval()
    network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    if not pooled:
        network.maxpool = nn.Identity()
    inspected({"arch": "resnet18", "state_dict": network.state_dict()}, tmp_path)
    found = network_of(tmp_path, stem="pooled") if pooled else network_of(tmp_path)
    assert_same(found, network, 32)
