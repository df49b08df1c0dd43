"""The thread that owns the label store, and another one that reads and copies photos for it."""

from __future__ import annotations

import contextlib
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
from core.threads import begin_thread, yield_to_window

if TYPE_CHECKING:
    from core.labels.exporting import Report
    from core.labels.formats.table import Format
    from core.labels.photos import Content
    from core.labels.plans import ExportOptions, Plan
    from core.labels.store import Change, LabelStore

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")
_AT_ONCE = 50
IDLE_S = 2.0
"""After the last job, until all labels are brought into the one file."""


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


class LabelKeeper:
    """Answers by futures, in the order asked; may be called from any one thread.

    Args:
        idle_s: seconds without a job after which the project's file alone holds all of it.
    """

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._jobs = 0
        self._idle: threading.Timer | None = None
        self._worker = ThreadPoolExecutor(1, "label", initializer=begin_thread)
        self._reader = ThreadPoolExecutor(1, "hash", initializer=yield_to_window)
        self._store: LabelStore | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._is_reading = False
        self._unreadable: set[str] = set()

    def open(self, path: Path) -> Future[OpenedProject]:
        """Open a project; the one before is closed, but stays where this one cannot be opened."""
        return self._submit(lambda: self._open(path))

    def ask(self, job: Callable[[LabelStore], _Answer]) -> Future[_Answer]:
        """Let something be done with the store, in its thread."""

        def carry_out() -> _Answer:
            store = self._opened()
            try:
                return job(store)
            except sqlite3.Error as error:  # while reading
                raise cannot_keep(store.path, error) from error

        future = self._submit(carry_out)
        self._submit(self._read_contents)
        return future

    def export(
        self,
        plan: Plan,
        form: Format,
        target: Path,
        options: ExportOptions,
        on_progress: Callable[[int, int], None],
        on_moved: Callable[[Mapping[str, str]], None],
        stop: threading.Event,
    ) -> Future[Report]:
        """Carry out an export while labelling goes on.

        Args:
            plan: as ``exporting.plan_export`` gave it.
            form: of the labels.
            target: as for the plan.
            options: as for the plan.
            on_progress: called in a thread with the number of photos done and of all.
            on_moved: called there with files that were moved, from where to where.
            stop: ends it.
        """
        from core.labels.exporting import carry_out

        project = self._store

        def note_moves(moved: Mapping[str, str]) -> None:
            def note(store: LabelStore) -> None:
                if store is project:  # else another one was opened; contents tell them again
                    store.note_moves(moved)

            self.ask(note).result()
            on_moved(moved)

        def is_stopped() -> bool:
            return stop.is_set() or self._stop.is_set()

        return self._reader.submit(
            lambda: carry_out(plan, form, target, options, note_moves, on_progress, is_stopped)
        )

    def shut_down(self) -> None:
        """Wait for what was asked, and close the project."""
        self._stop.set()
        with self._lock:
            idle = self._idle
        if idle is not None:
            idle.cancel()
            idle.join()
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._submit(self._close)
        self._worker.shutdown(wait=True)

    def _submit(self, job: Callable[[], _Answer]) -> Future[_Answer]:
        with self._lock:
            self._jobs += 1
            if self._idle is None and not self._stop.is_set():
                self._watch_idleness(self._jobs)
        try:
            return self._worker.submit(job)
        except RuntimeError:  # shutting down
            future: Future[_Answer] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    def _watch_idleness(self, jobs: int) -> None:
        """Look after a while whether there was another job; the lock is held."""
        self._idle = threading.Timer(self._idle_s, self._flush_if_idle, (jobs,))
        self._idle.name = "label-idle"
        self._idle.daemon = True
        self._idle.start()

    def _flush_if_idle(self, jobs: int) -> None:
        with self._lock:
            if self._stop.is_set():
                return
            if self._jobs != jobs:
                self._watch_idleness(self._jobs)
                return
            self._idle = None
            with contextlib.suppress(RuntimeError):  # shutting down
                self._worker.submit(self._flush)

    # In the thread of the store

    def _flush(self) -> None:
        if self._store is not None:
            self._store.flush_log()

    def _open(self, path: Path) -> OpenedProject:
        from core.labels.store import LabelStore

        if self._store is not None and self._store.path == path.resolve():
            self._close()  # opened anew, as it is on the disk
        store = LabelStore(path)
        self._close()
        self._store = store
        self._unreadable.clear()
        return OpenedProject(path, store.notice, store.state(), store.listed(), store.session())

    def _opened(self) -> LabelStore:
        if self._store is None:
            raise LabelsError("No project is open; make a new one or open one in the menu Labels.")
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _read_contents(self) -> None:
        """Let labelled photos be read whose content is not known yet."""
        store = self._store
        if store is None or self._is_reading or self._stop.is_set():
            return
        found = store.without_content(_AT_ONCE + len(self._unreadable))
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

    # In the other thread

    def _hash(self, store: LabelStore, files: Sequence[str]) -> None:
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
        self._submit(lambda: self._note_contents(store, contents))
