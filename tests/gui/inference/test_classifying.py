from __future__ import annotations

from pathlib import Path

import pytest
from gui.engine_bridge import EngineBridge
from pytestqt.qtbot import QtBot

from gui.inference.classifying import Classifying
from gui.inference.run_bar import RunBar
from tests.gui.conftest import FakeEngine

PATHS = [Path(f"{number}.png") for number in range(10)]


@pytest.fixture
def bar(qtbot: QtBot) -> RunBar:
    made = RunBar()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def classifying(bridge: EngineBridge, bar: RunBar) -> Classifying:
    return Classifying(bridge, bar)


def test_nothing_runs_before_a_model_is_there(
    classifying: Classifying, engine: list[FakeEngine]
) -> None:
    classifying.add(PATHS[:3])
    assert engine[0].runs == []
    classifying.restart(PATHS[:3])
    assert list(engine[0].runs[0].paths) == PATHS[:3]


def test_photos_that_come_later_join_the_run(
    qtbot: QtBot, classifying: Classifying, engine: list[FakeEngine], bar: RunBar
) -> None:
    classifying.restart(PATHS[:2])
    (run,) = engine[0].runs
    run.take(1)
    classifying.add(PATHS[2:4])
    run.take(9)
    qtbot.waitUntil(lambda: bar._bar.value() == 4)
    assert bar._bar.maximum() == 4
    with qtbot.waitSignal(classifying.finished):
        run.end()
    assert "4 photos classified" in bar._text.text()
    assert len(engine[0].runs) == 1


def test_a_photo_that_comes_as_the_run_ends_starts_another(
    qtbot: QtBot, classifying: Classifying, engine: list[FakeEngine]
) -> None:
    classifying.restart(PATHS[:1])
    engine[0].runs[0].take(5)
    engine[0].runs[0].end()
    classifying.add(PATHS[1:2])
    qtbot.waitUntil(lambda: len(engine[0].runs) == 2)
    assert list(engine[0].runs[1].paths) == PATHS[1:2]


def test_stop_keeps_what_is_done_and_forgets_what_waits(
    qtbot: QtBot, classifying: Classifying, engine: list[FakeEngine], bar: RunBar
) -> None:
    classifying.restart(PATHS)
    (run,) = engine[0].runs
    run.take(2)
    classifying.stop()
    assert run.is_stopped
    with qtbot.waitSignal(classifying.finished):
        run.end()
    assert "Stopped after 2 photos" in bar._text.text()
    classifying.add(PATHS[5:])
    assert len(engine[0].runs) == 2


def test_a_restart_takes_no_late_answers(
    qtbot: QtBot, classifying: Classifying, engine: list[FakeEngine]
) -> None:
    seen: list[Path] = []
    classifying.predicted.connect(lambda chunk: seen.extend(one.image for one in chunk))
    classifying.restart(PATHS[:4])
    first = engine[0].runs[0]
    first.take(1)
    classifying.restart(PATHS[:4])
    first.take(1)
    first.end()
    second = engine[0].runs[1]
    second.take(4)
    with qtbot.waitSignal(classifying.finished):
        second.end()
    assert seen == PATHS[:4]


def test_the_photo_that_is_looked_at_goes_first(
    classifying: Classifying, engine: list[FakeEngine]
) -> None:
    classifying.restart(PATHS)
    classifying.put_first(PATHS[7])
    classifying.put_first(Path("unknown.png"))
    assert next(engine[0].runs[0].paths) == PATHS[7]


def test_computing_all_anew_counts_for_those_photos_alone(
    qtbot: QtBot, classifying: Classifying, engine: list[FakeEngine]
) -> None:
    classifying.restart(PATHS[:1], recall=False)
    engine[0].runs[0].take(1)
    with qtbot.waitSignal(classifying.finished):
        engine[0].runs[0].end()
    classifying.add(PATHS[1:2])
    assert [run.recall for run in engine[0].runs] == [False, True]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "< 1 s"), (42, "42 s"), (754, "12:34 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float, said: str) -> None:
    from gui.inference.run_bar import _duration

    assert _duration(seconds) == said
