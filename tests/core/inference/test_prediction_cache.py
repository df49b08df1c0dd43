from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.images.preprocessing import Preprocessing
from core.inference.classifying import Classify
from core.inference.engine import Engine
from core.inference.prediction_cache import PredictionCache
from core.inference.speed import Speed
from core.values.predictions import ClassProbability, Prediction, pack
from core.values.spec import ModelChoice, ModelSpec, Overrides
from tests.specs import make_spec

SPEC = make_spec(names=("ant", "bee", "猫"))


def predict(path: Path, spec: ModelSpec = SPEC, value: float | None = None) -> Prediction:
    top = (ClassProbability(2, "猫", 0.75, value), ClassProbability(0, "ant", 0.25, None))
    return Prediction(path, top, None, spec)


def keep(known: PredictionCache, *predictions: Prediction) -> None:
    """Ask for photos, and keep what was then found out, as a run does."""
    asked = [one for one in predictions if known.find(one.photo, one.model) is None]
    known.keep(asked)


@pytest.fixture
def photo(make_photo: Callable[..., Path]) -> Path:
    return make_photo("Jörg 张伟/猫 é.png", (20, 20))


@pytest.fixture
def known(tmp_path: Path) -> Iterator[PredictionCache]:
    made = PredictionCache(tmp_path / "cache" / "known.sqlite")
    made.use(5)
    yield made
    made.close()


def test_what_was_kept_is_found_as_it_was(known: PredictionCache, photo: Path) -> None:
    keep(known, predict(photo, value=0.5))
    assert known.find(photo, SPEC) == predict(photo, value=0.5)


def test_names_are_those_of_now(known: PredictionCache, photo: Path) -> None:
    keep(known, predict(photo))
    found = known.find(photo, replace(SPEC, class_names=("Ameise", "Biene", "Katze")))
    assert found is not None
    assert found.top[0].class_name == "Katze"


def test_another_model_says_nothing(known: PredictionCache, photo: Path) -> None:
    keep(known, predict(photo))
    for other in (
        replace(SPEC, sha256="1" * 64),
        replace(SPEC, preprocessing=Preprocessing(crop=(100, 100))),
        replace(SPEC, outputs="sigmoid"),
        replace(SPEC, overrides=Overrides(dilation=(False, True, True))),
        replace(SPEC, overrides=Overrides(answers=(("activation", "tanh"),))),
    ):
        assert known.find(photo, other) is None
    known.use(5, Speed(decoding="fast"))
    assert known.find(photo, SPEC) is None
    known.use(3)
    assert known.find(photo, SPEC) is None
    known.use(5)
    assert known.find(photo, SPEC) is not None


def test_another_file_under_its_name_is_another_photo(
    known: PredictionCache, photo: Path, make_photo: Callable[..., Path]
) -> None:
    keep(known, predict(photo))
    times = photo.stat()
    other = make_photo("other.png", (20, 20))
    content = other.read_bytes()
    photo.write_bytes(content[: times.st_size].ljust(times.st_size, b"\0"))
    os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns))  # same size, same time
    assert known.find(photo, SPEC) is None
    photo.unlink()
    assert known.find(photo, SPEC) is None


def test_a_file_that_changed_while_it_was_classified_is_another(
    known: PredictionCache, photo: Path
) -> None:
    assert known.find(photo, SPEC) is None
    photo.write_bytes(b"something else")
    known.keep([predict(photo)])
    assert known.find(photo, SPEC) is None


def test_failures_are_not_kept(known: PredictionCache, photo: Path) -> None:
    known.keep([Prediction(photo, (), "the file is empty", SPEC)])
    assert known.find(photo, SPEC) is None


def test_the_oldest_go(tmp_path: Path, make_photo: Callable[..., Path]) -> None:
    photos = [make_photo(f"{number}.png", (4, 4)) for number in range(20)]
    for _ in range(2):  # the limit is kept when the database is opened
        known = PredictionCache(tmp_path / "known.sqlite", limit=10)
        known.use(5)
        keep(known, *map(predict, photos[:15]))
        known.close()
    known = PredictionCache(tmp_path / "known.sqlite", limit=10)
    known.use(5)
    kept = [known.find(photo, SPEC) is not None for photo in photos[:15]]
    known.close()
    assert kept == [True] * 6 + [False] * 6 + [True] * 3


def test_a_damaged_database_is_made_anew(tmp_path: Path, photo: Path) -> None:
    path = tmp_path / "known.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    known = PredictionCache(path)
    known.use(5)
    keep(known, predict(photo))
    assert known.find(photo, SPEC) is not None
    known.close()


def test_without_a_place_nothing_is_kept_and_nothing_breaks(tmp_path: Path, photo: Path) -> None:
    (tmp_path / "file").touch()
    known = PredictionCache(tmp_path / "file" / "known.sqlite")
    known.use(5)
    keep(known, predict(photo))
    assert known.find(photo, SPEC) is None
    known.close()


def test_a_second_run_recalls_and_decodes_nothing(
    make_photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make_photo(f"{number}.png", (64, 64)) for number in range(12)]
    (tmp_path / "empty.jpg").touch()
    engine = Engine(decoders=2, cache=tmp_path / "cache")
    engine.open(ModelChoice(), "cpu")
    first = classify(engine, paths, recall=True)
    engine.close()

    engine = Engine(decoders=2, cache=tmp_path / "cache")
    engine.open(ModelChoice(), "cpu")
    decoded: list[Path] = []
    decode = engine.decode

    def note(photo: Path, *rest: object, **named: object) -> object:
        decoded.append(photo)
        return decode(photo, *rest, **named)

    monkeypatch.setattr(engine, "decode", note)
    shutil.copy(paths[0], tmp_path / "new.png")
    later = [*paths[:6], tmp_path / "empty.jpg", *paths[6:], tmp_path / "new.png"]
    second = classify(engine, later, recall=True)
    assert [one.reason is None for one in second].count(False) == 1
    assert len(second) == 14
    assert decoded == [tmp_path / "empty.jpg", tmp_path / "new.png"]
    by_path = {one.photo: one for one in second}
    for one in first:
        recalled = by_path[one.photo].top
        assert [top.class_index for top in recalled] == [top.class_index for top in one.top]
        assert recalled[0].probability == pytest.approx(one.top[0].probability)
    classify(engine, paths)
    assert len(decoded) == 14  # who does not ask for it gets everything computed
    engine.close()


def classify(engine: Engine, paths: list[Path], *, recall: bool = False) -> list[Prediction]:
    batches = Classify(paths, recall=recall).run(engine)
    return [one for batch in batches for one in batch.predictions]


@pytest.mark.parametrize(
    "row",
    [
        b"\x01\x00\x00\x00\x00",
        "text",
        pack([ClassProbability(7, "none of these", 0.5, None)]),
        pack([ClassProbability(0, "ant", 7.0, None)]),
        pack([ClassProbability(0, "ant", float("nan"), None)]),
        5,
        None,
    ],
    ids=["5 bytes", "text", "index", "probability", "no number", "integer", "nothing"],
)
def test_a_damaged_row_is_forgotten_and_the_rest_stays(
    row: object, known: PredictionCache, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    damaged, whole = make_photo("a.png", (20, 20)), make_photo("b.png", (20, 20))
    keep(known, predict(damaged))
    database = sqlite3.connect(tmp_path / "cache" / "known.sqlite")
    if row is not None:  # the column takes no null, so that is put in by hand
        database.execute("UPDATE known SET top = ?", (row,))
    else:
        database.execute("UPDATE known SET top = x''")
    database.commit()
    keep(known, predict(whole))
    found = known.find(damaged, SPEC)
    assert found is None or found.top == ()
    assert known.find(whole, SPEC) == predict(whole)
    known.keep([predict(damaged)])
    assert database.execute("SELECT count(*) FROM known").fetchone() == (2,)
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER gone AFTER INSERT ON known BEGIN DELETE FROM known; END",
        "CREATE VIEW more AS SELECT 1",
        "CREATE TABLE more (a)",
    ],
)
def test_a_cache_that_does_something_is_made_anew(
    statement: str, known: PredictionCache, photo: Path, tmp_path: Path
) -> None:
    keep(known, predict(photo))
    known.close()
    database = sqlite3.connect(tmp_path / "cache" / "known.sqlite")
    database.execute(statement)
    database.close()
    keep(known, predict(photo))
    assert known.find(photo, SPEC) == predict(photo)


def test_the_cache_is_the_users_own(known: PredictionCache, photo: Path, tmp_path: Path) -> None:
    keep(known, predict(photo))
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
