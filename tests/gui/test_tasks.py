from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from core.work.lane import Lanes
from core.work.requests import Request, is_stopped, tell
from gui.tasks import Tasks


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    made = Tasks(Lanes())
    yield made
    made.shut_down()


@dataclass(frozen=True)
class Do(Request[None, object]):
    """Whatever a test wants done."""

    lane = "view"
    job: Callable[[], object]

    def run(self, _: None) -> object:
        return self.job()


class DoNewest(Do):
    slot = "newest"


@dataclass(frozen=True)
class Count(Request[None, Iterator[int]]):
    """Numbers, each held until the test lets it go."""

    lane = "view"
    slot = "count"
    numbers: int
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(10**6))

    def run(self, _: None) -> Iterator[int]:
        for number in range(self.numbers):
            self.held.acquire()
            yield number


def test_an_answer_comes_on_the_thread_of_the_window(qtbot: QtBot, tasks: Tasks) -> None:
    answers: list[tuple[object, QThread]] = []
    tasks.ask(Do(lambda: 7), lambda n: answers.append((n, QThread.currentThread())))
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [(7, tasks.thread())]


def test_an_error_reaches_whoever_takes_it_and_else_the_window(qtbot: QtBot, tasks: Tasks) -> None:
    taken: list[BaseException] = []
    tasks.ask(Do(lambda: 1 / 0), otherwise=taken.append)
    qtbot.waitUntil(lambda: bool(taken))
    assert isinstance(taken[0], ZeroDivisionError)
    with qtbot.waitSignal(tasks.failed) as caught:
        tasks.ask(Do(lambda: 1 / 0))
    assert isinstance(caught.args[0], ZeroDivisionError)


def test_a_newer_request_replaces_one_that_waits_and_drops_one_that_runs(
    qtbot: QtBot, tasks: Tasks
) -> None:
    begun, held = threading.Event(), threading.Event()
    answers: list[object] = []

    def wait() -> str:
        begun.set()
        held.wait()
        return "first"

    tasks.ask(DoNewest(wait), answers.append)
    begun.wait()
    second = tasks.ask(DoNewest(lambda: "second"), answers.append)
    tasks.ask(DoNewest(lambda: "third"), answers.append)
    held.set()
    qtbot.waitUntil(lambda: answers == ["third"])
    assert second.future.cancelled()


def test_what_is_saved_is_never_replaced(qtbot: QtBot, tasks: Tasks) -> None:
    held = threading.Event()
    answers: list[object] = []
    tasks.ask(Do(held.wait), lambda _: answers.append("held"))
    for number in range(3):
        tasks.ask(Do(lambda number=number: number), answers.append)
    held.set()
    qtbot.waitUntil(lambda: answers == ["held", 0, 1, 2])


def test_items_come_in_chunks_and_the_end_after_them(qtbot: QtBot, tasks: Tasks) -> None:
    chunks: list[list[int]] = []
    ends: list[int] = []
    tasks.stream(Count(100), chunks.append, lambda: ends.append(sum(map(len, chunks))))
    qtbot.waitUntil(lambda: bool(ends))
    assert [n for chunk in chunks for n in chunk] == list(range(100))
    assert ends == [100]
    assert len(chunks) < 50


def test_a_click_gets_in_between_the_items(qtbot: QtBot, tasks: Tasks) -> None:
    request = Count(10, threading.Semaphore(0))
    events: list[object] = []
    tasks.stream(request, events.extend, lambda: events.append("end"))
    tasks.ask(Do(lambda: "click"), events.append)
    request.held.release(1)
    qtbot.waitUntil(lambda: "click" in events)
    assert 5 not in events
    request.held.release(9)
    qtbot.waitUntil(lambda: "end" in events)


def test_a_stream_that_is_stopped_ends_and_keeps_what_came(qtbot: QtBot, tasks: Tasks) -> None:
    request = Count(10, threading.Semaphore(2))
    events: list[object] = []
    handle = tasks.stream(request, events.extend, lambda: events.append("end"))
    qtbot.waitUntil(lambda: events == [0, 1])
    handle.stop()
    request.held.release(8)
    qtbot.waitUntil(lambda: "end" in events)
    assert len(events) <= 4


def test_a_stream_that_is_replaced_brings_nothing_more(qtbot: QtBot, tasks: Tasks) -> None:
    first, second = Count(5, threading.Semaphore(1)), Count(2)
    items: list[str] = []
    tasks.stream(first, lambda n: items.extend(f"first {one}" for one in n))
    qtbot.waitUntil(lambda: items == ["first 0"])
    ended: list[bool] = []
    tasks.stream(
        second, lambda n: items.extend(f"second {one}" for one in n), lambda: ended.append(True)
    )
    first.held.release(4)
    qtbot.waitUntil(lambda: bool(ended))
    assert items == ["first 0", "second 0", "second 1"]


def test_a_stream_that_breaks_brings_its_items_and_then_the_error(
    qtbot: QtBot, tasks: Tasks
) -> None:
    @dataclass(frozen=True)
    class Break(Request[None, Iterator[int]]):
        lane = "view"

        def run(self, _: None) -> Iterator[int]:
            yield 1
            raise ZeroDivisionError

    events: list[object] = []
    tasks.stream(Break(), events.extend, otherwise=lambda error: events.append(type(error)))
    qtbot.waitUntil(lambda: events == [1, ZeroDivisionError])
    with qtbot.waitSignal(tasks.failed):
        tasks.stream(Break(), events.extend)


def test_items_that_are_told_come_before_the_work_is_done(qtbot: QtBot, tasks: Tasks) -> None:
    held = threading.Event()

    @dataclass(frozen=True)
    class Copy(Request[None, Iterator[str]]):
        lane = "view"

        def run(self, _: None) -> Iterator[str]:
            tell("half")
            held.wait()
            return iter(["stopped" if is_stopped() else "whole"])

    items: list[str] = []
    handle = tasks.stream(Copy(), items.extend)
    qtbot.waitUntil(lambda: items == ["half"])
    handle.stop()
    held.set()
    qtbot.waitUntil(lambda: handle.future.done())
    assert items in (["half"], ["half", "stopped"])


def test_a_receiver_that_is_gone_gets_nothing_and_its_error_is_told(
    qtbot: QtBot, tasks: Tasks
) -> None:
    class Dialog(QObject):
        def show(self, _: object) -> None:
            raise AssertionError("it is gone")

    held = threading.Event()
    dialog = Dialog()
    tasks.ask(Do(held.wait), dialog.show)
    tasks.ask(Do(lambda: 1 / 0), dialog.show, dialog.show)
    dialog.deleteLater()
    with qtbot.waitSignal(dialog.destroyed):
        pass
    with qtbot.waitSignal(tasks.failed):
        held.set()


def test_closing_carries_out_what_is_saved_and_drops_what_was_only_looked_at(qtbot: QtBot) -> None:
    tasks = Tasks(Lanes())
    begun, held = threading.Event(), threading.Event()
    done: list[str] = []

    def wait() -> None:
        begun.set()
        held.wait()

    tasks.ask(Do(wait))
    begun.wait()
    tasks.ask(Do(lambda: done.append("saved")))
    tasks.ask(DoNewest(lambda: done.append("looked at")))
    stream = tasks.stream(Count(10**6), lambda _: None)
    threading.Timer(0.05, held.set).start()
    tasks.shut_down()
    assert done == ["saved"]
    assert stream.future.done()


def test_nobody_waits_for_a_server_at_the_end(qtbot: QtBot) -> None:
    class Ask(Do):
        lane = "web"

    tasks, held = Tasks(Lanes()), threading.Event()
    handle = tasks.ask(Ask(held.wait))
    tasks.shut_down()
    assert not handle.future.done()
    held.set()
    handle.future.result(30)


def test_a_worker_lets_the_user_see_a_sentence(qtbot: QtBot, tasks: Tasks) -> None:
    with qtbot.waitSignal(tasks.noticed) as caught:
        tasks.ask(Do(lambda: tasks.notice("Memory is short.")))
    assert caught.args == ["Memory is short."]
