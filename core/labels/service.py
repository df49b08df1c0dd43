"""The project that is open, kept by one thread, and another thread that reads photos for it."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.errors import LabelsError, StoppedError
from core.labels.database import cannot_keep
from core.threads import yield_to_window
from core.work.lane import Lane, Lanes

if TYPE_CHECKING:
    from core.labels.changes import Change
    from core.labels.photos import Content
    from core.labels.store import LabelStore

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")
_AT_ONCE = 50


@dataclass(frozen=True)
class OpenedProject:
    """A project as it was when it was opened.

    Attributes:
        path: of its file.
        notice: a sentence that the user should see, or "".
        state: all labels, and the classes.
        files: the list of photos.
        session: how the window looked at it, as ``LabelStore.put_session`` has kept it.
    """

    path: Path
    notice: str
    state: Change
    files: list[str]
    session: Mapping[str, str]


class LabelService:
    """Owns the label store; belongs to the thread of its lane, but for its making."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, "hash", initializer=yield_to_window)
        self._store: LabelStore | None = None
        self._stop = threading.Event()
        self._is_reading = False
        self._unreadable: set[str] = set()
        self._lane: Lane | None = None

    @classmethod
    def in_lanes(cls, lanes: Lanes) -> None:
        """Make the lane of the labels, and the one that exports them."""
        service = cls()
        service._lane = lanes.provide("label", service)
        lanes.provide("export", service._note_moves)

    def open(self, path: Path) -> OpenedProject:
        """Open a project; the one before is closed, but stays where this one cannot be opened.

        Raises:
            LabelsError: it cannot be opened.
        """
        from core.labels.store import LabelStore

        if self._store is not None and self._store.path == path.resolve():
            self._close_store()  # opened anew, as it is on the disk
        store = LabelStore(path)
        self._close_store()
        self._store = store
        self._unreadable.clear()
        self._read_contents()
        return OpenedProject(path, store.notice, store.state(), store.listed(), store.session())

    def carry_out(self, job: Callable[[LabelStore], _Answer]) -> _Answer:
        """Do something with the store; labelled photos are read afterwards, where they are new.

        Raises:
            LabelsError: no project is open, or it could not be read or written.
        """
        if self._store is None:
            raise LabelsError("No project is open; make a new one or open one in the menu Labels.")
        try:
            return job(self._store)
        except sqlite3.Error as error:  # while reading
            raise cannot_keep(self._store.path, error) from error
        finally:
            self._read_contents()

    def flush(self) -> None:
        """Bring all labels into the project's one file."""
        if self._store is not None:
            self._store.flush_log()

    def close(self) -> None:
        """Close the project. The last that is asked of it."""
        self._stop.set()
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._close_store()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _queue(self, job: Callable[[], object]) -> Future[object] | None:
        return None if self._lane is None else self._lane.queue(job)

    # For the lane of exports

    def _note_moves(self, moved: Mapping[str, str]) -> None:
        """Let labels follow photos that were moved, and wait until that is on the disk."""
        project = self._store

        def note() -> None:
            if project is not None and project is self._store:  # else contents tell them again
                self.carry_out(lambda store: store.note_moves(moved))

        future = self._queue(note)
        if future is not None:
            future.result()

    # Contents, by which photos are found again

    def _read_contents(self) -> None:
        """Let labelled photos be read whose content is not known yet."""
        store = self._store
        if store is None or self._is_reading or self._stop.is_set():
            return
        try:
            found = store.without_content(_AT_ONCE + len(self._unreadable))
        except sqlite3.Error as error:
            log.info("contents are read next time: %s", error)
            return
        files = [file for file in found if file not in self._unreadable][:_AT_ONCE]
        if files:
            self._is_reading = True
            try:
                self._reader.submit(self._hash, store, files)
            except RuntimeError:
                log.debug("contents are read next time: shutting down")

    def _note_contents(self, store: LabelStore, contents: Mapping[str, Content]) -> None:
        self._is_reading = False
        if store is self._store:
            try:
                store.note_content(contents)
                self._unreadable.update(contents.keys() & set(store.without_content()))
            except (LabelsError, sqlite3.Error) as error:
                log.info("contents are read next time: %s", error)
                return
        self._read_contents()

    def _hash(self, store: LabelStore, files: Sequence[str]) -> None:
        """Read photos. Runs in the thread that reads."""
        from core.labels.photos import content_of

        contents = {}
        for file in files:
            if self._stop.is_set():
                break
            try:
                contents[file] = content_of(Path(file), self._stop.is_set)
            except StoppedError:
                break
            except (OSError, ValueError) as error:
                log.info("%s was not read: %s", file, error)
                self._unreadable.add(file)
        self._queue(lambda: self._note_contents(store, contents))
