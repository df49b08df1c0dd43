"""What a file does not tell is noted, or nothing is predicted; never a silent mistake."""

from __future__ import annotations

import pickle
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.models.sources.checkpoint.source import OpenedModel, inspect_checkpoint, open_model
from core.values.spec import ModelChoice
from tests.core.models.test_odd_forms import assert_alike, opened
from tests.networks import spread, trained


class Around(nn.Module):
    """A body and layers of its owner's beside it."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        self.backbone = trained("resnet18", 1000)
        self.backbone.fc = nn.Identity()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, image: Tensor) -> Tensor:
        return self.backbone(image)  # type: ignore[no-any-return]


def assert_predicts_nothing(found: OpenedModel, said: str) -> None:
    assert not found.spec.predicts
    assert said in " ".join(found.spec.problems)


def test_a_head_whose_layers_are_called_as_the_bodys(tmp_path: Path) -> None:
    class Own(Around):
        def forward(self, image: Tensor) -> Tensor:
            hidden = self.bn1(self.fc1(self.backbone(image)).relu())
            return self.fc2(hidden)  # type: ignore[no-any-return]

    network = spread(Own(fc1=nn.Linear(512, 64), bn1=nn.BatchNorm1d(64), fc2=nn.Linear(64, 3)))
    nn.init.normal_(network.bn1.weight)
    assert_alike(opened(network.state_dict(), tmp_path), network)


class OwnHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(512, 64), nn.Linear(64, 3)

    def forward(self, features: Tensor) -> Tensor:
        return self.fc2(self.fc1(features).relu())  # type: ignore[no-any-return]


def test_a_pickled_head_of_a_class_of_its_own(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    network.fc = OwnHead()
    content = {"state_dict": network.eval().state_dict(), "fc": network.fc}
    found = opened(content, tmp_path)
    assert "code of its own (OwnHead)" in found.spec.problems[0]
    assert_alike(found, network)


@pytest.mark.parametrize(
    "layers",
    [
        {"lstm": nn.LSTM(512, 512), "fc": nn.Linear(512, 3)},
        {"mixer": nn.TransformerEncoderLayer(512, 4, 512), "fc": nn.Linear(512, 3)},
        {"attention": nn.Conv2d(512, 512, 3), "fc": nn.Linear(512, 3)},
        {"backbone_2": trained("resnet18", 3), "fc": nn.Linear(512, 3)},
    ],
)
def test_layers_that_nobody_can_place(layers: dict[str, nn.Module], tmp_path: Path) -> None:
    found = opened(Around(**layers).state_dict(), tmp_path)
    assert_predicts_nothing(found, "it predicts nothing here")


def test_a_classifier_behind_the_documented_head(tmp_path: Path) -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = trained("resnet18", 1000)
            self.classifier = nn.Linear(1000, 2)

        def forward(self, image: Tensor) -> Tensor:
            return self.classifier(self.backbone(image).relu())  # type: ignore[no-any-return]

    network = Own().eval()
    found = opened(network.state_dict(), tmp_path)
    assert found.spec.inspection.num_classes == 2
    assert "ReLU is assumed" in found.spec.problems[0]
    assert_alike(found, network)


def test_timms_variants_with_more_than_torchvision_has(tmp_path: Path) -> None:
    from tests.core.models.test_odd_forms import as_timm_vit

    content = {as_timm_vit(k): v for k, v in trained("vit_b_32", 3).state_dict().items()}
    content |= {f"blocks.{at}.ls1.gamma": torch.ones(768) for at in range(12)}
    path = tmp_path / "variant.pth"
    torch.save(content, path)
    found = inspect_checkpoint(path)
    assert not found.usable
    assert "variant of ViT-B/32" in found.summary


def test_pooling_that_is_assumed_is_said(tmp_path: Path) -> None:
    content = {f"body.{k}": v for k, v in trained("resnet18", 3).state_dict().items()}
    del content["body.fc.weight"], content["body.fc.bias"]
    content |= {"fc.weight": torch.randn(3, 1024), "fc.bias": torch.zeros(3)}
    found = opened(content, tmp_path)
    assert "the maximum of each map, then the mean" in found.spec.problems[0]
    content["fc.weight"] = torch.randn(3, 512 * 16)
    found = opened(content, tmp_path)
    assert found.spec.preprocessing.input_size == (128, 128)
    found.network(torch.zeros(1, 3, 128, 128))


# Pickled networks tell what shapes do not


def silu(network: nn.Module) -> nn.Module:
    for module in list(network.modules()):
        if hasattr(module, "relu"):
            module.relu = nn.SiLU()
    return network


def epsilon(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.1
    return network


def pools(network: nn.Module) -> nn.Module:
    network.avgpool, network.maxpool = nn.AdaptiveMaxPool2d(1), nn.Identity()
    return network


def strides(network: nn.Module) -> nn.Module:
    network.layer4[0].conv1.stride = network.layer4[0].downsample[0].stride = (1, 1)
    return network


@pytest.mark.parametrize("change", [silu, epsilon, pools, strides])
@pytest.mark.parametrize("place", ["whole", "in a dictionary"])
def test_layers_as_the_pickle_has_them(change: Any, place: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = change(trained("resnet18", 3))
    found = opened(network if place == "whole" else {"model": network, "epoch": 3}, tmp_path)
    assert found.spec.problems == ()
    assert_alike(found, network)


def test_what_stands_around_a_pickled_network(tmp_path: Path) -> None:
    network = nn.Sequential(trained("resnet18", 3), nn.Sigmoid()).eval()
    assert opened(network, tmp_path).spec.outputs == "sigmoid"
    network = nn.Sequential(nn.LocalResponseNorm(2), trained("resnet18", 3)).eval()
    assert (
        "Before the network stands a LocalResponseNorm"
        in opened(network, tmp_path).spec.problems[0]
    )


@pytest.mark.parametrize("layer", [nn.SELU(), nn.ReLU6(), nn.Mish()])
def test_activations_of_a_pickled_head(layer: nn.Module, tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    network.fc = nn.Sequential(nn.Linear(512, 16), layer, nn.Linear(16, 3))
    assert_alike(opened(network.eval(), tmp_path), network)


def test_a_layer_of_a_pickled_head_that_cannot_be_rebuilt(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    network.fc = nn.Sequential(nn.Linear(512, 16), nn.Softmax(1), nn.Linear(16, 3))
    assert_predicts_nothing(opened(network.eval(), tmp_path), "a layer Softmax")


# Names


@pytest.mark.parametrize(
    "beside",
    [
        {"class_to_idx": {"ant": 0, "emmet": 0, "bee": 1, "wasp": 2}},
        {"class_to_idx": {"ant": 1, "bee": 2, "wasp": 3}},
    ],
)
def test_names_that_do_not_count_are_not_used_and_said(
    beside: dict[str, Any], tmp_path: Path
) -> None:
    spec = opened({"model": trained("resnet18", 3).state_dict(), **beside}, tmp_path).spec
    assert not spec.is_named
    assert "do not count 0, 1, 2" in spec.problems[0]


def test_folders_of_cat_to_name_are_no_indices(tmp_path: Path) -> None:
    names = {str(number): f"flower {number}" for number in range(12)}
    content = {"model": trained("resnet18", 12).state_dict(), "cat_to_name": names}
    assert not opened(content, tmp_path).spec.is_named
    (tmp_path / "file.txt").write_text("\n".join(f"line {number}" for number in range(12)))
    assert not opened(content, tmp_path).spec.is_named


def test_names_as_bytes_and_as_an_attribute(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    content = {"model": network.state_dict(), "classes": [b"ant", b"bee", "猫".encode()]}
    assert opened(content, tmp_path).spec.class_names == ("ant", "bee", "猫")
    network.class_to_idx = {"ant": 0, "bee": 1, "wasp": 2}
    assert opened(network, tmp_path).spec.class_names == ("ant", "bee", "wasp")


def test_a_config_of_another_model_beside(tmp_path: Path) -> None:
    config = (
        '{"architecture": "vit_base_patch16_224", "num_classes": 3, "label_names": ["a", "b", "c"]}'
    )
    (tmp_path / "config.json").write_text(config)
    assert not opened(trained("resnet18", 3).state_dict(), tmp_path).spec.is_named


# Odd contents


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = trained("resnet18", 3)
        self.layer4, self.fc = self.model.layer4, self.model.fc

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)  # type: ignore[no-any-return]


def test_parts_at_two_places_and_heads_by_themselves(tmp_path: Path) -> None:
    network = Twice().eval()
    for content in (network, network.state_dict()):
        assert_alike(opened(content, tmp_path), network)
    body = {k: v for k, v in network.model.state_dict().items() if not k.startswith("fc.")}
    apart = {"backbone": body, "head": network.model.fc.state_dict()}
    assert_alike(opened(apart, tmp_path), network)


def test_prefixes_that_sound_like_a_loss(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    content = {f"model_with_loss.{k}": v for k, v in network.state_dict().items()}
    assert_alike(opened(content, tmp_path), network)


def test_odd_keys_and_entries(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    content: dict[Any, Any] = {10**5000: 1, "model": network.state_dict()}
    content["model"]["encoder.pos_embedding"] = torch.ones(1, 5, 8)
    found = opened(content, tmp_path)
    assert found.spec.architecture == "resnet18"
    shared = network.state_dict()
    shared["fc.bias"] = torch.zeros(1).expand(3)
    assert opened(shared, tmp_path).spec.inspection.num_classes == 3


def test_mappings_that_hold_each_other_end(tmp_path: Path) -> None:
    parts: list[dict[str, Any]] = [{} for _ in range(40)]
    for part in parts:
        part |= {str(at): other for at, other in enumerate(parts)}
    path = tmp_path / "around.pth"
    torch.save(parts[0], path)
    started = time.process_time()
    assert not inspect_checkpoint(path).usable
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", ["array", "list", "encode", "inner"])
def test_one_argument_given_a_thousand_times(kind: str, tmp_path: Path) -> None:
    raw = b"x" * 100_000
    given = b"B" + struct.pack("<I", len(raw)) + raw + b"q\x010"
    if kind == "list":
        given = b"](" + b"K\x01" * 50_000 + b"eq\x010"
    calls = {
        "array": b"cnumpy._core.numeric\n_frombuffer\n(h\x01cnumpy\ndtype\n(X\x02\0\0\0u1tRK\x01tR",
        "list": b"cbuiltins\nlist\n(h\x01tR",
        "encode": b"cbuiltins\nbytes\n(h\x01tR",
        "inner": b"ctorch.storage\n_load_from_bytes\n(h\x01tR",
    }
    content = b"\x80\x02" + given + b"](" + calls[kind] * 5000 + b"e."
    path = tmp_path / "bomb.pth"
    if kind == "inner":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
    started = time.process_time()
    assert not inspect_checkpoint(path).usable
    assert time.process_time() - started < 2


def test_views_of_a_storage_are_cut_from_their_place() -> None:
    from core.models.sources.checkpoint.admitted import rebuild_tensor

    view = torch.arange(10.0)[4:8]
    assert rebuild_tensor(view, 1, (2,), (1,)).tolist() == [5, 6]
    assert rebuild_tensor(view, 3, (2,), (1,)).is_meta


def test_numbers_of_numpy_beside_parameters(tmp_path: Path) -> None:
    content = {"model": trained("resnet18", 3).state_dict(), "acc": np.float64(0.5)}
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(content))
    assert open_model(ModelChoice(checkpoint=path)).spec.architecture == "resnet18"
