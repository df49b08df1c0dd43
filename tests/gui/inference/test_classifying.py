from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from core.inference.classifying import Batch, Classify
from core.inference.speed import EXACT
from core.settings import Settings
from core.work.lane import Lanes
from gui.inference.classifying import Classifying
from gui.inference.run_bar import RunBar
from gui.session import Session
from gui.tasks import Tasks
from tests.gui.conftest import DEVICE, predict

PATHS = [Path(f"{number}.png") for number in range(10)]


class Runs:
    """What was asked to be classified, one photo a batch; each waits until the test lets it."""

    def __init__(self) -> None:
        self.requests: list[Classify] = []
        self.predicted: list[Path] = []
        self.held = threading.Semaphore(0)

    def run(self, request: Classify) -> Iterator[Batch]:
        self.requests.append(request)
        for photo in request.photos:
            self.held.acquire()
            self.predicted.append(photo)
            yield Batch([predict(photo)], DEVICE)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(Classify, "run", lambda request, _: made.run(request))
    return made


@pytest.fixture
def bar(qtbot: QtBot) -> RunBar:
    made = RunBar()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def session(qtbot: QtBot, runs: Runs, tmp_path: Path) -> Iterator[Session]:
    tasks = Tasks(Lanes())
    made = Session(tasks, Settings(), tmp_path / "settings.json")
    made.list_photos(PATHS)
    yield made
    runs.held.release(10**6)
    tasks.shut_down()


@pytest.fixture
def classifying(session: Session, bar: RunBar) -> Classifying:
    return Classifying(session, session.tasks, bar, EXACT)


@pytest.fixture
def take(qtbot: QtBot, runs: Runs, session: Session) -> Callable[[int], list[Path]]:
    """Let some photos be predicted, and return which."""

    def let(count: int) -> list[Path]:
        before = len(runs.predicted)
        runs.held.release(count)
        qtbot.waitUntil(lambda: len(runs.predicted) == before + count)
        return runs.predicted[before:]

    return let


Take = Callable[[int], list[Path]]


def test_nothing_runs_before_a_model_is_there(
    qtbot: QtBot, classifying: Classifying, runs: Runs, take: Take
) -> None:
    classifying.add(PATHS[:3])
    assert not classifying.is_running
    classifying.restart(PATHS[:3])
    assert take(3) == PATHS[:3]


def test_photos_that_come_later_join_the_run(
    qtbot: QtBot, classifying: Classifying, bar: RunBar, take: Take
) -> None:
    classifying.restart(PATHS[:2])
    take(1)
    classifying.add(PATHS[2:4])
    with qtbot.waitSignal(classifying.finished):
        take(3)
    assert bar._bar.value() == bar._bar.maximum() == 4
    assert "4 photos classified" in bar._text.text()


def test_a_photo_that_comes_after_the_run_starts_another(
    qtbot: QtBot, classifying: Classifying, runs: Runs, take: Take
) -> None:
    classifying.restart(PATHS[:1])
    with qtbot.waitSignal(classifying.finished):
        take(1)
    classifying.add(PATHS[1:2])
    assert take(1) == PATHS[1:2]


def test_stop_keeps_what_is_done_and_the_rest_goes_on_later(
    qtbot: QtBot, classifying: Classifying, session: Session, bar: RunBar, take: Take, runs: Runs
) -> None:
    classifying.restart(PATHS)
    take(2)
    qtbot.waitUntil(lambda: sum(row.is_classified for row in session.photos.rows()) == 2)
    assert classifying.stop()
    with qtbot.waitSignal(classifying.finished):
        runs.held.release(1)
    done = sum(row.is_classified for row in session.photos.rows())
    assert bar._text.text() == f"Stopped after {done} photos.  ·  {len(PATHS) - done} left"
    assert not classifying.stop()
    assert classifying.is_stopped
    bar.go_on.click()
    assert not bar.go_on.isVisibleTo(bar)
    with qtbot.waitSignal(classifying.finished):
        runs.held.release(20)
    assert [row.is_classified for row in session.photos.rows()] == len(PATHS) * [True]
    assert len(runs.predicted) == len(PATHS)  # none of them twice


def test_photos_that_come_after_stop_are_classified_alone(
    qtbot: QtBot, classifying: Classifying, bar: RunBar, take: Take, runs: Runs
) -> None:
    classifying.restart(PATHS[:8])
    take(2)
    classifying.stop()
    with qtbot.waitSignal(classifying.finished):
        runs.held.release(1)
    runs.predicted.clear()
    classifying.add(PATHS[8:])
    with qtbot.waitSignal(classifying.finished):
        assert take(2) == PATHS[8:]
    assert bar.go_on.isVisibleTo(bar)  # for those that were left
    classifying.forget(PATHS)
    assert not classifying.is_stopped
    assert not bar.go_on.isVisibleTo(bar)


def test_a_restart_takes_no_late_answers(
    qtbot: QtBot, classifying: Classifying, session: Session, take: Take, runs: Runs
) -> None:
    seen: list[Path] = []
    session.predicted.connect(lambda chunk: seen.extend(one.photo for one in chunk))
    classifying.restart(PATHS[:4])
    take(1)
    classifying.restart(PATHS[:4])
    with qtbot.waitSignal(classifying.finished):
        runs.held.release(20)
    assert sorted(seen[-4:]) == PATHS[:4]
    assert len(seen) in (4, 5)


def test_the_photo_that_is_looked_at_goes_first(
    qtbot: QtBot, classifying: Classifying, session: Session, take: Take
) -> None:
    classifying.restart(PATHS)
    take(1)
    classifying.put_first([PATHS[7], PATHS[6]])
    classifying.put_first([Path("unknown.png")])
    assert {PATHS[7], PATHS[6]} <= set(take(5))


def test_a_run_begins_with_the_photo_that_is_looked_at(
    classifying: Classifying, session: Session, take: Take
) -> None:
    session.show_photo(PATHS[3])
    classifying.restart(PATHS)
    assert take(3) == [PATHS[3], PATHS[0], PATHS[1]]


def test_photos_that_are_taken_off_are_not_classified(
    qtbot: QtBot, classifying: Classifying, take: Take, bar: RunBar, runs: Runs
) -> None:
    classifying.restart(PATHS)
    take(1)
    classifying.forget(PATHS[2:])
    with qtbot.waitSignal(classifying.finished):
        runs.held.release(20)
    assert bar._bar.maximum() == 2
    assert PATHS[5] not in runs.predicted


def test_computing_all_anew_counts_for_those_photos_alone(
    qtbot: QtBot, classifying: Classifying, runs: Runs, take: Take
) -> None:
    classifying.restart(PATHS[:1], recall=False)
    with qtbot.waitSignal(classifying.finished):
        take(1)
    classifying.add(PATHS[1:2])
    take(1)
    assert [request.recall for request in runs.requests] == [False, True]


def test_a_run_that_breaks_ends_and_is_told(
    qtbot: QtBot, classifying: Classifying, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Classify, __: object) -> Iterator[Batch]:
        raise ZeroDivisionError

    monkeypatch.setattr(Classify, "run", fail)
    with qtbot.waitSignals([session.tasks.failed, classifying.finished]):
        classifying.restart(PATHS)
    assert not classifying.is_running


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(900, 3, "300 photos/s"), (4, 4, "1 photos/s"), (2, 9, "4.5 s a photo"), (1, 80, "80.0 s")],
)
def test_a_slow_network_says_seconds_a_photo(done: int, seconds: float, said: str) -> None:
    from gui.inference.run_bar import pace

    assert pace(done, seconds).startswith(said)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "< 1 s"), (42, "42 s"), (754, "12:34 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float, said: str) -> None:
    from gui.inference.run_bar import _duration

    assert _duration(seconds) == said
