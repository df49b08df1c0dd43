"""Every family in every form that people's checkpoints have."""

from __future__ import annotations

import argparse
import functools
import json
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from core.models.families import BY_NAME
from core.models.recognition.fingerprints import fingerprint_of
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice
from tests.networks import trained

FAMILIES = {
    "alexnet": 2,
    "vgg11": 3,
    "resnet18": 4,
    "resnext50_32x4d": 5,
    "inception_v3": 6,
    "googlenet": 7,
    "densenet121": 2,
    "squeezenet1_1": 3,
    "mobilenet_v2": 4,
    "mobilenet_v3_small": 5,
    "shufflenet_v2_x0_5": 6,
    "mnasnet0_5": 7,
    "efficientnet_b0": 2,
    "efficientnet_v2_s": 3,
    "regnet_y_400mf": 4,
    "convnext_tiny": 5,
    "vit_b_32": 6,
    "swin_t": 7,
    "swin_v2_t": 2,
    "maxvit_t": 3,
}


@dataclass(frozen=True)
class Case:
    """One trained network and its file.

    Attributes:
        network: what torch predicts with.
        names: of the classes, as the file says them.
        prefix: expected ``key_prefix``; None where it does not matter.
    """

    network: nn.Module
    names: tuple[str, ...]


Form = Callable[[nn.Module, tuple[str, ...], Path], nn.Module]


@functools.lru_cache(maxsize=1)
def network_of(architecture: str) -> nn.Module:
    torch.manual_seed(0)
    return trained(architecture, FAMILIES[architecture])


def prefixed(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in network.state_dict().items()}


def bare(network: nn.Module, _: tuple[str, ...], path: Path) -> nn.Module:
    torch.save(network.state_dict(), path)
    return network


def tutorial(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    content = {
        "epoch": 5,
        "model_state_dict": network.state_dict(),
        "optimizer_state_dict": {"state": {0: {"momentum_buffer": torch.ones(3)}}},
        "loss": torch.tensor(0.5),
        "classes": list(names),
    }
    torch.save(content, path)
    return network


def examples(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    """As pytorch/examples writes it: DataParallel, around the features of VGG and AlexNet."""
    inner = any(name.startswith("features.0.weight") for name in network.state_dict())
    content = prefixed(network, "" if inner else "module.")
    if inner:
        content = {
            name.replace("features.", "features.module.", 1): tensor
            for name, tensor in content.items()
        }
    told = {"epoch": 90, "arch": "lies", "state_dict": content, "best_acc1": torch.tensor(71.0)}
    torch.save({**told, "optimizer": {}, "idx_to_class": dict(enumerate(names))}, path)
    return network


def references(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    """As torchvision's references write it, the averaged weights beside the others."""
    spoiled = {name: tensor * 0 for name, tensor in network.state_dict().items()}
    content = {
        "model": spoiled,
        "model_ema": {**prefixed(network, "module."), "n_averaged": torch.tensor(3)},
        "lr_scheduler": {"last_epoch": 3},
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, class_names=list(names)),
    }
    torch.save(content, path)
    return network


def lightning(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    content = prefixed(network, "model.net.")
    content["loss_fn.weight"] = torch.ones(len(names))
    content["train_acc.total"] = torch.zeros(())
    told = {"hyper_parameters": {"labels": names, "lr": 0.1}, "pytorch-lightning_version": "2.4"}
    torch.save({"state_dict": content, "epoch": 1, "callbacks": {}, **told}, path)
    return network


def compiled(network: nn.Module, _: tuple[str, ...], path: Path) -> nn.Module:
    torch.save({"state_dict": prefixed(network, "module._orig_mod.")}, path)
    return network


def wrapped(network: nn.Module, _: tuple[str, ...], path: Path) -> nn.Module:
    """A class of their own around the network, with a loss that has parameters."""
    content = prefixed(network, "backbone.")
    content["criterion.weight"] = torch.ones(3)
    torch.save(content, path)
    return network


def home_made(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    table = {name: index for index, name in reversed(list(enumerate(names)))}
    content = {"model_state_dict": network.state_dict(), "class_to_idx": table}
    torch.save({**content, "num_classes": len(names)}, path)
    return network


def whole(network: nn.Module, _: tuple[str, ...], path: Path) -> nn.Module:
    torch.save(network, path)
    return network


def scripted(network: nn.Module, _: tuple[str, ...], path: Path) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "mnasnet" in type(network).__module__:  # the other way to TorchScript
            torch.jit.trace(network, torch.zeros(1, 3, 224, 224)).save(str(path))
        else:
            torch.jit.script(network).save(str(path))
    return network


def safetensors(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    content = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(content, path, {"class_names": json.dumps(names)})
    return network


def legacy(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    content = {"net": network.state_dict(), "label_map": {n: i for i, n in enumerate(names)}}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return network


class Outside(nn.Module):
    """A backbone without its head, and a head of two layers beside it."""

    def __init__(self, network: nn.Module, place: str, classes: int) -> None:
        super().__init__()
        self.backbone, self.place = network, place
        old = network.get_submodule(place)
        features = old.in_features if isinstance(old, nn.Linear) else 0
        self.head = nn.Sequential(
            nn.Linear(features, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, classes)
        )

    def forward(self, image: Tensor) -> Tensor:
        kept = self.backbone.get_submodule(self.place)
        parent, _, name = self.place.rpartition(".")
        setattr(self.backbone.get_submodule(parent), name, nn.Identity())
        try:
            return self.head(self.backbone(image))  # type: ignore[no-any-return]
        finally:
            setattr(self.backbone.get_submodule(parent), name, kept)


def head_outside(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    place = next(one.head for one in BY_NAME.values() if one.name == current["architecture"])
    made = Outside(network, place, len(names)).eval()
    content = {
        name: tensor
        for name, tensor in made.state_dict().items()
        if not name.startswith(f"backbone.{place}.")
    }
    torch.save({"state_dict": content, "labels": list(names)}, path)
    return made


class Fastai(nn.Module):
    """What fastai trains: the body, both kinds of pooling, and a head of two layers."""

    def __init__(self, network: nn.Module, place: str, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential()
        for name, part in network.named_children():
            if name in (*AFTER_THE_MAPS, place):
                continue
            self.body.add_module(str(len(self.body)), part)
        self.head = nn.Sequential(
            nn.Identity(),
            nn.Flatten(),
            nn.BatchNorm1d(2 * channels),
            nn.Dropout(0.25),
            nn.Linear(2 * channels, 32, bias=False),
            nn.ReLU(),
            nn.BatchNorm1d(32),
            nn.Dropout(),
            nn.Linear(32, classes, bias=False),
        )

    def forward(self, image: Tensor) -> Tensor:
        maps = self.body(image)
        both = torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], 1)
        return self.head(both)  # type: ignore[no-any-return]


def fastai(network: nn.Module, names: tuple[str, ...], path: Path) -> nn.Module:
    known = fingerprint_of(current["architecture"])
    place = known.cuts[-1].place
    made = Fastai(network, place, known.channels, len(names)).eval()
    content = OrderedDict()
    for name, tensor in made.state_dict().items():
        content[name.replace("body.", "0.", 1).replace("head.", "1.", 1)] = tensor
    torch.save({"model": content, "opt": {"state": []}}, path)
    return made


current = {"architecture": ""}
AFTER_THE_MAPS = ("avgpool", "flatten", "dropout", "AuxLogits", "aux1", "aux2")

FORMS: list[Form] = [
    bare,
    tutorial,
    examples,
    references,
    lightning,
    compiled,
    wrapped,
    home_made,
    whole,
    scripted,
    safetensors,
    legacy,
    head_outside,
    fastai,
]
TELLING = {tutorial, examples, references, lightning, home_made, safetensors, legacy, head_outside}
LARGE = {"alexnet", "vgg11", "vit_b_32", "swin_v2_t", "maxvit_t"}
"""Or slow."""
LARGE_FORMS = {bare, examples, wrapped, whole, safetensors, legacy, head_outside}


def possible(architecture: str, form: Form) -> bool:
    if form is fastai:
        return fingerprint_of(architecture).family.gives_maps and architecture != "googlenet"
    if form is head_outside and architecture.startswith("squeezenet"):
        return False
    return architecture not in LARGE or form in LARGE_FORMS


CASES = [
    pytest.param(one, form, id=f"{one}-{form.__name__}")
    for one in FAMILIES
    for form in FORMS
    if possible(one, form)
]


def test_there_are_enough() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize(("architecture", "form"), CASES)
def test_it_opens_and_predicts_what_torch_predicts(
    architecture: str, form: Form, tmp_path: Path
) -> None:
    names = tuple(f"Klasse {index} 猫" for index in range(FAMILIES[architecture]))
    current["architecture"] = architecture
    path = tmp_path / "file.bin"
    reference = form(network_of(architecture), names, path)
    try:
        opened = open_model(ModelChoice(checkpoint=path))
    finally:
        path.unlink()
    spec = opened.spec
    assert spec.architecture == architecture
    assert spec.inspection.num_classes == len(names)
    assert spec.inspection.matched == 1.0
    expected = names if form in TELLING else tuple(f"class {one}" for one in range(len(names)))
    assert spec.class_names == expected
    told = spec.inspection.to_json()
    assert all(told[key] for key in ("usable", "sha256", "head", "preprocessing"))
    assert json.dumps(told)
    size = spec.preprocessing.input_size
    if not architecture.startswith(("vit", "maxvit", "swin", "inception", "googlenet")):
        size = (96, 96)
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        wanted, found = reference(image).softmax(1), opened.network(image).softmax(1)
    assert (wanted - found).abs().max() < 1e-5
