"""Whether a project holds what was written: its schema, a checksum a row, and one of the file."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.files import open_ordinary, write_atomically

_BLOCK_BYTES = 2**20
_OURS = frozenset({"table", "index", "view"})
_HEADER = ((18, (1, 2)), (19, (1, 2)), (21, (64,)), (22, (32,)), (23, (32,)), (59, (1,)))
"""Place and values of bytes that are the same in every project; one of them makes SQLite take a
damaged file for a write-protected one.

Source: sqlite.org/fileformat2.html, section 1.3.
"""


class DamagedError(Exception):
    """The file is a project that has been damaged."""


class ForeignPartsError(Exception):
    """The file holds what would run by itself, and no project does."""


def prepare(database: sqlite3.Connection) -> None:
    """Trust nothing that a file says, and let checksums be computed in SQL."""
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.create_function("crc32", 1, zlib.crc32, deterministic=True)


def check_header(start: bytes) -> None:
    """Look at the first 100 bytes of a database.

    Raises:
        DamagedError: they cannot be so.
    """
    if len(start) < 100 or any(start[at] not in values for at, values in _HEADER):
        raise DamagedError("its header")


def check_schema(database: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Compare a project's tables, indices and views with what the migrations made.

    Nothing of the file is run by looking.

    Raises:
        ForeignPartsError: it holds a trigger, or a table of others.
        DamagedError: a part is missing or differs.
    """
    made = sqlite3.connect(":memory:", isolation_level=None)
    for script in migrations:
        made.executescript(script)
    wanted, found = _schema(made), _schema(database)
    made.close()
    foreign = [name for kind, name in found if kind not in _OURS or (kind, name) not in wanted]
    if foreign and wanted.keys() <= found.keys():
        raise ForeignPartsError(foreign[0])
    if found != wanted:
        raise DamagedError("its tables are not those of a project")


def add_checksums(database: sqlite3.Connection) -> None:
    """Compute the checksum of every row anew, where a project has none yet."""
    for table, columns in _tables(database).items():
        database.execute(f"UPDATE {table} SET crc = {_sum_of(columns)}")


def keep_checksums(database: sqlite3.Connection) -> None:
    """Give every row that is written from now on its checksum.

    The triggers belong to the connection; the file holds none.
    """
    for table, columns in _tables(database).items():
        for event in ("INSERT", f"UPDATE OF {', '.join(columns)}"):
            database.execute(
                f"CREATE TEMP TRIGGER {table}_{event.split()[0]} AFTER {event} ON main.{table} "
                f"BEGIN UPDATE {table} SET crc = {_sum_of(columns)} WHERE rowid = NEW.rowid; END"
            )


def check_rows(database: sqlite3.Connection) -> None:
    """Compare every row with its checksum.

    Raises:
        DamagedError: one differs.
    """
    for table, columns in _tables(database).items():
        query = f"SELECT 1 FROM {table} NOT INDEXED WHERE crc IS NOT {_sum_of(columns)} LIMIT 1"
        if database.execute(query).fetchone() is not None:
            raise DamagedError(f"a row of {table}")


def check_pages(database: sqlite3.Connection) -> bool:
    """Let SQLite look at the whole file, and make indices anew that do not fit their tables.

    Returns:
        Whether indices were damaged; nothing is lost by that.

    Raises:
        DamagedError: more than that.
    """
    if _problems(database) == ["ok"]:
        return False
    database.execute("REINDEX")
    problems = _problems(database)
    if problems != ["ok"]:
        raise DamagedError(problems[0])
    return True


def _problems(database: sqlite3.Connection) -> list[str]:
    return [problem for (problem,) in database.execute("PRAGMA integrity_check(3)")]


def _schema(database: sqlite3.Connection) -> dict[tuple[str, str], str]:
    rows = database.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
    return {
        (kind, name): " ".join((sql or "").split())
        for kind, name, sql in rows
        if not _is_statistics(kind, name, sql)
    }


def _is_statistics(kind: object, name: object, sql: object) -> bool:
    """Return whether a part is what ANALYZE leaves: a plain table, which runs nothing."""
    is_plain = kind == "table" and str(sql).startswith("CREATE TABLE sqlite_stat")
    return is_plain and str(name).startswith("sqlite_stat")


def _tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the tables with their columns but for the checksum."""
    names = database.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE '%crc INTEGER%'"
    ).fetchall()
    return {
        name: [
            column
            for _, column, *_ in database.execute(f"PRAGMA main.table_info({name})")
            if column != "crc"
        ]
        for (name,) in names
    }


def _sum_of(columns: Sequence[str]) -> str:
    parts = " || ',' || ".join(f"quote({column})" for column in columns)
    return f"crc32(CAST({parts} AS BLOB))"


# The file as a whole


def is_as_closed(path: Path) -> bool:
    """Return whether a project is byte for byte as a program left it when it closed it."""
    try:
        with open_ordinary(_sum_file(path)) as file:
            noted = json.loads(file.read(_BLOCK_BYTES))
        status = path.stat()
        log = path.with_name(f"{path.name}-wal")
        if noted[:2] != [status.st_size, status.st_mtime_ns] or (
            log.exists() and log.stat().st_size
        ):
            return False
        return bool(noted == _state_of(path))
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def note_closed(path: Path) -> None:
    """Note what a project holds, now that it is closed; a courtesy to the next opening."""
    try:
        state = json.dumps(_state_of(path)).encode("ascii")
        write_atomically(_sum_file(path), state, is_private=True)
    except OSError:
        return  # then the next opening takes a longer look


def _state_of(path: Path) -> list[int]:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        found = 0
        while block := file.read(_BLOCK_BYTES):
            found = zlib.crc32(block, found)
    return [status.st_size, status.st_mtime_ns, found]


def _sum_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.sum")
