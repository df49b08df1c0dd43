"""timm's architectures: recognised by their parameters, built by timm, or asked for."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.cli.main import main
from core.errors import ArchitectureMismatchError, UnclearArchitectureError
from core.models.building import build_without_memory
from core.models.families.base import Shapes
from core.models.overrides import SavedOverrides
from core.models.recognition.choosing import Naming, choose
from core.models.recognition.lookalikes import find_lookalikes, timm_fingerprint, timm_index
from core.models.sources.base import OpenedModel
from core.models.sources.checkpoint.saving import save_model
from core.models.sources.checkpoint.source import inspect_checkpoint, open_model
from core.models.timm_import import build_timm
from core.values.spec import ModelChoice, Overrides

ROOT = Path(__file__).parents[3]
PAIR = (("one", "same"), ("other",))


def trained(architecture: str, **options: Any) -> nn.Module:
    """Return one of timm's networks whose layers all do something, in evaluation mode."""
    torch.manual_seed(3)
    network = build_timm(architecture, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


def save(network: nn.Module, path: Path, **beside: object) -> Path:
    torch.save({"state_dict": network.state_dict(), **beside}, path)
    return path


def opened(path: Path, architecture: str | None = None) -> OpenedModel:
    return open_model(ModelChoice(checkpoint=path, architecture=architecture))


def assert_alike(found: OpenedModel, network: nn.Module, size: int, channels: int = 3) -> None:
    photo = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(found.network(photo), network(photo), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        ("resnet26d", 64),
        ("mobilenetv4_conv_small", 64),
        ("test_vit2", 64),
        ("convnextv2_atto", 64),
        ("levit_conv_128s", 224),
        ("deit_tiny_distilled_patch16_224", 224),
        ("crossvit_tiny_240", 240),
        ("regnetz_005", 64),
        ("levit_conv_384_s8", 224),
        ("iformer_t", 64),
        ("eva02_tiny_patch14_224", 224),
    ],
)
def test_architectures_without_a_hint(architecture: str, size: int, tmp_path: Path) -> None:
    network = trained(architecture, num_classes=5)
    found = opened(save(network, tmp_path / "model.pth"))
    assert found.spec.architecture == architecture
    assert found.spec.inspection.num_classes == 5
    assert_alike(found, network, size)


def test_an_own_head_and_grey_photos(tmp_path: Path) -> None:
    network = trained("resnet26d", in_chans=1)
    network.fc = nn.Sequential(nn.Linear(2048, 8), nn.ReLU(), nn.Linear(8, 3))
    found = opened(save(network.eval(), tmp_path / "model.pth"))
    assert found.spec.inspection.num_classes == 3
    assert found.spec.preprocessing.channel_order == "grey"
    assert_alike(found, network, 64, channels=1)


def test_what_looks_alike_is_asked_for(tmp_path: Path) -> None:
    network = trained("tf_efficientnet_b0", num_classes=4)
    path = save(network, tmp_path / "model.pth")
    with pytest.raises(UnclearArchitectureError) as caught:
        opened(path)
    assert set(caught.value.candidates) == {
        "efficientnet_b0",
        "efficientnet_blur_b0",
        "tf_efficientnet_b0",
    }
    found = inspect_checkpoint(path)
    assert not found.usable
    (question,) = found.questions
    assert {answer.value for answer in question.answers} == set(caught.value.candidates)
    assert not question.assumed
    assert_alike(opened(path, "tf_efficientnet_b0"), network, 65)
    with pytest.raises(ArchitectureMismatchError):
        opened(path, "tf_efficientnet_b1")


@pytest.mark.parametrize(
    "beside",
    [
        {"arch": "tf_efficientnet_b0"},
        {"arch": "timm/tf_efficientnet_b0.ns_jft_in1k"},
        {"pretrained_cfg": {"architecture": "tf_efficientnet_b0"}},
    ],
)
def test_the_file_tells_which(beside: dict[str, object], tmp_path: Path) -> None:
    network = trained("tf_efficientnet_b0", num_classes=4)
    found = opened(save(network, tmp_path / "model.pth", **beside))
    assert found.spec.problems == ()
    assert_alike(found, network, 65)


def test_a_config_beside_it_tells_which(tmp_path: Path) -> None:
    network = trained("resnetblur50", num_classes=4)
    (tmp_path / "config.json").write_text('{"architecture": "resnetblur50"}')
    found = opened(save(network, tmp_path / "model.pth"))
    assert found.spec.architecture == "resnetblur50"
    assert_alike(found, network, 64)


def test_a_config_of_another_number_of_classes_is_another_models(tmp_path: Path) -> None:
    config = '{"architecture": "tf_efficientnet_b0", "num_classes": 1000}'
    (tmp_path / "config.json").write_text(config)
    path = save(trained("efficientnet_b0", num_classes=4), tmp_path / "model.pth")
    with pytest.raises(UnclearArchitectureError):
        opened(path)


def test_a_config_that_does_not_count_classes_is_a_hint_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architecture": "tf_efficientnet_b0"}')
    network = trained("tf_efficientnet_b0", num_classes=4)
    found = opened(save(network, tmp_path / "model.pth"))
    assert found.spec.architecture == "tf_efficientnet_b0"
    assert any("config.json beside it" in one for one in found.spec.problems)
    own = opened(save(trained("efficientnet_b0", num_classes=4), tmp_path / "efficientnet_b0.pth"))
    assert own.spec.architecture == "efficientnet_b0"


def test_what_computes_the_same_may_be_given_photos_otherwise(tmp_path: Path) -> None:
    path = save(trained("vit_tiny_patch16_224", num_classes=4), tmp_path / "model.pth")
    assert any("vit_tiny_patch16_224" in one for one in opened(path).spec.problems)
    path = save(
        trained("vit_tiny_patch16_224", num_classes=4),
        tmp_path / "b.pth",
        arch="vit_tiny_patch16_224",
    )
    assert opened(path).spec.problems == ()


def test_the_files_name_is_a_hint_that_is_said(tmp_path: Path) -> None:
    network = trained("tf_efficientnet_b0", num_classes=4)
    found = opened(save(network, tmp_path / "tf_efficientnet_b0-flowers.pth"))
    assert found.spec.architecture == "tf_efficientnet_b0"
    assert "file's name" in found.spec.problems[0]
    assert_alike(found, network, 65)


def test_torchvisions_network_is_assumed_and_said(tmp_path: Path) -> None:
    network = trained("resnet18", num_classes=4)
    found = opened(save(network, tmp_path / "model.pth"))
    assert found.spec.title == "ResNet-18"
    assert "resnetblur18" in found.spec.problems[0]
    (question,) = found.spec.inspection.questions
    assert question.assumed == "resnet18"
    assert [answer.value for answer in question.answers] == ["resnet18", "resnetblur18"]
    assert_alike(found, network, 64)


def test_the_users_word_counts_most() -> None:
    naming = Naming(Path("one.pth"), "other", ("one",))
    assert choose(PAIR, naming, 4, "one").architecture == "other"
    assert (
        choose(PAIR, Naming(Path("x.pth"), None, ("org/same.tag",)), 4, "").architecture == "same"
    )
    assert choose((("one", "same"),), Naming(Path("x.pth")), 4, "").architecture == "one"


def test_every_name_is_looked_up_once() -> None:
    names = list(timm_index().names)
    assert len(names) == len(set(names)) > 1300
    shapes: Shapes = {"nothing.weight": (1, 2)}
    assert find_lookalikes(shapes).groups == ()


def test_timm_finds_no_client_of_the_hub() -> None:
    code = "import sys; from core.models.timm_import import timm_models; timm_models(); "
    code += "print('huggingface_hub' in sys.modules, 'httpx' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["False", "False"]


def test_timm_asks_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    network = trained("resnet26d", num_classes=2)
    config = '{"architecture": "resnet26d", "pretrained_cfg": {"hf_hub_id": "timm/x", "url": "http://x"}}'
    (tmp_path / "config.json").write_text(config)
    assert_alike(opened(save(network, tmp_path / "model.pth")), network, 64)


# What the file does not say


def headed(*layers: nn.Module) -> nn.Module:
    network = trained("resnet26d", num_classes=1)
    network.fc = nn.Sequential(*layers)
    return network.eval()


def answered(path: Path, **answers: str) -> OpenedModel:
    overrides = Overrides(answers=tuple(answers.items()))
    return open_model(ModelChoice(checkpoint=path, overrides=overrides))


@pytest.mark.parametrize(
    ("activation", "layer"),
    [("relu", nn.ReLU()), ("none", nn.Identity()), ("tanh", nn.Tanh()), ("silu", nn.SiLU())],
)
def test_the_activation_in_a_gap_is_the_users_choice(
    activation: str, layer: nn.Module, tmp_path: Path
) -> None:
    network = headed(nn.Linear(2048, 6), layer, nn.Dropout(), nn.Linear(6, 4))
    path = save(network, tmp_path / "model.pth")
    (question,) = inspect_checkpoint(path).questions
    assert (question.key, question.assumed) == ("activation", "relu")
    assert_alike(answered(path, activation=activation), network, 64)


def test_answers_are_kept_for_the_file(tmp_path: Path) -> None:
    network = headed(nn.Linear(2048, 6), nn.Tanh(), nn.Linear(6, 4))
    network.fc = nn.Sequential(OrderedDict({"0": network.fc[0], "2": network.fc[2]}))
    path = save(network, tmp_path / "model.pth")
    saved = SavedOverrides(tmp_path / "overrides")
    found = answered(path, activation="tanh")
    saved.keep(found.spec.sha256, found.spec.overrides)
    again = open_model(ModelChoice(checkpoint=path), saved)
    assert dict(again.spec.overrides.answers) == {"activation": "tanh"}
    network.fc = nn.Sequential(network.fc[0], nn.Tanh(), network.fc[1])
    assert_alike(again, network, 64)


def test_an_answered_architecture_is_kept_for_the_file(tmp_path: Path) -> None:
    network = trained("tf_efficientnet_b0", num_classes=4)
    path = save(network, tmp_path / "model.pth")
    found = answered(path, architecture="tf_efficientnet_b0")
    assert_alike(found, network, 65)
    saved = SavedOverrides(tmp_path / "overrides")
    saved.keep(found.spec.sha256, found.spec.overrides)
    again = open_model(ModelChoice(checkpoint=path), saved)
    assert again.spec.architecture == "tf_efficientnet_b0"
    (question,) = again.spec.inspection.questions
    assert question.assumed == "tf_efficientnet_b0"


@pytest.mark.parametrize(
    "architecture",
    [
        "iformer_l",  # a depthwise weight has the shape of a first convolution
        "tresnet_m",  # the first convolution takes pieces of the photo, as 48 channels
        "naflexvit_base_patch16_gap",  # so does a linear layer
        "resnet50_clip",  # without its head it is all of another that has less
        "levit_384_s8",  # timm names one of its two heads
    ],
)
def test_odd_beginnings_and_ends_are_known(architecture: str) -> None:
    network = build_without_memory(lambda: build_timm(architecture, num_classes=7))
    shapes = {name: tuple(one.shape) for name, one in network.state_dict().items()}
    found = find_lookalikes(shapes)
    assert any(architecture in group for group in found.groups)
    assert found.outputs == 7


def test_an_encoder_without_a_head_is_no_classifier() -> None:
    network = build_without_memory(lambda: build_timm("gemma4_vit_167m_enc"))
    shapes = {name: tuple(one.shape) for name, one in network.state_dict().items()}
    assert timm_fingerprint("gemma4_vit_167m_enc", shapes) is None


def test_what_was_said_of_an_unclear_file_comes_with_the_question(tmp_path: Path) -> None:
    path = save(trained("tf_efficientnet_b0", num_classes=2), tmp_path / "model.pth")
    named = Overrides(class_names=("ant", "bee"))
    saved = SavedOverrides(tmp_path / "overrides")
    saved.keep(hashlib.sha256(path.read_bytes()).hexdigest(), named)
    with pytest.raises(UnclearArchitectureError) as caught:
        open_model(ModelChoice(checkpoint=path), saved)
    assert caught.value.overrides == named


def test_what_was_answered_is_not_said_to_be_assumed(tmp_path: Path) -> None:
    network = headed(nn.Linear(2048, 6), nn.Tanh(), nn.Dropout(), nn.Linear(6, 4))
    path = save(network, tmp_path / "model.pth")
    assert any("ReLU is assumed" in one for one in opened(path).spec.problems)
    assert answered(path, activation="tanh").spec.problems == ()


def test_a_saved_model_asks_nothing_again(tmp_path: Path) -> None:
    network = headed(nn.Linear(2048, 6), nn.Tanh(), nn.Dropout(), nn.Linear(6, 4))
    found = answered(save(network, tmp_path / "model.pth"), activation="tanh")
    assert found.plan is not None
    save_model(found.network, found.spec, found.plan, tmp_path / "own.safetensors")
    again = opened(tmp_path / "own.safetensors")
    assert again.spec.inspection.questions == ()
    assert again.spec.problems == ()
    assert_alike(again, network, 64)


def test_an_answered_architecture_is_saved_with_the_model(tmp_path: Path) -> None:
    network = trained("tf_efficientnet_b0", num_classes=4)
    path = save(network, tmp_path / "model.pth")
    found = answered(path, architecture="tf_efficientnet_b0")
    assert found.plan is not None
    save_model(found.network, found.spec, found.plan, tmp_path / "own.safetensors")
    again = opened(tmp_path / "own.safetensors")
    assert again.spec.problems == ()
    assert_alike(again, network, 65)


def test_what_is_saved_unanswered_is_known_when_it_is_saved(tmp_path: Path) -> None:
    network = headed(nn.Linear(2048, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 4))
    path = save(network, tmp_path / "model.pth")
    assert [one.key for one in opened(path).spec.unanswered] == ["activation"]
    assert answered(path, activation="relu").spec.unanswered == ()


def test_the_order_of_concatenated_pools_is_saved(tmp_path: Path) -> None:
    network = trained("resnet18", num_classes=0)
    content = {f"body.{name}": value for name, value in network.state_dict().items()}
    torch.manual_seed(1)
    content |= {"fc.weight": torch.randn(3, 1024), "fc.bias": torch.zeros(3)}
    torch.save({"arch": "resnet18", **content}, tmp_path / "model.pth")
    found = answered(tmp_path / "model.pth", pooling="average before maximum")
    usual = opened(tmp_path / "model.pth")
    assert found.plan is not None
    save_model(found.network, found.spec, found.plan, tmp_path / "own.safetensors")
    assert_alike(opened(tmp_path / "own.safetensors"), found.network, 64)
    photo = torch.rand(1, 3, 64, 64)
    assert not torch.allclose(usual.network(photo), found.network(photo))


def test_an_answer_that_is_not_used_is_refused(tmp_path: Path, capfd: Any) -> None:
    path = str(save(trained("resnet18", num_classes=4), tmp_path / "model.pth"))
    model = ["--checkpoint", path, "--architecture", "resnet18"]
    assert main(["layers", *model, "--answer", "architecture=resnetblur18"]) == 2
    assert "answers nothing" in capfd.readouterr().err
