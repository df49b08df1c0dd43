"""The project that is open: its photos in the list, and how the window looks at it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QFileDialog

from core.files import readable
from core.images.kinds import PROJECTS
from core.labels.requests import (
    FlushLabels,
    NotePredictions,
    OpenProject,
    PutInOrder,
    PutSession,
    RegisterPhotos,
    TakeOffList,
)
from core.language import tr
from core.settings import project_path
from core.values.class_mapping import KEPT_AS
from gui.labels.view_state import restore, view_state
from gui.widgets.recent_menu import newest_first, open_recent

if TYPE_CHECKING:
    from core.labels.changes import Change
    from core.labels.photos import Registered
    from core.labels.service import OpenedProject
    from core.values.predictions import Prediction
    from gui.labels.filter_bar import FilterBar
    from gui.labels.labelling import LabelGiver
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_REGISTERED_AT_ONCE = 500
_VIEW_STATE_MS = 10_000
_PORTION_MS = 2_000
_IDLE_MS = 2_000
_SHOWN_NAMES = 3
(_ENDING,) = PROJECTS.endings


class Project(QObject):
    """Keeps the project's list and the session's as one."""

    opened = Signal(object)
    """OpenedProject."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        window: MainWindow,
        giver: LabelGiver,
        filter_bar: FilterBar,
    ) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._giver, self._filter_bar = giver, filter_bar
        self.path: Path | None = None
        self._brought_back: set[str] = set()
        self._predictions: list[Prediction] = []
        self._kept_state: dict[str, str] = {}
        self._view_state = QTimer(self, interval=_VIEW_STATE_MS)
        self._view_state.timeout.connect(self.keep_view_state)
        self._portions = QTimer(self, singleShot=True, interval=_PORTION_MS)
        self._portions.timeout.connect(self.keep_predictions)
        self._idle = QTimer(self, singleShot=True, interval=_IDLE_MS)
        self._idle.timeout.connect(self._flush)
        session.photos_added.connect(self.register)
        session.return_wanted.connect(self.register)
        session.photos_removed.connect(self._take_off)
        session.order_changed.connect(self._keep_order)
        session.predicted.connect(self._note_predictions)
        giver.changed.connect(self._idle.start)

    def open(self, path: Path) -> None:
        """Open a project, or make it; the one before stays open where this one cannot be."""
        self.keep_view_state()
        self._giver.hold()
        self._session.is_led = False
        self._tasks.ask(OpenProject(path), self._take_opened, self._refuse)

    def ask_for_new(self) -> None:
        """Let the user say where a new project is to lie."""
        file, _ = QFileDialog.getSaveFileName(
            self._window,
            tr("New project"),
            str(self._folder / f"{tr('New labels')}{_ENDING}"),
            tr("Projects ({endings})", endings=PROJECTS.pattern),
        )
        if file:
            path = Path(file)
            self.open(path if path.suffix == _ENDING else path.with_name(path.name + _ENDING))

    def ask_for_one(self) -> None:
        """Let the user look for a project."""
        file, _ = QFileDialog.getOpenFileName(
            self._window,
            tr("Open project"),
            str(self._folder),
            tr("Projects ({endings})", endings=PROJECTS.pattern),
        )
        if file:
            self.open(Path(file))

    def ask_for_recent(self) -> None:
        """Let the user choose a project that was opened before, or the one at the beginning."""
        usual = str(project_path())
        kept = self._session.settings.recent_projects
        open_recent(
            self._window,
            kept if usual in kept else [*kept, usual],
            self._open_again,
            {usual: tr("My labels (the project that Droplens began with)")},
        )

    def _open_again(self, file: str) -> None:
        """Open a project that must be there: what is opened anew would be an empty one."""
        if file != str(project_path()) and not os.path.exists(file):  # noqa: PTH110
            self._window.reporter.say(
                tr(
                    "{path} is not there. Was it moved, or is its drive away? “Open project…” "
                    "finds it elsewhere.",
                    path=readable(file),
                )
            )
        else:
            self.open(Path(file))

    @property
    def _folder(self) -> Path:
        return (self.path or Path()).parent

    def _take_opened(self, opened: OpenedProject) -> None:
        is_other = self.path is not None
        self.path = opened.path
        kept = self._session.settings.recent_projects
        self._session.remember(recent_projects=newest_first(str(opened.path), kept))
        self._giver.release()
        photos = self._session.photos
        photos.forget_labels()
        if opened.notice:
            self._window.reporter.say(opened.notice)
        self.register([row.path for row in photos.rows()])
        self.bring([Path(file) for file in opened.files])
        photos.set_labels(opened.state.labels)
        self._session.project_notes = dict(opened.session)
        self._session.apply_mapping()
        self.opened.emit(opened)
        restore(opened.session, self._session, self._window.gallery_view, self._filter_bar)
        self._view_state.start()
        if is_other:
            self._window.note(tr("{name} is open.", name=opened.path.name))

    def _refuse(self, error: BaseException) -> None:
        self._giver.release()
        self._window.reporter.report(error)

    # The list

    def bring(self, paths: Sequence[Path]) -> None:
        """Put photos into the list; they are classified once it is known that they are there."""
        self._brought_back.update(map(str, paths))
        self._session.list_photos(paths)
        self.register(paths)

    @Slot(list)
    def register(self, paths: Sequence[Path]) -> None:
        """Take photos into the project's list, and look whether they are where they were."""
        if self.path is None:
            return
        for start in range(0, len(paths), _REGISTERED_AT_ONCE):
            portion = tuple(paths[start : start + _REGISTERED_AT_ONCE])
            self._tasks.ask(RegisterPhotos(portion), self._take_registered)

    def _take_registered(self, answer: tuple[Registered, Change]) -> None:
        met, change = answer
        photos = self._session.photos
        photos.set_away(met.photos.keys() - set(met.away), away=False)
        photos.set_away(met.away, away=True)
        photos.set_labels(change.labels)
        away = set(met.away)
        found = [file for file in met.photos if file in self._brought_back and file not in away]
        self._brought_back.difference_update(met.photos)
        if found:
            self._session.photos_found.emit([Path(file) for file in found])
        gone = {
            old: new
            for old, new in met.moved.items()
            if photos.row(Path(old)) and old not in met.photos  # else they changed places
        }
        if gone:
            self._session.move_photos(gone)
        if met.changed:
            names = ", ".join(Path(file).name for file in met.changed[:_SHOWN_NAMES])
            self._window.reporter.say(
                tr(
                    "{n} photos were changed since they were labelled ({names}); their labels "
                    "were kept. Look at them again.",
                    n=len(met.changed),
                    names=names,
                )
            )
        self._session.labels_changed.emit()

    @Slot(list)
    def _take_off(self, paths: list[Path]) -> None:
        if self.path is not None:
            self._tasks.ask(TakeOffList(tuple(map(str, paths))))

    @Slot()
    def _keep_order(self) -> None:
        if self.path is not None:
            files = tuple(row.file for row in self._session.photos.rows())
            self._tasks.ask(PutInOrder(files))

    # What is kept beside labels

    @Slot(list)
    def _note_predictions(self, predictions: list[Prediction]) -> None:
        """Keep what the model says of photos, soon: a label need not wait for the disk."""
        if self.path is not None:
            self._predictions.extend(predictions)
            if not self._portions.isActive():
                self._portions.start()

    @Slot()
    def keep_predictions(self) -> None:
        """Keep what the model has said of photos so far."""
        kept, self._predictions = tuple(self._predictions), []
        if kept:
            self._tasks.ask(NotePredictions(kept))

    def keep_notes(self, notes: Mapping[str, str]) -> None:
        """Keep more beside the labels."""
        session = self._session
        session.project_notes = {**session.project_notes, **notes}
        if KEPT_AS in notes:
            session.apply_mapping()
            session.photos.arrange()
            session.labels_changed.emit()
        self._tasks.ask(PutSession(notes))

    @Slot()
    def keep_view_state(self) -> None:
        """Keep how the window looks at the project, so that it is the same next time."""
        if self.path is None:
            return
        state = view_state(self._session, self._window.gallery_view)
        if state != self._kept_state:
            self._kept_state = state
            self._tasks.ask(PutSession(state))

    @Slot()
    def _flush(self) -> None:
        self._tasks.ask(FlushLabels())

    def close(self) -> None:
        """Keep what is not kept yet."""
        for timer in (self._view_state, self._portions, self._idle):
            timer.stop()
        self.keep_view_state()
        self.keep_predictions()
