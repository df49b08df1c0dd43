"""Damaged and hostile projects: found out, set aside, brought back; never silently wrong."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.labels.changes import Labelling
from core.labels.store import LabelStore
from tests.attacks import import_files
from tests.attacks.label_files import HOSTILE, flip_bytes, held, make_project, open_hostile
from tests.attacks.measuring import Measuring


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    with Measuring("tests.attacks.label_files:open_hostile") as one:
        yield one


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    make_project(folder / "my.droplens")
    return folder


@pytest.fixture
def project(original: Path, tmp_path: Path) -> Path:
    """Return a project of 60 photos with its copy of the day."""
    shutil.copytree(original, tmp_path / "here")
    return tmp_path / "here" / "my.droplens"


def test_no_flipped_byte_is_passed_over_in_silence(tmp_path: Path) -> None:
    outcomes = flip_bytes(tmp_path, 60, seed=1)
    assert not [outcome for outcome in outcomes if outcome.startswith("silent")], outcomes
    assert outcomes["refused"] <= 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_projects_end_in_an_answer(name: str, measuring: Measuring, project: Path) -> None:
    HOSTILE[name](project)
    measured = measuring.run(project)
    assert measured.is_harmless, measured
    if "trigger" in name or "another" in name:
        assert measured.answer.startswith("refused: "), measured


@pytest.mark.parametrize("name", import_files.CASES)
def test_hostile_files_of_labels_end_in_an_answer(name: str, tmp_path: Path) -> None:
    path = import_files.write(name, tmp_path)
    with Measuring("tests.attacks.import_files:import_labels") as importing:
        measured = importing.run(path)
    assert measured.is_harmless, measured


def test_statistics_of_another_tool_are_no_danger(project: Path) -> None:
    _, wanted = held(project)
    database = sqlite3.connect(project)
    database.execute("ANALYZE")
    database.close()
    assert held(project) == ("", wanted)


@pytest.mark.parametrize("name", ["text for numbers", "a model without names", "no tables"])
def test_what_cannot_be_read_is_set_aside_and_the_copy_comes_back(name: str, project: Path) -> None:
    _, wanted = held(project)
    HOSTILE[name](project)
    notice, found = held(project)
    assert "set aside" in notice
    assert found == wanted
    assert list(project.parent.glob("my damaged *.droplens"))


def test_a_damaged_index_costs_nothing(project: Path) -> None:
    _, wanted = held(project)
    database = sqlite3.connect(project)
    page = database.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'events_of_photo'"
    ).fetchone()[0]
    size = database.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    content = bytearray(project.read_bytes())
    content[page * size - 3] ^= 1  # the last cell, which lies at the end of its page
    project.write_bytes(content)
    notice, found = held(project)
    assert "no label was lost" in notice
    assert found == wanted


def test_the_lock_is_free_after_a_file_that_cannot_be_opened(project: Path) -> None:
    HOSTILE["trigger"](project)
    assert open_hostile(project).startswith("refused")
    assert open_hostile(project).startswith("refused: ")  # not: another program has it open
    assert "trigger" not in open_hostile(project.with_name("other.droplens"))


def test_the_file_alone_holds_all_labels_once_the_log_is_flushed(
    project: Path, tmp_path: Path
) -> None:
    store = LabelStore(project)
    store.label([Labelling(project.with_name("photo 9.jpg"), (3,))])
    store.flush_log()
    shutil.copy(project, tmp_path / "copied.droplens")  # as people do it, while it is open
    store.close()
    _, (labels, *_) = held(tmp_path / "copied.droplens")
    assert labels[str(project.with_name("photo 9.jpg"))] == (3,)


def test_a_project_of_the_first_version_gets_its_checksums(tmp_path: Path) -> None:
    path = tmp_path / "my.droplens"
    make_project(path)
    _, wanted = held(path)
    database = sqlite3.connect(path)
    for (table,) in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
    ).fetchall():
        database.execute(f"ALTER TABLE {table} DROP COLUMN crc")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()
    assert held(path) == ("", wanted)
    assert held(path) == ("", wanted)
