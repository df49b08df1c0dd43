"""Lanes: each a thread, or a few, with what they own; requests queue there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

from core.threads import begin_thread, yield_to_window
from core.work.handles import Handle
from core.work.requests import Request, carrying_out
from core.work.streams import Stream

Answer = TypeVar("Answer")
Item = TypeVar("Item")

_THREADS = {"thumbnail": 2}
_PROMPT = ("label",)
"""Lanes whose threads are as urgent as the window's own: a key waits for them."""
_ABANDONED = ("web", "download")
"""Lanes that nobody waits for at the end: a server that does not answer may keep them long."""


class Lane:
    """Carries out requests in their order; a newer one replaces a waiting one of its slot.

    May be called from any one thread.

    Args:
        name: of its threads.
        context: given to each request.
        executor: runs the jobs; by default threads of its own.
    """

    def __init__(self, name: str, context: object = None, executor: Executor | None = None) -> None:
        self._context = context
        self._executor = executor or _executor(name)
        self._slots: dict[str, Handle[object]] = {}
        self._live: set[Handle[object]] = set()

    def ask(self, request: Request[object, Answer]) -> Handle[Answer]:
        """Queue a request."""
        handle: Handle[Answer] = Handle()
        self._take_slot(request.slot, handle)
        try:
            handle.future = self._executor.submit(self._run, request, handle)
        except RuntimeError:  # shut down
            handle.future.cancel()
            handle.future.set_running_or_notify_cancel()
        self._watch(handle)
        return handle

    def stream(
        self, request: Request[object, Iterator[Item]], on_item: Callable[[Item], object]
    ) -> Handle[None]:
        """Queue a request that yields.

        Args:
            request: its answer is iterated, an item a job.
            on_item: called in the lane with each item.
        """
        handle: Handle[None] = Handle()
        self._take_slot(request.slot, handle)
        stream = Stream(request, self._context, handle, on_item, self._queue)
        self._watch(handle)
        if not self._queue(stream.step):
            handle.future.set_result(None)
        return handle

    def queue(self, job: Callable[[], object]) -> Future[object] | None:
        """Append a job of the context's own; None once the lane is shut down."""
        try:
            return self._executor.submit(job)
        except RuntimeError:
            return None

    def stop_all(self) -> None:
        """Ask what is going on to end; what has no slot and does not ask is carried out."""
        for handle in tuple(self._live):
            handle.stop()
        for handle in self._slots.values():
            handle.drop()

    def shut_down(self) -> None:
        """Wait for what is going on, after ``stop_all`` one job at most, and close the context."""
        close = getattr(self._context, "close", None)
        if close is not None:
            self._queue(close)
        self._executor.shutdown(wait=True)

    def _run(self, request: Request[object, Answer], handle: Handle[Answer]) -> Answer:
        with carrying_out(handle):
            return request.run(self._context)

    def _queue(self, job: Callable[[], object]) -> bool:
        return self.queue(job) is not None

    def _take_slot(self, slot: str, handle: Handle[Any]) -> None:
        earlier = self._slots.pop(slot, None)
        if earlier is not None:
            earlier.drop()
        if slot:
            self._slots[slot] = handle

    def _watch(self, handle: Handle[Any]) -> None:
        self._live.add(handle)
        handle.future.add_done_callback(lambda _: self._live.discard(handle))


class Lanes:
    """All lanes by name, each made when it is first needed."""

    def __init__(self, **lanes: Lane) -> None:
        self._lanes = lanes
        self._is_shut_down = False

    def __getitem__(self, name: str) -> Lane:
        if name not in self._lanes:
            self._lanes[name] = Lane(name)
            if self._is_shut_down:
                self._lanes[name].shut_down()
        return self._lanes[name]

    def provide(self, name: str, context: object) -> Lane:
        """Make a lane that owns something; at the end it goes after those made later."""
        self._lanes[name] = Lane(name, context)
        return self._lanes[name]

    def stop_all(self) -> None:
        """Ask everything to end."""
        for lane in self._lanes.values():
            lane.stop_all()

    def shut_down(self) -> None:
        """Wait for what is going on and close what the lanes own; nothing is taken any more."""
        self._is_shut_down = True
        for lane in reversed(self._lanes.values()):
            lane.shut_down()


class _AbandonedThreads(Executor):
    """Runs each job in a daemon thread of its own; the program does not wait for them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_shut = False

    def submit(  # type: ignore[override]
        self, job: Callable[..., Answer], /, *arguments: object
    ) -> Future[Answer]:
        if self._is_shut:
            raise RuntimeError("shut down")
        future: Future[Answer] = Future()
        threading.Thread(
            target=self._run, args=(future, job, *arguments), name=self._name, daemon=True
        ).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs."""
        self._is_shut = True

    @staticmethod
    def _run(future: Future[object], job: Callable[..., object], *arguments: object) -> None:
        begin_thread()
        if not future.set_running_or_notify_cancel():
            return
        try:
            answer = job(*arguments)
        except BaseException as error:  # noqa: BLE001 - the future carries it
            future.set_exception(error)
        else:
            future.set_result(answer)


def _executor(name: str) -> Executor:
    if name in _ABANDONED:
        return _AbandonedThreads(name)
    begin = begin_thread if name in _PROMPT else yield_to_window
    return ThreadPoolExecutor(_THREADS.get(name, 1), name, initializer=begin)
