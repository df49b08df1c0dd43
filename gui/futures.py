"""The one place where threads meet Qt: futures in, signals out, always through the event loop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot


class FutureWatcher(QObject):
    """Base of the bridges: brings answers of futures to the GUI thread.

    Every signal is emitted there. An answer that a newer request of its kind has overtaken is
    dropped.
    """

    failed = Signal(object)
    """An exception that nobody expected and that has no signal of its own."""

    _answered = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._newest: dict[str, Future[Any]] = {}
        self._answered.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def _watch(
        self,
        kind: str,
        future: Future[Any],
        on_answer: Callable[[Any], object],
        on_refusal: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._newest[kind] = future
        handlers = (kind, on_answer, on_refusal)
        future.add_done_callback(partial(self._answered.emit, handlers))

    def _refuse(self, kind: str, error: BaseException) -> None:
        """Tell of an error whose request has no refusal of its own."""
        self.failed.emit(error)

    @Slot(object, object)
    def _receive(self, handlers: tuple[str, Any, Any], future: Future[Any]) -> None:
        kind, on_answer, on_refusal = handlers
        if self._newest.get(kind) is not future:
            return
        del self._newest[kind]
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            on_answer(future.result())
        elif on_refusal is not None:
            on_refusal(error)
        else:
            self._refuse(kind, error)
