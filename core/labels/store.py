"""The label store: every label is an event on the disk, and the present ones a view of them."""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import LabelsError
from core.labels import integrity
from core.labels.changes import Change, Labelling
from core.labels.classes import MARKS, ClassList, Labels
from core.labels.database import cannot_keep, close_database, flush_log, open_database
from core.labels.models import check_models, describe_model
from core.labels.photos import Content, Photos, Registered
from core.values.predictions import pack

if TYPE_CHECKING:
    from core.values.predictions import Prediction
    from core.values.spec import ModelSpec

_HOLDS, _UNDONE, _GONE = 0, 1, 2

_PRESENT = """
    SELECT photos.id, photos.path, (
        SELECT classes FROM events
        WHERE events.photo = photos.id
        AND (SELECT state FROM steps WHERE steps.id = events.step) = 0
        ORDER BY events.id DESC LIMIT 1
    ) FROM photos WHERE photos.id IN (SELECT photo FROM events WHERE step = ?)
"""


class LabelStore:
    """One project, open. Used in one thread at a time.

    Args:
        path: of the project; made where there is none.

    Raises:
        LabelsError: it is open elsewhere, cannot be written, or is no project.

    Attributes:
        notice: a sentence that the user should see, or "".
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._model: tuple[ModelSpec, int] | None = None
        self._database, self._lock, self.notice = open_database(self.path, self._load)
        self._identity = _identity_of(self.path)

    def _load(self, database: sqlite3.Connection) -> None:
        """Read what is kept in memory.

        Raises:
            Exception: whatever the file holds that a project does not.
        """
        self._database = database
        self._photos = Photos(database)
        highest = "SELECT max(json_extract(list, '$.next')) FROM class_lists"
        self._next_id = int(database.execute(highest).fetchone()[0] or 1)
        self.classes = self._class_list()
        self._day, self._today = self._labelled_today()
        rows = database.execute(
            "SELECT labels.photo, classes FROM labels JOIN events ON events.id = event"
        )
        known: dict[str, Labels] = {}
        self._labels = {
            photo: known.setdefault(text, _labels(text)) for photo, text in rows if text
        }
        check_models(database)
        self.listed()

    def close(self) -> None:
        """Close the project; nothing is left to be saved."""
        is_whole = close_database(self._database)
        if is_whole and _identity_of(self.path) == self._identity:  # else another file lies there
            integrity.note_closed(self.path)
        self._lock.release()

    def flush_log(self) -> None:
        """Bring all labels into the one file, which people copy by itself."""
        with contextlib.suppress(sqlite3.Error):  # they stand in the log as well
            flush_log(self._database)

    def __enter__(self) -> LabelStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading

    @property
    def database(self) -> sqlite3.Connection:
        """Return the connection, for those who only read."""
        return self._database

    def state(self) -> Change:
        """Return all labels of photos that are somewhere, and the classes."""
        rows = self._database.execute("SELECT id, path FROM photos WHERE path IS NOT NULL")
        labels = self._labels
        present = {os.fsdecode(path): labels[photo] for photo, path in rows if photo in labels}
        return self._change(present)

    def label_of(self, path: Path) -> Labels:
        """Return the present label of a photo."""
        rows = self._database.execute("SELECT id FROM photos WHERE path = ?", (os.fsencode(path),))
        return self.classes.resolve(self._labels.get(next(iter(rows), (0,))[0], ()))

    def listed(self) -> list[str]:
        """Return the files in the list of photos, in its order."""
        return self._photos.listed()

    def files(self) -> list[str]:
        """Return where all photos were last seen, in the list or not."""
        rows = self._database.execute("SELECT path FROM photos WHERE path IS NOT NULL")
        return [os.fsdecode(path) for (path,) in rows]

    def session(self) -> dict[str, str]:
        """Return what ``put_session`` has kept."""
        return dict(self._database.execute("SELECT name, value FROM session"))

    # Labels and classes

    def label(
        self, labellings: Sequence[Labelling], who: str = "person", classes: ClassList | None = None
    ) -> Change:
        """Give photos labels: one step, on the disk when this returns.

        Args:
            labellings: one a photo.
            who: "person", "proposal" (of the model, accepted) or "import".
            classes: the list of classes that goes with it, where that is new.

        Raises:
            LabelsError: nothing of it was kept; what was there before still is.
        """
        kind = {"person": "label", "proposal": "accept"}.get(who, who)
        known_ids = {*(classes or self.classes).ids, *MARKS}
        if any(not known_ids.issuperset(one.classes) for one in labellings):
            raise LabelsError("That class is no longer there; choose another one.")
        with self._transaction():
            step = self._begin_step(kind, who)
            if classes is not None:
                self._put_classes(step, classes)
            met = self._photos.register([one.path for one in labellings], listed=False)
            known = {
                str(one.path): met.photos.get(str(one.path)) or self._unseen(one.path)
                for one in labellings
            }
            self._database.executemany(
                "INSERT INTO events (step, photo, classes, model, top) VALUES (?, ?, ?, ?, ?)",
                [
                    (step, known[str(one.path)], _text(one.classes), *self._seen(one.seen))
                    for one in labellings
                ],
            )
        self.classes = classes or self.classes
        if datetime.date.today() != self._day:
            self._day, self._today = self._labelled_today()
        self._today.update(known.values())
        for one in labellings:
            self._note(known[str(one.path)], one.classes)
        return self._change({str(one.path): one.classes for one in labellings})

    def edit_classes(self, kind: str, classes: ClassList) -> Change:
        """Let another list of classes hold from now on: one step.

        Args:
            kind: what was done, for people who undo it: "add", "rename", "merge", …
            classes: made from the present list.

        Raises:
            LabelsError: nothing of it was kept.
        """
        with self._transaction():
            self._put_classes(self._begin_step(kind, "person"), classes)
        self.classes = classes
        return self._change({})

    def undo(self) -> Change:
        """Take the last step back; it can be done again until there is a new one."""
        return self._turn(_HOLDS, _UNDONE, "DESC")

    def redo(self) -> Change:
        """Do again what was undone last."""
        return self._turn(_UNDONE, _HOLDS, "ASC")

    # Photos

    def register(self, paths: Iterable[Path], *, listed: bool = True) -> tuple[Registered, Change]:
        """Take photos in; return what became of them, and the labels of those that have one.

        Args:
            paths: absolute.
            listed: put them into the list of photos.
        """
        with self._transaction():
            met = self._photos.register(paths, listed=listed)
        labels = {file: self._labels.get(photo, ()) for file, photo in met.photos.items()}
        return met, self._change({file: label for file, label in labels.items() if label})

    def take_off(self, files: Iterable[str]) -> None:
        """Take files off the list of photos; their labels stay."""
        with self._transaction():
            self._photos.take_off(files)

    def put_in_order(self, files: Iterable[str]) -> None:
        """Let the list of photos stand in this order."""
        with self._transaction():
            self._photos.put_in_order(files)

    def without_content(self, limit: int = 100) -> list[str]:
        """Return labelled files whose content has no hash yet."""
        return self._photos.without_content(limit)

    def note_content(self, contents: Mapping[str, Content]) -> None:
        """Note what labelled files hold, so that they are known again elsewhere."""
        with self._transaction():
            self._photos.note_content(contents)

    def note_moves(self, moved: Mapping[str, str]) -> None:
        """Note that files were moved, from where to where."""
        with self._transaction():
            self._photos.move(moved)

    def note_predictions(self, predictions: Iterable[Prediction]) -> None:
        """Keep what the model in use says of photos of the list."""
        rows = [
            (*self._seen(one), os.fsencode(one.photo)) for one in predictions if one.reason is None
        ]
        with self._transaction():
            self._database.executemany(
                "INSERT INTO predictions (model, top, photo)"
                " SELECT ?, ?, id FROM photos WHERE path = ?"
                " ON CONFLICT (photo) DO UPDATE SET model = excluded.model, top = excluded.top"
                " WHERE model != excluded.model OR top != excluded.top",
                rows,
            )

    def put_session(self, values: Mapping[str, str]) -> None:
        """Keep how the window looks at this project."""
        with self._transaction():
            self._database.executemany(
                "INSERT OR REPLACE INTO session (name, value) VALUES (?, ?)", list(values.items())
            )

    # Inside

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        if _identity_of(self.path) != self._identity:
            raise LabelsError(
                "{path} was moved or deleted while it was open, so nothing more can be "
                "kept in it. Put it back, or open it where it is now, in the menu Labels.",
                path=self.path,
            )
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                self._model = None  # its row is gone too, if it was made in this transaction
                raise
        except sqlite3.Error as error:
            raise cannot_keep(self.path, error) from error

    def _begin_step(self, kind: str, who: str) -> int:
        """Begin something new, after which what was undone cannot be done again."""
        self._database.execute("UPDATE steps SET state = ? WHERE state = ?", (_GONE, _UNDONE))
        added = self._database.execute(
            "INSERT INTO steps (kind, who, at, state) VALUES (?, ?, ?, ?)",
            (kind, who, time.time_ns() // 10**6, _HOLDS),
        )
        assert added.lastrowid is not None
        return added.lastrowid

    def _turn(self, state: int, turned: int, order: str) -> Change:
        found = self._database.execute(
            f"SELECT id FROM steps WHERE state = ? ORDER BY id {order} LIMIT 1", (state,)
        ).fetchone()
        if found is None:
            return self._change({})
        with self._transaction():
            self._database.execute("UPDATE steps SET state = ? WHERE id = ?", (turned, found[0]))
        self.classes = self._class_list()
        self._day, self._today = self._labelled_today()
        now = {}
        for photo, path, text in self._database.execute(_PRESENT, found).fetchall():
            self._note(photo, _labels(text or ""))
            if path is not None:
                now[os.fsdecode(path)] = self._labels.get(photo, ())
        return self._change(now)

    def _change(self, labels: Mapping[str, Labels]) -> Change:
        query = "SELECT kind FROM steps WHERE state = ? ORDER BY id {} LIMIT 1"
        undo = self._database.execute(query.format("DESC"), (_HOLDS,)).fetchone()
        redo = self._database.execute(query.format("ASC"), (_UNDONE,)).fetchone()
        undoes, redoes = (undo or ("",))[0], (redo or ("",))[0]
        today = len(self._today & self._labels.keys())
        return Change(labels, self.classes, undoes, redoes, today)

    def _labelled_today(self) -> tuple[datetime.date, set[int]]:
        """Return the day, and the photos that were labelled on it."""
        midnight = datetime.datetime.combine(datetime.date.today(), datetime.time())
        rows = self._database.execute(
            "SELECT DISTINCT photo FROM events WHERE step IN"
            " (SELECT id FROM steps WHERE at >= ? AND state = ?)",
            (int(midnight.timestamp() * 1000), _HOLDS),
        )
        return midnight.date(), {photo for (photo,) in rows}

    def _class_list(self) -> ClassList:
        found = self._database.execute(
            "SELECT list FROM class_lists JOIN steps ON steps.id = step WHERE state = ?"
            " ORDER BY step DESC LIMIT 1",
            (_HOLDS,),
        ).fetchone()
        # A number is never given again, not even after the class was undone.
        classes = ClassList.from_json(found[0]) if found else ClassList()
        return replace(classes, next_id=max(classes.next_id, self._next_id))

    def _put_classes(self, step: int, classes: ClassList) -> None:
        self._database.execute(
            "INSERT INTO class_lists (step, list) VALUES (?, ?)", (step, classes.to_json())
        )
        self._next_id = max(self._next_id, classes.next_id)

    def _note(self, photo: int, labels: Labels) -> None:
        if labels:
            self._labels[photo] = labels
        else:
            self._labels.pop(photo, None)

    def _unseen(self, path: Path) -> int:
        """Take in a photo that is away and was never seen, from an import for instance."""
        added = self._database.execute(
            "INSERT INTO photos (path, size, mtime_ns) VALUES (?, -1, -1)", (os.fsencode(path),)
        )
        assert added.lastrowid is not None
        return added.lastrowid

    def _seen(self, prediction: Prediction | None) -> tuple[int | None, bytes | None]:
        if prediction is None or not prediction.top:
            return None, None
        return self._model_id(prediction.model), pack(prediction.top)

    def _model_id(self, model: ModelSpec) -> int:
        if self._model is None or self._model[0] is not model:
            described = (describe_model(model),)
            self._database.execute("INSERT OR IGNORE INTO models (described) VALUES (?)", described)
            row = self._database.execute("SELECT id FROM models WHERE described = ?", described)
            self._model = (model, row.fetchone()[0])
        return self._model[1]


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _text(labels: Labels) -> str:
    return ",".join(map(str, labels))


def _labels(text: str) -> Labels:
    return tuple(map(int, text.split(","))) if text else ()
