"""A person drops photos and folders and sees what they show."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDockWidget

import resources
from core.inference.engine import Engine
from core.inference.speed import FAST_AGREEMENT
from gui.drop_hint import DropHint, what_happens
from gui.images import returning
from gui.images.gallery_panel import GalleryPanel
from gui.images.viewer import PhotoViewer
from gui.inference.predictions_panel import PredictionBars
from gui.inference.run_bar import RunBar
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]
SAMPLES = resources.path("samples")


def test_drop_a_folder_on_the_empty_window() -> None:
    def script(person: Person) -> Steps:
        assert person.window.is_empty
        person.drop(SAMPLES)
        yield lambda: person.all_classified(5)
        assert not person.window.is_empty
        docks = person.window.findChildren(QDockWidget)
        shown = {dock.objectName() for dock in docks if dock.isVisible()}
        assert shown == {"gallery", "predictions"}
        said = {row.name: row.class_name for row in person.rows()}
        assert said["coffee.png"] == "espresso"
        gallery = person.see(GalleryPanel)
        person.show_photo(SAMPLES / "coffee.png")
        yield lambda: "espresso" in person.see(PredictionBars).accessibleName()
        yield lambda: not person.see(PhotoViewer).canvas._photo.isNull()
        yield lambda: all(row.path in gallery.view.thumbnails for row in person.rows()[:2])

    assert drive([], script) == 0


def test_paths_of_the_command_line_and_a_second_drop(make_photo: Callable[..., Path]) -> None:
    first, second = make_photo("Jörg 张伟/猫 é.jpg"), make_photo("b.png")

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.drop(second, first)
        yield lambda: person.all_classified(2)
        assert [row.path for row in person.rows()] == [first, second]

    assert drive([str(first)], script) == 0


def test_relative_paths_become_absolute(
    make_photo: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo("folder/photo.png")
    monkeypatch.chdir(photo.parent.parent)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        assert person.rows()[0].path == photo

    drive(["folder/photo.png"], script)


def test_samples_search_and_order() -> None:
    def script(person: Person) -> Steps:
        person.choose("open_samples")
        yield lambda: person.all_classified(5)
        gallery = person.see(GalleryPanel)
        gallery._search.setText("ESPRESSO")
        assert [row.name for row in person.rows()] == ["coffee.png"]
        gallery._search.setText("")
        person.sort_by("probability")
        found = [row.probability for row in person.rows()]
        assert found == sorted(found, reverse=True)
        person.sort_by("name")
        assert person.rows()[0].name == "chelsea.png"

    assert drive([], script) == 0


def test_predictions_are_saved(tmp_path: Path) -> None:
    target = tmp_path / "out.json"

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        from unittest.mock import patch

        with patch(
            "gui.inference.room.QFileDialog.getSaveFileName", return_value=(str(target), "")
        ):
            person.choose("save_predictions")
        yield lambda: target.exists() and "espresso" in target.read_text()

    drive([str(SAMPLES / "coffee.png")], script)


def test_a_folder_opened_again_shows_its_predictions_without_computing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[Path] = []
    decode = Engine.decode

    def note(engine: Engine, photo: Path, *rest: object, **named: object) -> object:
        decoded.append(photo)
        return decode(engine, photo, *rest, **named)

    monkeypatch.setattr(Engine, "decode", note)
    said: list[dict[str, str]] = []

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        said.append({row.name: f"{row.class_name} {row.figure(1)}" for row in person.rows()})

    def script_again(person: Person) -> Steps:
        yield from script(person)
        assert len(decoded) == 5
        person.choose("classify_again")  # the person's own wish is carried out
        yield lambda: len(decoded) == 10 and person.all_classified(5)
        assert person.rows()[0].class_name

    assert drive([str(SAMPLES)], script) == 0
    assert drive([str(SAMPLES)], script_again) == 0
    assert said[0] == said[1]


def test_fast_decoding_is_chosen_and_remembered() -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        action = person.window.actions_table["decode_fast"]
        assert not action.isChecked()
        assert f"{FAST_AGREEMENT:.0%}" in action.text()
        person.choose("decode_fast")
        yield lambda: person.all_classified(5)

    def script_again(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        assert person.window.actions_table["decode_fast"].isChecked()

    assert drive([str(SAMPLES)], script) == 0
    assert drive([str(SAMPLES)], script_again) == 0


def test_photos_taken_off_at_once_are_not_classified() -> None:
    def script(person: Person) -> Steps:
        yield lambda: "EfficientNet" in person.window.model_bar.architecture.value
        model = person.photos
        removing = QTimer(singleShot=True, interval=0)  # before classifying, after the row
        removing.timeout.connect(lambda: person.choose("remove_all"))
        removed: list[bool] = []
        removing.timeout.connect(lambda: removed.append(True))
        model.rowsInserted.connect(removing.start)
        person.drop(SAMPLES / "coffee.png")
        yield lambda: removed
        assert model.rowCount() == 0
        model.rowsInserted.disconnect(removing.start)
        person.drop(SAMPLES / "china.jpg")
        yield lambda: person.all_classified(1)
        yield lambda: "1 photo classified" in person.see(RunBar)._text.text()

    assert drive([], script) == 0


def test_a_run_is_stopped_and_goes_on(make_photo: Callable[..., Path]) -> None:
    photos = [make_photo(f"many/{number}.png") for number in range(120)]

    def script(person: Person) -> Steps:
        yield lambda: any(row.is_classified for row in person.rows())
        person.choose("stop")
        bar = person.see(RunBar)
        yield lambda: bar.go_on.isVisible()
        done = sum(row.is_classified for row in person.rows())
        assert 0 < done < len(photos)
        bar.go_on.click()
        yield lambda: person.all_classified(len(photos))
        assert not bar.go_on.isVisible()

    assert drive([str(photos[0].parent)], script) == 0


def test_a_photo_that_is_dropped_on_a_filled_window_is_shown(
    make_photo: Callable[..., Path],
) -> None:
    photos = [make_photo(f"many/{number}.png") for number in range(3)]
    later, notes = make_photo("later.png"), photos[0].parent.parent / "notes.txt"
    notes.write_text("Buy milk.")

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(3)
        assert person.current == photos[0]
        person.drop(later)
        yield lambda: person.current == later
        assert person.window.findChild(DropHint).isHidden()
        person.drop(notes)  # a sentence, and no row
        yield lambda: "notes.txt" in person.banner
        assert len(person.rows()) == 4

    assert drive([str(photos[0].parent)], script) == 0


def test_what_a_drop_would_do_is_said(tmp_path: Path) -> None:
    assert what_happens([tmp_path / "a.jpg"]) == "Add 1 photo"
    assert what_happens([tmp_path]) == "Add the photos of the folder"
    both = what_happens([tmp_path / "a.pth", tmp_path / "a.jpg", tmp_path / "b.png"])
    assert both == "Open the model · Add 2 photos"
    assert what_happens([tmp_path / "a.csv"]) == "Import labels"
    assert what_happens([tmp_path / "a.droplens"]) == "Open the project of labels"
    assert "Nothing" in what_happens([])


def test_what_was_gone_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drive that is pulled out and put in again: nobody needs to open anything anew."""
    monkeypatch.setattr(returning, "_LOOK_MS", 50)
    drive_ = tmp_path / "drive"
    drive_.mkdir()
    for name in ("coffee.png", "rocket.jpg"):
        shutil.copy(SAMPLES / name, drive_)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(2)
        drive_.rename(tmp_path / "pulled out")
        person.choose("classify_again")
        yield lambda: all(row.reason is not None for row in person.rows())
        (tmp_path / "pulled out").rename(drive_)
        yield lambda: all(row.class_name for row in person.rows())
        yield lambda: person.see(GalleryPanel).view.thumbnails.get(drive_ / "coffee.png")

    assert drive([str(drive_)], script) == 0


def test_after_a_restart_the_photo_in_front_is_seen(tmp_path: Path) -> None:
    for at in range(60):
        shutil.copy(SAMPLES / "coffee.png", tmp_path / f"{at:02}.png")

    def choose(person: Person) -> Steps:
        yield lambda: person.all_classified(60)
        person.show_photo(tmp_path / "50.png")
        yield lambda: person.current == tmp_path / "50.png"
        person.see(GalleryPanel).view.verticalScrollBar().setValue(0)

    def look(person: Person) -> Steps:
        view = person.see(GalleryPanel).view
        yield lambda: person.current == tmp_path / "50.png"
        yield lambda: tmp_path / "50.png" in view.seen_photos()

    assert drive([str(tmp_path)], choose) == 0
    assert drive([], look) == 0
