"""The tables of a project's file, and its versions."""

from __future__ import annotations

import sqlite3

from core.labels import integrity
from core.labels.integrity import DamagedError
from core.language import tr

APPLICATION_ID = 0x44726F70  # "Drop"

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

MIGRATIONS = (_SCHEMA, _CHECKSUMS)
"""What leads from each version of the schema to the next one."""

FIRST_WITH_CHECKSUMS = 2

NEWEST_IMAGINABLE = 100
"""A file that claims a later version than that is damaged, not of a newer program."""


def version_of(database: sqlite3.Connection) -> int:
    """Return which version of the schema a file has; 0 for one that is new."""
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    is_empty = database.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if not 0 <= version <= len(MIGRATIONS) or (version == 0) != is_empty:
        raise DamagedError(tr("its version"))
    return version


def search(database: sqlite3.Connection, version: int) -> str:
    """Look at every page and every row; return what was mended, or ""."""
    mended = integrity.check_pages(database)
    if version >= FIRST_WITH_CHECKSUMS:
        integrity.check_rows(database)
    return "an index" if mended else ""
