from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from core.labels.importing import ImportPlan, plan_import
from core.labels.reading import ReadOptions
from core.labels.store import LabelStore
from gui.labels.import_dialog import ImportDialog

LAYOUTS = Path(__file__).parent.parent.parent / "core" / "labels" / "layouts"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore(tmp_path / "p.droplens") as made:
        yield made


@pytest.fixture
def dialog(qtbot: QtBot) -> ImportDialog:
    made = ImportDialog()
    qtbot.addWidget(made)
    return made


def parts(dialog: ImportDialog) -> tuple[QComboBox, QComboBox, QComboBox, QCheckBox, QPushButton]:
    files, columns, letters = dialog.findChildren(QComboBox)[:3]
    return (
        files,
        columns,
        letters,
        dialog.findChild(QCheckBox),
        dialog.findChildren(QPushButton)[-1],
    )


def shown(dialog: ImportDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def test_a_plain_table_needs_no_choice(
    qtbot: QtBot,
    dialog: ImportDialog,
    store: LabelStore,
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    make_photo("a.png", (4, 4))
    (tmp_path / "l.csv").write_text("file,label\na.png,<b>cat</b>\ngone.png,dog\n")
    plan = plan_import(store, None, tmp_path / "l.csv")
    dialog.show_plan(plan, 1)
    dialog.show()
    files, columns, letters, boxes, agree = parts(dialog)
    assert [one.isVisible() for one in (files, columns, letters, boxes)] == [
        False,
        False,
        True,
        False,
    ]
    assert agree.isEnabled()
    assert "1" in agree.text()
    assert "gone.png" in shown(dialog)
    with qtbot.waitSignal(dialog.agreed) as given:
        agree.click()
    assert given.args == [plan]


def test_letters_that_nobody_can_tell_are_asked_for(
    qtbot: QtBot,
    dialog: ImportDialog,
    store: LabelStore,
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    make_photo("a.png", (4, 4))
    (tmp_path / "l.csv").write_bytes("file,label\na.png,狗\n".encode("gbk"))
    plan = plan_import(store, None, tmp_path / "l.csv")
    dialog.show_plan(plan, 0)
    _, _, letters, _, agree = parts(dialog)
    assert letters.currentIndex() == -1
    assert not agree.isEnabled()
    offered = [letters.itemText(row) for row in range(letters.count())]
    assert any("狗" in text for text in offered)
    with qtbot.waitSignal(dialog.options_changed) as given:
        letters.setCurrentIndex(letters.findData("gb18030"))
    assert not dialog.isEnabled()  # until the plan has come
    options: ReadOptions = given.args[0]
    assert options.encoding == "gb18030"
    dialog.show_plan(plan_import(store, None, tmp_path / "l.csv", options=options), 0)
    assert dialog.isEnabled()
    assert agree.isEnabled()


def test_a_question_and_boxes_are_chosen(
    qtbot: QtBot, dialog: ImportDialog, store: LabelStore, make_photo: Callable[..., Path]
) -> None:
    for name in ("IMG_0001.jpg", "IMG_0002.JPG", "IMG_0004.jpeg"):
        photo = make_photo(name.lower(), (4, 4))
        photo.rename(photo.with_name(name))
    (source,) = (LAYOUTS / "label-studio").glob("project-*.json")

    def planned(options: ReadOptions | None = None) -> ImportPlan:
        folders = [photo.parent]
        return plan_import(store, None, source, folders, options=options or ReadOptions())

    dialog.show_plan(planned(), 0)
    _, columns, _, boxes, agree = parts(dialog)
    assert columns.currentIndex() == -1
    assert not agree.isEnabled()
    with qtbot.waitSignal(dialog.options_changed) as given:
        columns.setCurrentIndex(columns.findData("species"))
    dialog.show_plan(planned(given.args[0]), 0)
    assert agree.isEnabled()
    assert not boxes.isChecked()
    with qtbot.waitSignal(dialog.options_changed) as given:
        boxes.setChecked(True)
    assert given.args[0].label_column == "species"
    assert given.args[0].takes_boxes
    dialog.show_plan(planned(given.args[0]), 0)
    assert boxes.isChecked()


def test_what_cannot_be_read_is_said_and_another_choice_may_follow(
    dialog: ImportDialog, store: LabelStore, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    make_photo("a.png", (4, 4))
    (tmp_path / "l.csv").write_text("file,label\na.png,cat\n")
    plan = plan_import(store, None, tmp_path / "l.csv")
    dialog.show_plan(plan, 0)
    dialog.setEnabled(False)
    dialog.show_refusal("It is not in that encoding.")
    *_, agree = parts(dialog)
    assert dialog.isEnabled()
    assert not agree.isEnabled()
    assert "not in that encoding" in shown(dialog)
    dialog.show_plan(plan, 0)
    assert agree.isEnabled()
