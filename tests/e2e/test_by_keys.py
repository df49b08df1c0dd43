"""A person who uses no mouse goes from the first start to exported labels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget

import resources
from gui.inside.inside_panel import InsidePanel
from gui.labels.class_view import ClassView
from gui.labels.export_dialog import ExportDialog
from gui.main_window import MainWindow
from gui.models.class_names_dialog import ClassNamesDialog
from gui.models.model_bar import ModelBar
from tests.e2e.driver import Person, drive
from tests.networks import trained

Steps = Generator[Callable[[], object], None, None]
_PAUSE_MS = 20


def focused() -> QWidget | None:
    """Return what keys go to; None while no window has them."""
    found = QApplication.activePopupWidget() or QApplication.focusWidget()
    return found or QApplication.activeModalWidget() or QApplication.activeWindow()


def press(*keys: str) -> None:
    """Press keys, such as "Ctrl+Shift+C"; a dialog that one opens does not hold the others up."""
    for key in keys:
        combination = QKeySequence(key)[0]
        pressed = combination.key(), combination.keyboardModifiers()
        QTimer.singleShot(0, partial(_when_focused, lambda it, of=pressed: QTest.keyClick(it, *of)))


def write(text: str) -> None:
    QTimer.singleShot(0, partial(_when_focused, lambda there: QTest.keyClicks(there, text)))


def _when_focused(do: Callable[[QWidget], object]) -> None:
    there = focused()
    if there is None:  # no window manager gives a window the keys when a dialog is gone
        tops = QApplication.topLevelWidgets()
        next(top for top in tops if isinstance(top, MainWindow)).activateWindow()
        QTimer.singleShot(_PAUSE_MS, partial(_when_focused, do))
    else:
        do(there)


def tab_to(is_there: Callable[[QWidget | None], bool]) -> Steps:
    """Press Tab until it is there."""
    for _ in range(60):
        if is_there(focused()):
            return
        before = focused()
        press("Tab")
        yield lambda before=before: focused() not in (None, before)
    raise AssertionError(focused())


def is_button(text: str) -> Callable[[QWidget | None], bool]:
    return lambda widget: isinstance(widget, QPushButton) and widget.text() == text


def answer_file_dialog(path: Path) -> Steps:
    yield lambda: isinstance(QApplication.activeModalWidget(), QFileDialog)
    yield lambda: QApplication.focusWidget() is not None
    write(str(path))
    press("Return")
    yield lambda: not isinstance(QApplication.activeModalWidget(), QFileDialog)


def test_from_the_first_start_to_exported_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    checkpoint, folder = tmp_path / "mine.pth", tmp_path / "photos"
    torch.save(trained("resnet18", 3).state_dict(), checkpoint)
    folder.mkdir()
    for at in range(10):
        name = ("chelsea.png", "coffee.png")[at % 2]
        shutil.copy(resources.path("samples") / name, folder / f"{at} {name}")

    def script(person: Person) -> Steps:
        person.window.activateWindow()
        press("Ctrl+T")
        yield lambda: person.all_classified(5)
        press("Ctrl+Shift+C")
        yield from answer_file_dialog(checkpoint)
        yield lambda: person.see(ModelBar).architecture.value == "ResNet-18"
        press("Ctrl+Shift+N")
        yield lambda: person.window.findChildren(ClassNamesDialog)
        yield lambda: isinstance(QApplication.activeModalWidget(), ClassNamesDialog)
        for name in ("ant", "bee", "wasp"):
            write(name)
            press("Return")
        yield from tab_to(is_button("Use these names"))
        press("Space")
        yield lambda: person.all_classified(5)
        yield lambda: {row.class_name for row in person.rows()} <= {"ant", "bee", "wasp"}

        panel = person.see(InsidePanel)
        press("Ctrl+2")
        yield lambda: panel.layer is not None
        press("Ctrl+Shift+Y")
        yield lambda: panel.network.search.hasFocus()
        write("layer2.0")
        press("Down")
        yield lambda: panel.network.canvas.hasFocus()
        yield lambda: panel.layer is not None and panel.layer.name == "layer2.0"
        press("Return", "Right")
        yield lambda: panel.layer is not None and panel.layer.name == "layer2.0.bn1"
        press("Alt+2")
        yield lambda: "projection: stride 2" in panel.block._facts.text()

        press("Ctrl+Shift+O")
        yield from answer_file_dialog(folder)
        yield lambda: person.all_classified(15)
        press("Ctrl+3", "Ctrl+J")
        write("cat, cup")
        press("Return")
        yield lambda: person.see(ClassView).model().rowCount() == 4
        yield lambda: person.current == folder / "0 chelsea.png"
        for at in range(10):
            press(str(at % 2 + 1))
        yield lambda: sum(bool(row.label) for row in person.rows()) == 10

        press("Ctrl+Shift+X")
        yield lambda: person.window.findChildren(ExportDialog)
        dialog = person.see(ExportDialog)
        yield lambda: dialog._go.isEnabled()
        yield from tab_to(is_button("Export"))
        press("Space")
        yield lambda: len(list((tmp_path / "Exported labels" / "cat").glob("*.png"))) == 5
        yield lambda: not dialog._is_exporting
        press("Escape")
        yield lambda: not person.window.findChildren(ExportDialog)

    assert drive([], script) == 0
    assert len(list((tmp_path / "Exported labels" / "cup").glob("*.png"))) == 5
