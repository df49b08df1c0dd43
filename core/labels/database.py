"""The file of a project: opened by one program at a time, checked, backed up, set aside."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from core.errors import LabelsError, cannot_write, os_reason
from core.files import flush_folder, replacing
from core.labels import integrity
from core.labels.integrity import DamagedError, ForeignPartsError
from core.language import lazy, tr

log = logging.getLogger(__name__)

ENDING = ".droplens"
KEPT_BACKUPS = 14
_DAY = re.compile(r"\d{4}-\d\d-\d\d ")
_OPEN_ELSEWHERE = lazy("another Droplens has it open; close that, or choose another file")
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

_TABLES = (
    "photos",
    "formerly",
    "models",
    "steps",
    "class_lists",
    "events",
    "predictions",
    "session",
)
_CHECKSUMS = "".join(f"ALTER TABLE {table} ADD COLUMN crc INTEGER;\n" for table in _TABLES)

_MIGRATIONS = (_SCHEMA, _CHECKSUMS)
"""What leads from each version of the schema to the next one."""

_FIRST_WITH_CHECKSUMS = 2
_NEWEST_IMAGINABLE = 100
"""A file that claims a later version than that is damaged, not of a newer program."""


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
    told = _bring_back(path) if _is_missing(path) and backups_of(path) else ""
    try:
        database, mended = _connect(path, load)
    except DamagedError as error:
        told = _set_aside(path, str(error))
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
        told = told or mended or _back_up(database, path)
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
    reason = reasons.get(code, f"the database says “{error}”; choose another file")
    return LabelsError("Labels cannot be kept in {path}: {reason}.", path=path, reason=reason)


def backups_of(path: Path) -> list[Path]:
    """Return the copies of a project, newest first."""
    try:
        names = [one.name for one in _backup_folder(path).iterdir()]
    except OSError:
        return []
    ours = [name for name in names if _DAY.fullmatch(name[:11]) and name[11:] == path.name]
    return [_backup_folder(path) / name for name in sorted(ours, reverse=True)]


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
    if not _is_missing(path):
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
        version = _version_of(database)
        integrity.check_schema(database, _MIGRATIONS[:version])
        mended = "" if is_known else _search(database, version)
        for script in _MIGRATIONS[version:]:
            for statement in _statements(script):
                database.execute(statement)
        if version < len(_MIGRATIONS):
            database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
        if version < _FIRST_WITH_CHECKSUMS:
            integrity.add_checksums(database)
        integrity.keep_checksums(database)
        # A write of its own, so that a write-protected file is found out now, not at a label.
        database.execute(
            "INSERT OR REPLACE INTO session (name, value) VALUES ('opened', ?)", (_today(),)
        )
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    if version < len(_MIGRATIONS):  # else a new file says what it is only in its log
        flush_log(database)
    return mended


def _version_of(database: sqlite3.Connection) -> int:
    """Return which version of the schema a file has; 0 for one that is new."""
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    is_empty = database.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if not 0 <= version <= len(_MIGRATIONS) or (version == 0) != is_empty:
        raise DamagedError(tr("its version"))
    return version


def _search(database: sqlite3.Connection, version: int) -> str:
    """Look at every page and every row; return what was mended, or ""."""
    mended = integrity.check_pages(database)
    if version >= _FIRST_WITH_CHECKSUMS:
        integrity.check_rows(database)
    return "an index" if mended else ""


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
    if _is_missing(path):
        return
    with path.open("rb") as file:
        start = file.read(100)
    is_database = start.startswith(b"SQLite format 3\0")
    application = int.from_bytes(start[68:72], "big")
    version = int.from_bytes(start[60:64], "big")
    if is_database and application == _APPLICATION_ID:
        if len(_MIGRATIONS) < version <= _NEWEST_IMAGINABLE:
            raise LabelsError(
                "{path} was made by a newer Droplens (its form is {version}, this "
                "program knows {n}); open it with that.",
                path=path,
                version=version,
                n=len(_MIGRATIONS),
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
        return tr(
            "{path} was damaged. It was set aside as {name}, and the copy of {restored} "
            "has taken its place; what was labelled since is in the file set aside.",
            path=path,
            name=aside.name,
            restored=restored,
        )
    return tr(
        "{path} was damaged and was set aside as {name}; {why}, so it begins empty.",
        path=path,
        name=aside.name,
        why=why,
    )


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
        return tr(
            "{path} was not there or was empty; the copy of {restored} has taken its place.",
            path=path,
            restored=restored,
        )
    return tr("{path} was not there or was empty, and {why}; it begins empty.", path=path, why=why)


def _restore(path: Path) -> tuple[str, str]:
    """Copy the newest backup that is whole to its place.

    Returns:
        Its day, "" where there was none; and why not.
    """
    why = tr("there was no copy")
    for backup in backups_of(path):
        try:
            _copy_whole(backup, path)
        except (sqlite3.Error, DamagedError, ForeignPartsError, OSError) as error:
            why = tr("its copies could not be used ({error})", error=error)
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
        integrity.prepare(database)
        version = _version_of(database)
        integrity.check_schema(database, _MIGRATIONS[:version])
        _search(database, version)
        with replacing(target) as temporary:
            _copy(database, temporary)
    flush_folder(target.parent)


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
        return tr(
            "Today's copy of {path} could not be made in {folder}: {reason}. Labels are kept.",
            path=path,
            folder=folder,
            reason=reason,
        )
    return ""


def _backup_folder(path: Path) -> Path:
    return path.with_name(f"{path.stem} backups")


def _today() -> str:
    return datetime.date.today().isoformat()
