from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.inference.engine import Engine
from core.training.live import LearnLive, Lesson
from core.training.teaching import Labelled
from core.values.predictions import Prediction
from core.values.spec import ModelChoice
from tests.stripes import CLASSES, write_stripes


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = write_stripes(tmp_path / "photos", 8)
    return sorted(folder.glob("*/*.png"))


def labelled(photos: list[Path], of_each: int) -> tuple[Labelled, ...]:
    found = []
    for label, name in enumerate(CLASSES):
        members = [photo for photo in photos if photo.parent.name == name]
        found += [Labelled(photo, (label,)) for photo in members[:of_each]]
    return tuple(found)


def named(lessons: list[Lesson]) -> dict[Path, Prediction]:
    return {one.photo: one for lesson in lessons for one in lesson.predictions}


def test_all_photos_are_named_by_the_classes_of_the_labels(
    engine: Engine, photos: list[Path]
) -> None:
    lessons = list(LearnLive(tuple(photos), labelled(photos, 4), CLASSES).run(engine))
    predictions = named(lessons)
    assert set(predictions) == set(photos)
    for photo, prediction in predictions.items():
        assert prediction.top[0].class_name == photo.parent.name
        assert sum(one.probability for one in prediction.top) == pytest.approx(1, abs=1e-5)
        assert prediction.model.class_names == CLASSES
        assert prediction.model.sha256 == ""
    last = lessons[-1]
    assert (last.labels, last.looked, last.total) == (8, 16, 16)
    assert last.figures is not None
    assert last.figures.accuracy is not None
    assert last.figures.accuracy > 0.7
    assert set(last.next_photos) == set(photos) - {one.photo for one in labelled(photos, 4)}


def test_another_label_changes_what_is_said(engine: Engine, photos: list[Path]) -> None:
    request = LearnLive(tuple(photos), labelled(photos, 4), CLASSES)
    list(request.run(engine))
    turned = tuple(Labelled(one.photo, (1 - one.classes[0],)) for one in request.labelled)
    predictions = named(list(replace(request, labelled=turned).run(engine)))
    for photo, prediction in predictions.items():
        assert prediction.top[0].class_name != photo.parent.name


def test_too_few_labels_say_nothing(engine: Engine, photos: list[Path]) -> None:
    lessons = list(LearnLive(tuple(photos), labelled(photos, 2), CLASSES).run(engine))
    assert not named(lessons)


def test_a_broken_photo_is_said_and_the_others_are_named(
    engine: Engine, photos: list[Path]
) -> None:
    photos[5].write_bytes(b"no photo")
    lessons = list(LearnLive(tuple(photos), labelled(photos, 7), CLASSES).run(engine))
    predictions = named(lessons)
    assert predictions[photos[5]].error is not None
    assert sum(bool(one.top) for one in predictions.values()) == len(photos) - 1


def test_a_model_that_is_opened_meanwhile_ends_it(photos: list[Path]) -> None:
    engine = Engine()
    engine.open(ModelChoice(), "cpu")
    lessons = LearnLive(tuple(photos), labelled(photos, 4), CLASSES).run(engine)
    next(lessons)
    engine.open(ModelChoice(architecture="squeezenet1_1"), "cpu")
    assert not named(list(lessons))
    engine.close()


def test_files_are_looked_at_again_where_that_is_asked(engine: Engine, photos: list[Path]) -> None:
    request = LearnLive(tuple(photos), labelled(photos, 4), CLASSES)
    list(request.run(engine))
    last = photos[7]
    last.write_bytes(b"no photo")
    assert named(list(request.run(engine)))[last].error is None
    assert named(list(replace(request, anew=True).run(engine)))[last].error is not None
