"""The copies of a project, one a day, and how the newest whole one comes back."""

from __future__ import annotations

import contextlib
import datetime
import logging
import re
import sqlite3
from pathlib import Path

from core.errors import os_reason
from core.files import flush_folder, replacing
from core.labels import integrity
from core.labels.integrity import DamagedError, ForeignPartsError
from core.labels.schema import MIGRATIONS, search, version_of
from core.language import tr

log = logging.getLogger(__name__)

KEPT_BACKUPS = 14

_DAY = re.compile(r"\d{4}-\d\d-\d\d ")


def backups_of(path: Path) -> list[Path]:
    """Return the copies of a project, newest first."""
    try:
        names = [one.name for one in _backup_folder(path).iterdir()]
    except OSError:
        return []
    ours = [name for name in names if _DAY.fullmatch(name[:11]) and name[11:] == path.name]
    return [_backup_folder(path) / name for name in sorted(ours, reverse=True)]


def set_aside(path: Path, reason: str) -> str:
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


def is_missing(path: Path) -> bool:
    """Return whether a project is not there, or empty."""
    return not path.exists() or path.stat().st_size == 0


def bring_back(path: Path) -> str:
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
        version = version_of(database)
        integrity.check_schema(database, MIGRATIONS[:version])
        search(database, version)
        with replacing(target) as temporary:
            _copy(database, temporary)
    flush_folder(target.parent)


def _copy(database: sqlite3.Connection, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = FULL")
        database.backup(copy)


def back_up(database: sqlite3.Connection, path: Path) -> str:
    """Keep a copy of each day on which the project was opened."""
    folder = _backup_folder(path)
    copy = folder / f"{today()} {path.name}"
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


def today() -> str:
    """Return the day of now, as the names of copies begin."""
    return datetime.date.today().isoformat()
