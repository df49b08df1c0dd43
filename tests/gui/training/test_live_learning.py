from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.labels.classes import ClassList
from core.settings import Settings
from core.training.figures import Figures
from core.training.live import LearnLive, Lesson
from gui.main_window import MainWindow
from gui.session import Session
from gui.tasks import Tasks
from gui.training.live_learning import LiveLearning
from tests.gui.conftest import predict, ready
from tests.specs import make_spec

NAMES = ("moth", "wasp")


@pytest.fixture
def live(session: Session, tasks: Tasks, window: MainWindow) -> LiveLearning:
    return LiveLearning(session, tasks, window)


def label(session: Session, of_each: int, *, several: bool = False) -> None:
    """Put photos into the list, so many of each class and one without a label."""
    classes = ClassList().add(NAMES)
    if several:
        classes = replace(classes, is_multiple=True)
    session.photos.set_classes(classes)
    numbers = {one.name: one.id for one in classes.classes}
    labels = {
        f"/{name} {number}.png": (numbers[name],) for name in NAMES for number in range(of_each)
    }
    session.add_photos([*map(Path, labels), Path("/new.png")])
    session.photos.set_labels(labels)


def asked(live: LiveLearning) -> LearnLive | None:
    return live._request()


def test_three_of_each_of_two_classes_are_learnt_from(session: Session, live: LiveLearning) -> None:
    session.use_model(ready())
    label(session, 2)
    assert asked(live) is None
    label(session, 3)
    request = asked(live)
    assert request is not None
    assert request.classes == NAMES
    assert [one.classes for one in request.labelled] == [(0,)] * 3 + [(1,)] * 3
    assert len(request.photos) == 7


def test_nothing_is_learnt_without_a_model_or_against_the_users_wish(
    session: Session, live: LiveLearning
) -> None:
    label(session, 3)
    assert asked(live) is None
    session.use_model(ready())
    live.set_wanted(False)
    assert asked(live) is None
    live.set_wanted(True)
    assert asked(live) is not None


def test_a_model_that_knows_the_classes_speaks_for_itself(
    session: Session, live: LiveLearning
) -> None:
    label(session, 3)
    session.use_model(ready(make_spec(names=(*NAMES, "bee"))))
    assert asked(live) is None
    session.use_model(ready(make_spec(names=("moth", "bee"))))
    assert asked(live) is not None


def test_several_classes_a_photo_are_learnt_where_the_project_allows_them(
    session: Session, live: LiveLearning
) -> None:
    session.use_model(ready())
    label(session, 3, several=True)
    session.photos.set_labels({"/moth 0.png": (1, 2)})
    request = asked(live)
    assert request is not None
    assert request.is_several
    assert [one.classes for one in request.labelled] == [(0, 1), (0,), (0,), (1,), (1,), (1,)]


def test_photos_that_are_away_are_not_looked_at(session: Session, live: LiveLearning) -> None:
    session.use_model(ready())
    label(session, 4)
    session.photos.set_away(["/moth 0.png", "/new.png"], away=True)
    request = asked(live)
    assert request is not None
    assert Path("/moth 0.png") not in [one.photo for one in request.labelled]
    assert not {Path("/moth 0.png"), Path("/new.png")} & set(request.photos)


def lesson(**changes: object) -> Lesson:
    spec = make_spec(names=NAMES)
    return replace(Lesson(spec, 6, (), 7, 7), **changes)  # type: ignore[arg-type]


def test_proposals_take_the_models_place_and_give_it_back(
    session: Session, live: LiveLearning
) -> None:
    session.use_model(ready())
    label(session, 3)
    assert session.class_names == make_spec().class_names
    prediction = predict(Path("/new.png"), name="wasp")
    live._take([lesson(predictions=(prediction,)), lesson()])
    assert session.class_names == NAMES
    row = session.photos.row(Path("/new.png"))
    assert row is not None
    assert row.class_name == "wasp"
    session.photos.set_labels({f"/moth {number}.png": () for number in range(3)})
    live._ask()
    assert session.taught is None
    assert session.class_names == make_spec().class_names


def test_what_helps_most_comes_after_the_photo_that_is_looked_at(
    session: Session, live: LiveLearning
) -> None:
    session.use_model(ready())
    label(session, 3)
    session.show_photo(Path("/moth 1.png"))
    session.photos.set_order("helpful")
    live._take([lesson(next_photos=(Path("/new.png"),))])
    assert [row.file for row in session.photos.shown_rows()][:2] == ["/moth 1.png", "/new.png"]


def test_how_right_it_is_is_said_where_it_is_known() -> None:
    assert lesson(labels=1).sentence == "Learning from 1 label."
    figures = Figures(43, 43, 0.81, (0.68, 0.9), is_cross_validated=True, penalty=1.0)
    said = (
        "Learning from 6 labels. 81% right on photos it had not seen (of so few photos this is "
        "only known to lie between 68% and 90%)."
    )
    assert lesson(figures=figures).sentence == said
    unknown = replace(figures, accuracy=None, interval=None)
    assert lesson(figures=unknown).sentence == "Learning from 6 labels."


def test_it_is_on_unless_a_person_says_otherwise() -> None:
    assert Settings().learns_from_labels
