from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QPushButton
from pytestqt.qtbot import QtBot

from core.values.spec import ModelSpec, NamedBy, NamesSource, Overrides
from gui.models.class_names_dialog import ClassNamesDialog
from tests.specs import make_spec


def unnamed(count: int, overrides: Overrides | None = None) -> ModelSpec:
    from dataclasses import replace

    spec = make_spec(names=tuple(f"class {index}" for index in range(count)))
    return replace(
        spec, class_names_source=NamesSource(NamedBy.NOBODY), overrides=overrides or Overrides()
    )


@pytest.fixture
def dialog(qtbot: QtBot) -> ClassNamesDialog:
    made = ClassNamesDialog(unnamed(3), "")
    qtbot.addWidget(made)
    made.show()
    return made


def rows(dialog: ClassNamesDialog) -> list[str]:
    tree = dialog._preview
    found = [tree.topLevelItem(at) for at in range(tree.topLevelItemCount())]
    return [item.text(1) for item in found if item is not None]


def test_pasted_names_are_shown_beside_their_classes(
    qtbot: QtBot, dialog: ClassNamesDialog
) -> None:
    assert rows(dialog) == ["–", "–", "–"]
    assert not dialog._use.isEnabled()
    dialog._text.setPlainText("ant\nbee")
    assert rows(dialog) == ["ant", "bee", "–"]
    assert dialog._status.text() == "2 names for 3 classes."
    dialog._text.setPlainText("background\nant\nbee\nwasp")
    assert "One too many" in dialog._status.text()
    assert not dialog._use.isEnabled()
    dialog._text.setPlainText('["ant", "bee", "猫"]')
    assert rows(dialog) == ["ant", "bee", "猫"]
    with qtbot.waitSignal(dialog.given) as caught:
        qtbot.mouseClick(dialog._use, Qt.MouseButton.LeftButton)
    assert caught.args == [("ant", "bee", "猫")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n10\n2", "all of them numbers"),
        ("ant\nant\nbee", "stand there twice"),
        ("[1, 2", "not valid JSON"),
        ("ant, bee, wasp", "3 names for 3 classes."),
    ],
)
def test_what_is_odd_is_said(text: str, said: str, dialog: ClassNamesDialog) -> None:
    dialog._text.setPlainText(text)
    assert said in dialog._status.text()


def test_a_file_and_a_training_folder(dialog: ClassNamesDialog, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("0 ant\n1 bee\n2 wasp\n")
    dialog.take_file(file)
    assert rows(dialog) == ["ant", "bee", "wasp"]
    dialog.take_file(tmp_path / "gone.txt")
    assert "not there" in dialog._status.text()
    folder = tmp_path / "train"
    for name in ("1", "2", "10", ".git"):
        (folder / name).mkdir(parents=True)
    (folder / "readme.txt").write_text("")
    dialog.take_folder(folder)
    assert rows(dialog) == ["1", "10", "2"]
    assert dialog._order.isVisible()
    dialog._as_people.click()
    assert rows(dialog) == ["1", "2", "10"]
    dialog._as_torchvision.click()
    assert dialog.names == ("1", "10", "2")
    dialog.take_folder(file.parent / "train" / "1")
    assert "no subfolders" in dialog._status.text()


def test_one_output_takes_one_name_or_two(qtbot: QtBot) -> None:
    dialog = ClassNamesDialog(unnamed(1), "")
    qtbot.addWidget(dialog)
    for text, fits in (("cat", True), ("no\nyes", True), ("a\nb\nc", False)):
        dialog._text.setPlainText(text)
        assert dialog._use.isEnabled() is fits


def test_back_to_what_the_checkpoint_says(qtbot: QtBot) -> None:
    dialog = ClassNamesDialog(unnamed(2, Overrides(class_names=("a", "b"))), "")
    qtbot.addWidget(dialog)
    (box,) = dialog.findChildren(QDialogButtonBox)
    back = next(one for one in box.findChildren(QPushButton) if "checkpoint" in one.text())
    with qtbot.waitSignal(dialog.given) as caught:
        back.click()
    assert caught.args == [None]
