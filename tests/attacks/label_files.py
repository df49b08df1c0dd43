"""Project files that were damaged, cut off, or made to do something."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import LabelsError
from core.labels.changes import Labelling
from core.labels.store import LabelStore
from tests.specs import make_spec

_PHOTOS = 60


def make_project(path: Path) -> None:
    """Write a project that has a row in every table, and a copy of it."""
    photos = [path.with_name(f"photo {number}.jpg") for number in range(_PHOTOS)]
    for number, photo in enumerate(photos):
        photo.write_bytes(b"%d" % number * 20)
    spec = make_spec(names=("ant", "bee", "cow"))
    from core.values.predictions import ClassProbability, Prediction

    top = tuple(ClassProbability(at, spec.class_names[at], 0.5 / (at + 1)) for at in range(3))
    seen = [Prediction(photo, top, None, spec) for photo in photos]
    with LabelStore(path) as store:
        store.edit_classes("add", store.classes.add(["ant", "bee", "cow"]))
        store.register(photos)
        for number, photo in enumerate(photos):
            store.label([Labelling(photo, (number % 3 + 1,), seen[number])])
        store.note_predictions(seen)
        store.put_session({"scroll": "12", "filter": "some"})
        store.note_content({str(photo): content(photo) for photo in photos[:20]})
        photos[0].rename(path.with_name("moved.jpg"))
        store.register([path.with_name("moved.jpg")])
        store.label([Labelling(photos[5], ())])
        store.undo()
    with LabelStore(path):  # which makes the copy of the day
        pass


def content(photo: Path) -> Any:
    from core.labels.photos import content_of

    return content_of(photo)


def held(path: Path) -> tuple[str, Any]:
    """Open a project; return its notice, and all that it says of labels and photos."""
    with LabelStore(path) as store:
        state = store.state()
        files = sorted(store.files())
        return store.notice, (dict(state.labels), state.classes, store.listed(), files, state.undo)


def flip_bytes(folder: Path, count: int, seed: int = 0) -> Counter[str]:
    """Flip one byte of a project at a time, and open it.

    Returns:
        How the openings ended: "harmless" (the same is held, with or without a word), "told"
        (something else is held, and the user is told), "refused", or "silent: …".
    """
    chance = random.Random(seed)
    original = folder / "original"
    original.mkdir()
    make_project(original / "my.droplens")
    _, wanted = held(original / "my.droplens")
    size = (original / "my.droplens").stat().st_size
    outcomes: Counter[str] = Counter()
    for number in range(count):
        here = folder / f"flip {number}"
        shutil.copytree(original, here)
        path = here / "my.droplens"
        place, bit = chance.randrange(size), 1 << chance.randrange(8)
        flipped = bytearray(path.read_bytes())
        flipped[place] ^= bit
        path.write_bytes(flipped)
        try:
            notice, found = held(path)
            outcome = "told" if notice else f"silent: byte {place}"
            outcome = "harmless" if found == wanted else outcome
        except LabelsError:
            outcome = "refused"
        outcomes[outcome] += 1
        shutil.rmtree(here)
    return outcomes


def changed(*statements: str) -> Callable[[Path], None]:
    """Return what makes a project hostile by statements."""

    def change(path: Path) -> None:
        database = sqlite3.connect(path)
        database.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()

    return change


ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT x AS photo, x AS event FROM n"
)

HOSTILE: dict[str, Callable[[Path], None]] = {
    "view without an end": changed("DROP VIEW labels", f"CREATE VIEW labels AS {ENDLESS}"),
    "another view": changed(f"CREATE VIEW more AS {ENDLESS}"),
    "trigger": changed("CREATE TRIGGER gone AFTER INSERT ON events BEGIN DELETE FROM events; END"),
    "trigger on a view": changed(
        "CREATE TRIGGER gone INSTEAD OF INSERT ON labels BEGIN DELETE FROM steps; END"
    ),
    "trigger called a statistic": changed(
        "CREATE TRIGGER gone AFTER INSERT ON events BEGIN DELETE FROM events; END",
        "UPDATE sqlite_schema SET name = 'sqlite_stat9', "
        "sql = replace(sql, 'gone', 'sqlite_stat9') WHERE name = 'gone'",
    ),
    "another table": changed("CREATE TABLE more (a)"),
    "search table": changed("CREATE VIRTUAL TABLE more USING fts5(a)"),
    "index of an expression": changed("CREATE INDEX more ON events(abs(id))"),
    "classes that became each other": changed(
        """UPDATE class_lists SET list = json_set(list, '$.became', json('[[1, 2], [2, 1]]'))"""
    ),
    "text for numbers": changed("UPDATE events SET classes = 'one,,two'"),
    "blobs for text": changed(
        "UPDATE events SET classes = x'00ff'", "UPDATE steps SET kind = x'ff'"
    ),
    "a path of 50 MB": changed("UPDATE photos SET path = zeroblob(50000000) WHERE id = 3"),
    "a deep list of classes": changed(
        f"UPDATE class_lists SET list = '{'[' * 900}' || '{']' * 900}'"
    ),
    "half characters": changed("UPDATE session SET value = CAST(x'ff' AS TEXT)"),
    "a model without names": changed("UPDATE models SET described = '{}'"),
    "a version of zero": changed("PRAGMA user_version = 0"),
    "a later version": changed("PRAGMA user_version = 2000000000"),
    "no application": changed("PRAGMA application_id = 0"),
    "no tables": changed("DELETE FROM sqlite_schema"),
    "a numeral of the future": changed("UPDATE steps SET at = 9223372036854775807"),
    "an index that names no column": changed(
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX events_of_step ON events(nothing)' "
        "WHERE name = 'events_of_step'"
    ),
}


def open_hostile(path: Path) -> str:
    """Open a project, say all that it holds, and label a photo."""
    try:
        with LabelStore(path) as store:
            notice = store.notice
            store.edit_classes("add", store.classes.add(["new"]))
            new = store.classes.id_of("new")
            assert new is not None
            store.label([Labelling(path.with_name("photo 7.jpg"), (new,))])
            from core.labels.records import count

            count(store)
            store.undo()
        return f"opened: {notice}"
    except LabelsError as error:
        return f"refused: {error}"
