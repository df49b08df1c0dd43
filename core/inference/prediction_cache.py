"""Predictions kept on the disk, so that photos need not be classified again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import struct
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import make_private_folder
from core.inference.speed import EXACT, Speed
from core.language import tr
from core.values.predictions import Prediction, pack, unpack

if TYPE_CHECKING:
    from core.values.spec import ModelSpec

log = logging.getLogger(__name__)

LIMIT = 1_000_000
"""Photos whose predictions are kept, about 120 MB; the oldest go."""

_FORMAT = 1
_SCHEMA = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS known (photo BLOB UNIQUE NOT NULL, top BLOB NOT NULL);
"""
_SPARE_SHARE = 0.1


class PredictionCache:
    """What models said of files; whatever goes wrong with it, photos are classified again.

    Made anywhere, used in one thread.

    Args:
        path: of the database.
        limit: predictions that are kept.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path, self._limit = path, limit
        self._database: sqlite3.Connection | None = None
        self._is_broken = False
        self._settings: tuple[object, ...] = ()
        self._spec: ModelSpec | None = None
        self._model = b""
        self._asked: dict[Path, bytes] = {}

    def use(self, top_k: int, speed: Speed = EXACT) -> None:
        """Say what predictions depend on besides the file and the model."""
        settings = (top_k, *astuple(speed))
        if settings != self._settings:
            self._settings, self._spec = settings, None
            self._asked.clear()

    def find(self, path: Path, spec: ModelSpec) -> Prediction | None:
        """Return what a model said of a file, if the file is the same as then."""
        database, key = self._open(), self._key(path, spec)
        if database is None or key is None:
            return None
        self._asked[path] = key
        try:
            row = database.execute("SELECT top FROM known WHERE photo = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        if row is None:
            return None
        try:
            top = unpack(row[0], spec)
        except (struct.error, IndexError, TypeError, ValueError) as error:
            log.info("what was kept of %s is damaged: %s", path, error)
            self._forget(key)
            return None
        del self._asked[path]
        return Prediction(path, top, None, spec)

    def _forget(self, key: bytes) -> None:
        """Delete what cannot be read; it is computed again."""
        database = self._open()
        try:
            if database is not None:
                database.execute("DELETE FROM known WHERE photo = ?", (key,))
                database.commit()
        except sqlite3.Error as error:
            self._give_up(error)

    def keep(self, predictions: Iterable[Prediction]) -> None:
        """Remember predictions of photos that were asked for, as the files were then.

        Failures are not kept, for they may be over next time.
        """
        database = self._open()
        if database is None:
            return
        asked = [(self._asked.pop(one.photo, None), one.top) for one in predictions]
        rows = [(key, pack(top)) for key, top in asked if key and top]
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
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            _refuse_foreign(database)
            database.executescript(_SCHEMA)
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
        log.info("predictions are not kept: %s", error)
        self.close()
        self._is_broken = True

    def _key(self, path: Path, spec: ModelSpec) -> bytes | None:
        """Return what stands for a file as it is now, seen by a model.

        Copying another file over it changes its number, its size or one of its times; so does
        renaming it, after which it is only classified once more.
        """
        try:
            status = path.stat()
        except OSError:
            return None
        if spec is not self._spec:
            self._spec, self._model = spec, self._model_key(spec)
        identity = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        found = hashlib.blake2b(self._model, digest_size=16)
        found.update(struct.pack("<4Q", *(number & (2**64 - 1) for number in identity)))
        found.update(os.fsencode(path))
        return found.digest()

    def _model_key(self, spec: ModelSpec) -> bytes:
        depends_on = [
            _FORMAT,
            spec.sha256,
            spec.architecture,
            spec.outputs,
            len(spec.class_names),
            spec.preprocessing.to_json(),
            spec.overrides.dilation,
            spec.overrides.answers,
            spec.inspection.changes,
            self._settings,
        ]
        return hashlib.sha256(json.dumps(depends_on).encode()).digest()


def _refuse_foreign(database: sqlite3.Connection) -> None:
    """Make sure that nothing in the file runs by itself.

    Raises:
        sqlite3.DatabaseError: it holds more than the one table.
    """
    rows = database.execute("SELECT type, name, tbl_name FROM sqlite_schema").fetchall()
    if any(kind not in ("table", "index") or table != "known" for kind, _, table in rows):
        raise sqlite3.DatabaseError(tr("it holds more than predictions"))
