"""Shipped graphs: filled with a model's parameters they compute what PyTorch does, or nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import resources
from core.images.preprocessing import Preprocessing
from core.inference import templates
from core.inference.classifier import Classifier
from core.inference.classifying import Classify
from core.inference.devices import processor
from core.inference.engine import Engine
from core.inference.templates import RESOURCE, backend_from_template
from core.models.families import ARCHITECTURES
from core.models.sources.base import OpenedModel
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice, Overrides
from tests.networks import trained

TOO_LARGE = {"vit_h_14", "vit_l_16", "vit_l_32", "regnet_y_128gf"}


def opened(network: object, folder: Path, **overrides: object) -> OpenedModel:
    path = folder / "model.pth"
    torch.save(network, path)
    return open_model(ModelChoice(checkpoint=path, overrides=Overrides(**overrides)))  # type: ignore[arg-type]


def filled(model: OpenedModel) -> object:
    return backend_from_template(model.network, model.plan, model.spec.preprocessing)


def archive(folder: Path, monkeypatch: pytest.MonkeyPatch, **graphs: bytes) -> None:
    """Let Droplens ship other graphs."""
    path = folder / "graphs.zip"
    with zipfile.ZipFile(path, "w") as written:
        for name, graph in graphs.items():
            written.writestr(name, graph)
    monkeypatch.setattr(templates.resources, "path", lambda _: path)


def graph_of(name: str) -> bytes:
    with zipfile.ZipFile(resources.path(RESOURCE)) as shipped:
        return shipped.read(name)


def test_every_architecture_of_the_list_has_a_graph() -> None:
    with zipfile.ZipFile(resources.path(RESOURCE)) as shipped:
        known = {name.split("-", 1)[0] for name in shipped.namelist()}
    assert {one.name for one in ARCHITECTURES} - known == TOO_LARGE


@pytest.mark.parametrize(
    "architecture",
    [
        "resnet18",
        "squeezenet1_1",
        "mobilenet_v3_small",
        "shufflenet_v2_x0_5",
        "convnext_tiny",
        "swin_t",
    ],
)
def test_a_filled_graph_computes_the_same(architecture: str, tmp_path: Path) -> None:
    model = opened(trained(architecture, 3).state_dict(), tmp_path)
    used = Classifier(model, processor(""), print)
    used.check_input()
    assert used.fill_template()
    assert used.backend == "ONNX Runtime"
    used.close()


def test_the_built_in_models_have_graphs() -> None:
    for architecture in (None, "tf_efficientnet_lite2", "squeezenet1_1"):
        used = Classifier(open_model(ModelChoice(architecture=architecture)), processor(""), print)
        used.check_input()
        assert used.fill_template()
        used.close()


def test_what_sets_a_network_apart_leaves_it_to_pytorch(tmp_path: Path) -> None:
    plain = trained("resnet18", 3)
    small = trained("resnet18", 3)
    small.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    grey = trained("resnet18", 3)
    grey.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    two = trained("resnet18", 3)
    two.fc = nn.Sequential(nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 3))
    changed = trained("resnet18", 3)
    changed.layer1[0].relu = nn.LeakyReLU(0.1)
    body = {name: one for name, one in plain.state_dict().items() if not name.startswith("fc.")}
    for network in (small.state_dict(), grey.state_dict(), two.state_dict(), changed, body):
        assert filled(opened(network, tmp_path)) is None
    large = Preprocessing(resize=288, crop=(288, 288))
    assert filled(opened(plain.state_dict(), tmp_path, preprocessing=large)) is None


def test_a_graph_of_another_network_does_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Classifier(opened(trained("resnet18", 3), tmp_path), processor(""), print)
    used.check_input()
    name = "resnet18-224x224.onnx"
    right, other = graph_of(name), graph_of("resnet34-224x224.onnx")
    for graph in (other, right[:-40], b"", right.replace(b"Relu", b"Tanh")):
        archive(tmp_path, monkeypatch, **{name: graph})
        assert not used.fill_template()
        assert used.backend == "PyTorch"
    archive(tmp_path, monkeypatch, **{name: right})
    assert used.fill_template()
    used.close()


@pytest.mark.parametrize(("count", "backend"), [(3, "PyTorch"), (9, "ONNX Runtime")])
def test_runs_that_pay_for_it_use_the_graph_from_their_first_photo(
    count: int, backend: str, make_photo: Callable[..., Path]
) -> None:
    made = Engine(decoders=2)
    made.open(ModelChoice(), "cpu")
    paths = [make_photo(f"{number}.png") for number in range(count)]
    first = next(iter(Classify(iter(paths)).run(made)))
    assert first.predictions[0].error is None
    assert made.classifier().backend == backend
    made.close()


def test_a_turned_input_has_a_graph_of_its_own(tmp_path: Path) -> None:
    model = opened(trained("googlenet", 3).state_dict(), tmp_path)
    turned = replace(model.spec.preprocessing, transform_input=True)
    for preprocessing in (replace(turned, transform_input=False), turned):
        used = Classifier(
            replace(model, spec=replace(model.spec, preprocessing=preprocessing)),
            processor(""),
            print,
        )
        vars(model.network)["transform_input"] = preprocessing.transform_input
        used.check_input()
        assert used.fill_template()
        used.close()
