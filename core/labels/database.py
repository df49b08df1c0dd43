"""The file of a project: opened by one program at a time, checked, backed up, set aside."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from core.errors import LabelsError, cannot_write, os_reason
from core.files import replacing

log = logging.getLogger(__name__)

ENDING = ".droplens"
KEPT_BACKUPS = 14
_DAY = re.compile(r"\d{4}-\d\d-\d\d ")
_OPEN_ELSEWHERE = "another Droplens has it open; close that, or choose another file"
_APPLICATION_ID = 0x44726F70  # "Drop"
_SCHEMA = """
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    path BLOB UNIQUE,               -- as the file system has it; null where another took its place
    size INTEGER NOT NULL,          -- in bytes
    mtime_ns INTEGER NOT NULL,
    sha256 BLOB,                    -- of the content; found out after the photo was labelled
    place INTEGER                   -- in the list of photos; null when taken off it
);
CREATE INDEX photo_of_content ON photos(size, sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX photo_in_list ON photos(place) WHERE place IS NOT NULL;
CREATE TABLE formerly (             -- where a photo was, and what it was, before
    photo INTEGER NOT NULL, until INTEGER NOT NULL,
    path BLOB, size INTEGER NOT NULL, sha256 BLOB
);
CREATE TABLE models (id INTEGER PRIMARY KEY, described TEXT NOT NULL UNIQUE);
CREATE TABLE steps (                -- what a person did at once, and undoes at once
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,              -- person, proposal or import
    at INTEGER NOT NULL,            -- milliseconds since 1970
    state INTEGER NOT NULL          -- 0 holds, 1 undone, 2 undone for good
);
CREATE INDEX steps_by_state ON steps(state, id);
CREATE INDEX steps_by_time ON steps(at);
CREATE TABLE class_lists (step INTEGER PRIMARY KEY, list TEXT NOT NULL);
CREATE TABLE events (               -- what a photo's label became
    id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL,
    photo INTEGER NOT NULL,
    classes TEXT NOT NULL,          -- numbers with commas between; empty: no label
    model INTEGER,                  -- that the label was seen beside
    top BLOB                        -- what it said: index, probability and value of each class
);
CREATE INDEX events_of_photo ON events(photo, id, step);
CREATE INDEX events_of_step ON events(step);
CREATE TABLE predictions (photo INTEGER PRIMARY KEY, model INTEGER NOT NULL, top BLOB NOT NULL);
CREATE TABLE session (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIEW labels AS               -- what holds now
    SELECT photo, max(id) AS event FROM events
    WHERE step NOT IN (SELECT id FROM steps WHERE state > 0)
    GROUP BY photo;
"""

_MIGRATIONS = (_SCHEMA,)
"""What leads from each version of the schema to the next one."""


def open_database(path: Path) -> tuple[sqlite3.Connection, BaseFileLock, str]:
    """Open a project, or make it where there is none.

    The file belongs to the caller until he releases the lock. A damaged file is set aside, and
    the newest backup that is whole takes its place. Once a day the file is copied.

    Returns:
        The connection, the lock, and a sentence that the user should see, or "".

    Raises:
        LabelsError: another program has it open, it cannot be written, or it is no project.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(path)
        lock = _lock(path)
    except OSError as error:
        raise LabelsError(cannot_write(path, error)) from error
    try:
        database, told = _opened(path)
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
        raise LabelsError(f"Labels cannot be kept in {path}: {_OPEN_ELSEWHERE}.") from None
    except NotImplementedError:  # a disk without locks
        log.info("%s cannot be locked", path)
    return lock


def _opened(path: Path) -> tuple[sqlite3.Connection, str]:
    told = _bring_back(path) if _is_missing(path) and backups_of(path) else ""
    try:
        database = _connect(path)
    except _DamagedError as error:
        told = _set_aside(path, str(error))
        database = _connect(path)
    try:
        told = told or _back_up(database, path)
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
        sqlite3.SQLITE_FULL: "the disk is full; make room, then do it again",
        sqlite3.SQLITE_READONLY: "it is write-protected; allow writing, then do it again",
        sqlite3.SQLITE_BUSY: _OPEN_ELSEWHERE,
        sqlite3.SQLITE_LOCKED: _OPEN_ELSEWHERE,
        sqlite3.SQLITE_CANTOPEN: "it cannot be written there; choose another folder",
        sqlite3.SQLITE_IOERR: "the disk reports an error; is it still connected, and not full?",
    }
    reason = reasons.get(code, f"the database says “{error}”; choose another file")
    return LabelsError(f"Labels cannot be kept in {path}: {reason}.")


def backups_of(path: Path) -> list[Path]:
    """Return the copies of a project, newest first."""
    try:
        names = [one.name for one in _backup_folder(path).iterdir()]
    except OSError:
        return []
    ours = [name for name in names if _DAY.fullmatch(name[:11]) and name[11:] == path.name]
    return [_backup_folder(path) / name for name in sorted(ours, reverse=True)]


class _DamagedError(Exception):
    """The file is a project that has been damaged."""


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _take(database)
    except sqlite3.DatabaseError as error:
        database.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise _DamagedError(str(error)) from error
    except BaseException:
        database.close()
        raise
    return database


def _take(database: sqlite3.Connection) -> None:
    """Lock the file for this connection alone; the system frees it when the program ends.

    A damaged file is found out before anything is written into it.
    """
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute("PRAGMA cache_size = -65536")
    database.execute("BEGIN IMMEDIATE")
    try:
        _check(database)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        for script in _MIGRATIONS[version:]:
            for statement in _statements(script):
                database.execute(statement)
        if version < len(_MIGRATIONS):
            database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
        # A write of its own, so that a write-protected file is found out now, not at a label.
        database.execute("INSERT OR REPLACE INTO session VALUES ('opened', ?)", (_today(),))
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    if version < len(_MIGRATIONS):  # else a new file says what it is only in its log
        database.execute("PRAGMA wal_checkpoint").fetchall()


def _check(database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _DamagedError(found)


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
        raise LabelsError(f"{path} is no project of Droplens; choose a file that ends in {ENDING}.")
    if _is_missing(path):
        return
    with path.open("rb") as file:
        start = file.read(100)
    is_database = start.startswith(b"SQLite format 3\0")
    application = int.from_bytes(start[68:72], "big")
    if is_database and application == _APPLICATION_ID:
        version = int.from_bytes(start[60:64], "big")
        if version > len(_MIGRATIONS):
            raise LabelsError(
                f"{path} was made by a newer Droplens (its form is {version}, this program knows "
                f"{len(_MIGRATIONS)}); open it with that."
            )
        return
    if not is_database or application == 0:
        return  # damaged, or empty still; looked at below
    raise LabelsError(f"{path} is no project of Droplens; choose a file that ends in {ENDING}.")


def _set_aside(path: Path, reason: str) -> str:
    """Move a damaged file out of the way and bring back the newest copy that is whole."""
    log.warning("%s is damaged: %s", path, reason)
    aside = _free_name(path, " damaged")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    restored, why = _restore(path)
    if restored:
        return (
            f"{path} was damaged. It was set aside as {aside.name}, and the copy of {restored} "
            "has taken its place; what was labelled since is in the file set aside."
        )
    return f"{path} was damaged and was set aside as {aside.name}; {why}, so it begins empty."


def _is_missing(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _bring_back(path: Path) -> str:
    """Bring the newest copy back where the file is gone, or was emptied, but has copies."""
    log_file = path.with_name(f"{path.name}-wal")
    if log_file.exists():  # of the file that is gone; perhaps somebody can use it
        free = _free_name(path, " lost")
        log_file.rename(free.with_name(f"{free.name}-wal"))
    restored, why = _restore(path)
    if restored:
        return f"{path} was not there or was empty; the copy of {restored} has taken its place."
    return f"{path} was not there or was empty, and {why}; it begins empty."


def _restore(path: Path) -> tuple[str, str]:
    """Copy the newest backup that is whole to its place.

    Returns:
        Its day, "" where there was none; and why not.
    """
    why = "there was no copy"
    for backup in backups_of(path):
        try:
            _copy_whole(backup, path)
        except (sqlite3.Error, _DamagedError, OSError) as error:
            why = f"its copies could not be used ({error})"
            continue
        return backup.name[:10], ""
    return "", why


def _free_name(path: Path, addition: str) -> Path:
    """Return a name beside a file that nothing has yet."""
    stamp = datetime.datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    number = 1
    while True:
        again = f" ({number})" if number > 1 else ""
        free = path.with_name(f"{path.stem}{addition} {stamp}{again}{path.suffix}")
        if not free.exists():
            return free
        number += 1


def _copy_whole(source: Path, target: Path) -> None:
    """Copy a project that is whole to a place where there is none."""
    with contextlib.closing(sqlite3.connect(source, isolation_level=None)) as database:
        _check(database)
        with replacing(target) as temporary:
            _copy(database, temporary)


def _copy(database: sqlite3.Connection, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = FULL")
        database.backup(copy)


def _back_up(database: sqlite3.Connection, path: Path) -> str:
    """Keep a copy of each day on which the project was opened."""
    folder = _backup_folder(path)
    copy = folder / f"{_today()} {path.name}"
    if copy.exists() or not database.execute("SELECT 1 FROM steps LIMIT 1").fetchone():
        return ""
    try:
        folder.mkdir(exist_ok=True)
        with replacing(copy) as temporary:
            _copy(database, temporary)
        for old in backups_of(path)[KEPT_BACKUPS:]:
            old.unlink()
    except (OSError, sqlite3.Error) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        return f"Today's copy of {path} could not be made in {folder}: {reason}. Labels are kept."
    return ""


def _backup_folder(path: Path) -> Path:
    return path.with_name(f"{path.stem} backups")


def _today() -> str:
    return datetime.date.today().isoformat()
