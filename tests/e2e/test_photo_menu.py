"""A person opens the menu of a photo, and what was opened last."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMenu

import resources
from gui.images import photo_files
from gui.images.details_dialog import PhotoDetailsDialog
from gui.images.gallery_panel import GalleryPanel
from gui.images.viewer import PhotoViewer
from gui.labels.label_panel import LabelPanel
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "My, photos"
    made.mkdir()
    for name in ("chelsea.png", "coffee.png"):
        shutil.copy(resources.path("samples") / name, made)
    return made


def opened_menu() -> QMenu:
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def entry(menu: QMenu, start: str) -> QAction:
    found = [one for one in menu.actions() if one.text().replace("&", "").startswith(start)]
    assert len(found) == 1, [one.text() for one in menu.actions()]
    return found[0]


def test_the_menu_of_a_photo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    revealed: list[Path] = []
    opened: list[QUrl] = []
    monkeypatch.setattr(photo_files, "reveal", lambda path, _: not revealed.append(path))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not opened.append(url))

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        person.see(LabelPanel).names_typed.emit("cat, cup & saucer")
        yield lambda: person.photos.label_index.classes.names == ("cat", "cup & saucer")
        person.see(GalleryPanel).view.customContextMenuRequested.emit(QPoint(20, 20))
        menu = opened_menu()
        for start in ("Show in folder", "Open in the usual program", "Copy path"):
            entry(menu, start).trigger()
        assert revealed == [folder / "chelsea.png"]
        assert [url.toLocalFile() for url in opened] == [str(folder / "chelsea.png")]
        assert QGuiApplication.clipboard().text() == str(folder / "chelsea.png")
        entry(menu, "Details of the photo").trigger()
        below = entry(menu, "Label as").menu()
        assert isinstance(below, QMenu)
        below.actions()[1].trigger()
        menu.close()
        yield lambda: person.rows()[0].label == (2,)
        yield lambda: person.window.findChildren(PhotoDetailsDialog)
        (dialog,) = person.window.findChildren(PhotoDetailsDialog)
        said = [label.text() for label in dialog.findChildren(QLabel)]
        assert "chelsea.png" in said
        assert "not stored in the photo" in said
        dialog.close()
        person.see(PhotoViewer).canvas.customContextMenuRequested.emit(QPoint(20, 20))
        entry(opened_menu(), "Remove selected").trigger()
        opened_menu().close()
        yield lambda: len(person.rows()) == 1

    assert drive([str(folder)], script) == 0


def test_what_was_opened_last(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "Birds.droplens"

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        person.choose("remove_all")
        yield lambda: not person.rows()
        person.choose("recent_folders")
        opened_menu().actions()[0].trigger()
        opened_menu().close()
        yield lambda: person.all_classified(2)
        person.drop(other)
        yield lambda: person.window.windowTitle() == "Birds – Droplens"
        person.choose("recent_projects")
        menu = opened_menu()
        assert menu.actions()[0].text().endswith(other.name)
        entry(menu, "My labels").trigger()
        menu.close()
        yield lambda: person.window.windowTitle() == "Droplens"
        other.unlink()
        person.choose("recent_projects")
        next(one for one in opened_menu().actions() if other.name in one.text()).trigger()
        opened_menu().close()
        yield lambda: "is not there" in person.banner
        assert not other.exists()  # no empty one in its place

    assert drive([str(folder)], script) == 0


def test_a_photo_stays_beside_the_others(folder: Path) -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        yield lambda: person.current == folder / "chelsea.png"
        viewer = person.see(PhotoViewer)
        person.choose("side_by_side")
        yield lambda: not viewer.beside.canvas._photo.isNull()
        first = viewer.beside.canvas._photo
        person.choose("next")
        yield lambda: viewer.canvas._photo.size() != first.size()
        assert viewer.beside.isVisible()
        assert viewer.beside.canvas._photo == first
        assert viewer.beside._name.text() == "chelsea.png"
        person.choose("zoom_in")
        assert viewer.beside.canvas.zoom == viewer.canvas.zoom
        viewer.beside.close_button.click()
        assert not viewer.beside.isVisible()
        assert not person.window.actions_table["side_by_side"].isChecked()

    assert drive([str(folder)], script) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a script of a Unix shell")
def test_a_program_that_was_pointed_out_is_offered_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given.txt"
    program = tmp_path / "Paint & more"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{given}"\n')
    program.chmod(0o755)
    answers = [str(tmp_path / "gone"), str(program)]
    monkeypatch.setattr(
        photo_files.QFileDialog, "getOpenFileName", lambda *_, **__: (answers.pop(0), "")
    )

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        person.choose("open_with")
        assert "gone could not be started" in person.banner
        person.choose("open_with")
        yield lambda: given.exists() and given.read_text().endswith("chelsea.png\n")
        person.see(GalleryPanel).view.customContextMenuRequested.emit(QPoint(20, 20))
        menu = opened_menu()
        entry(menu, "Open with Paint").trigger()
        menu.close()
        yield lambda: given.read_text() == f"{folder / 'chelsea.png'}\n" * 2

    assert drive([str(folder)], script) == 0
