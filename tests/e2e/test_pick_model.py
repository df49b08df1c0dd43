"""A person drops a checkpoint, names its classes, and finds both again next time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

import resources
from gui.inference.predictions_panel import PredictionBars, PredictionsPanel
from gui.inside.inside_panel import InsidePanel
from gui.models.class_names_dialog import ClassNamesDialog
from gui.models.details_dialog import DetailsDialog
from gui.models.model_bar import ModelBar
from gui.models.preprocessing_dialog import PreprocessingDialog
from tests.core.models.test_hugging_face import NAMES, write
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
        yield lambda: person.see(ModelBar).architecture.value == "EfficientNet-Lite0"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name == "espresso"

    drive([str(PHOTO)], start_again)


def test_a_dropped_folder_of_hugging_face_is_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    write(folder, "resnet18", trained("resnet18", 3))

    def drop_it(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(folder)
        yield lambda: person.see(ModelBar).architecture.value == "ResNet-18"
        assert person.see(ModelBar).checkpoint.value == "my-model"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in NAMES.values()

    drive([str(PHOTO)], drop_it)


def test_class_names_of_the_user_are_remembered_with_the_file(tmp_path: Path) -> None:
    path, moved = tmp_path / "unnamed.pth", tmp_path / "moved.pth"
    torch.save(trained("resnet18", 2).state_dict(), path)

    def name_them(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("class 0", "class 1")
        person.see(PredictionsPanel)._naming.click()
        yield lambda: bool(person.window.findChildren(ClassNamesDialog))
        dialog = person.see(ClassNamesDialog)
        dialog._text.setPlainText("Ameise\nBiene")
        dialog._use.click()
        yield lambda: person.see(ModelBar).class_names.value == "2 classes"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("Ameise", "Biene")
        assert not person.see(PredictionsPanel)._naming.isVisible()

    drive([str(PHOTO), str(path)], name_them)
    path.rename(moved)

    def find_them_again(person: Person) -> Steps:
        yield lambda: person.see(ModelBar).checkpoint.value == "moved.pth"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("Ameise", "Biene")

    drive([str(PHOTO), str(moved)], find_them_again)


def test_preprocessing_changes_live_and_a_saved_model_keeps_it(
    checkpoint: Path, tmp_path: Path
) -> None:
    own = tmp_path / "mine"

    def edit(person: Person) -> Steps:
        yield lambda: person.see(ModelBar).architecture.value == "ResNet-18"
        yield lambda: person.all_classified(1)
        person.choose("edit_preprocessing")
        editor = person.see(PreprocessingDialog)
        yield lambda: "224×224" in editor._preview_text.text()
        editor.use_preset("squash")
        editor.squash_width.setValue(96)
        editor.squash_height.setValue(64)
        yield lambda: "96×64" in editor._preview_text.text()
        editor._apply.click()
        yield lambda: person.see(ModelBar).preprocessing.value.startswith("Squashed to 96×64")
        yield lambda: person.all_classified(1)
        editor.close()
        name = "gui.widgets.saving.QFileDialog.getSaveFileName"
        with patch(name, return_value=(str(own), "")):
            person.choose("save_model")
        yield lambda: (tmp_path / "mine.safetensors").exists()

    drive([str(PHOTO), str(checkpoint)], edit)

    def open_it(person: Person) -> Steps:
        yield lambda: person.see(ModelBar).checkpoint.value == "mine.safetensors"
        yield lambda: person.see(ModelBar).preprocessing.value.startswith("Squashed to 96×64")
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("ant", "bee")

    drive([str(PHOTO), str(tmp_path / "mine.safetensors")], open_it)


def test_a_body_without_a_head_shows_its_feature_maps(tmp_path: Path) -> None:
    content = trained("resnet18", 2).state_dict()
    del content["fc.weight"], content["fc.bias"]
    path = tmp_path / "body.pth"
    torch.save(content, path)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(path)
        yield lambda: person.see(ModelBar).class_names.value == "No head"
        yield lambda: person.rows()[0].prediction is None
        assert "It has no head" in person.banner
        yield lambda: "predicts nothing" in person.see(PredictionsPanel)._message.text()
        person.choose("workspace_inside")
        yield lambda: person.see(InsidePanel).layer is not None

    drive([str(PHOTO)], script)


def test_a_plain_value_at_the_users_word(tmp_path: Path) -> None:
    path = tmp_path / "age.pth"
    torch.save(trained("resnet18", 1).state_dict(), path)

    def is_plain(person: Person) -> bool:
        prediction = person.rows()[0].prediction
        return prediction is not None and prediction.top[0].is_plain

    def script(person: Person) -> Steps:
        yield lambda: person.see(ModelBar).class_names.value == "1 class, unnamed"
        yield lambda: person.all_classified(1)
        yield lambda: "%  (" in person.see(PredictionBars).accessibleName()
        person.choose("show_details")
        dialog = person.see(DetailsDialog)
        dialog._outputs.setCurrentIndex(dialog._outputs.findData("value"))
        dialog._outputs.activated.emit(1)
        yield lambda: is_plain(person)
        yield lambda: "%" not in person.see(PredictionBars).accessibleName()
        dialog.close()

    drive([str(PHOTO), str(path)], script)


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
