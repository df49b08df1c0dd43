"""Requests that yield: one item a job, so that a click waits for one item at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from core.work.handles import Handle
from core.work.requests import Request, carrying_out

Item = TypeVar("Item")


class Stream(Generic[Item]):
    """A request's iterator, advanced one item at a time, each step queuing the next."""

    def __init__(
        self,
        request: Request[object, Iterator[Item]],
        context: object,
        handle: Handle[None],
        on_item: Callable[[Item], object],
        queue: Callable[[Callable[[], object]], bool],
    ) -> None:
        """Prepare; ``step`` begins.

        Args:
            request: what yields.
            context: given to it.
            handle: stops it; its future is done when the last item came, or none comes any more.
            on_item: called in the lane with each item.
            queue: appends a job to the lane; returns whether it still takes any.
        """
        handle.future.set_running_or_notify_cancel()
        self._request, self._context, self._handle = request, context, handle
        self._on_item, self._queue = on_item, queue
        self._items: Iterator[Item] | None = None

    def step(self) -> None:
        """Bring one item and queue the next step. Runs in the lane."""
        try:
            with carrying_out(self._handle, self._on_item):
                is_over = self._advance()
            if not is_over and self._queue(self.step):
                return
            self._close()
        except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
            self._handle.future.set_exception(error)
        else:
            self._handle.future.set_result(None)

    def _advance(self) -> bool:
        if self._handle.is_stopped:
            return True
        if self._items is None:
            self._items = iter(self._request.run(self._context))
        for item in self._items:
            self._on_item(item)
            return False
        return True

    def _close(self) -> None:
        """Let a generator clean up that was stopped in the middle."""
        close = getattr(self._items, "close", None)
        if close is not None:
            close()
