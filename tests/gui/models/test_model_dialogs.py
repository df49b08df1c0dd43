from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from unittest.mock import patch

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMessageBox, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from core.errors import DownloadError
from core.inference.requests import OpenModel
from core.models.weights.downloads import Progress
from core.models.weights.named import Weights
from core.models.weights.requests import DownloadWeights, ListWeights
from core.values.spec import ModelChoice, Overrides
from gui.main_window import MainWindow
from gui.models.details_dialog import DetailsDialog
from gui.models.model_bar import ModelBar
from gui.models.model_dialogs import ModelDialogs
from gui.models.model_picker import ModelPicker
from gui.models.weights_dialog import WeightsDialog
from gui.session import Session
from gui.tasks import Tasks
from gui.widgets.fold_button import FoldButton
from tests.gui.conftest import HeldWorker, ready
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
def bar(qtbot: QtBot) -> ModelBar:
    made = ModelBar(FoldButton())
    qtbot.addWidget(made)
    return made


@pytest.fixture
def picker(
    qtbot: QtBot, bar: ModelBar, session: Session, tasks: Tasks, worker: HeldWorker
) -> ModelPicker:
    made = ModelPicker(bar, session, tasks)
    made.open_remembered()
    with qtbot.waitSignal(session.model_changed):
        worker.future(OpenModel).set_result(ready(make_spec(names=("class 0", "class 1"))))
    return made


@pytest.fixture
def dialogs(
    window: MainWindow, picker: ModelPicker, session: Session, tasks: Tasks
) -> Iterator[ModelDialogs]:
    made = ModelDialogs(picker, session, tasks, window)
    yield made
    for child in window.findChildren(QDialog):
        child.close()


@pytest.fixture
def weights(qtbot: QtBot, dialogs: ModelDialogs, worker: HeldWorker) -> WeightsDialog:
    dialogs.open_weights()
    dialog = dialogs._weights
    assert dialog is not None
    assert "Loading" in dialog.status.text()
    worker.future(ListWeights).set_result(ENTRIES)
    qtbot.waitUntil(lambda: bool(dialog._items()))
    return dialog


def shown(dialog: WeightsDialog) -> list[str]:
    return [item.text(0) for item in dialog._items() if not item.isHidden()]


def listed(dialog: WeightsDialog, number: int) -> QTreeWidgetItem:
    """Return the row of one of the entries; the table has an order of its own."""
    role, name = Qt.ItemDataRole.UserRole, ENTRIES[number].name
    return next(item for item in dialog._items() if item.data(0, role).name == name)


def choose(dialog: WeightsDialog, number: int) -> None:
    dialog.tree.setCurrentItem(listed(dialog, number))


# Details


def test_details_say_all_and_take_what_no_file_tells(qtbot: QtBot, window: MainWindow) -> None:
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
    with qtbot.waitSignal(dialog.overrides) as caught:
        dialog._dilation[2].click()
    assert caught.args == [Overrides(dilation=(False, False, True))]
    dialog._outputs.setCurrentIndex(dialog._outputs.findData("sigmoid"))
    with qtbot.waitSignal(dialog.overrides) as caught:
        dialog._outputs.activated.emit(1)
    assert caught.args[0].outputs == "sigmoid"


def test_a_limit_is_settled_once_and_leaving_its_field_settles_nothing(
    window: MainWindow, qtbot: QtBot
) -> None:
    dialog = DetailsDialog(make_spec(), window)
    qtbot.addWidget(dialog)
    settled: list[Overrides] = []
    dialog.overrides.connect(settled.append)
    dialog._unsure.editingFinished.emit()
    assert settled == []
    dialog._unsure.setValue(62.5)
    dialog._unsure.editingFinished.emit()
    dialog._unsure.editingFinished.emit()
    assert [one.unsure_below for one in settled] == [0.625]


def test_what_is_settled_reaches_the_worker(dialogs: ModelDialogs, worker: HeldWorker) -> None:
    dialogs._override_names(("ant", "bee"))
    assert worker.newest(OpenModel).choice == ModelChoice(
        overrides=Overrides(class_names=("ant", "bee"))
    )


def test_a_body_without_a_head_has_no_classes_to_name(
    dialogs: ModelDialogs, session: Session, window: MainWindow
) -> None:
    assert session.model is not None
    session.model = replace(session.model, spec=make_spec(names=(), num_classes=None))
    dialogs.open_class_names()
    assert "no head" in window.reporter.shown_text


# Weights


def test_the_table_narrows_and_sorts_by_numbers(
    qtbot: QtBot, hub: Path, dialogs: ModelDialogs, weights: WeightsDialog
) -> None:
    # The best first, those of which that is unknown last.
    assert shown(weights) == ["ResNet50 · V2", "ResNet18 · V1", "VGG16 · FEATURES"]
    weights.tree.sortItems(2, Qt.SortOrder.DescendingOrder)
    assert shown(weights)[0] == "VGG16 · FEATURES"
    qtbot.keyClicks(weights.search, "resnet v2")
    assert shown(weights) == ["ResNet50 · V2"]
    dialogs.open_weights("resnet18")
    assert shown(weights) == ["ResNet18 · V1"]
    assert "ResNet-18" in weights.windowTitle()


class HeldDownload:
    """A download whose news the test brings."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.news: Queue[Progress | None] = Queue()
        self.asked: list[DownloadWeights] = []
        monkeypatch.setattr(DownloadWeights, "run", lambda request, _: self.run(request))

    def run(self, request: DownloadWeights) -> Iterator[Progress]:
        self.asked.append(request)
        while (progress := self.news.get()) is not None:
            yield progress
            if progress.state == "failed":
                raise DownloadError(progress.problem)


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldDownload]:
    made = HeldDownload(monkeypatch)
    yield made
    made.news.put(None)


def test_a_download_shows_its_progress_and_is_used_at_its_end(
    qtbot: QtBot,
    hub: Path,
    weights: WeightsDialog,
    window: MainWindow,
    worker: HeldWorker,
    download: HeldDownload,
) -> None:
    choose(weights, 0)
    assert weights.use_button.text() == "Download and use"
    weights.use_button.click()
    download.news.put(Progress(ENTRIES[0], "downloading", 25 * 10**5, 5 * 10**6))
    qtbot.waitUntil(lambda: weights.bar.value() == 500)
    assert download.asked == [DownloadWeights(ENTRIES[0], "")]
    assert listed(weights, 0).text(4) == "downloading, 50%"
    assert not weights.pause_button.isHidden()
    assert not weights.use_button.isEnabled()
    weights.hide()
    with qtbot.waitSignal(window.noted) as noted:
        download.news.put(Progress(ENTRIES[0], "downloading", 4 * 10**6, 5 * 10**6))
    assert "80%" in noted.args[0]
    hub.mkdir(parents=True)
    ENTRIES[0].path.write_bytes(CONTENT)
    before = len(worker.all(OpenModel))
    download.news.put(Progress(ENTRIES[0], "done", 5 * 10**6, 5 * 10**6))
    qtbot.waitUntil(lambda: len(worker.all(OpenModel)) > before)
    choice = worker.newest(OpenModel).choice
    assert choice == ModelChoice(checkpoint=ENTRIES[0].path, architecture="resnet18")


def test_a_paused_download_goes_on_and_a_failed_one_says_why(
    qtbot: QtBot, hub: Path, weights: WeightsDialog, window: MainWindow, download: HeldDownload
) -> None:
    hub.mkdir(parents=True)
    ENTRIES[1].part_path.write_bytes(CONTENT)
    weights.refresh()
    choose(weights, 1)
    assert weights.use_button.text() == "Resume and use"
    assert "paused at" in listed(weights, 1).text(4)
    weights.use_button.click()
    download.news.put(Progress(ENTRIES[1], "failed", 1000, 10**8, "The server refuses it."))
    qtbot.waitUntil(lambda: "The server refuses it." in weights.status.text())
    assert weights.use_button.isEnabled()
    weights.cancel_button.click()
    assert not ENTRIES[1].part_path.exists()
    weights.use_button.click()
    weights.hide()
    download.news.put(Progress(ENTRIES[1], "failed", 0, 10**8, "No."))
    qtbot.waitUntil(lambda: window.reporter.shown_text == "No.")


def test_a_download_is_cancelled_and_what_is_there_deleted(
    qtbot: QtBot, hub: Path, weights: WeightsDialog, download: HeldDownload
) -> None:
    hub.mkdir(parents=True)
    ENTRIES[1].part_path.write_bytes(CONTENT)
    weights.refresh()
    choose(weights, 1)
    weights.use_button.click()
    download.news.put(Progress(ENTRIES[1], "downloading", 1000, 10**8))
    qtbot.waitUntil(lambda: not weights.pause_button.isHidden())
    weights.cancel_button.click()
    download.news.put(Progress(ENTRIES[1], "paused", 1000, 10**8))
    qtbot.waitUntil(lambda: not ENTRIES[1].part_path.exists())
    qtbot.waitUntil(lambda: weights.use_button.text() == "Download and use")


def test_a_file_that_is_there_is_used_and_deleted(hub: Path, weights: WeightsDialog) -> None:
    hub.mkdir(parents=True)
    ENTRIES[0].path.write_bytes(CONTENT)
    weights.refresh()
    choose(weights, 0)
    assert weights.use_button.text() == "Use"
    with patch.object(
        QMessageBox, "question", return_value=QMessageBox.StandardButton.Yes
    ) as asked:
        weights.delete_button.click()
    assert asked.called
    assert not ENTRIES[0].path.exists()
    assert weights.use_button.text() == "Download and use"


def test_i_already_have_this_file(
    qtbot: QtBot, hub: Path, tmp_path: Path, weights: WeightsDialog, worker: HeldWorker
) -> None:
    choose(weights, 0)
    given = tmp_path / "mine.pth"
    given.write_bytes(CONTENT)
    before = len(worker.all(OpenModel))
    with patch("PySide6.QtWidgets.QFileDialog.getOpenFileName", return_value=(str(given), "")):
        weights.have_button.click()
    qtbot.waitUntil(lambda: len(worker.all(OpenModel)) > before)
    assert ENTRIES[0].path.read_bytes() == CONTENT
    assert worker.newest(OpenModel).choice.checkpoint == ENTRIES[0].path
