"""The photos of a project: known by path, and by content where they were moved or renamed."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.files import hash_of, open_ordinary


@dataclass(frozen=True)
class Registered:
    """What became of paths that were looked at.

    Attributes:
        photos: file → number of the photo.
        away: files that are not there now; what is known of them stays.
        moved: file where a photo was → file where it is now.
        changed: files that were labelled and have another content now.
    """

    photos: dict[str, int] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)


class Content(NamedTuple):
    """What a file holds: SHA-256, size in bytes, time of its last change."""

    sha256: bytes
    size: int
    mtime_ns: int


def content_of(path: Path, is_stopped: Callable[[], bool] = lambda: False) -> Content:
    """Read a file and return what identifies its content.

    Raises:
        OSError: it cannot be read.
        StoppedError: it was asked to stop.
    """
    with open_ordinary(path) as file:
        status = os.fstat(file.fileno())
        sha256 = hash_of(file, is_stopped)
    return Content(sha256, status.st_size, _mtime_of(status))


def _mtime_of(status: os.stat_result) -> int:
    """Return the time of the last change, as far as the database can hold it."""
    return max(-(2**63), min(2**63 - 1, status.st_mtime_ns))


class _Row(NamedTuple):
    id: int
    path: bytes | None
    size: int
    mtime_ns: int
    sha256: bytes | None


_COLUMNS = "id, path, size, mtime_ns, sha256"


class Photos:
    """Rows of photos. The caller holds a transaction around whatever changes them.

    Args:
        database: of the project.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        last = database.execute("SELECT max(place) FROM photos WHERE place IS NOT NULL").fetchone()
        self._places = (last[0] or 0) + 1

    def listed(self) -> list[str]:
        """Return the files in the list of photos, in its order."""
        rows = self._database.execute(
            "SELECT path FROM photos WHERE place IS NOT NULL AND path IS NOT NULL ORDER BY place"
        )
        return [os.fsdecode(path) for (path,) in rows]

    def register(self, paths: Iterable[Path], *, listed: bool) -> Registered:
        """Look at files; those that nobody knew become photos, but for those that were moved.

        Args:
            paths: absolute.
            listed: put them into the list of photos, at its end.
        """
        met = Registered()
        for path in paths:
            self._register_one(path, met)
            if listed and str(path) in met.photos:
                self._database.execute(
                    "UPDATE photos SET place = ? WHERE id = ? AND place IS NULL",
                    (self._places, met.photos[str(path)]),
                )
                self._places += 1
        return met

    def take_off(self, files: Iterable[str]) -> None:
        """Take files off the list; what is known of them stays."""
        self._database.executemany(
            "UPDATE photos SET place = NULL WHERE path = ?", [(os.fsencode(f),) for f in files]
        )

    def put_in_order(self, files: Iterable[str]) -> None:
        """Let the list stand in this order."""
        rows = [(place, os.fsencode(file)) for place, file in enumerate(files, 1)]
        self._database.executemany(
            "UPDATE photos SET place = ? WHERE path = ? AND place IS NOT NULL", rows
        )
        self._places = max(self._places, len(rows) + 1)

    def file_of(self, photo: int) -> str:
        """Return where a photo was last seen."""
        row = self._database.execute("SELECT path FROM photos WHERE id = ?", (photo,)).fetchone()
        return os.fsdecode(row[0] or b"")

    def without_content(self, limit: int) -> list[str]:
        """Return labelled files whose content has no hash yet."""
        rows = self._database.execute(
            "SELECT path FROM photos WHERE sha256 IS NULL AND path IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM events WHERE photo = photos.id) LIMIT ?",
            (limit,),
        )
        return [os.fsdecode(path) for (path,) in rows]

    def note_content(self, contents: Mapping[str, Content]) -> None:
        """Note what files hold."""
        self._database.executemany(
            "UPDATE photos SET sha256 = ?, size = ?, mtime_ns = ? WHERE path = ?"
            " AND size IN (?, -1)",  # else it was changed meanwhile, which is said when it is met
            [(*one, os.fsencode(file), one.size) for file, one in contents.items()],
        )

    def move(self, moved: Mapping[str, str]) -> None:
        """Note that files were moved, from where to where."""
        rows = [(self._row_at(os.fsencode(old)), new) for old, new in moved.items()]
        found = [(row, new) for row, new in rows if row is not None]
        for row, _ in found:  # at once, for one may take another's place
            self._database.execute("UPDATE photos SET path = NULL WHERE id = ?", (row.id,))
        for row, new in found:
            self._give_place(row, os.fsencode(new), self._status(Path(new)))

    # One file

    def _register_one(self, path: Path, met: Registered) -> None:
        file, key = str(path), os.fsencode(path)
        known, status = self._row_at(key), self._status(path)
        if status is None:
            met.away.append(file)
            if known is not None:
                met.photos[file] = known.id
            return
        if known is not None and (known.size, known.mtime_ns) == status:
            met.photos[file] = known.id
            return
        content = self._content_if_needed(path, status, known)
        if content is not None and known is not None and known.sha256 == content.sha256:
            self._renew(known, status, content, met)  # only touched
            met.photos[file] = known.id
            return
        moved = self._moved_here(key, content) if content is not None else None
        if moved is not None and (known is None or moved.id != known.id):
            if moved.path is not None:
                met.moved[os.fsdecode(moved.path)] = file
            self._give_place(moved, key, status)
            met.photos[file] = moved.id
        elif known is None:
            added = self._database.execute(
                "INSERT INTO photos (path, size, mtime_ns, sha256) VALUES (?, ?, ?, ?)",
                (key, *status, content and content.sha256),
            )
            assert added.lastrowid is not None
            met.photos[file] = added.lastrowid
        else:
            self._renew(known, status, content, met)
            met.photos[file] = known.id

    def _renew(
        self, known: _Row, status: tuple[int, int], content: Content | None, met: Registered
    ) -> None:
        """Note that a known file was written anew; its label stays."""
        sha256 = content.sha256 if content is not None else None
        labelled = "SELECT 1 FROM events WHERE photo = ? LIMIT 1"
        is_labelled = self._database.execute(labelled, (known.id,)).fetchone() is not None
        if is_labelled and (sha256 is None or sha256 != known.sha256):
            met.changed.append(os.fsdecode(known.path or b""))
            self._remember(known)
        self._database.execute(
            "UPDATE photos SET size = ?, mtime_ns = ?, sha256 = ? WHERE id = ?",
            (*status, sha256, known.id),
        )

    def _content_if_needed(
        self, path: Path, status: tuple[int, int], known: _Row | None
    ) -> Content | None:
        """Read a file only where its content decides whose it is."""
        size = (status[0],)
        alike = "SELECT 1 FROM photos WHERE size = ? AND sha256 IS NOT NULL LIMIT 1"
        if (known is None or known.sha256 is None) and not self._database.execute(
            alike, size
        ).fetchone():
            return None
        try:
            return content_of(path)
        except OSError:
            return None  # its row says so when it is classified

    def _moved_here(self, key: bytes, content: Content) -> _Row | None:
        """Return a photo of this content that is no longer where it was."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM photos WHERE size = ? AND sha256 = ?",
            (content.size, content.sha256),
        ).fetchall()
        for row in map(_Row._make, rows):
            if row.path is None or row.path == key:
                return row
            if self._is_gone(row):
                return row
        return None

    def _is_gone(self, row: _Row) -> bool:
        """Return whether a photo is no longer where it was, or something else lies there."""
        path = Path(os.fsdecode(row.path or b""))
        status = self._status(path)
        if status is None or status == (row.size, row.mtime_ns):
            return status is None
        try:
            return content_of(path).sha256 != row.sha256
        except OSError:
            return False

    def _give_place(self, row: _Row, key: bytes, status: tuple[int, int] | None) -> None:
        """Let a photo stand at a path; another one that stood there waits to be found."""
        self._remember(row)
        self._database.execute(
            "UPDATE photos SET path = NULL, place = NULL WHERE path = ? AND id != ?", (key, row.id)
        )
        size, mtime_ns = status or (row.size, row.mtime_ns)
        self._database.execute(
            "UPDATE photos SET path = ?, size = ?, mtime_ns = ? WHERE id = ?",
            (key, size, mtime_ns, row.id),
        )

    def _remember(self, row: _Row) -> None:
        self._database.execute(
            "INSERT INTO formerly (photo, until, path, size, sha256) VALUES (?, ?, ?, ?, ?)",
            (row.id, time.time_ns() // 10**6, row.path, row.size, row.sha256),
        )

    def _row_at(self, key: bytes) -> _Row | None:
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM photos WHERE path = ?", (key,)
        ).fetchone()
        return None if found is None else _Row(*found)

    def _status(self, path: Path) -> tuple[int, int] | None:
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        return status.st_size, _mtime_of(status)
