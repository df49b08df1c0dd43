from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from core import settings
from core.cli.main import main
from core.labels.changes import Labelling
from core.labels.store import LabelStore
from tests.stripes import CLASSES, write_stripes

PHOTOS = 6


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "cache_path", lambda: tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_stripes(tmp_path / "photos", PHOTOS)


@pytest.fixture
def model(folder: Path, tmp_path: Path) -> Path:
    model = tmp_path / "stripes.safetensors"
    assert main(["train", str(folder), "--out", str(model)]) == 0
    return model


def check(*arguments: object) -> int:
    return main(["check", *map(str, arguments)])


def report(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_taught_model_is_checked_on_folders(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = CLASSES
    wrong = folder / second / "wrong.png"
    (folder / first / f"{first} 0.png").rename(wrong)
    out, table, page = (tmp_path / name for name in ("check.json", "check.csv", "check.html"))
    plots = tmp_path / "plots"
    options = ("--json", out, "--csv", table, "--html", page, "--plots", plots)
    assert check(folder, "--checkpoint", model, *options) == 0
    found = report(out)
    assert found["photos"] == 2 * PHOTOS
    for name in ("reliability", "risk", "confusion"):
        drawn = ElementTree.fromstring((plots / f"{name}.svg").read_text(encoding="utf-8"))
        assert drawn.tag.endswith("svg")
    assert re.fullmatch("[0-9a-f]{64}", found["data_fingerprint"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert found["data_fingerprint"] in page.read_text(encoding="utf-8")
    assert found["classes"] == sorted(CLASSES)
    assert found["accuracy"] == pytest.approx(11 / 12)
    rows, column = (found["classes"].index(name) for name in (second, first))
    assert found["confusion"][rows][column] == 1
    assert found["model"]["sha256"]
    with table.open(encoding="utf-8-sig", newline="") as file:
        mistakes = [row for row in csv.DictReader(file) if row["right"] == "0"]
    assert [(row["image"], row["label"], row["prediction"]) for row in mistakes] == [
        (str(wrong), second, first)
    ]
    said = capsys.readouterr()
    assert "92% right on 12 photos" in said.out
    assert "has learnt from 12 of these photos: the figures are too good" in said.err
    assert found["learnt"] == 12
    text = page.read_text(encoding="utf-8")
    assert "92%" in text
    assert "has learnt from 12 of these photos: the figures are too good" in text
    assert not re.search(r"<script|https?://|url\(", text)


def test_a_project_is_checked_and_stays_as_it_is(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "labels.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add([name.upper() for name in CLASSES]))
        for number, name in enumerate(CLASSES, 1):
            photos = sorted((folder / name).iterdir())
            store.register(photos)
            store.label([Labelling(photo, (number,)) for photo in photos])
    assert check("--project", project, "--checkpoint", model, "--json", "-") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["accuracy"] == 1
    assert f"{CLASSES[0]} = {CLASSES[0].upper()}" in said.err


def test_photos_of_several_classes_are_checked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, model, out = (tmp_path / name for name in ("p.droplens", "m.safetensors", "c.json"))
    with LabelStore(project) as store:
        classes = store.classes.add([*CLASSES, "striped"])
        store.edit_classes("add", replace(classes, is_multiple=True))
        for number, name in enumerate(CLASSES, 1):
            photos = sorted((folder / name).iterdir())
            store.register(photos)
            store.label([Labelling(photo, (number, 3)) for photo in photos])
    assert main(["train", "--project", str(project), "--out", str(model)]) == 0
    table = tmp_path / "check.csv"
    options = ("--project", project, "--checkpoint", model)
    assert check(*options, "--json", out, "--csv", table) == 0
    found = report(out)
    assert found["exact_match"] == found["mean_average_precision"] == found["micro_f1"] == 1
    assert [one["support"] for one in found["per_class"]] == [6, 12, 6]
    assert "All classes right on 100% of 12 photos" in capsys.readouterr().out
    assert len(table.read_text(encoding="utf-8-sig").splitlines()) == 1 + 12 * 3
    assert check(*options, "--html", tmp_path / "check.html") == 2


def test_a_table_says_which_class_means_which(folder: Path, model: Path, tmp_path: Path) -> None:
    for name in CLASSES:
        (folder / name).rename(folder / f"my {name[0]}")
    table, out = tmp_path / "mapping.csv", tmp_path / "check.json"
    assert check(folder, "--checkpoint", model) == 2
    table.write_text("".join(f"{name},my {name[0]}\n" for name in CLASSES))
    assert check(folder, "--checkpoint", model, "--mapping", table, "--json", out) == 0
    assert report(out)["accuracy"] == 1
    table.write_text("model,label\n" + table.read_text())
    assert check(folder, "--checkpoint", model, "--mapping", table) == 0
    table.write_text(table.read_text() + "typo,my x\n")
    assert check(folder, "--checkpoint", model, "--mapping", table) == 2


def test_names_of_folders_are_no_markup(folder: Path, model: Path, tmp_path: Path) -> None:
    (folder / CLASSES[0]).rename(folder / "<b>&")
    table, page = tmp_path / "mapping.csv", tmp_path / "check.html"
    table.write_text(f"{CLASSES[0]},<b>&\n")
    options = ("--mapping", table, "--html", page)
    assert check(folder, "--checkpoint", model, *options) == 0
    assert "&lt;b&gt;&amp;" in page.read_text()
    assert "<b>&" not in page.read_text()


def test_a_photo_that_cannot_be_opened_is_left_out_and_said(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / CLASSES[0] / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    out = tmp_path / "check.json"
    assert check(folder, "--checkpoint", model, "--json", out) == 1
    assert "broken.jpg was left out" in capsys.readouterr().err
    assert (report(out)["photos"], report(out)["failed"]) == (2 * PHOTOS, 1)


@pytest.mark.parametrize("case", ["other classes", "no folder", "table", "nowhere"])
def test_what_cannot_be_checked_is_said_in_a_sentence(
    case: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments: list[object] = [folder]
    if case == "no folder":
        arguments = [tmp_path / "gone"]
    elif case == "table":
        (tmp_path / "mapping.csv").write_text("one column\n")
        arguments += ["--mapping", tmp_path / "mapping.csv"]
    elif case == "nowhere":
        arguments += ["--html", tmp_path / "gone" / "check.html"]
    assert check(*arguments) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith(".")
    assert "did not expect" not in said


def test_groups_and_another_model_are_told_of(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lying, standing = CLASSES
    swapped = write_stripes(tmp_path / "swapped", PHOTOS)
    for name in ("lying", "standing"):
        (swapped / name).rename(swapped / f"{name} ones")
    (swapped / f"{lying} ones").rename(swapped / standing)
    (swapped / f"{standing} ones").rename(swapped / lying)
    other = tmp_path / "swapped.safetensors"
    assert main(["train", str(swapped), "--out", str(other)]) == 0
    capsys.readouterr()
    out = tmp_path / "check.json"
    options = ("--checkpoint", model, "--json", out, "--slices", "--against", other)
    assert check(folder, *options) == 0
    found = report(out)
    assert [one["kind"] for one in found["slices"]] == []  # all photos are of one kind
    assert found["compared"]["accuracies"] == [1.0, 0.0]
    assert len(found["compared"]["only_right"][0]) == 2 * PHOTOS
    said = capsys.readouterr().out
    assert "stripes.safetensors 100%, swapped.safetensors 0% right" in said
    assert "The difference is hardly chance." in said
    assert "no two groups of five photos" in said


def test_one_model_against_itself_is_as_good(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(folder, "--checkpoint", model, "--against", model) == 0
    assert "Both are right as often." in capsys.readouterr().out


def test_a_file_of_labels_is_the_truth_as_well(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "labels.csv"
    rows = [
        [f"{name}/{path.name}", name]
        for name in CLASSES
        for path in sorted((folder / name).iterdir())
    ]
    rows[0][1] = CLASSES[1]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["filename", "label"], *rows])
    capsys.readouterr()
    assert check(table, "--checkpoint", model) == 0
    assert "92% right on 12 photos" in capsys.readouterr().out
    assert main(["diagnose", "--labels", str(table), "--checkpoint", str(model)]) == 2
    assert "24 photos or more" in capsys.readouterr().err


def test_a_file_that_holds_no_labels_is_a_sentence(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("a,b\n1,2\n")
    assert check(nothing, "--checkpoint", model) == 2
    said = capsys.readouterr().err
    assert "nothing.csv" in said
    assert "Traceback" not in said
