from __future__ import annotations

import json
import re
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.errors import ArchitectureMismatchError, ClassNamesError, UnusableCheckpointError
from core.images.preprocessing import Preprocessing
from core.models.families import SHIPPED
from core.models.recognition.presets import own_file
from core.models.sources.checkpoint.source import default_checkpoint, inspect_checkpoint, open_model
from core.values.spec import ModelChoice
from tests.networks import trained

FAMILIES = [
    "alexnet",
    "vgg11_bn",
    "resnet18",
    "resnext50_32x4d",
    "inception_v3",
    "googlenet",
    "densenet121",
    "squeezenet1_0",
    "squeezenet1_1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "mnasnet0_75",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_x_400mf",
    "regnet_y_400mf",
    "convnext_tiny",
    "vit_b_32",
    "swin_t",
    "swin_v2_t",
    "maxvit_t",
]


def save(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return trained("resnet18", 3)


def assert_predicts_alike(opened: nn.Module, reference: nn.Module, size: tuple[int, int]) -> None:
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        expected = reference(image).softmax(1)
        assert (opened(image).softmax(1) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("architecture", FAMILIES)
def test_every_family_opens_and_predicts_what_torch_predicts(
    architecture: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = trained(architecture, 2)
    path = save({"model_state_dict": network.state_dict(), "epoch": 3}, tmp_path / "mine.pth")
    opened = open_model(ModelChoice(checkpoint=path))
    assert opened.spec.architecture == architecture
    assert opened.spec.class_names == ("class 0", "class 1")
    assert not opened.network.training
    assert not any(parameter.requires_grad for parameter in opened.network.parameters())
    assert_predicts_alike(opened.network, network, opened.spec.preprocessing.input_size)


@pytest.mark.parametrize("wrapper", ["", "model_state_dict", "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module.", "module.model."])
def test_wrappers_and_prefixes(
    wrapper: str, prefix: str, resnet: nn.Module, tmp_path: Path
) -> None:
    content: Any = {prefix + name: tensor for name, tensor in resnet.state_dict().items()}
    if wrapper:
        content = {wrapper: content, "epoch": 24, "optimizer": {"state": {0: torch.ones(3)}}}
    path = save(content, tmp_path / "mine.pth")
    found = inspect_checkpoint(path)
    assert found.usable
    assert (found.architecture, found.num_classes) == ("resnet18", 3)
    assert (found.wrapper, found.key_prefix, found.matched) == (wrapper, prefix, 1.0)
    assert_predicts_alike(open_model(ModelChoice(checkpoint=path)).network, resnet, (64, 64))


def test_data_parallel_inside_vgg(tmp_path: Path) -> None:
    network = trained("vgg11", 2)
    names = {name: tensor for name, tensor in network.state_dict().items()}
    content = {name.replace("features.", "features.module."): one for name, one in names.items()}
    path = save({"state_dict": content}, tmp_path / "vgg.pth.tar")
    assert inspect_checkpoint(path).architecture == "vgg11"


def test_old_names_of_densenet(tmp_path: Path) -> None:
    network = trained("densenet121", 2)
    content = {
        re.sub(r"(denselayer\d+\.\w+)([12])\.", r"\1.\2.", name): one
        for name, one in network.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in content
    path = save(content, tmp_path / "old.pth")
    assert_predicts_alike(open_model(ModelChoice(checkpoint=path)).network, network, (64, 64))


def test_half_precision_becomes_single(resnet: nn.Module, tmp_path: Path) -> None:
    halves = {
        name: one.half() if one.is_floating_point() else one
        for name, one in resnet.state_dict().items()
    }
    path = save(halves, tmp_path / "half.pth")
    network = open_model(ModelChoice(checkpoint=path)).network
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    network(torch.zeros(1, 3, 64, 64))


def test_legacy_files_and_old_batch_norm(resnet: nn.Module, tmp_path: Path) -> None:
    content = {
        name: one
        for name, one in resnet.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    path = tmp_path / "legacy.pth"
    torch.save(content, path, _use_new_zipfile_serialization=False)
    assert_predicts_alike(open_model(ModelChoice(checkpoint=path)).network, resnet, (64, 64))


def test_another_image_size_of_vit(tmp_path: Path) -> None:
    network = trained("vit_b_32", 2)
    network.encoder.pos_embedding = nn.Parameter(torch.randn(1, 1 + 3 * 3, 768))
    network.image_size = 96
    path = save(network.state_dict(), tmp_path / "small.pth")
    opened = open_model(ModelChoice(checkpoint=path))
    assert opened.spec.preprocessing.input_size == (96, 96)
    assert_predicts_alike(opened.network, network, (96, 96))


def test_a_path_of_other_alphabets(resnet: nn.Module, tmp_path: Path) -> None:
    folder = tmp_path / "Jörg 张伟"
    folder.mkdir()
    path = save(resnet.state_dict(), folder / "猫 é.pth")
    assert open_model(ModelChoice(checkpoint=path)).spec.checkpoint == path


@pytest.mark.parametrize(
    ("beside", "names"),
    [
        ({"class_to_idx": {"wasp": 2, "ant": 0, "bee": 1}}, ("ant", "bee", "wasp")),
        ({"class_to_idx": {"1": 0, "2": 1, "0": 2}}, ("1", "2", "0")),
        ({"idx_to_class": {0: "ant", 1: "bee", 2: "wasp"}}, ("ant", "bee", "wasp")),
        ({"id2label": {"0": "ant", "1": "bee", "2": "wasp"}}, ("ant", "bee", "wasp")),
        ({"classes": ["ant", "bee", "None"]}, ("ant", "bee", "None")),
        ({"hyper_parameters": {"labels": ("ant", "bee", "wasp")}}, ("ant", "bee", "wasp")),
        ({"classes": ["ant", "bee"]}, ("class 0", "class 1", "class 2")),
        ({"classes": 3}, ("class 0", "class 1", "class 2")),
    ],
)
def test_class_names_from_the_checkpoint(
    beside: dict[str, Any], names: tuple[str, ...], resnet: nn.Module, tmp_path: Path
) -> None:
    path = save({"model": resnet.state_dict(), **beside}, tmp_path / "named.pth")
    assert inspect_checkpoint(path).class_names == names


def test_a_thousand_classes_are_imagenets(tmp_path: Path) -> None:
    path = save(trained("squeezenet1_1", 1000).state_dict(), tmp_path / "big.pth")
    found = inspect_checkpoint(path)
    assert found.class_names is not None
    assert found.class_names[0] == "tench"
    assert "ImageNet" in str(found.class_names_source)


def test_a_foreign_checkpoint_sees_photos_as_stored(resnet: nn.Module, tmp_path: Path) -> None:
    path = save(resnet.state_dict(), tmp_path / "mine.pth")
    expected = Preprocessing(apply_orientation=False, transparency="dropped")
    assert open_model(ModelChoice(checkpoint=path)).spec.preprocessing == expected


def test_safetensors_with_metadata(resnet: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    own = Preprocessing(resize=(32, 32), crop=None, channel_order="BGR")
    metadata = {
        "class_names": json.dumps(["ant", "bee", "wasp"]),
        "preprocessing": json.dumps(own.to_json()),
    }
    save_file(resnet.state_dict(), path, metadata)
    spec = open_model(ModelChoice(checkpoint=path)).spec
    assert spec.class_names == ("ant", "bee", "wasp")
    assert spec.preprocessing == own


def test_the_users_own_files_come_first(resnet: nn.Module, tmp_path: Path) -> None:
    path = save({"model": resnet.state_dict(), "classes": ["x", "y", "z"]}, tmp_path / "mine.pth")
    names, own = tmp_path / "names.txt", tmp_path / "own.json"
    names.write_text("ant\nbee\nwasp\n")
    own.write_text('{"resize": 64, "crop": 64}')
    choice = ModelChoice(checkpoint=path, class_names=names, preprocessing=own)
    spec = open_model(choice).spec
    assert spec.class_names == ("ant", "bee", "wasp")
    assert spec.preprocessing.input_size == (64, 64)
    names.write_text("ant\nbee\n")
    with pytest.raises(ClassNamesError, match="2 class names, but the model has 3 classes"):
        open_model(choice)


def test_the_shipped_checkpoint_says_what_it_is() -> None:
    found = inspect_checkpoint(default_checkpoint())
    assert found.usable
    assert (found.architecture, found.num_classes) == ("tf_efficientnet_lite0", 1000)
    assert found.class_names is not None
    assert found.class_names[281] == "tabby"
    assert found.problems == ()


@pytest.mark.parametrize("architecture", SHIPPED)
def test_each_shipped_checkpoint_opens_by_its_architecture(architecture: str) -> None:
    spec = open_model(ModelChoice(architecture=architecture)).spec
    assert spec.architecture == architecture
    assert spec.problems == ()
    assert spec.checkpoint == default_checkpoint(architecture)


# What does not fit


def refusal(path: Path) -> str:
    found = inspect_checkpoint(path)
    assert not found.usable
    assert found.problems == (found.summary,)
    assert str(path) in found.summary
    assert "\n" not in found.summary
    with pytest.raises(UnusableCheckpointError) as caught:
        open_model(ModelChoice(checkpoint=path))
    assert str(caught.value) == found.summary
    return found.summary


def test_another_architecture_than_asked_for(resnet: nn.Module, tmp_path: Path) -> None:
    path = save(resnet.state_dict(), tmp_path / "mine.pth")
    with pytest.raises(ArchitectureMismatchError, match="is a ResNet-18, not a ResNet-50"):
        open_model(ModelChoice(checkpoint=path, architecture="resnet50"))
    assert open_model(ModelChoice(checkpoint=path, architecture="resnet18"))
    with pytest.raises(UnusableCheckpointError, match="no architecture 'resnet17'"):
        open_model(ModelChoice(checkpoint=path, architecture="resnet17"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"hello, this is no checkpoint", "is not a PyTorch checkpoint"),
        (b"\x20\0\0\0\0\0\0\0{not json at all", "damaged"),
        (b"PK\x05\x06" + b"\0" * 18, "without a checkpoint"),
    ],
)
def test_files_that_are_no_checkpoint(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.pth"
    path.write_bytes(content)
    assert said in refusal(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "not there" in refusal(tmp_path / "gone.pth")
    assert "is a folder" in refusal(tmp_path)


def test_a_truncated_download(resnet: nn.Module, tmp_path: Path) -> None:
    path = save(resnet.state_dict(), tmp_path / "mine.pth")
    path.write_bytes(path.read_bytes()[:100_000])
    assert "damaged or incomplete" in refusal(path) or "not a PyTorch" in refusal(path)


class Exploding:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("/tmp/droplens-was-here").touch, ())


class Odd:
    """Whatever a training script keeps beside its parameters."""

    def __init__(self) -> None:
        self.values = [1, {2: 3}]


@pytest.mark.parametrize("zipped", [True, False])
def test_no_code_of_a_file_runs_and_it_opens_all_the_same(
    zipped: bool, resnet: nn.Module, tmp_path: Path
) -> None:
    beside = {
        "evil": Exploding(),
        "odd": Odd(),
        "best": np.float64(0.5),
        "where": Path("x"),
        "array": np.zeros(3),
        "function": len,
    }
    path = tmp_path / "evil.pth"
    content = {"state_dict": resnet.state_dict(), **beside}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert_predicts_alike(open_model(ModelChoice(checkpoint=path)).network, resnet, (64, 64))
    assert not Path("/tmp/droplens-was-here").exists()
    assert "no parameters" in refusal(save({"model": Exploding()}, tmp_path / "only.pth"))
    assert not Path("/tmp/droplens-was-here").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapper", ["", "model", "net"])
def test_whole_pickled_networks_open(
    wrapper: str, zipped: bool, resnet: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "whole.pth"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(
            {wrapper: resnet} if wrapper else resnet, path, _use_new_zipfile_serialization=zipped
        )
    opened = open_model(ModelChoice(checkpoint=path))
    assert_predicts_alike(opened.network, resnet, (64, 64))
    assert opened.spec.summary.startswith("ResNet-18 with 3 classes")


@pytest.mark.parametrize(
    ("wrap", "wrapper"),
    [
        (lambda sd: {"net": sd}, "net"),
        (lambda sd: {"model": {"state_dict": sd}, "step": 3}, "model.state_dict"),
        (lambda sd: {"model": sd, "model_ema": {"n_averaged": torch.tensor(3), **sd}}, "model_ema"),
        (
            lambda sd: {"optimizer": {"state": {0: {"exp": torch.ones(2)}}}, "weights": sd},
            "weights",
        ),
    ],
)
def test_the_state_dict_is_found_wherever_it_stands(
    wrap: Any, wrapper: str, resnet: nn.Module, tmp_path: Path
) -> None:
    found = inspect_checkpoint(save(wrap(resnet.state_dict()), tmp_path / "wrapped.pth"))
    assert (found.architecture, found.wrapper) == ("resnet18", wrapper)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"optimizer": {"lr": 0.1}}, "no parameters"),
        (torch.zeros(3), "a single tensor"),
        ([1, 2], "no named parameters"),
        ({"lstm.weight_ih_l0": torch.zeros(8, 4)}, "recurrent network"),
        ({}, "no parameters"),
    ],
)
def test_contents_that_are_no_classifier(content: Any, said: str, tmp_path: Path) -> None:
    assert said in refusal(save(content, tmp_path / "thing.pth"))


def test_a_body_that_is_not_complete_never_predicts(resnet: nn.Module, tmp_path: Path) -> None:
    content = dict(resnet.state_dict())
    del content["layer3.0.conv1.weight"]
    said = refusal(save(content, tmp_path / "holes.pth"))
    assert "resembles a ResNet-18" in said
    assert "layer3.0.conv1.weight" in said


def test_a_deeper_body_is_not_taken_for_a_shallower(tmp_path: Path) -> None:
    content = dict(trained("resnet34", 2).state_dict())
    for name in [name for name in content if name.startswith("layer3.3.")]:
        del content[name]
    assert "resembles a ResNet-34" in refusal(save(content, tmp_path / "cut.pth"))


@pytest.mark.parametrize(
    ("head", "said", "assumes"),
    [
        (nn.Sequential(nn.Dropout(), nn.Linear(512, 3)), "linear 512→3", False),
        (
            nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 3)),
            "linear 512→64, relu, linear 64→3",
            True,
        ),
        (
            nn.Sequential(
                nn.Linear(512, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Dropout(), nn.Linear(64, 3)
            ),
            "linear 512→64, relu, batch norm, linear 64→3",
            True,
        ),
        (
            nn.Sequential(nn.Linear(512, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 3)),
            "linear 512→64, batch norm, relu, linear 64→3",
            True,
        ),
        (
            nn.Sequential(nn.BatchNorm1d(512), nn.Dropout(), nn.Linear(512, 3, bias=False)),
            "batch norm, linear 512→3",
            False,
        ),
        (
            nn.Sequential(nn.Linear(512, 64), nn.Linear(64, 3), nn.LogSoftmax(1)),
            "linear 512→64, linear 64→3",
            False,
        ),
    ],
)
def test_heads_of_several_layers(
    head: nn.Sequential, said: str, assumes: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = trained("resnet18", 3)
    for module in head:
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    network.fc = head
    network.eval()
    path = save({"model": network.state_dict()}, tmp_path / "head.pth")
    found = inspect_checkpoint(path)
    assert found.head == f"fc: {said}"
    assert any("ReLU is assumed" in problem for problem in found.problems) is assumes
    assert found.matched == 1.0
    assert_predicts_alike(open_model(ModelChoice(checkpoint=path)).network, network, (64, 64))


def test_named_layers_in_a_head(tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    layers = [("hidden", nn.Linear(512, 8)), ("act", nn.ReLU()), ("out", nn.Linear(8, 3))]
    network.fc = nn.Sequential(OrderedDict(layers))
    path = save(network.eval().state_dict(), tmp_path / "named.pth")
    assert_predicts_alike(open_model(ModelChoice(checkpoint=path)).network, network, (64, 64))


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.Linear(100, 3)),
        nn.Sequential(nn.Linear(512, 8), nn.ReLU(), nn.Linear(9, 3)),
        nn.Sequential(nn.Linear(512, 3), nn.BatchNorm1d(3)),
        nn.LSTM(512, 3),
    ],
)
def test_a_head_that_makes_no_sense_leaves_a_body(head: nn.Module, tmp_path: Path) -> None:
    network = trained("resnet18", 3)
    network.fc = head
    path = save(network.state_dict(), tmp_path / "head.pth")
    found = inspect_checkpoint(path)
    assert (found.usable, found.num_classes, found.head) == (True, None, None)
    assert "cannot make a head of" in found.problems[0]
    assert not open_model(ModelChoice(checkpoint=path)).spec.predicts


def test_whole_numbers_are_refused(resnet: nn.Module, tmp_path: Path) -> None:
    content = {
        name: (one * 10).to(torch.int8) if name.endswith("weight") else one
        for name, one in resnet.state_dict().items()
    }
    assert "quantised" in refusal(save(content, tmp_path / "int8.pth"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.to("meta"), "without their values"),
        (lambda one: one.to_sparse(), "sparse"),
        (lambda one: one.to(torch.complex64), "complex"),
    ],
)
def test_odd_parameters_are_refused_by_name(
    change: Any, said: str, resnet: nn.Module, tmp_path: Path
) -> None:
    content = {
        name: change(one) if name.endswith("conv1.weight") else one
        for name, one in resnet.state_dict().items()
    }
    assert said in refusal(save(content, tmp_path / "odd.pth"))


def test_what_is_missing_counts(resnet: nn.Module, tmp_path: Path) -> None:
    content = dict(resnet.state_dict())
    del content["layer4.1.conv2.weight"]
    path = save(content, tmp_path / "one.pth")
    assert "one of its parameters is missing" in refusal(path)
    total = sum(parameter.numel() for parameter in resnet.parameters())
    assert inspect_checkpoint(path).matched == pytest.approx(1 - 512 * 512 * 9 / total, abs=1e-6)


def test_names_that_do_not_fit_are_a_problem(resnet: nn.Module, tmp_path: Path) -> None:
    content = {"model": resnet.state_dict(), "classes": ["a", "b"], "arch": "resnet18"}
    assert inspect_checkpoint(save(content, tmp_path / "two.pth")).problems == (
        "The checkpoint names 2 classes but has 3; its names are not used.",
    )


def test_a_safetensors_file_may_change_while_it_is_used(resnet: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(resnet.state_dict(), path)
    network = open_model(ModelChoice(checkpoint=path)).network
    path.write_bytes(b"")
    assert_predicts_alike(network, resnet, (64, 64))


def test_torchvisions_own_file_is_known_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(trained("googlenet", 1000).state_dict(), tmp_path / "any name.pth")
    sha256 = inspect_checkpoint(path).sha256
    foreign = open_model(ModelChoice(checkpoint=path))
    assert foreign.network.transform_input is False
    assert not foreign.spec.preprocessing.apply_orientation
    assert "transform_input" in inspect_checkpoint(path).problems[0]

    def known(url: str, found: str) -> bool:
        return own_file("https://example.org/googlenet-" + sha256[:8] + ".pth", found)

    monkeypatch.setattr("core.models.recognition.presets.own_file", known)
    own = open_model(ModelChoice(checkpoint=path))
    assert own.network.transform_input is True
    assert own.spec.preprocessing.apply_orientation
    assert not own_file("https://example.org/vit.pth", sha256)


def test_transform_input_by_the_users_word(tmp_path: Path) -> None:
    path = save(trained("googlenet", 2).state_dict(), tmp_path / "mine.pth")
    (tmp_path / "own.json").write_text('{"transform_input": true}')
    choice = ModelChoice(checkpoint=path, preprocessing=tmp_path / "own.json")
    assert open_model(choice).network.transform_input is True


def test_names_that_are_all_numbers_raise_a_hint(resnet: nn.Module, tmp_path: Path) -> None:
    content = {"model": resnet.state_dict(), "class_to_idx": {"1": 0, "10": 1, "2": 2}}
    path = save(content, tmp_path / "digits.pth")
    spec = open_model(ModelChoice(checkpoint=path)).spec
    assert spec.class_names == ("1", "10", "2")
    assert "All class names are numbers" in spec.problems[0]
