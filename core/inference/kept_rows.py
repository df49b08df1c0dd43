"""A database of what can be computed again: whatever goes wrong with it, it is."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from core.files import make_private_folder
from core.language import tr

log = logging.getLogger(__name__)

_SCHEMA = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS known ({columns});
"""
_SPARE_SHARE = 0.1


class KeptRows:
    """Values by key; the oldest go. Whole after the program was killed.

    Made anywhere, used in one thread.

    Args:
        path: of the database.
        limit: rows that are kept.
        columns: names of the key and of the value.
    """

    def __init__(self, path: Path, limit: int, columns: tuple[str, str] = ("key", "value")) -> None:
        self._path, self._limit, self._columns = path, limit, columns
        self._database: sqlite3.Connection | None = None
        self._is_broken = False

    def find(self, key: bytes) -> bytes | None:
        """Return the value of a key; None where there is none."""
        database = self._open()
        if database is None:
            return None
        name, value = self._columns
        try:
            row = database.execute(f"SELECT {value} FROM known WHERE {name} = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def forget(self, key: bytes) -> None:
        """Delete what cannot be used; it is computed again."""
        database = self._open()
        try:
            if database is not None:
                database.execute(f"DELETE FROM known WHERE {self._columns[0]} = ?", (key,))
                database.commit()
        except sqlite3.Error as error:
            self._give_up(error)

    def keep(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep values by their keys."""
        database = self._open()
        if database is None or not rows:
            return
        try:
            with database:
                database.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _open(self) -> sqlite3.Connection | None:
        if self._database is None and not self._is_broken:
            try:
                make_private_folder(self._path.parent)
                self._database = self._opened()
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return self._database

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, full, not allowed
                raise
            log.info("%s is damaged and made anew: %s", self._path, error)
            for damaged in self._path.parent.glob(f"{self._path.name}*"):
                damaged.unlink()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=1.0)
        name, value = self._columns
        columns = f"{name} BLOB UNIQUE NOT NULL, {value} BLOB NOT NULL"
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            _refuse_foreign(database)
            database.executescript(_SCHEMA.format(columns=columns))
            newest = database.execute("SELECT max(rowid), count(*) FROM known").fetchone()
            if newest[1] > self._limit:
                kept = int(self._limit * (1 - _SPARE_SHARE))
                with database:
                    database.execute("DELETE FROM known WHERE rowid <= ?", (newest[0] - kept,))
        except BaseException:
            database.close()
            raise
        return database

    def _give_up(self, error: Exception) -> None:
        log.info("%s is not used: %s", self._path, error)
        self.close()
        self._is_broken = True


def _refuse_foreign(database: sqlite3.Connection) -> None:
    """Make sure that nothing in the file runs by itself.

    Raises:
        sqlite3.DatabaseError: it holds more than the one table.
    """
    rows = database.execute("SELECT type, name, tbl_name FROM sqlite_schema").fetchall()
    if any(kind not in ("table", "index") or table != "known" for kind, _, table in rows):
        raise sqlite3.DatabaseError(tr("it holds more than predictions"))
