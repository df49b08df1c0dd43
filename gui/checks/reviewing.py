"""Finds what is wrong with labels, and on which photos the model is worse, when it is asked to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Slot

from core.checks.reviewing import FindSlices, Review, Reviewed
from core.images.requests import FindFacts
from core.language import tr
from core.training.holding_out import HeldOut, HoldOut
from core.training.teaching import Labelled
from core.values.class_mapping import RIGHT_LABELS, of_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.checks.requests import Checked
    from core.images.facts import PhotoFacts
    from core.work.handles import Handle
    from gui.checks.duplicates_tab import DuplicatesTab
    from gui.checks.groups_tab import GroupsTab
    from gui.checks.suspects_tab import SuspectsTab
    from gui.session import Session
    from gui.tasks import Tasks

_WAIT_MS = 200
"""Labels that are changed within it are looked at together."""


class Reviewing(QObject):
    """Keeps what was found up to date with the labels."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__()
        self._session, self._tasks = session, tasks
        self._facts: dict[Path, PhotoFacts | None] = {}
        self._held: HeldOut | None = None
        self._classes: tuple[str, ...] = ()
        self._names: tuple[str, ...] = ()
        self._same: Mapping[Path, int] | None = None
        self._checked: Checked | None = None
        self._wants_slices = False
        self._handles: list[Handle[Any]] = []
        self._waiting = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._waiting.timeout.connect(self._review)
        session.labels_changed.connect(self._waiting.start)
        session.model_changed.connect(self._forget)

    def show_in(self, groups: GroupsTab, suspects: SuspectsTab, duplicates: DuplicatesTab) -> None:
        """Say where what is found is shown."""
        self._groups, self._suspects, self._duplicates = groups, suspects, duplicates

    def close(self) -> None:
        """Look no more."""
        self._waiting.stop()
        for handle in self._handles:
            handle.drop()
        self._handles = []

    @Slot()
    def _forget(self) -> None:
        """Forget what another model has said."""
        model, checked = self._session.model, self._checked
        if model is not None and checked is not None and model.spec.says_as(checked.spec):
            return
        self.close()
        self._held, self._checked, self._wants_slices = None, None, False
        for tab in (self._groups, self._suspects, self._duplicates):
            tab.forget()

    def follow(self, checked: Checked) -> None:
        """Take other figures, and find the groups anew."""
        self._checked = checked
        if self._wants_slices:
            self._find_slices()

    def forget_figures(self) -> None:
        """Show no groups: there are no figures any more."""
        self._checked = None
        self._groups.forget()

    # Groups

    def compare_groups(self) -> None:
        """Find groups of photos on which the model is worse."""
        if self._checked is None:
            self._groups.show_refusal(tr("There are no figures yet."))
            return
        self._wants_slices = True
        self._look(
            list(self._checked.photos),
            self._groups.show_progress,
            self._find_slices,
            lambda error: self._groups.show_refusal(str(error)),
        )

    def _find_slices(self) -> None:
        checked = self._checked
        if checked is None:
            return
        answers = checked.report.answers
        right = (answers.labels == answers.predicted).tolist()
        shared = {path: one.shared for path, one in self._facts.items() if one is not None}
        request = FindSlices(
            tuple(zip(checked.photos, right, strict=True)), shared, frozenset(answers.classes)
        )
        photos = checked.photos
        self._keep(self._tasks.ask(request, lambda found: self._groups.show_slices(found, photos)))

    def _keep(self, handle: Handle[Any]) -> None:
        self._handles = [one for one in self._handles if not one.future.done()]
        self._handles.append(handle)

    def _look(
        self,
        photos: list[Path],
        show_progress: Callable[[int, int], object],
        then: Callable[[], object],
        otherwise: Callable[[BaseException], object],
    ) -> None:
        """Read what can be said of photos without a model; what was read is kept."""
        new = tuple(path for path in photos if path not in self._facts)
        total = len(photos)

        def take(found: list[tuple[Path, PhotoFacts | None]]) -> None:
            self._facts.update(found)
            show_progress(sum(path in self._facts for path in photos), total)

        self._keep(self._tasks.stream(FindFacts(new), take, then, otherwise))

    # Labels

    def review(self) -> None:
        """Find labels that are likely wrong, and duplicates."""
        labelled = self._session.labelled_once()
        self._names = self._session.photos.label_index.classes.names
        self._classes = tuple(sorted({label for _, label in labelled}))
        index = {name: at for at, name in enumerate(self._classes)}
        request = HoldOut(
            tuple(Labelled(path, (index[label],)) for path, label in labelled), self._classes
        )
        total = len(labelled)

        def take(found: list[int | HeldOut]) -> None:
            for one in found:
                if isinstance(one, int):
                    self._show_progress(one, total)
                else:
                    self._held = one

        def look_at_files() -> None:
            if self._held is not None:
                photos = list(self._held.photos)
                self._look(photos, self._show_progress, self._review, self._refuse)

        self._same = None
        self._show_progress(0, total)
        self._keep(self._tasks.stream(request, take, look_at_files, self._refuse))

    def _show_progress(self, done: int, total: int) -> None:
        self._suspects.show_progress(done, total)
        self._duplicates.show_progress(done, total)

    def _refuse(self, error: BaseException) -> None:
        self._suspects.show_refusal(str(error))
        self._duplicates.show_refusal(str(error))

    def _review(self) -> None:
        held = self._held
        if held is None:
            return
        if not set(self._names) <= set(self._session.photos.label_index.classes.names):
            self._held = None  # a class has another name now, or another project is open
            self._suspects.forget()
            self._duplicates.forget()
            return
        labelled = tuple(self._session.labelled_once())
        left = self._left()
        request = Review(
            labelled,
            self._classes,
            dict(zip(held.photos, held.shares, strict=True)),
            dict(zip(held.photos, held.contents, strict=True)),
            dict(zip(held.photos, held.alike, strict=True)),
            {path: one.dhash for path, one in self._facts.items() if one is not None},
            frozenset(path for path, label in labelled if left.get(str(path)) == label),
            self._same,
        )
        self._keep(self._tasks.ask(request, self._show, self._refuse))

    def _show(self, reviewed: Reviewed) -> None:
        self._same = reviewed.same
        labels, left = dict(self._session.labelled_once()), self._left()
        still = []
        for one in reviewed.suspects:  # keys may have come since it was asked
            photo = reviewed.photos[one.position]
            if labels.get(photo) == one.label != left.get(str(photo)):
                still.append(one)
        reviewed = replace(reviewed, suspects=tuple(still))
        self._suspects.show_reviewed(reviewed)
        self._duplicates.show_reviewed(reviewed)

    def take(self, photo: Path, name: str) -> None:
        """Give a photo the class that is likelier."""
        self._session.give_class([photo], name)

    def leave(self, photo: Path, label: str) -> None:
        """Note that a label is right."""
        left = {**self._left(), str(photo): label}
        self._session.keep_in_project({RIGHT_LABELS: to_text(left)})
        self._waiting.start()  # how many look wrong is another number now

    def _left(self) -> dict[str, str]:
        """Return the labels that a person has looked at and left, by file."""
        return of_text(self._session.project_notes.get(RIGHT_LABELS, ""))
