"""Whatever a person drops, the window answers with a sentence and keeps what it had."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import torch

import resources
from gui.problem_reporter import ProblemReporter
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]
PHOTO = resources.path("samples/coffee.png")


def test_broken_photos_are_rows_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "half.png").write_bytes(PHOTO.read_bytes()[:50_000])
    (tmp_path / "good.png").write_bytes(PHOTO.read_bytes())

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(4)
        reasons = {row.name: row.reason for row in person.rows()}
        assert reasons == {
            "empty.png": "the file is empty",
            "good.png": None,
            "half.png": "the file is incomplete; copy or download it again",
            "page.jpg": "it is a web page, not a photo",
        }
        assert len(person.see(ProblemReporter).problems) == 3
        assert person.banner == ""

    drive([str(tmp_path)], script)


def test_an_empty_folder(tmp_path: Path) -> None:
    def script(person: Person) -> Steps:
        person.drop(tmp_path)
        yield lambda: person.banner == f"No photos were found in {tmp_path}."
        assert person.window.is_empty

    drive([], script)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "is a web page"),
        (b"", "is empty"),
        (None, "not a classifier that Droplens knows"),
    ],
)
def test_a_checkpoint_that_is_none_leaves_the_model_and_the_predictions(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "thing.pth"
    if content is None:
        torch.save(torch.nn.Linear(2, 2), path)
    else:
        path.write_bytes(content)

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        before = person.rows()[0].prediction
        person.drop(path)
        yield lambda: said in person.banner
        assert str(path) in person.banner
        assert person.rows()[0].prediction == before

    drive([str(PHOTO)], script)


def test_a_photo_that_vanishes(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(PHOTO.read_bytes())

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        photo.unlink()
        person.choose("classify_again")
        yield lambda: person.rows()[0].reason == "it is not there"

    drive([str(photo)], script)


def test_settings_that_cannot_be_saved_are_said_and_do_not_keep_the_window_open(home: Path) -> None:
    home.mkdir()
    (home / "Droplens").touch()

    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        person.choose("appearance_dark")
        yield lambda: person.banner.startswith("The settings were not saved.")

    assert drive([str(PHOTO)], script) == 0
