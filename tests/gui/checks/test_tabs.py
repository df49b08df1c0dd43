"""Groups, wrong labels, duplicates, two models and matching in the panel of the check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from core.checks.answers import Answers
from core.checks.comparing import Compare
from core.checks.confidence import Confidence
from core.checks.figures import Report
from core.checks.requests import Check, Checked
from core.checks.reviewing import Reviewed
from core.checks.slices import Slice
from core.checks.suspects import Duplicates, Suspect
from core.labels.classes import ClassList
from core.training.holding_out import HeldOut
from core.values.class_mapping import KEPT_AS, of_text
from core.values.predictions import ClassProbability, Prediction
from gui.checks.comparison_tab import ComparisonTab
from gui.checks.confidence_tab import ConfidenceTab
from gui.checks.duplicates_tab import DuplicatesTab
from gui.checks.groups_tab import GroupsTab
from gui.checks.mapping_dialog import MappingDialog
from gui.checks.reviewing import Reviewing
from gui.checks.suspects_tab import SuspectsTab
from gui.main_window import MainWindow
from gui.session import Session
from gui.tasks import Tasks
from tests.specs import make_spec

PHOTOS = tuple(Path(f"/{number}.png") for number in range(6))
SUSPECTS = tuple(
    Suspect(at, "moth", "wasp", share, 1 - share) for at, share in ((2, 0.01), (4, 0.1), (0, 0.3))
)
TWICE = Duplicates((1, 3), False, ("moth", "wasp"), ("train", "val"))
REVIEWED = Reviewed(PHOTOS, 6, SUSPECTS, (TWICE,))


class Done:
    """What the tabs were asked to do."""

    def __init__(self) -> None:
        self.shown: list[object] = []
        self.taken: list[tuple[str, str]] = []
        self.left: list[tuple[str, str]] = []
        self.started = 0

    def start(self) -> None:
        self.started += 1


@pytest.fixture
def done() -> Done:
    return Done()


def suspects_tab(done: Done, qtbot: QtBot) -> SuspectsTab:
    tab = SuspectsTab(
        done.start,
        lambda photo: done.shown.append(photo.name),
        lambda photo, name: done.taken.append((photo.name, name)),
        lambda photo, label: done.left.append((photo.name, label)),
    )
    qtbot.addWidget(tab)
    tab.show()
    tab.activateWindow()
    qtbot.waitUntil(tab.isActiveWindow)
    return tab


def test_each_wrong_label_is_taken_or_left_by_one_key(done: Done, qtbot: QtBot) -> None:
    tab = suspects_tab(done, qtbot)
    assert tab.rows.isHidden()
    tab.start_button.click()
    assert done.started == 1
    tab.show_reviewed(REVIEWED)
    assert "3 labels look wrong" in tab.said.text()
    first = tab.rows.topLevelItem(0)
    assert [first.text(column) for column in range(4)] == ["2.png", "moth", "wasp", "1%"]
    assert done.shown == ["2.png"]
    tab.activateWindow()
    qtbot.waitUntil(tab.rows.hasFocus)
    qtbot.keyClick(tab.rows, Qt.Key.Key_T)
    qtbot.keyClick(tab.rows, Qt.Key.Key_R)
    assert done.taken == [("2.png", "wasp")]
    assert done.left == [("4.png", "moth")]
    assert done.shown == ["2.png", "4.png", "0.png"]
    assert tab.rows.topLevelItemCount() == 1
    tab.forget()
    assert tab.rows.isHidden()


def test_where_no_label_looks_wrong_that_is_said(done: Done, qtbot: QtBot) -> None:
    tab = suspects_tab(done, qtbot)
    tab.show_reviewed(Reviewed(PHOTOS, 6, (), ()))
    assert tab.said.text() == "No label looks wrong."
    assert not any(button.isEnabled() for button in tab._buttons)


def test_duplicates_show_their_photos(done: Done, qtbot: QtBot) -> None:
    tab = DuplicatesTab(done.start, lambda *wanted: done.shown.append(wanted))
    qtbot.addWidget(tab)
    tab.show_reviewed(REVIEWED)
    assert tab.said.text() == "1 group of photos shows the same. In 1 of them the labels differ."
    row = tab.rows.topLevelItem(0)
    texts = [row.text(column) for column in range(4)]
    assert texts == ["moth, wasp", "nearly the same", "train, val", "2"]
    tab.rows.itemClicked.emit(row, 0)
    assert done.shown == [(["/1.png", "/3.png"], "nearly the same: moth, wasp")]


def test_a_group_on_which_it_is_worse_is_named_and_shown(done: Done, qtbot: QtBot) -> None:
    from core.checks.figures import Figure

    tab = GroupsTab(done.start, lambda *wanted: done.shown.append(wanted))
    qtbot.addWidget(tab)
    dark = Slice("brightness", "0 – 20", (0, 2), Figure(0.25, (0.1, 0.5)), 0.9, 0.0001)
    other = Slice("camera", "Acme", (1,), Figure(0.8, (0.5, 0.9)), 0.7, 0.6)
    tab.show_slices((dark, other), PHOTOS)
    assert (
        "worse on photos with brightness 0 – 20%: 25% right, 90% on the others" in tab.said.text()
    )
    row = tab.rows.topLevelItem(0)
    assert [row.text(column) for column in (0, 1, 4)] == ["brightness 0 – 20%", "2", "< 0.1%"]
    tab.rows.itemClicked.emit(row, 0)
    assert done.shown == [(["/0.png", "/2.png"], "brightness 0 – 20%")]


def checked(title: str, predicted: list[int]) -> Checked:
    rows = np.eye(2, dtype=np.float32)
    photos = tuple((photo, "moth") for photo in PHOTOS)
    shares = {photo: rows[at] for photo, at in zip(PHOTOS, predicted, strict=True)}
    spec = replace(make_spec(names=("moth", "wasp")), checkpoint=Path(f"/{title}.pth"))
    return Check(photos, shares, spec).run(None)


def test_two_models_are_compared_in_words(done: Done, qtbot: QtBot) -> None:
    tab = ComparisonTab(lambda *wanted: done.shown.append(wanted))
    qtbot.addWidget(tab)
    assert "Open another model" in tab._said.text()
    first, second = checked("one", [0, 1, 1, 1, 1, 1]), checked("two", [0, 0, 0, 0, 0, 1])
    tab.show_comparison(Compare(first, second).run(None))
    assert "one.pth 17%, two.pth 83% right" in tab._said.text()
    assert "The difference could be chance" in tab._said.text()  # 4 against 0 comes in 12 of 100
    row = tab._rows.topLevelItem(1)
    assert (row.text(0), row.text(1)) == ("two.pth", "4")
    tab._rows.itemClicked.emit(row, 0)
    assert done.shown == [([f"/{at}.png" for at in range(1, 5)], "only two.pth is right")]


def test_several_classes_of_a_model_are_given_one_meaning(window: MainWindow, qtbot: QtBot) -> None:
    names = ("tench", "goldfish", "Dogs", "stone")
    dialog = MappingDialog(names, ("dog", "fish"), {"stone": ""}, {}, window)
    qtbot.addWidget(dialog)
    shown = {
        dialog._rows.topLevelItem(at).text(0): dialog._rows.topLevelItem(at).text(1)
        for at in range(4)
    }
    assert shown == {"Dogs": "dog", "tench": "", "goldfish": "", "stone": ""}
    assert not dialog._set.isEnabled()
    for at in range(4):
        row = dialog._rows.topLevelItem(at)
        row.setSelected(row.text(0) in ("tench", "goldfish"))
    dialog._meant.setCurrentIndex(dialog._meant.findData("fish"))
    dialog._set.click()
    assert dialog.given == {"stone": "", "tench": "fish", "goldfish": "fish"}
    dialog._search.setText("gold")
    assert [dialog._rows.topLevelItem(at).isHidden() for at in range(4)].count(False) == 1
    dialog._anew.click()
    assert dialog.given == {}


def test_what_is_settled_and_left_is_kept_with_the_project(
    session: Session, tasks: Tasks, done: Done, qtbot: QtBot
) -> None:
    kept: dict[str, str] = {}

    def keep(notes: dict[str, str]) -> None:
        kept.update(notes)
        session.project_notes = dict(kept)

    session.keep_in_project = keep  # type: ignore[assignment]
    reviewing = Reviewing(session, tasks)
    groups = GroupsTab(done.start, lambda *_: None)
    tab = suspects_tab(done, qtbot)
    twice = DuplicatesTab(done.start, lambda *_: None)
    for one in (groups, twice):
        qtbot.addWidget(one)
    reviewing.show_in(groups, tab, twice)
    session.add_photos(list(PHOTOS[:2]))
    classes = ClassList().add(("moth", "wasp"))
    session.photos.set_classes(classes)
    moth = next(one.id for one in classes.classes if one.name == "moth")
    session.photos.set_labels({str(photo): (moth,) for photo in PHOTOS[:2]})
    reviewing._classes = ("moth", "wasp")
    row = np.array([0.1, 0.9], np.float32)
    reviewing._held = HeldOut(PHOTOS[:2], ("a", "b"), (0, 1), np.stack([row, row]))
    reviewing._review()
    qtbot.waitUntil(lambda: tab.rows.topLevelItemCount() == 2)
    reviewing.leave(PHOTOS[0], "moth")
    assert json.loads(kept["right labels"]) == {"/0.png": "moth"}
    qtbot.waitUntil(lambda: tab.rows.topLevelItemCount() == 1)
    assert "1 label looks wrong" in tab.said.text()
    assert tab.rows.topLevelItem(0).text(0) == "1.png"
    reviewing.close()


def test_a_mapping_that_was_kept_reaches_enter_and_disagreement(session: Session) -> None:
    index = session.photos.label_index
    index.set_classes(ClassList().add(("fish", "dog")))
    index.set_names(("tench", "Dogs", "stone"))
    ids = {one.name: one.id for one in index.classes.classes}
    assert [index.proposed(at) for at in range(3)] == [0, ids["dog"], 0]
    index.set_mapping(of_text(json.dumps({"tench": "fish"})))
    assert index.proposed(0) == ids["fish"]
    assert not index.is_disagreeing((ids["fish"],), 0)
    assert index.is_disagreeing((ids["fish"],), 1)
    assert KEPT_AS == "mapping"
    assert of_text("[1]") == of_text("{") == {}


def test_confidence_is_drawn_and_the_unsure_are_shown(done: Done, qtbot: QtBot) -> None:
    tab = ConfidenceTab(
        lambda probability: done.shown.append(("below", round(probability, 2))),
        lambda probability: done.shown.append(("from", round(probability, 2))),
        lambda probability: done.shown.append(("unsure", round(probability, 2))),
    )
    qtbot.addWidget(tab)
    assert not tab._sets.isEnabled()
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    right = random.random(200) < 0.95
    shares = np.full((200, 2), 0.1, np.float32)
    shares[np.arange(200), np.where(right, labels, 1 - labels)] = 0.9
    names = ("moth", "wasp")
    answers = Answers.of(
        [names[at] for at in labels], shares, names, {name: name for name in names}
    )
    tab.show_confidence(Confidence.of(Report(answers), "softmax"))
    assert "apart in the mean" in tab._said.text()
    first = tab._rows.topLevelItem(0)
    assert (first.text(0), first.text(1), first.text(2)) == ("90%", "90.0%", "100%")
    tab._rows.itemClicked.emit(first, 0)
    assert tab._sets.count() == 4
    tab._sets.setCurrentIndex(3)
    tab._sets.activated.emit(3)
    assert not tab._limit.isEnabled()
    first.setSelected(True)
    tab._limit.click()
    assert done.shown == [("below", 0.9), ("from", 0.1), ("unsure", 0.9)]
    tab.grab()  # paints the diagram
    tab.forget()
    assert tab._sets.count() == 1


def test_the_list_names_as_many_classes_as_asked(session: Session) -> None:
    photos = session.photos
    photo = PHOTOS[0]
    session.add_photos([photo])
    top = (
        ClassProbability(0, "tabby", 0.6),
        ClassProbability(1, "tiger cat", 0.35),
        ClassProbability(2, "lynx", 0.05),
    )
    spec = make_spec(names=("tabby", "tiger cat", "lynx"))
    session.note_predictions([Prediction(photo, top, None, spec)])
    row = photos.row(photo)
    assert row is not None
    assert row.named(photos.label_index.named_from) == "tabby"
    photos.name_from(0.2)
    assert row.named(photos.label_index.named_from) == "tabby or tiger cat"
    photos.name_from(0.7)
    assert row.named(photos.label_index.named_from) == "tabby"


def test_what_too_few_photos_cannot_promise_is_not_offered(done: Done, qtbot: QtBot) -> None:
    tab = ConfidenceTab(*3 * [done.shown.append])
    qtbot.addWidget(tab)
    rows = np.full((12, 2), 0.1, np.float32)
    rows[:, 0] = 0.9
    names = ("moth", "wasp")
    answers = Answers.of(["moth"] * 12, rows, names, {name: name for name in names})
    tab.show_confidence(Confidence.of(Report(answers), "softmax"))
    offered = [tab._sets.itemText(at) for at in range(tab._sets.count())]
    assert len(offered) == 2  # the likeliest, and 90%: a twelfth is more than 95% would leave out
    assert "90%" in offered[1]
    assert "too few photos to name classes that cover 95%, 99% of labels" in tab._said.text()


def test_that_more_classes_may_be_as_likely_is_shown(session: Session) -> None:
    names = tuple(f"class {at}" for at in range(8))
    top = tuple(ClassProbability(at, names[at], 0.125) for at in range(5))
    session.add_photos([PHOTOS[0]])
    session.note_predictions([Prediction(PHOTOS[0], top, None, make_spec(names=names))])
    row = session.photos.row(PHOTOS[0])
    assert row is not None
    assert row.named(0.1).endswith("class 4 …")
    assert row.named(0.0) == "class 0"
