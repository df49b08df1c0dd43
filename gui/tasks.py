"""The one place where threads meet Qt: asks requests, brings answers to the GUI thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from core.work.handles import Handle
from core.work.lane import Lanes
from core.work.requests import Request

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Item = TypeVar("Item")

CHUNK_MS = 50
"""Items of streams reach the window in chunks, at most 20 a second."""


def ignore(*_: object) -> None:
    """Want no answer."""


class Tasks(QObject):
    """Runs requests in their lanes and calls back on the GUI thread.

    An answer that a newer request of its slot has overtaken is dropped, and so is one whose
    receiver is gone, a closed dialog for instance. An error that no receiver takes is never lost:
    ``failed`` tells of it.
    """

    failed = Signal(object)
    """An exception that its request's caller does not take."""
    noticed = Signal(str)
    """A sentence that a worker wants the user to see."""
    _posted = Signal(object)

    def __init__(self, lanes: Lanes) -> None:
        super().__init__()
        self._lanes = lanes
        self._flushes: list[Callable[[], None]] = []
        self._chunks = QTimer(self, singleShot=True, interval=CHUNK_MS)
        self._chunks.timeout.connect(self._flush)
        self._is_shut_down = False
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        request: Request[Any, Answer],
        then: Callable[[Answer], object] = ignore,
        otherwise: Callable[[BaseException], object] | None = None,
    ) -> Handle[Answer]:
        """Run a request.

        Args:
            request: what is asked.
            then: called with the answer.
            otherwise: called with the error; without it ``failed`` tells of the error.
        """
        handle = self._lanes[request.lane].ask(request)

        def answer() -> None:
            error = None if handle.future.cancelled() else handle.future.exception()
            if error is not None:
                self._refuse(handle, error, otherwise)
            elif handle.is_current and not handle.future.cancelled() and _is_there(then):
                then(handle.future.result())

        self._post_when_done(handle, answer)
        return handle

    def stream(
        self,
        request: Request[Any, Iterator[Item]],
        on_items: Callable[[list[Item]], object],
        on_end: Callable[[], object] = ignore,
        otherwise: Callable[[BaseException], object] | None = None,
    ) -> Handle[None]:
        """Run a request that yields, an item a job.

        Args:
            request: what is asked.
            on_items: called with the items in chunks.
            on_end: called after the last item, also where it was stopped.
            otherwise: called instead, after the last item, with the error.
        """
        items: list[Item] = []
        lock = threading.Lock()

        def flush() -> None:
            with lock:
                taken, items[:] = items[:], []
            if taken and handle.is_current and _is_there(on_items):
                on_items(taken)

        def note(item: Item) -> None:
            with lock:
                items.append(item)
                is_first = len(items) == 1
            if is_first:
                self._posted.emit(lambda: self._flush_soon(flush))

        def end() -> None:
            flush()
            error = handle.future.exception()
            if error is not None:
                self._refuse(handle, error, otherwise)
            elif handle.is_current and _is_there(on_end):
                on_end()

        handle = self._lanes[request.lane].stream(request, note)
        self._post_when_done(handle, end)
        return handle

    def notice(self, sentence: str) -> None:
        """Let the user see a sentence. May be called from any thread."""
        self._posted.emit(lambda: self.noticed.emit(sentence))

    def shut_down(self) -> None:
        """Stop everything and wait: one batch at most."""
        self._is_shut_down = True
        self._chunks.stop()
        self._lanes.stop_all()
        self._lanes.shut_down()

    def _post_when_done(self, handle: Handle[Any], answer: Callable[[], None]) -> None:
        def post(future: Future[object]) -> None:
            if self._is_shut_down:
                _log_error(future)
            else:
                self._posted.emit(answer)

        handle.future.add_done_callback(post)

    def _refuse(
        self,
        handle: Handle[Any],
        error: BaseException,
        otherwise: Callable[[BaseException], object] | None,
    ) -> None:
        if not handle.is_current:
            return
        if otherwise is not None and _is_there(otherwise):
            otherwise(error)
        else:
            self.failed.emit(error)

    def _flush_soon(self, flush: Callable[[], None]) -> None:
        """Bring the first items at once, and what comes soon after them together."""
        if self._chunks.isActive():
            self._flushes.append(flush)
        else:
            flush()
            self._chunks.start()

    @Slot()
    def _flush(self) -> None:
        flushes, self._flushes = self._flushes, []
        for flush in flushes:
            flush()
        if flushes:
            self._chunks.start()

    @Slot(object)
    def _deliver(self, job: Callable[[], None]) -> None:
        if not self._is_shut_down:
            job()


def _log_error(future: Future[object]) -> None:
    """Note an error that comes when there is no window any more to show it."""
    error = None if future.cancelled() else future.exception()
    if error is not None:
        log.warning("while closing: %s", error)


def _is_there(receiver: Callable[..., object]) -> bool:
    """Return whether a callback's object still exists in Qt."""
    owner = getattr(getattr(receiver, "func", receiver), "__self__", None)
    return not isinstance(owner, QObject) or shiboken6.isValid(owner)
