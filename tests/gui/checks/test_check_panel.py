from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from core.checks.requests import Check, Checked
from core.inference.shares import FindShares, PhotoShares
from core.labels.classes import ClassList
from gui.checks.check_panel import CheckPanel
from gui.checks.checking import Checking
from gui.checks.reviewing import Reviewing
from gui.main_window import MainWindow
from gui.session import Session
from gui.tasks import Tasks
from tests.gui.conftest import ready
from tests.specs import make_spec

NAMES = ("moth", "wasp", "bee")
LABELS = ("moth", "moth", "wasp", "bee")
PREDICTED = (0, 1, 1, 2)
PHOTOS = tuple(Path(f"/{number}.png") for number in range(4))


def checked(names: tuple[str, ...] = NAMES) -> Checked:
    spec = make_spec(names=names)
    rows = np.eye(len(names), dtype=np.float32) * 0.8 + 0.05
    shares = {photo: rows[at] for photo, at in zip(PHOTOS, PREDICTED, strict=True)}
    return Check(tuple(zip(PHOTOS, LABELS, strict=True)), shares, spec).run(None)


@pytest.fixture
def shown() -> list[tuple[list[str], str]]:
    return []


@pytest.fixture
def panel(
    qtbot: QtBot,
    tasks: Tasks,
    window: MainWindow,
    session: Session,
    shown: list[tuple[list[str], str]],
    tmp_path: Path,
) -> CheckPanel:
    made = CheckPanel(
        tasks,
        tmp_path,
        lambda *wanted: shown.append(wanted),
        lambda photo: shown.append(([str(photo)], "")),
        lambda _: None,
        lambda limit: shown.append(([], f"unsure below {limit}")),
        Reviewing(session, tasks),
    )
    qtbot.addWidget(made)
    made.show()
    return made


def text(panel: CheckPanel) -> str:
    return "\n".join(one.text() for one in panel.findChildren(QLabel))


def test_a_mistake_shows_its_photos(panel: CheckPanel, shown: list[tuple[list[str], str]]) -> None:
    panel.show_checked(checked())
    assert "75% right on 4 photos" in text(panel)
    assert "The true share lies between" in text(panel)
    assert panel._mistakes.topLevelItemCount() == 1
    row = panel._mistakes.topLevelItem(0)
    assert [row.text(column) for column in range(3)] == ["moth", "wasp", "1"]
    panel._mistakes.itemClicked.emit(row, 0)
    assert shown == [(["/1.png"], "moth → wasp")]


def test_a_class_shows_what_is_wrong_of_it_else_all(
    panel: CheckPanel, shown: list[tuple[list[str], str]]
) -> None:
    panel.show_checked(checked())
    for at in range(2):
        panel._classes.itemActivated.emit(panel._classes.topLevelItem(at), 0)
    assert shown == [(["/1.png"], "moth"), (["/2.png"], "wasp")]
    assert panel._classes.topLevelItem(0).text(2) == "50%"


def test_a_cell_of_the_matrix_shows_its_photos(
    panel: CheckPanel, shown: list[tuple[list[str], str]]
) -> None:
    panel.show_checked(checked())
    matrix = panel._matrix.view.matrix
    assert matrix.rowCount() == matrix.columnCount() == 3
    assert [matrix.index(0, column).data() for column in range(3)] == ["1", "1", ""]
    panel._matrix.view.clicked.emit(matrix.index(0, 0))
    panel._matrix.view.clicked.emit(matrix.index(0, 2))  # an empty one shows none
    assert shown == [(["/0.png"], "moth → moth")]


def test_what_the_figures_rest_on_is_said(panel: CheckPanel) -> None:
    panel.show_checked(checked(("Moths", "WASP", "ant")))
    assert "Taken for the same: WASP = wasp, Moths = moth." in text(panel)
    assert "The model has no class for bee" in text(panel)


@pytest.mark.parametrize(
    ("named", "kind", "written"),
    [
        ("report", "", "report.html"),
        ("report", "Pictures (*.png)", "report.png"),
        ("report.csv", "", "report.csv"),
        ("report.svg", "Pages (*.html)", "report.svg"),
    ],
)
def test_a_report_is_written_in_the_form_that_is_asked_for(
    named: str,
    kind: str,
    written: str,
    panel: CheckPanel,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel.show_checked(checked())
    monkeypatch.setattr(
        "gui.widgets.saving.QFileDialog.getSaveFileName", lambda *_: (str(tmp_path / named), kind)
    )
    panel._save.click()
    qtbot.waitUntil(lambda: "Saved as" in text(panel))
    content = (tmp_path / written).read_bytes()
    if written.endswith(".png"):
        drawn = QImage.fromData(content)
        assert drawn.width() > drawn.height() / 4 > 100
        places = itertools.product(range(0, drawn.width(), 7), range(0, drawn.height(), 7))
        assert len({drawn.pixel(x, y) for x, y in places}) > 5
    else:
        held = {".html": b"75%", ".csv": b'"image","label"', ".svg": b"<svg"}
        assert held[Path(written).suffix] in content


def label(session: Session, labels: dict[Path, str]) -> None:
    classes = ClassList().add(NAMES)
    session.photos.set_classes(classes)
    numbers = {one.name: one.id for one in classes.classes}
    session.add_photos(list(labels))
    session.photos.set_labels({str(path): (numbers[name],) for path, name in labels.items()})


def test_only_new_photos_are_looked_at_when_labels_change(
    panel: CheckPanel, session: Session, tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[FindShares] = []
    stream = tasks.stream
    monkeypatch.setattr(
        tasks, "stream", lambda request, *rest: asked.append(request) or stream(request, *rest)
    )
    session.use_model(ready(make_spec(names=NAMES)))
    label(session, dict(zip(PHOTOS[:3], LABELS, strict=False)))
    checking = Checking(session, tasks, panel)
    checking.start()
    assert set(asked[-1].photos) == set(PHOTOS[:3])
    rows = np.eye(3, dtype=np.float32)
    checking._take([[PhotoShares(photo, rows[0], was_learnt=True) for photo in PHOTOS[:2]]])
    checking._take([[PhotoShares(PHOTOS[2], None, "the file is empty")]])
    checking._count()
    qtbot.waitUntil(lambda: "100% right on 2 photos" in text(panel))
    assert "It has learnt from 2 of these photos: the figure is too good." in text(panel)
    assert "1 photo could not be opened and is left out." in text(panel)
    label(session, {PHOTOS[0]: "wasp", PHOTOS[3]: "bee"})
    checking._ask()
    assert asked[-1].photos == (PHOTOS[3],)
    checking._take([[PhotoShares(PHOTOS[3], rows[2])]])
    checking._count()
    qtbot.waitUntil(lambda: "67% right on 3 photos" in text(panel))
    checking.close()


def test_labels_that_the_model_has_no_class_for_are_a_sentence(
    panel: CheckPanel, session: Session, tasks: Tasks, qtbot: QtBot
) -> None:
    session.use_model(ready(replace(make_spec(names=("ant", "fly")))))
    label(session, {PHOTOS[0]: "moth"})
    checking = Checking(session, tasks, panel)
    checking._shares = {PHOTOS[0]: np.array([0.5, 0.5], np.float32)}
    checking.start()
    qtbot.waitUntil(lambda: "cannot be checked" in text(panel))
    assert not panel._save.isEnabled()
    assert not panel._mistakes.topLevelItemCount()
    checking.close()


def test_without_labels_the_next_step_is_said(
    panel: CheckPanel, session: Session, tasks: Tasks
) -> None:
    session.use_model(ready(make_spec(names=NAMES)))
    checking = Checking(session, tasks, panel)
    checking.start()
    assert "Label some photos first" in text(panel)
    checking.close()


def test_another_model_takes_the_figures_away(
    panel: CheckPanel, session: Session, tasks: Tasks
) -> None:
    session.use_model(ready(make_spec(names=NAMES)))
    checking = Checking(session, tasks, panel)
    panel.show_checked(checked())
    session.use_model(ready(make_spec(names=("x", "y"))))
    assert not panel._save.isEnabled()
    assert not panel._matrix.view.matrix.rowCount()
    checking.close()


def test_the_matrix_is_ordered_and_shows_shares(panel: CheckPanel) -> None:
    panel.show_checked(checked())
    tab, matrix = panel._matrix, panel._matrix.view.matrix
    tab._order.setCurrentIndex(1)
    tab._order.activated.emit(1)
    names = [matrix.headerData(at, Qt.Orientation.Horizontal) for at in range(3)]
    assert names == ["moth", "wasp", "bee"]  # moth is taken for wasp, bee for nothing
    tab._shares.setChecked(True)
    assert matrix.index(0, 1).data() == "50%"


def test_of_very_many_classes_the_most_confused_are_shown(panel: CheckPanel) -> None:
    names = tuple(f"class {at:03}" for at in range(120))
    rows = np.eye(120, dtype=np.float32)
    photos = tuple(Path(f"/{at}.png") for at in range(120))
    predicted = [119 if at == 118 else at for at in range(120)]
    shares = {photo: rows[at] for photo, at in zip(photos, predicted, strict=True)}
    request = Check(tuple(zip(photos, names, strict=True)), shares, make_spec(names=names))
    panel.show_checked(request.run(None))
    tab = panel._matrix
    assert tab.view.matrix.rowCount() == 120
    tab._order.setCurrentIndex(1)
    tab._order.activated.emit(1)
    assert tab.view.matrix.rowCount() == 50
    assert tab._said.text() == "50 of 120 classes"
    first = {tab.view.matrix.headerData(at, Qt.Orientation.Vertical) for at in range(2)}
    assert first == {"class 118", "class 119"}


def test_photos_of_several_classes_have_figures_of_their_own(
    panel: CheckPanel,
    session: Session,
    tasks: Tasks,
    qtbot: QtBot,
    shown: list[tuple[list[str], str]],
) -> None:
    session.use_model(ready(make_spec(names=NAMES)))
    classes = ClassList().add(NAMES).set_multiple(True)
    session.photos.set_classes(classes)
    numbers = {one.name: one.id for one in classes.classes}
    session.add_photos(list(PHOTOS[:2]))
    session.photos.set_labels(
        {str(PHOTOS[0]): (numbers["moth"], numbers["bee"]), str(PHOTOS[1]): (numbers["wasp"],)}
    )
    checking = Checking(session, tasks, panel)
    checking._shares = {
        PHOTOS[0]: np.array([0.9, 0.1, 0.8], np.float32),
        PHOTOS[1]: np.array([0.7, 0.9, 0.1], np.float32),
    }
    checking.start()
    qtbot.waitUntil(lambda: "All classes right on 50% of 2 photos" in text(panel))
    assert "mean average precision" in text(panel)
    assert not panel._tabs.isTabVisible(panel._tabs.indexOf(panel._matrix))
    row = panel._classes.topLevelItem(0)
    assert (row.text(0), row.text(2), row.text(3)) == ("moth", "100%", "50%")
    panel._classes.itemClicked.emit(row, 0)
    assert shown == [(["/1.png"], "moth")]
    checking.close()
