from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from gui.engine_bridge import EngineBridge
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from core.models.downloads import Progress
from core.models.spec import ModelChoice, Settled
from core.models.weights import Weights
from core.settings import Settings
from gui.models.details_dialog import DetailsDialog
from gui.models.model_bar import ModelBar
from gui.models.model_dialogs import ModelDialogs
from gui.models.model_picker import ModelPicker
from gui.models.weights_dialog import WeightsDialog
from tests.gui.conftest import FakeEngine, ready
from tests.specs import make_spec

CONTENT = b"parameters" * 100
HASH = hashlib.sha256(CONTENT).hexdigest()[:8]


def entry(name: str, architecture: str, accuracy: float | None, size: int) -> Weights:
    url = f"https://example.invalid/{architecture}-{HASH}.pth"
    return Weights(name, architecture, name, accuracy, 90.0, size, 10**6, "BSD 3-Clause", url)


ENTRIES = (
    entry("ResNet18_Weights.V1", "resnet18", 69.8, 5 * 10**6),
    entry("ResNet50_Weights.V2", "resnet50", 80.9, 10**8),
    entry("VGG16_Weights.FEATURES", "vgg16", None, 5 * 10**8),
)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def bar(qtbot: QtBot) -> ModelBar:
    made = ModelBar()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def picker(
    qtbot: QtBot, bar: ModelBar, bridge: EngineBridge, engine: list[FakeEngine]
) -> ModelPicker:
    made = ModelPicker(bar, bridge, Settings())
    made.open_remembered()
    engine[0].ready = ready(make_spec(names=("class 0", "class 1")))
    with qtbot.waitSignal(made.opened):
        engine[0].future("model").set_result(engine[0].ready)
    return made


@pytest.fixture
def dialogs(window: QWidget, picker: ModelPicker, bridge: EngineBridge) -> Iterator[ModelDialogs]:
    made = ModelDialogs(window, picker, bridge, Settings(), lambda: None)
    yield made
    for child in window.findChildren(QWidget):
        child.close()


def weights_dialog(
    qtbot: QtBot, dialogs: ModelDialogs, bridge: EngineBridge, engine: FakeEngine
) -> WeightsDialog:
    dialogs.open_weights()
    dialog = dialogs._weights
    assert dialog is not None
    assert "Loading" in dialog.status.text()
    with qtbot.waitSignal(bridge.weights_listed):
        engine.future("weights").set_result(ENTRIES)
    return dialog


def shown(dialog: WeightsDialog) -> list[str]:
    return [item.text(0) for item in dialog._items() if not item.isHidden()]


def choose(dialog: WeightsDialog, number: int) -> None:
    dialog.tree.setCurrentItem(dialog._items()[number])


# Details


def test_details_say_all_and_take_what_no_file_tells(qtbot: QtBot, window: QWidget) -> None:
    spec = make_spec(names=("ant", "bee"))
    found = replace(
        spec.inspection,
        wrapper="model_state_dict",
        key_prefix="module.",
        head="fc: linear 512→2",
        matched=1.0,
        unexpected=("loss.weight",),
        can_dilate=True,
    )
    dialog = DetailsDialog(replace(spec, inspection=found), window)
    text = "\n".join(f"{caption}: {value}" for caption, value in dialog.facts())
    for said in ("model_state_dict", "module.", "fc: linear", "100.0%", "loss.weight", "0" * 64):
        assert said in text
    with qtbot.waitSignal(dialog.settled) as caught:
        dialog._dilation[2].click()
    assert caught.args == [Settled(dilation=(False, False, True))]
    dialog._outputs.setCurrentIndex(dialog._outputs.findData("sigmoid"))
    with qtbot.waitSignal(dialog.settled) as caught:
        dialog._outputs.activated.emit(1)
    assert caught.args[0].outputs == "sigmoid"


def test_what_is_settled_reaches_the_engine(
    dialogs: ModelDialogs, engine: list[FakeEngine]
) -> None:
    dialogs._settle_names(("ant", "bee"))
    choice, _ = engine[0].arguments("model")
    assert choice == ModelChoice(settled=Settled(class_names=("ant", "bee")))


def test_a_body_without_a_head_has_no_classes_to_name(
    qtbot: QtBot, dialogs: ModelDialogs, picker: ModelPicker
) -> None:
    assert picker.ready is not None
    picker.ready = replace(picker.ready, spec=make_spec(names=(), num_classes=None))
    with qtbot.waitSignal(dialogs.refused) as caught:
        dialogs.open_class_names()
    assert "no head" in caught.args[0]


# Weights


def test_the_table_narrows_and_sorts_by_numbers(
    qtbot: QtBot, hub: Path, dialogs: ModelDialogs, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    dialog = weights_dialog(qtbot, dialogs, bridge, engine[0])
    assert shown(dialog) == ["ResNet18 · V1", "ResNet50 · V2", "VGG16 · FEATURES"]
    dialog.tree.sortItems(2, Qt.SortOrder.DescendingOrder)
    assert shown(dialog)[0] == "VGG16 · FEATURES"
    qtbot.keyClicks(dialog.search, "resnet v2")
    assert shown(dialog) == ["ResNet50 · V2"]
    dialogs.open_weights("resnet18")
    assert shown(dialog) == ["ResNet18 · V1"]
    assert "ResNet-18" in dialog.windowTitle()


def test_a_download_shows_its_progress_and_is_used_at_its_end(
    qtbot: QtBot, hub: Path, dialogs: ModelDialogs, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    dialog = weights_dialog(qtbot, dialogs, bridge, engine[0])
    choose(dialog, 0)
    assert dialog.use_button.text() == "Download and use"
    with patch.object(bridge, "start_download") as started:
        dialog.use_button.click()
    started.assert_called_once_with(ENTRIES[0], "")
    bridge.download_progressed.emit(Progress(ENTRIES[0], "downloading", 25 * 10**5, 5 * 10**6))
    assert dialog.bar.value() == 500
    assert dialog._items()[0].text(4) == "downloading, 50%"
    assert not dialog.pause_button.isHidden()
    assert not dialog.use_button.isEnabled()
    dialog.hide()
    with qtbot.waitSignal(dialogs.noted) as noted:
        bridge.download_progressed.emit(Progress(ENTRIES[0], "downloading", 4 * 10**6, 5 * 10**6))
    assert "80%" in noted.args[0]
    hub.mkdir(parents=True)
    ENTRIES[0].path.write_bytes(CONTENT)
    bridge.download_progressed.emit(Progress(ENTRIES[0], "done", 5 * 10**6, 5 * 10**6))
    choice, _ = engine[0].arguments("model")
    assert choice == ModelChoice(checkpoint=ENTRIES[0].path, architecture="resnet18")


def test_a_paused_download_goes_on_and_a_failed_one_says_why(
    qtbot: QtBot, hub: Path, dialogs: ModelDialogs, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    hub.mkdir(parents=True)
    ENTRIES[1].part_path.write_bytes(CONTENT)
    dialog = weights_dialog(qtbot, dialogs, bridge, engine[0])
    choose(dialog, 1)
    assert dialog.use_button.text() == "Resume and use"
    assert "paused at" in dialog._items()[1].text(4)
    bridge.download_progressed.emit(
        Progress(ENTRIES[1], "failed", 1000, 10**8, "The server refuses it.")
    )
    assert "The server refuses it." in dialog.status.text()
    assert dialog.use_button.isEnabled()
    dialog.cancel_button.click()
    assert not ENTRIES[1].part_path.exists()
    dialog.hide()
    with qtbot.waitSignal(dialogs.refused):
        bridge.download_progressed.emit(Progress(ENTRIES[1], "failed", 0, 10**8, "No."))


def test_a_file_that_is_there_is_used_and_deleted(
    qtbot: QtBot, hub: Path, dialogs: ModelDialogs, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    hub.mkdir(parents=True)
    ENTRIES[0].path.write_bytes(CONTENT)
    dialog = weights_dialog(qtbot, dialogs, bridge, engine[0])
    choose(dialog, 0)
    assert dialog.use_button.text() == "Use"
    with patch.object(
        QMessageBox, "question", return_value=QMessageBox.StandardButton.Yes
    ) as asked:
        dialog.delete_button.click()
    assert asked.called
    assert not ENTRIES[0].path.exists()
    assert dialog.use_button.text() == "Download and use"


def test_i_already_have_this_file(
    qtbot: QtBot,
    hub: Path,
    tmp_path: Path,
    dialogs: ModelDialogs,
    bridge: EngineBridge,
    engine: list[FakeEngine],
) -> None:
    dialog = weights_dialog(qtbot, dialogs, bridge, engine[0])
    choose(dialog, 0)
    given = tmp_path / "mine.pth"
    given.write_bytes(CONTENT)
    with (
        patch("PySide6.QtWidgets.QFileDialog.getOpenFileName", return_value=(str(given), "")),
        qtbot.waitSignal(bridge.weights_file_taken),
    ):
        dialog.have_button.click()
    assert ENTRIES[0].path.read_bytes() == CONTENT
    assert engine[0].arguments("model")[0].checkpoint == ENTRIES[0].path
