"""No text of a file is ever markup: what Qt would take for it goes through gui/plain_text.py."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from gui.widgets.message_box import PlainMessageBox
from gui.widgets.plain_text import PlainLabel, literal

GUI = Path(__file__).resolve().parent.parent.parent / "gui"
HELPERS = {"literal", "toolTip"}
"""What a tool tip may come from besides a sentence of the program; ``toolTip`` was made before."""

OF_QT = {"QLabel", "QMessageBox", "QErrorMessage", "QTextBrowser", "QTextEdit", "QProgressDialog"}
"""Classes that decide by themselves whether a text is markup, or show it as such."""

NEVER = {"setHtml", "insertHtml", "QStaticText", "QTextDocument", "showText", "setWhatsThis"}
RICH = {"help.py", "about_dialog.py", "statistics_dialog.py"}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            of = node.func
            name = of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")
            found.append((name, node))
    return found


def is_own_sentence(node: ast.expr) -> bool:
    """Return whether an argument is a sentence of the program without anything in it."""
    if isinstance(node, ast.Constant):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in HELPERS:
        return True
    return name == "tr" and all(isinstance(one, ast.Constant) for one in node.args)


def test_every_tool_tip_is_a_sentence_of_the_program_or_literal() -> None:
    offenders = [
        f"{path.name}:{node.lineno}"
        for path in GUI.rglob("*.py")
        for name, node in calls(path)
        if name in ("setToolTip", "setStatusTip") and not is_own_sentence(node.args[-1])
    ]
    assert offenders == []


def test_tool_tips_of_models_are_literal() -> None:
    for path in GUI.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines()):
            if "ToolTipRole" in line:
                following = text.splitlines()[number + 1]
                assert "return literal(" in following, f"{path.name}:{number + 1}"


def test_no_widget_decides_by_itself_what_is_markup() -> None:
    offenders = [
        f"{path.name}:{node.lineno} {name}"
        for path in GUI.rglob("*.py")
        if path.name not in ("plain_text.py", "message_box.py")
        for name, node in calls(path)
        if name in OF_QT | NEVER or (name == "RichLabel" and path.name not in RICH)
    ]
    assert offenders == []


def test_dialogs_of_qt_get_sentences_of_the_program() -> None:
    for path in GUI.rglob("*.py"):
        for name, node in calls(path):
            if name in ("getText", "getItem"):  # their label is the third argument
                label = node.args[2]
                assert is_own_sentence(label) or isinstance(label, ast.Name), path.name


HOSTILE = ["<img src='{fifo}'>cat", "<b>x</b>", "&lt;b&gt;", "<?xml <img src='{fifo}'>", "a\n<i>b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_stands(text: str, tmp_path: Path, qtbot: QtBot) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)  # opening it would wait for ever
    shown = text.format(fifo=fifo)
    label = PlainLabel(shown)
    qtbot.addWidget(label)
    label.show()
    assert label.text() == shown
    assert label.textFormat() == Qt.TextFormat.PlainText
    box = PlainMessageBox()
    qtbot.addWidget(box)
    box.setText(shown)
    box.setInformativeText(shown)
    box.show()
    over = QWidget()
    qtbot.addWidget(over)
    over.show()
    QToolTip.showText(over.mapToGlobal(over.rect().center()), literal(shown), over)
    qtbot.wait(1)
    QToolTip.hideText()
    assert any(shown.split("\n")[0] in one.text() for one in [label, *box.findChildren(QLabel)])
