"""What can be asked of a worker: one frozen object a request.

Imported before the first paint, so it imports little.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from core.work.handles import Handle

Context = TypeVar("Context")
Answer = TypeVar("Answer")


class Request(Generic[Context, Answer]):
    """An immutable question that holds all it needs; subclasses are frozen dataclasses.

    A request whose ``run`` returns an iterator can be streamed: each item is a job of its own,
    so that other requests of the lane get in between.

    Attributes:
        lane: name of the lane that carries it out.
        slot: what a newer request replaces; "" replaces nothing and is never lost.
    """

    lane: ClassVar[str]
    slot: ClassVar[str] = ""

    def run(self, context: Context) -> Answer:
        """Return the answer. Runs in the lane.

        Args:
            context: what the lane owns, the network for instance.
        """
        raise NotImplementedError


_here = threading.local()


def is_stopped() -> bool:
    """Return whether the request that this thread carries out was asked to end."""
    handle: Handle[object] | None = getattr(_here, "handle", None)
    return handle is not None and handle.is_stopped


def tell(item: object) -> None:
    """Bring an item of the stream that this thread carries out, in the midst of a job.

    For work that nothing has to get in between, a copy of many files for instance.
    """
    on_item: Callable[[object], object] | None = getattr(_here, "on_item", None)
    if on_item is not None:
        on_item(item)


@contextlib.contextmanager
def carrying_out(
    handle: Handle[Any], on_item: Callable[[Any], object] | None = None
) -> Iterator[None]:
    """Let ``is_stopped`` and ``tell`` speak of a request while this thread carries it out."""
    _here.handle, _here.on_item = handle, on_item
    try:
        yield
    finally:
        _here.handle = _here.on_item = None
