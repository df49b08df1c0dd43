from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from gui.engine_bridge import CHUNK_MS, EngineBridge
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from core.errors import UnusableCheckpointError
from core.models.spec import ModelChoice
from tests.gui.conftest import FakeEngine, ready

PATHS = [Path(f"{number}.png") for number in range(200)]


def from_a_thread(job: Callable[[], object]) -> None:
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()


def test_answers_arrive_on_the_gui_thread(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    threads = []
    bridge.model_opened.connect(lambda _: threads.append(QThread.currentThread()))
    bridge.open_model(ModelChoice(), "auto")
    with qtbot.waitSignal(bridge.model_opened):
        from_a_thread(lambda: engine[0].future("model").set_result(ready()))
    assert threads == [bridge.thread()]


def test_predictions_come_in_chunks(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    chunks: list[list[object]] = []
    bridge.predictions_ready.connect(chunks.append)
    bridge.start_run(PATHS, recall=True)
    (run,) = engine[0].runs
    from_a_thread(lambda: [run.take(1) for _ in range(100)])
    qtbot.waitUntil(lambda: sum(map(len, chunks)) == 100)
    assert len(chunks) <= 2
    assert CHUNK_MS >= 50


def test_the_end_of_a_run_comes_after_its_last_prediction(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    events: list[object] = []
    bridge.predictions_ready.connect(lambda chunk: events.append(len(chunk)))
    bridge.run_finished.connect(lambda outcome: events.append(outcome.done))
    bridge.start_run(PATHS[:3], recall=True)
    (run,) = engine[0].runs
    run.take(3)
    with qtbot.waitSignal(bridge.run_finished):
        from_a_thread(run.end)
    assert events == [3, 3]


def test_late_predictions_of_a_dropped_run_are_lost(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    chunks: list[list[object]] = []
    bridge.predictions_ready.connect(chunks.append)
    bridge.start_run(PATHS, recall=True)
    first = engine[0].runs[0]
    first.take(2)
    bridge.start_run(PATHS[5:6], recall=True)
    assert first.is_stopped
    first.take(2)
    engine[0].runs[1].take(1)
    first.end()
    engine[0].runs[1].end()
    with qtbot.waitSignal(bridge.run_finished):
        pass
    assert [one.image for chunk in chunks for one in chunk] == PATHS[5:6]


def test_an_overtaken_answer_is_dropped(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    found: list[object] = []
    bridge.feature_maps_ready.connect(found.append)
    bridge.request_feature_maps(PATHS[0], "a", 1)
    older = engine[0].future("maps")
    bridge.request_feature_maps(PATHS[0], "b", 1)
    engine[0].future("maps").set_result("newer")
    with qtbot.waitSignal(bridge.feature_maps_ready):
        older.set_result("older")
    qtbot.wait(1)
    assert found == ["newer"]


def test_refusals_and_surprises(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    bridge.open_model(ModelChoice(), "auto")
    with qtbot.waitSignal(bridge.model_failed) as caught:
        engine[0].future("model").set_exception(UnusableCheckpointError("no"))
    assert str(caught.args[0]) == "no"
    bridge.list_weights()
    with qtbot.waitSignal(bridge.failed):
        engine[0].future("weights").set_exception(ZeroDivisionError())


def test_a_run_that_breaks_ends(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]
) -> None:
    bridge.start_run(PATHS, recall=True)
    run = engine[0].runs[0]
    run.take(1)
    with qtbot.waitSignals([bridge.predictions_ready, bridge.run_finished, bridge.failed]):
        run.finished.set_exception(ZeroDivisionError())


def test_notices(qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine]) -> None:
    with qtbot.waitSignal(bridge.noticed) as caught:
        from_a_thread(lambda: engine[0].notice("memory is short"))
    assert caught.args == ["memory is short"]


def test_photos_and_thumbnails(
    qtbot: QtBot, bridge: EngineBridge, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path, gone = make_photo(), tmp_path / "gone.png"
    with qtbot.waitSignal(bridge.photo_ready) as caught:
        bridge.view(path, None)
    assert caught.args[0].pixels.shape == (240, 320, 3)
    with qtbot.waitSignal(bridge.photo_failed):
        bridge.view(gone, None)
    found: dict[Path, object] = {}
    bridge.thumbnail_ready.connect(found.__setitem__)
    bridge.request_thumbnails([path, gone], 32)
    qtbot.waitUntil(lambda: len(found) == 2)
    assert found[gone] is None
    assert found[path].shape == (24, 32, 3)


def test_search(qtbot: QtBot, bridge: EngineBridge, make_photo: Callable[..., Path]) -> None:
    path = make_photo()
    with qtbot.waitSignals([bridge.photos_found, bridge.search_finished]):
        bridge.search([path.parent])


@pytest.mark.parametrize("when", ["running", "done"])
def test_shutting_down_leaves_no_signal_behind(
    qtbot: QtBot, bridge: EngineBridge, engine: list[FakeEngine], when: str
) -> None:
    bridge.start_run(PATHS, recall=True)
    run = engine[0].runs[0]
    run.take(2)
    if when == "done":
        run.end()
    with qtbot.assertNotEmitted(bridge.predictions_ready, wait=2 * CHUNK_MS):
        bridge.shut_down()
    assert run.is_stopped
