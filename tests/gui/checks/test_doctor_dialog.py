"""The dialog that says whether a model is set up right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from core.images.preprocessing import Preprocessing
from core.inference.diagnosis import Diagnosis, Example, Finding
from gui.checks.doctor_dialog import DoctorDialog
from gui.main_window import MainWindow
from gui.session import Session
from gui.tasks import Tasks
from tests.gui.conftest import ready
from tests.specs import make_spec

PHOTOS = tuple(Path(f"/{number}.png") for number in range(24))
HALF = replace(Preprocessing(), mean=(0.5,) * 3, std=(0.5,) * 3)
NUMBERS = Finding(
    "numbers", "half", 0.5, 0.9, "labels", HALF, None, (Example(PHOTOS[3], "moth", "wasp"),)
)
ORDER = Finding("order", "reversed", 0.5, 0.8, "labels", None, ("wasp", "moth"))


@pytest.fixture
def shown() -> list[Path]:
    return []


@pytest.fixture
def dialog(
    qtbot: QtBot, session: Session, tasks: Tasks, window: MainWindow, shown: list[Path]
) -> DoctorDialog:
    session.use_model(ready(make_spec(names=("moth", "wasp"))))
    made = DoctorDialog(session, tasks, PHOTOS, (0,) * 24, shown.append, window)
    qtbot.addWidget(made)
    return made


def text(dialog: DoctorDialog) -> str:
    return "\n".join(one.text() for one in dialog.findChildren(QLabel))


def end(dialog: DoctorDialog, *findings: Finding, accuracy: float | None = 0.5) -> None:
    mismatch = 0.02 if accuracy is None else None
    dialog._take([1, 2, Diagnosis(24, 0, mismatch, None, accuracy, findings)])
    dialog._end()


def test_what_looks_wrong_is_said_with_photos_and_figures(
    dialog: DoctorDialog, shown: list[Path]
) -> None:
    end(dialog, NUMBERS, ORDER)
    assert "Something looks wrong" in text(dialog)
    assert "50% right on 24 photos as it is set up." in text(dialog)
    assert "50% of the photos are right now, 90% then" in text(dialog)
    row = dialog._examples.topLevelItem(0)
    assert [row.text(column) for column in range(3)] == ["3.png", "moth", "wasp"]
    dialog._examples.setCurrentItem(row)
    assert shown == [PHOTOS[3]]


def test_nothing_is_changed_unasked_and_what_was_changed_is_taken_back(
    dialog: DoctorDialog, session: Session
) -> None:
    asked: list[object] = []
    session.override_model = lambda changes: asked.append(changes) or True
    end(dialog, NUMBERS, ORDER)
    assert asked == []
    dialog._use.click()
    assert asked == [{"preprocessing": HALF}]
    session.model_changed.emit(session.model)
    assert not dialog._use.isEnabled()
    dialog._back.click()
    assert asked[1:] == [{"preprocessing": None, "class_names": None}]
    session.model_changed.emit(session.model)
    dialog._findings.setCurrentItem(dialog._findings.topLevelItem(1))
    dialog._use.click()
    assert asked[2:] == [{"class_names": ("wasp", "moth")}]


def test_a_right_set_up_is_said_so_and_what_labels_would_add(dialog: DoctorDialog) -> None:
    end(dialog, accuracy=None)
    assert "It looks set up right" in text(dialog)
    assert "label 24 photos or more" in text(dialog)
    assert dialog._findings.isHidden()
    assert not dialog._use.isEnabled()


def test_another_model_closes_it(dialog: DoctorDialog, session: Session) -> None:
    dialog.show()
    session.use_model(ready(make_spec(names=("a", "b"))))
    assert not dialog.isVisible()
