"""A person drops a checkpoint, names its classes, and finds both again next time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import torch

import resources
from gui.inference.predictions_panel import PredictionBars
from gui.models.model_bar import ModelBar
from tests.e2e.driver import Person, drive
from tests.networks import trained

Steps = Generator[Callable[[], object], None, None]
PHOTO = resources.path("samples/coffee.png")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "猫 é.pth"
    content = {"model": trained("resnet18", 2).state_dict(), "classes": ["ant", "bee"]}
    torch.save(content, path)
    return path


def test_a_dropped_checkpoint_classifies_anew_and_is_remembered(checkpoint: Path) -> None:
    def drop_it(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(checkpoint)
        yield lambda: person.see(ModelBar).architecture.value == "ResNet-18"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("ant", "bee")
        assert person.see(ModelBar).class_names.value == "2 classes"
        yield lambda: "bee" in person.see(PredictionBars).accessibleName()

    drive([str(PHOTO)], drop_it)

    def start_again(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        assert person.see(ModelBar).checkpoint.value == "猫 é.pth"
        person.choose("use_shipped")
        yield lambda: person.see(ModelBar).architecture.value == "SqueezeNet 1.1"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name == "espresso"

    drive([str(PHOTO)], start_again)


def test_class_names_of_the_user(checkpoint: Path, tmp_path: Path) -> None:
    names, wrong = tmp_path / "names.txt", tmp_path / "wrong.txt"
    names.write_text("Ameise\nBiene\n")
    wrong.write_text("only one\n")

    def script(person: Person) -> Steps:
        from unittest.mock import patch

        yield lambda: person.all_classified(1)
        dialog = "gui.models.model_picker.QFileDialog.getOpenFileName"
        with patch(dialog, return_value=(str(wrong), "")):
            person.choose("open_class_names")
        yield lambda: "1 class names, but the model has 2 classes" in person.banner
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("ant", "bee")
        with patch(dialog, return_value=(str(names), "")):
            person.choose("open_class_names")
        yield lambda: person.see(ModelBar).class_names.value == "names.txt (2)"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("Ameise", "Biene")

    drive([str(PHOTO), str(checkpoint)], script)


def test_a_model_of_last_time_that_is_gone(checkpoint: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.pth"
    moved.write_bytes(checkpoint.read_bytes())

    def use(person: Person) -> Steps:
        yield lambda: person.see(ModelBar).architecture.value == "ResNet-18"

    drive([str(moved)], use)
    moved.unlink()

    def find_it_gone(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        assert "it is not there" in person.banner
        assert person.rows()[0].class_name == "espresso"

    drive([str(PHOTO)], find_it_gone)


def test_what_had_to_be_assumed_is_said(tmp_path: Path) -> None:
    network = trained("resnet18", 2)
    layers = torch.nn.Linear(512, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)
    network.fc = torch.nn.Sequential(*layers)
    path = tmp_path / "deep.pth"
    torch.save(network.state_dict(), path)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(path)
        yield lambda: "ReLU is assumed" in person.banner
        yield lambda: person.all_classified(1)

    drive([str(PHOTO)], script)
