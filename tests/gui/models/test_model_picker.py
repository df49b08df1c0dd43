from __future__ import annotations

from pathlib import Path

import pytest
from gui.engine_bridge import EngineBridge
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from core.errors import UnusableCheckpointError
from core.models.architectures import ARCHITECTURES
from core.models.spec import ModelChoice
from core.settings import Settings
from gui.models.architecture_picker import ArchitecturePicker
from gui.models.model_bar import ModelBar
from gui.models.model_picker import ModelPicker
from tests.gui.conftest import FakeEngine, make_spec, ready

FILE = Path("/models/mine.pth")


@pytest.fixture
def bar(qtbot: QtBot) -> ModelBar:
    made = ModelBar()
    qtbot.addWidget(made)
    return made


def accept(qtbot: QtBot, picker: ModelPicker, engine: FakeEngine, **spec: str) -> None:
    choice, _ = engine.arguments("model")
    engine.ready = ready(make_spec(**spec), choice)
    with qtbot.waitSignal(picker.opened):
        engine.future("model").set_result(engine.ready)


def refuse(qtbot: QtBot, picker: ModelPicker, engine: FakeEngine) -> None:
    with qtbot.waitSignal(picker.refused):
        engine.future("model").set_exception(UnusableCheckpointError("no"))


def with_model(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: FakeEngine, **spec: str
) -> ModelPicker:
    """Return a picker whose first model has opened."""
    picker = ModelPicker(bar, bridge, Settings())
    picker.open_remembered()
    accept(qtbot, picker, engine, **spec)
    return picker


def test_a_model_is_remembered_once_it_has_opened(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    settings = Settings()
    picker = ModelPicker(bar, bridge, settings)
    picker.pick_checkpoint(FILE)
    assert bar.architecture.value == "Loading…"
    assert settings.checkpoint == ""
    accept(qtbot, picker, engine[0], title="ResNet-18")
    assert (settings.checkpoint, settings.recent_checkpoints) == (str(FILE), [str(FILE)])
    assert (bar.architecture.value, bar.checkpoint.value) == ("ResNet-18", "mine.pth")
    assert (bar.class_names.value, bar.device.value) == ("2 classes", "Processor")


def test_a_refused_model_leaves_the_one_in_use(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    picker = with_model(qtbot, bar, bridge, engine[0])
    picker.pick_checkpoint(FILE)
    refuse(qtbot, picker, engine[0])
    assert bar.architecture.value == "Tiny"
    assert bar.checkpoint.value == "SqueezeNet 1.1 (built in)"
    picker.pick_device("cpu")
    assert engine[0].arguments("model") == (ModelChoice(), "cpu")


def test_at_the_start_the_nearest_choice_stands_in_and_is_not_remembered(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    settings = Settings(checkpoint=str(FILE), device="cuda:3")
    picker = ModelPicker(bar, bridge, settings)
    picker.open_remembered()
    for wanted in (
        (ModelChoice(checkpoint=FILE), "cuda:3"),
        (ModelChoice(checkpoint=FILE), "auto"),
        (ModelChoice(), "auto"),
    ):
        assert engine[0].arguments("model") == wanted
        refuse(qtbot, picker, engine[0])
    assert len([kind for kind, _, _ in engine[0].asked if kind == "model"]) == 3
    assert bar.architecture.value == "None"
    assert (settings.checkpoint, settings.device) == (str(FILE), "cuda:3")


def test_a_stand_in_that_opens_is_not_remembered(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    settings = Settings(checkpoint=str(FILE))
    picker = ModelPicker(bar, bridge, settings)
    picker.open_remembered()
    refuse(qtbot, picker, engine[0])
    accept(qtbot, picker, engine[0])
    assert bar.checkpoint.value == "SqueezeNet 1.1 (built in)"
    assert settings.checkpoint == str(FILE)


def test_a_device_picked_while_a_model_opens_is_for_that_model(
    bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    picker = ModelPicker(bar, bridge, Settings(checkpoint=str(FILE)))
    picker.open_remembered()
    picker.pick_device("cpu")
    assert engine[0].arguments("model") == (ModelChoice(checkpoint=FILE), "cpu")


def test_the_window_says_what_the_engine_uses(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    picker = with_model(qtbot, bar, bridge, engine[0])
    picker.pick_checkpoint(FILE)
    engine[0].ready = ready(make_spec("ResNet-18"), ModelChoice(checkpoint=FILE))
    picker.pick_checkpoint(Path("/models/bad.pth"))
    with qtbot.waitSignal(picker.opened) as caught:
        refuse(qtbot, picker, engine[0])
    assert caught.args == [engine[0].ready]
    assert bar.architecture.value == "ResNet-18"


def test_a_dropped_file_that_is_refused_at_the_start_leaves_last_times_model(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    picker = ModelPicker(bar, bridge, Settings(checkpoint=str(FILE)))
    picker.pick_checkpoint(Path("/models/bad.pth"))
    refuse(qtbot, picker, engine[0])
    assert engine[0].arguments("model") == (ModelChoice(checkpoint=FILE), "auto")


def test_an_architecture_that_does_not_fit_asks_for_its_checkpoint(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    picker = with_model(qtbot, bar, bridge, engine[0], architecture="squeezenet1_1")
    picker.pick_architecture("squeezenet1_1")
    assert engine[0].arguments("model")[0] == ModelChoice(architecture="squeezenet1_1")
    accept(qtbot, picker, engine[0], architecture="squeezenet1_1")
    with qtbot.waitSignal(picker.checkpoint_missing) as caught:
        picker.pick_architecture("resnet50")
    assert caught.args == ["resnet50"]
    assert engine[0].arguments("model")[0].architecture == "squeezenet1_1"
    picker.pick_both(FILE, "resnet50")
    assert engine[0].arguments("model")[0] == ModelChoice(checkpoint=FILE, architecture="resnet50")


def test_recent_checkpoints_are_few_and_the_newest_first(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    settings = Settings(recent_checkpoints=[f"/m/{number}.pth" for number in range(8)])
    picker = ModelPicker(bar, bridge, settings)
    picker.pick_checkpoint(Path("/m/5.pth"))
    accept(qtbot, picker, engine[0])
    picker.pick_checkpoint(FILE)
    accept(qtbot, picker, engine[0])
    assert settings.recent_checkpoints[:3] == [str(FILE), "/m/5.pth", "/m/0.pth"]
    assert len(settings.recent_checkpoints) == 8


def test_the_architecture_picker_narrows_and_picks_by_keys(qtbot: QtBot, bar: ModelBar) -> None:
    picker = ArchitecturePicker(bar)
    picker.open_at(QPoint(0, 0), "")
    assert len(picker._items()) == 1 + len(ARCHITECTURES)
    qtbot.keyClicks(picker._search, "resnet 50")
    shown = [item.data(0, Qt.ItemDataRole.UserRole) for item in picker._items()]
    visible = [
        name for name, item in zip(shown, picker._items(), strict=True) if not item.isHidden()
    ]
    assert visible == ["resnet50", "wide_resnet50_2"]
    qtbot.keyClick(picker._search, Qt.Key.Key_Down)
    with qtbot.waitSignal(picker.picked) as caught:
        qtbot.keyClick(picker._search, Qt.Key.Key_Return)
    assert caught.args == ["wide_resnet50_2"]
    assert picker.isHidden()
