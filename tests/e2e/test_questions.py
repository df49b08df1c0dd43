"""A person opens a model whose file does not say all, and answers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import torch
from PySide6.QtWidgets import QMenu

import resources
from core.models.resnet_of_three_stages import CifarResNet
from core.models.timm_import import build_timm
from gui.models.model_bar import ModelBar
from gui.models.questions_dialog import QuestionsDialog
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]
PHOTO = resources.path("samples/coffee.png")
ARCHITECTURE = "tf_efficientnet_lite0"


def test_the_architecture_is_asked_for_once(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.manual_seed(0)
    content = build_timm(ARCHITECTURE, num_classes=3).state_dict()
    torch.save({"state_dict": content, "classes": ["ant", "bee", "wasp"]}, path)

    def answer(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(path)
        yield lambda: bool(person.window.findChildren(QuestionsDialog))
        dialog = person.see(QuestionsDialog)
        yield lambda: all("%" in one.text() for one in dialog._outcomes.values())
        use = dialog._buttons.button(dialog._buttons.StandardButton.Ok)
        assert not use.isEnabled()
        (group,) = dialog._groups.values()
        (button,) = (one for one in group.buttons() if one.property("answer") == ARCHITECTURE)
        button.click()
        use.click()
        yield lambda: person.see(ModelBar).class_names.value == "3 classes"
        yield lambda: person.all_classified(1)
        assert person.rows()[0].class_name in ("ant", "bee", "wasp")

    drive([str(PHOTO)], answer)

    def find_it_again(person: Person) -> Steps:
        yield lambda: person.see(ModelBar).class_names.value == "3 classes"
        assert not person.window.findChildren(QuestionsDialog)

    drive([str(PHOTO), str(path)], find_it_again)


def test_what_is_assumed_can_be_chosen_otherwise_at_once(tmp_path: Path) -> None:
    path = tmp_path / "small.pth"
    torch.manual_seed(0)
    network = CifarResNet((1, 1, 1), 16, has_projections=False)
    torch.save({"state_dict": network.state_dict()}, path)

    def choose(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(path)
        reporter = person.window.reporter
        yield lambda: "are assumed" in reporter.shown_text
        assert reporter._offer.isVisible()
        reporter._offer.click()
        yield lambda: bool(person.window.findChildren(QuestionsDialog))
        dialog = person.see(QuestionsDialog)
        yield lambda: all("%" in one.text() for one in dialog._outcomes.values())
        (group,) = dialog._groups.values()
        (button,) = (one for one in group.buttons() if one.property("answer") == "behind")
        button.click()
        dialog._buttons.button(dialog._buttons.StandardButton.Ok).click()
        yield lambda: not person.window.findChildren(QuestionsDialog)
        yield lambda: person.all_classified(1)
        yield lambda: "assumed" not in reporter.shown_text or reporter.isHidden()

    drive([str(PHOTO)], choose)


def test_another_built_in_model_is_picked_from_the_menu() -> None:
    def pick(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        assert person.see(ModelBar).architecture.value == "EfficientNet-Lite0"
        assert person.rows()[0].class_name == "espresso"
        bar = person.see(ModelBar)
        bar.open_checkpoints()
        (entry,) = (
            one
            for menu in bar.findChildren(QMenu)
            for one in menu.actions()
            if "Lite2" in one.text()
        )
        entry.trigger()
        yield lambda: bar.architecture.value == "EfficientNet-Lite2"
        yield lambda: person.all_classified(1)

    drive([str(PHOTO)], pick)
