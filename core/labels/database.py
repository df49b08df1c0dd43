"""The file of a project: opened by one program at a time, checked, backed up, set aside."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from core.errors import LabelsError, cannot_write
from core.labels import integrity
from core.labels.backups import back_up, backups_of, bring_back, is_missing, set_aside, today
from core.labels.integrity import DamagedError, ForeignPartsError
from core.labels.schema import (
    APPLICATION_ID,
    FIRST_WITH_CHECKSUMS,
    MIGRATIONS,
    NEWEST_IMAGINABLE,
    search,
    version_of,
)
from core.language import lazy, tr

log = logging.getLogger(__name__)

ENDING = ".droplens"
_OPEN_ELSEWHERE = lazy("another Droplens has it open; close that, or choose another file")


def open_database(
    path: Path, load: Callable[[sqlite3.Connection], None]
) -> tuple[sqlite3.Connection, BaseFileLock, str]:
    """Open a project, or make it where there is none.

    The file belongs to the caller until the lock is released. A damaged file is set aside, and
    the newest backup that is whole takes its place. Once a day the file is copied.

    Args:
        path: of the file.
        load: reads what the caller needs; a project that it cannot read is damaged.

    Returns:
        The connection, the lock, and a sentence that the user should see, or "".

    Raises:
        LabelsError: another program has it open, it cannot be written, or it is no project.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it names photos
        _refuse_foreign(path)
        lock = _lock(path)
    except OSError as error:
        raise LabelsError(cannot_write(path, error)) from error
    try:
        database, told = _opened(path, load)
    except BaseException as error:
        lock.release()
        if isinstance(error, sqlite3.Error):
            raise cannot_keep(path, error) from error
        if isinstance(error, OSError):
            raise LabelsError(cannot_write(path, error)) from error
        raise
    return database, lock, told


def _lock(path: Path) -> BaseFileLock:
    """Lock a project against other programs; the system frees it when this one ends.

    A file of its own, for the database's locks end when anything in this process closes it.
    """
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LabelsError(
            "Labels cannot be kept in {path}: {open_elsewhere}.",
            path=path,
            open_elsewhere=_OPEN_ELSEWHERE,
        ) from None
    except NotImplementedError:  # a disk without locks
        log.info("%s cannot be locked", path)
    return lock


def close_database(database: sqlite3.Connection) -> bool:
    """Close a project; return whether its file alone holds all of it."""
    try:
        flush_log(database)
    except sqlite3.Error:  # closed before, or the disk does not take it; the log stays
        is_whole = False
    else:
        is_whole = True
    with contextlib.suppress(sqlite3.Error):
        database.close()
    return is_whole


def flush_log(database: sqlite3.Connection) -> None:
    """Bring what stands in the log into the file, which people copy without it."""
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _opened(
    path: Path, load: Callable[[sqlite3.Connection], None]
) -> tuple[sqlite3.Connection, str]:
    told = bring_back(path) if is_missing(path) and backups_of(path) else ""
    try:
        database, mended = _connect(path, load)
    except DamagedError as error:
        told = set_aside(path, str(error))
        try:
            database, mended = _connect(path, load)
        except DamagedError as again:
            raise LabelsError(
                "{path} was damaged, and so is its copy ({again}); both are kept. Choose "
                "another file in the menu Labels.",
                path=path,
                again=again,
            ) from again
    try:
        told = told or mended or back_up(database, path)
    except BaseException:
        database.close()
        raise
    return database, told


def cannot_keep(path: Path, error: sqlite3.Error) -> LabelsError:
    """Return what to say of an error of the database; nothing kept before is lost by it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_IOERR and not os.access(path.parent, os.W_OK):
        code = sqlite3.SQLITE_READONLY
    reasons = {
        sqlite3.SQLITE_FULL: tr("the disk is full; make room, then do it again"),
        sqlite3.SQLITE_READONLY: tr("it is write-protected; allow writing, then do it again"),
        sqlite3.SQLITE_BUSY: _OPEN_ELSEWHERE,
        sqlite3.SQLITE_LOCKED: _OPEN_ELSEWHERE,
        sqlite3.SQLITE_CANTOPEN: tr("it cannot be written there; choose another folder"),
        sqlite3.SQLITE_IOERR: tr("the disk reports an error; is it still connected, and not full?"),
    }
    reason = reasons.get(code, tr("the database says “{error}”; choose another file", error=error))
    return LabelsError("Labels cannot be kept in {path}: {reason}.", path=path, reason=reason)


_NOT_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Errors that the disk or another program makes; any other says that the file is damaged."""


def _connect(
    path: Path, load: Callable[[sqlite3.Connection], None]
) -> tuple[sqlite3.Connection, str]:
    """Open a file and read it.

    Returns:
        The connection, and what was mended in a sentence, or "".

    Raises:
        DamagedError: whatever was wrong with what it holds.
        LabelsError: it is a project, and more than that.
    """
    is_known = integrity.is_as_closed(path)
    if not is_missing(path):
        with path.open("rb") as file:
            integrity.check_header(file.read(100))
    database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        mended = _take(database, is_known=is_known)
        load(database)
    except ForeignPartsError as error:
        database.close()
        raise LabelsError(
            "{path} holds {error}, which no project of Droplens has and which may do "
            "something of its own; it is left alone. Choose another file.",
            path=path,
            error=error,
        ) from error
    except sqlite3.Error as error:
        database.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_DAMAGE:
            raise
        raise DamagedError(str(error)) from error
    except (OSError, MemoryError, DamagedError):
        database.close()
        raise
    except Exception as error:  # what is read can be wrong in any way
        database.close()
        raise DamagedError(f"{type(error).__name__}: {error}") from error
    except BaseException:
        database.close()
        raise
    return database, mended and tr(
        "{path} was damaged and is whole again; no label was lost.", path=path
    )


def _take(database: sqlite3.Connection, *, is_known: bool) -> str:
    """Lock the file for this connection alone; the system frees it when the program ends.

    A damaged file is found out before anything is written into it.

    Args:
        database: just opened.
        is_known: whether the file is as a program has left it, so that it need not be searched.

    Returns:
        What was mended, or "".
    """
    integrity.prepare(database)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute("PRAGMA cache_size = -65536")
    database.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(database)
        integrity.check_schema(database, MIGRATIONS[:version])
        mended = "" if is_known else search(database, version)
        for script in MIGRATIONS[version:]:
            for statement in _statements(script):
                database.execute(statement)
        if version < len(MIGRATIONS):
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        if version < FIRST_WITH_CHECKSUMS:
            integrity.add_checksums(database)
        integrity.keep_checksums(database)
        # A write of its own, so that a write-protected file is found out now, not at a label.
        database.execute(
            "INSERT OR REPLACE INTO session (name, value) VALUES ('opened', ?)", (today(),)
        )
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    if version < len(MIGRATIONS):  # else a new file says what it is only in its log
        flush_log(database)
    return mended


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _refuse_foreign(path: Path) -> None:
    """Say so where the file is something else, so that nothing is ever written into it."""
    if path.suffix.lower() != ENDING:
        raise _not_a_project(path)
    if is_missing(path):
        return
    with path.open("rb") as file:
        start = file.read(100)
    is_database = start.startswith(b"SQLite format 3\0")
    application = int.from_bytes(start[68:72], "big")
    version = int.from_bytes(start[60:64], "big")
    if is_database and application == APPLICATION_ID:
        if len(MIGRATIONS) < version <= NEWEST_IMAGINABLE:
            raise LabelsError(
                "{path} was made by a newer Droplens (its form is {version}, this "
                "program knows {n}); open it with that.",
                path=path,
                version=version,
                n=len(MIGRATIONS),
            )
        return
    if not is_database or application == 0 or backups_of(path):
        return  # damaged, or empty still; looked at below
    raise _not_a_project(path)


def _not_a_project(path: Path) -> LabelsError:
    return LabelsError(
        "{path} is not a project of Droplens; choose a file that ends in {ending}.",
        path=path,
        ending=ENDING,
    )
