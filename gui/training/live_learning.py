"""Lets a head learn from the labels as they are given; its proposals take the model's place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from core.labels.classes import clean_name
from core.models.sources.base import Capability
from core.training.live import LEAST_PHOTOS, LearnLive, Lesson
from core.training.teaching import LEAST_CLASSES, Labelled

if TYPE_CHECKING:
    from pathlib import Path

    from core.inference.engine import ReadyModel
    from core.work.handles import Handle
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_WAIT_MS = 150
"""Labels that are given within it are learnt together."""


class LiveLearning(QObject):
    """Asks anew whenever labels, photos or the model have changed."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._asked: LearnLive | None = None
        self._is_anew = self._is_arranged = False
        self._untaught: ReadyModel | None = None
        """The model that could not be taught: that is said once."""
        self._photos: tuple[Path, ...] | None = None
        """Of the list, as long as it stays the same: there may be 100,000."""
        self._stream: Handle[None] | None = None
        self._waiting = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._waiting.timeout.connect(self._ask)
        for changed in (
            session.labels_changed,
            session.photos_added,
            session.photos_found,
            session.photos_removed,
        ):
            changed.connect(self._waiting.start)
        session.list_changed.connect(self._forget_photos)
        session.photos_found.connect(self._forget_photos)
        session.model_changed.connect(self._begin_anew)
        session.taught_changed.connect(self._follow_taught)

    @property
    def is_running(self) -> bool:
        """Return whether photos are being looked at or learnt from."""
        return self._stream is not None and not self._stream.future.done()

    def stop(self) -> bool:
        """Leave it at what is learnt so far, until the next label."""
        if not self.is_running:
            return False
        assert self._stream is not None
        self._stream.stop()
        return True

    def set_wanted(self, wanted: bool) -> None:
        """Learn from labels, or leave the proposals to the model."""
        self._session.remember(learns_from_labels=wanted)
        self._untaught = None
        self._begin_anew()

    def close(self) -> None:
        """Ask nothing more."""
        self._waiting.stop()

    @Slot()
    def _begin_anew(self) -> None:
        """Leave the photos to the model, until what is learnt anew says something."""
        self._end()
        self._waiting.start()

    @Slot()
    def _forget_photos(self) -> None:
        self._photos = None

    @Slot()
    def _follow_taught(self) -> None:
        """Look at the files again, where all are to be classified again."""
        if self._session.taught is None:
            self._is_anew, self._is_arranged = True, False
            self._begin_anew()

    @Slot()
    def _ask(self) -> None:
        request = self._request()
        if request is None:
            self._end()
        elif request != self._asked:
            self._asked = request
            current = self._session.current
            first = current if current is not None and self._is_there(current) else None
            self._stream = self._tasks.stream(
                replace(request, first=first, anew=self._is_anew),
                self._take,
                self._arrange_once,
                self._refuse,
            )
            self._is_anew = False

    def _request(self) -> LearnLive | None:
        """Return what is to be learnt; None where there is too little."""
        session = self._session
        if not (session.settings.learns_from_labels and session.can(Capability.TEACH)):
            return None
        if session.model is self._untaught:
            return None
        is_several = session.photos.label_index.classes.is_multiple
        labelled = [
            (path, names)
            for path, names in session.photos.labelled()
            if (is_several or len(names) == 1) and self._is_there(path)
        ]
        counts = Counter(name for _, names in labelled for name in names)
        if sum(count >= LEAST_PHOTOS for count in counts.values()) < LEAST_CLASSES:
            return None
        assert session.model is not None
        if knows_all(session.model.spec.class_names, counts):
            return None  # what the model says of these classes is what people want to see
        numbers = {name: at for at, name in enumerate(counts)}
        if self._photos is None:
            rows = session.photos.rows()
            self._photos = tuple(row.path for row in rows if not row.is_away)
        return LearnLive(
            self._photos,
            tuple(
                Labelled(path, tuple(numbers[name] for name in names)) for path, names in labelled
            ),
            tuple(numbers),
            is_several=is_several,
        )

    def _is_there(self, path: Path) -> bool:
        row = self._session.photos.row(path)
        return row is not None and not row.is_away

    def _take(self, lessons: list[Lesson]) -> None:
        last = lessons[-1]
        predictions = [one for lesson in lessons for one in lesson.predictions]
        if predictions or self._session.taught is not None:
            self._session.use_lesson(replace(last, predictions=(), next_photos=()))
        if predictions:
            self._session.note_predictions(predictions)
        if last.next_photos:
            self._arrange(last.next_photos)

    def _arrange_once(self) -> None:
        """Sort by the proposals when all photos have one for the first time; then nobody moves.

        A filter that hides by them holds all the same.
        """
        photos = self._session.photos
        hides = bool(photos.filter.predicted) or photos.filter.at_least > 0
        if photos.depends_on_predictions and (hides or not self._is_arranged):
            photos.arrange()
        self._is_arranged = True

    def _arrange(self, photos: tuple[Path, ...]) -> None:
        """Let the photos come first whose labels help most, after the one that is looked at."""
        current = self._session.current
        first = [] if current is None else [str(current)]
        self._session.photos.set_next([*first, *map(str, photos)])

    def _refuse(self, error: BaseException) -> None:
        self._untaught = self._session.model
        self._end()
        self._window.note(self._window.expected(error))

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.drop()
            self._stream = None
        self._asked = None
        self._session.use_lesson(None)


def knows_all(classes: Iterable[str], labels: Iterable[str]) -> bool:
    """Return whether a model of some classes names all that there are labels of."""
    return set(labels) <= set(map(clean_name, classes))
