from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton, QTreeWidget
from pytestqt.qtbot import QtBot

from core.training.records import ReadRecords
from core.work.lane import Lane, Lanes
from gui.tasks import Tasks
from gui.training import trainings_dialog
from gui.training.trainings_dialog import TrainingsDialog
from tests.core.training.test_records import taught
from tests.gui.conftest import HeldWorker


class Opened:
    """A dialog whose worker has answered."""

    def __init__(self, qtbot: QtBot, models: list[Path]) -> None:
        self.used: list[Path] = []
        self.forgotten: list[Path] = []
        worker = HeldWorker()
        tasks = Tasks(Lanes(write=Lane("write", executor=worker)))
        self.dialog = TrainingsDialog(tasks, models, self.used.append, self.forgotten.append)
        qtbot.addWidget(self.dialog)
        self.dialog._show(ReadRecords(tuple(models)).run(None))
        self.rows = self.dialog.findChild(QTreeWidget)

    def press(self, text: str) -> None:
        (button,) = [one for one in self.dialog.findChildren(QPushButton) if one.text() == text]
        button.click()

    def names(self) -> list[str]:
        items = (self.rows.topLevelItem(at) for at in range(self.rows.topLevelItemCount()))
        return [item.text(0) for item in items if item is not None]


@pytest.fixture
def opened(qtbot: QtBot, tmp_path: Path) -> Opened:
    worse = taught(tmp_path / "worse.safetensors", accuracy=0.6)
    better = taught(tmp_path / "better.safetensors", accuracy=0.9)
    return Opened(qtbot, [worse, better, tmp_path / "gone.safetensors"])


def test_models_are_compared_by_how_right_they_are(opened: Opened) -> None:
    from PySide6.QtCore import Qt

    opened.rows.sortByColumn(5, Qt.SortOrder.DescendingOrder)
    assert opened.names() == ["better", "worse", "gone"]


def test_the_chosen_model_is_used(opened: Opened) -> None:
    opened.rows.setCurrentItem(opened.rows.topLevelItem(opened.names().index("worse")))
    opened.press("Use this model")
    assert [one.stem for one in opened.used] == ["worse"]


def test_a_model_that_is_gone_cannot_be_used_but_leaves_the_list(opened: Opened) -> None:
    opened.rows.setCurrentItem(opened.rows.topLevelItem(opened.names().index("gone")))
    opened.press("Use this model")
    opened.press("Delete…")
    assert not opened.used
    assert [one.stem for one in opened.forgotten] == ["gone"]
    assert "gone" not in opened.names()


def test_a_model_goes_into_the_trash_where_that_is_agreed(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    thrown: list[Path] = []

    def throw(file: Path) -> bool:
        thrown.append(file)
        return True

    monkeypatch.setattr(trainings_dialog, "_to_trash", throw)
    for agrees in (False, True):
        monkeypatch.setattr(trainings_dialog, "ask", lambda *_, agrees=agrees: agrees)
        opened.rows.setCurrentItem(opened.rows.topLevelItem(opened.names().index("worse")))
        opened.press("Delete…")
        assert len(thrown) == agrees
    assert [one.stem for one in opened.forgotten] == ["worse"]


def test_without_models_the_next_step_is_said(qtbot: QtBot) -> None:
    opened = Opened(qtbot, [])
    assert not opened.dialog._none.isHidden()
    assert "Teach a model" in opened.dialog._none.text()
