"""Requests in flight."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Handle(Generic[Answer]):
    """One request in flight.

    Attributes:
        future: its answer; of a stream, done after the last item.
        is_current: whether its answer is still wanted.
    """

    def __init__(self) -> None:
        self.future: Future[Answer] = Future()
        self.is_current = True
        self._stop = threading.Event()

    @property
    def is_stopped(self) -> bool:
        """Return whether it was asked to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end soon; what it has done so far is delivered."""
        self._stop.set()

    def drop(self) -> None:
        """Ask it to end soon and want no answer of it."""
        self.is_current = False
        self._stop.set()
        self.future.cancel()
