"""Labels that are likely wrong, photos that show the same, and the command that lists them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import settings
from core.checks.answers import Answers
from core.checks.reviewing import Review
from core.checks.suspects import duplicates, same_photos, suspects
from core.cli.main import main
from core.labels.changes import Labelling
from core.labels.store import LabelStore
from core.values.class_mapping import RIGHT_LABELS, to_text
from tests.stripes import CLASSES, write_stripes

PHOTOS = 6


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "cache_path", lambda: tmp_path / "cache")


def test_labels_that_are_least_probable_come_first_and_those_that_hold_do_not() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.05, 0.95]], np.float32)
    answers = Answers(("cat", "dog"), np.array([0, 1, 0, 0]), shares)
    found = suspects(answers)
    assert [(one.position, one.label, one.proposal) for one in found] == [
        (3, "cat", "dog"),
        (1, "dog", "cat"),
        (2, "cat", "dog"),
    ]
    assert found[0].share == pytest.approx(0.05)


def test_photos_that_show_the_same_stand_together_those_with_different_labels_first() -> None:
    flat, nearly = bytes(32), bytes(31) + b"\x01"
    bits = [b"\x0f" * 32, b"\x0f" * 31 + b"\xff", b"3" * 32, flat, nearly, None, None, None]
    contents = ["a", "b", "c", "d", "e", "f", "f", "g"]
    alike = [0, 1, 2, 3, 4, 5, 6, 2]
    labels = ["cat", "dog", "cat", "cat", "cat", "cat", "cat", "cat"]
    sets = ["", "", "train", "", "", "", "", "val"]
    same = same_photos(contents, bits, alike)
    found = duplicates(same, contents, labels, sets)
    assert [one.positions for one in found] == [(0, 1), (2, 7), (5, 6)]
    assert found[0].labels == ("cat", "dog")
    assert found[1].sets == ("train", "val")
    assert [one.is_exact for one in found] == [False, False, True]


def test_what_was_looked_at_and_left_is_no_suspect_again() -> None:
    photos = tuple((Path(name), "cat") for name in ("1", "2"))
    shares = {path: np.array([0.1, 0.9], np.float32) for path, _ in photos}
    review = Review(photos, ("cat", "dog"), shares, {}, {}, {}, frozenset({Path("1")}))
    assert [one.position for one in review.run(None).suspects] == [1]


def test_photos_that_could_not_be_held_out_are_counted_and_not_blamed() -> None:
    photos = tuple((Path(name), "cat") for name in ("1", "2"))
    shares = {
        Path("1"): np.array([np.nan, np.nan], np.float32),
        Path("2"): np.array([0.1, 0.9], np.float32),
    }
    found = Review(photos, ("cat", "dog"), shares, {}, {}, {}).run(None)
    assert (found.tested, [one.position for one in found.suspects]) == (1, [1])


def test_the_command_lists_a_wrong_label_and_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_stripes(tmp_path / "photos", PHOTOS)
    lying, standing = CLASSES
    wrong = folder / standing / "wrong.png"
    (folder / lying / f"{lying} 0.png").rename(wrong)
    first = folder / lying / f"{lying} 1.png"
    Image.open(first).resize((200, 200)).save(folder / lying / "smaller.jpg", quality=95)
    (folder / standing / "copy.png").write_bytes(
        (folder / standing / f"{standing} 2.png").read_bytes()
    )
    (folder / lying / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    out, table = tmp_path / "review.json", tmp_path / "review.csv"
    assert main(["review", str(folder), "--json", str(out), "--csv", str(table)]) == 1
    found = json.loads(out.read_text())
    assert found["failed"] == 1
    assert found["suspects"][0]["image"] == str(wrong)
    assert found["suspects"][0]["proposal"] == lying
    pairs = [
        ({Path(one).name for one in group["images"]}, group["exact"])
        for group in found["duplicates"]
    ]
    assert any({"copy.png", f"{standing} 2.png"} <= names for names, _ in pairs)
    assert any({"smaller.jpg", first.name} <= names and not exact for names, exact in pairs)
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["why"], rows[0]["image"]) == ("label", str(wrong))
    said = capsys.readouterr().out
    assert f"{standing}, rather {lying}" in said


def test_photos_of_one_class_are_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_stripes(tmp_path / "photos", 3)
    for path in (folder / CLASSES[1]).iterdir():
        path.write_bytes(b"no photo")
    assert main(["review", str(folder)]) == 2
    assert "Two classes or more" in capsys.readouterr().err


def test_frames_of_a_camera_that_stands_are_one_group() -> None:
    random = np.random.default_rng(0)
    frame = random.integers(0, 256, 32, np.uint8)
    hashes = [bytes([frame[0] ^ (1 << (at % 8)), *frame[1:]]) for at in range(3000)]
    others = [random.integers(0, 256, 32, np.uint8).tobytes() for _ in range(50)]
    same = same_photos([""] * 3050, [*hashes, *others], list(range(3050)))
    assert len(set(same[:3000])) == 1
    assert len(set(same)) == 51


def test_a_project_keeps_what_was_left_and_what_classes_mean(tmp_path: Path) -> None:
    folder = write_stripes(tmp_path / "photos", PHOTOS)
    lying, standing = CLASSES
    wrong = folder / lying / f"{lying} 0.png"
    project = tmp_path / "labels.droplens"
    with LabelStore(project) as store:
        store.edit_classes("add", store.classes.add(CLASSES))
        for number, name in enumerate(CLASSES, 1):
            files = sorted((folder / name).iterdir())
            store.register(files)
            store.label([Labelling(file, (2 if file == wrong else number,)) for file in files])
    out = tmp_path / "review.json"
    assert main(["review", "--project", str(project), "--json", str(out)]) == 0
    assert str(wrong) in [one["image"] for one in json.loads(out.read_text())["suspects"]]
    with LabelStore(project) as store:
        store.put_session({RIGHT_LABELS: to_text({str(wrong): standing})})
    assert main(["review", "--project", str(project), "--json", str(out)]) == 0
    assert str(wrong) not in [one["image"] for one in json.loads(out.read_text())["suspects"]]
