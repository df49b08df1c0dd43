from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.errors import UnusableCheckpointError
from core.inference.requests import ModelInUse, OpenModel
from core.models.families import ARCHITECTURES
from core.settings import Settings
from core.values.spec import ModelChoice
from gui.models.architecture_picker import ArchitecturePicker
from gui.models.model_bar import ModelBar
from gui.models.model_picker import ModelPicker
from gui.session import Session
from gui.tasks import Tasks
from gui.widgets.fold_button import FoldButton
from tests.gui.conftest import HeldWorker, make_spec, ready

FILE = Path("/models/mine.pth")


@pytest.fixture
def bar(qtbot: QtBot) -> ModelBar:
    made = ModelBar(FoldButton())
    qtbot.addWidget(made)
    return made


def asked(worker: HeldWorker) -> tuple[ModelChoice, str]:
    request = worker.newest(OpenModel)
    return request.choice, request.device


def accept(qtbot: QtBot, session: Session, worker: HeldWorker, **spec: str) -> None:
    choice, device = asked(worker)
    model = replace(ready(make_spec(**spec), choice), wanted_device=device)
    with qtbot.waitSignal(session.model_changed):
        worker.future(OpenModel).set_result(model)


def refuse(qtbot: QtBot, picker: ModelPicker, worker: HeldWorker, in_use: object = None) -> None:
    """Refuse what was asked; the worker goes on with what it uses."""
    with qtbot.waitSignal(picker.refused):
        worker.future(OpenModel).set_exception(UnusableCheckpointError("no"))
    worker.future(ModelInUse).set_result(in_use)
    QApplication.processEvents()


@pytest.fixture
def picker(bar: ModelBar, session: Session, tasks: Tasks) -> ModelPicker:
    return ModelPicker(bar, session, tasks)


@pytest.fixture
def opened(qtbot: QtBot, picker: ModelPicker, session: Session, worker: HeldWorker) -> ModelPicker:
    """Return a picker whose first model has opened."""
    picker.open_remembered()
    accept(qtbot, session, worker, architecture="squeezenet1_1")
    return picker


def remembering(session: Session, bar: ModelBar, **settings: object) -> ModelPicker:
    session.settings = Settings(**settings)
    return ModelPicker(bar, session, session.tasks)


def test_a_model_is_remembered_once_it_has_opened(
    qtbot: QtBot, bar: ModelBar, picker: ModelPicker, session: Session, worker: HeldWorker
) -> None:
    picker.pick_checkpoint(FILE)
    assert bar.architecture.value == "Loading…"
    assert session.settings.checkpoint == ""
    accept(qtbot, session, worker, title="ResNet-18")
    settings = session.settings
    assert (settings.checkpoint, settings.recent_checkpoints) == (str(FILE), [str(FILE)])
    assert (bar.architecture.value, bar.checkpoint.value) == ("ResNet-18", "mine.pth")
    assert (bar.class_names.value, bar.device.value) == ("2 classes", "Processor")


def test_a_refused_model_leaves_the_one_in_use(
    qtbot: QtBot, bar: ModelBar, opened: ModelPicker, session: Session, worker: HeldWorker
) -> None:
    opened.pick_checkpoint(FILE)
    refused: list[bool] = []
    session.model_refused.connect(lambda: refused.append(True))
    refuse(qtbot, opened, worker, session.model)
    assert refused == [True]
    assert bar.architecture.value == "Tiny"
    assert bar.checkpoint.value == "EfficientNet-Lite0 (built in)"
    opened.pick_device("cpu")
    assert asked(worker) == (ModelChoice(), "cpu")


def test_at_the_start_the_nearest_choice_stands_in_and_is_not_remembered(
    qtbot: QtBot, bar: ModelBar, session: Session, worker: HeldWorker
) -> None:
    picker = remembering(session, bar, checkpoint=str(FILE), device="cuda:3")
    picker.open_remembered()
    for wanted in (
        (ModelChoice(checkpoint=FILE), "cuda:3"),
        (ModelChoice(checkpoint=FILE), "auto"),
        (ModelChoice(), "auto"),
    ):
        assert asked(worker) == wanted
        refuse(qtbot, picker, worker)
    assert len(worker.all(OpenModel)) == 3
    assert bar.architecture.value == "None"
    assert (session.settings.checkpoint, session.settings.device) == (str(FILE), "cuda:3")


def test_a_stand_in_that_opens_is_not_remembered(
    qtbot: QtBot, bar: ModelBar, session: Session, worker: HeldWorker
) -> None:
    picker = remembering(session, bar, checkpoint=str(FILE))
    picker.open_remembered()
    refuse(qtbot, picker, worker)
    accept(qtbot, session, worker)
    assert bar.checkpoint.value == "EfficientNet-Lite0 (built in)"
    assert session.settings.checkpoint == str(FILE)


def test_a_device_picked_while_a_model_opens_is_for_that_model(
    bar: ModelBar, session: Session, worker: HeldWorker
) -> None:
    picker = remembering(session, bar, checkpoint=str(FILE))
    picker.open_remembered()
    picker.pick_device("cpu")
    assert asked(worker) == (ModelChoice(checkpoint=FILE), "cpu")


def test_the_window_says_what_the_worker_uses(
    qtbot: QtBot, bar: ModelBar, opened: ModelPicker, session: Session, worker: HeldWorker
) -> None:
    opened.pick_checkpoint(FILE)
    in_use = ready(make_spec("ResNet-18"), ModelChoice(checkpoint=FILE))
    opened.pick_checkpoint(Path("/models/bad.pth"))
    refuse(qtbot, opened, worker, in_use)
    assert session.model == in_use
    assert bar.architecture.value == "ResNet-18"


def test_a_dropped_file_that_is_refused_at_the_start_leaves_last_times_model(
    qtbot: QtBot, bar: ModelBar, session: Session, worker: HeldWorker
) -> None:
    picker = remembering(session, bar, checkpoint=str(FILE))
    picker.pick_checkpoint(Path("/models/bad.pth"))
    assert asked(worker)[0].checkpoint == Path("/models/bad.pth")
    refuse(qtbot, picker, worker)
    assert asked(worker) == (ModelChoice(checkpoint=FILE), "auto")


def test_an_architecture_that_does_not_fit_asks_for_its_checkpoint(
    qtbot: QtBot, opened: ModelPicker, session: Session, worker: HeldWorker
) -> None:
    opened.pick_architecture("squeezenet1_1")
    assert asked(worker)[0] == ModelChoice(architecture="squeezenet1_1")
    accept(qtbot, session, worker, architecture="squeezenet1_1")
    with qtbot.waitSignal(opened.checkpoint_missing) as caught:
        opened.pick_architecture("resnet50")
    assert caught.args == ["resnet50"]
    assert asked(worker)[0].architecture == "squeezenet1_1"
    opened.pick_both(FILE, "resnet50")
    assert asked(worker)[0] == ModelChoice(checkpoint=FILE, architecture="resnet50")


def test_recent_checkpoints_are_few_and_the_newest_first(
    qtbot: QtBot, bar: ModelBar, session: Session, worker: HeldWorker
) -> None:
    recent = [f"/m/{number}.pth" for number in range(8)]
    picker = remembering(session, bar, recent_checkpoints=recent)
    picker.pick_checkpoint(Path("/m/5.pth"))
    accept(qtbot, session, worker)
    picker.pick_checkpoint(FILE)
    accept(qtbot, session, worker)
    assert session.settings.recent_checkpoints[:3] == [str(FILE), "/m/5.pth", "/m/0.pth"]
    assert len(session.settings.recent_checkpoints) == 8


def visible(picker: ArchitecturePicker) -> list[str]:
    """Return the names that can be seen."""
    shown = [item for item in picker._items() if not item.isHidden()]
    return [item.data(0, Qt.ItemDataRole.UserRole) for item in shown]


def test_timms_architectures_are_found_by_searching(qtbot: QtBot, bar: ModelBar) -> None:
    picker = ArchitecturePicker(bar)
    picker.open_at(QPoint(0, 0), "")
    qtbot.keyClicks(picker._search, "eva02 tiny")
    assert "eva02_tiny_patch14_224" in visible(picker)
    assert len(set(visible(picker))) == len(visible(picker)) < 10
    picker._search.clear()
    assert len(visible(picker)) == 1 + len(ARCHITECTURES)
    qtbot.keyClicks(picker._search, "eva02 tiny")
    with qtbot.waitSignal(picker.picked) as caught:
        qtbot.keyClick(picker._search, Qt.Key.Key_Return)
    assert caught.args == [visible(picker)[0]]


def test_the_architecture_picker_narrows_and_picks_by_keys(qtbot: QtBot, bar: ModelBar) -> None:
    picker = ArchitecturePicker(bar)
    picker.open_at(QPoint(0, 0), "")
    assert len(picker._items()) == 1 + len(ARCHITECTURES)
    qtbot.keyClicks(picker._search, "resnet 50")
    assert visible(picker)[:2] == ["resnet50", "wide_resnet50_2"]
    qtbot.keyClick(picker._search, Qt.Key.Key_Down)
    with qtbot.waitSignal(picker.picked) as caught:
        qtbot.keyClick(picker._search, Qt.Key.Key_Return)
    assert caught.args == ["wide_resnet50_2"]
    assert picker.isHidden()
