"""Keeps what the model says of labelled photos, and its figures up to date with the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Slot

from core.checks.comparing import Compare, Comparison
from core.checks.requests import Check, Checked, CheckedSeveral, CheckSeveral, Joined
from core.errors import left_out
from core.inference.shares import FindShares, PhotoShares
from core.language import tr, tr_n
from core.models.class_names.lists import imagenet_synonyms
from core.values.class_mapping import KEPT_AS, to_text
from gui.tasks import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from core.work.handles import Handle
    from gui.checks.check_panel import CheckPanel
    from gui.session import Session
    from gui.tasks import Tasks

_WAIT_MS = 200
"""Labels that are changed within it are counted together."""


class Checking(QObject):
    """Checks the model in use from its beginning on, as long as its panel is seen."""

    def __init__(self, session: Session, tasks: Tasks, panel: CheckPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        panel.match_button.clicked.connect(self.match_classes)
        self._session, self._tasks = session, tasks
        self._shares: dict[Path, Any] = {}  # arrays, which only core speaks of
        self._failed: set[Path] = set()
        self._learnt: set[Path] = set()
        self._stream: Handle[None] | None = None
        self._counting: Handle[Any] | None = None
        self._total = self._looked_at = 0
        self._checked: Checked | None = None
        self._before: Checked | None = None
        self._learnt_before = 0
        self._waiting = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._waiting.timeout.connect(self._ask)
        for changed in (session.labels_changed, session.photos_removed, session.photos_found):
            changed.connect(self._waiting.start)
        session.model_changed.connect(self._begin_anew)

    def start(self) -> None:
        """Begin at once; photos that could not be read are looked at again."""
        self._failed.clear()
        self._ask()

    def close(self) -> None:
        """Look at no more photos."""
        self._waiting.stop()
        for handle in (self._stream, self._counting):
            if handle is not None:
                handle.drop()
        self._stream = self._counting = None

    @Slot()
    def _begin_anew(self) -> None:
        model, checked = self._session.model, self._checked
        if model is not None and checked is not None and model.spec.says_as(checked.spec):
            self._waiting.start()  # what is called unsure changes no figure; photos may wait
            return
        self.close()
        if self._checked is not None:
            self._before = self._checked
            self._learnt_before = len(self._learnt.intersection(self._checked.photos))
        self._checked = None
        self._shares, self._failed, self._learnt = {}, set(), set()
        self._panel.forget()
        self._waiting.start()

    @Slot()
    def _ask(self) -> None:
        """Look at photos that have not been looked at, else count."""
        self.close()
        if not self._panel.isVisible():
            return  # the figures are made when they are looked at
        model, labelled = self._session.model, self._labelled()
        if model is None or not model.spec.predicts or model.spec.outputs == "value":
            self._panel.show_refusal(tr("The model in use names no classes."))
            return
        if not labelled:
            self._panel.show_refusal(tr("Label some photos first, or import labels."))
            return
        self._total = len(labelled)
        known = self._shares.keys() | self._failed
        new = tuple(path for path, _ in labelled if path not in known)
        if new:
            self._looked_at = self._total - len(new)
            self._panel.show_progress(self._looked_at, self._total)
            self._stream = self._tasks.stream(
                FindShares(new), self._take, self._count, self._refuse
            )
        else:
            self._count()

    def _take(self, batches: list[list[PhotoShares]]) -> None:
        for one in (one for batch in batches for one in batch):
            if one.shares is None:
                self._failed.add(one.photo)
            else:
                self._shares[one.photo] = one.shares
                if one.was_learnt:
                    self._learnt.add(one.photo)
            self._looked_at += 1
        self._panel.show_progress(self._looked_at, self._total)

    def _count(self) -> None:
        model = self._session.model
        if model is None:
            return
        spec, shares = model.spec, dict(self._shares)
        given = {
            name: meant
            for name, meant in self._session.given_meanings.items()
            if name in spec.class_names
        }
        if self._is_several:
            several = CheckSeveral(tuple(self._labelled()), shares, spec, given)
            self._counting = self._tasks.ask(several, self._show_several, self._refuse)
            return
        names = self._session.photos.label_index.classes.names
        order = {name: at for at, name in enumerate(names)}
        photos = sorted(self._session.labelled_once(), key=lambda one: order[one[1]])
        synonyms = imagenet_synonyms(spec.class_names)
        request = Check(tuple(photos), shares, spec, given, synonyms)
        self._counting = self._tasks.ask(request, self._show, self._refuse)

    @property
    def _is_several(self) -> bool:
        return self._session.photos.label_index.classes.is_multiple

    def _labelled(self) -> list[tuple[Path, tuple[str, ...]]]:
        """Return the photos that count: of a project of one class a photo those that have one."""
        labelled = self._session.labelled()
        return [one for one in labelled if self._is_several or len(one[1]) == 1]

    def _show_several(self, checked: CheckedSeveral) -> None:
        self._panel.show_several(checked, self._notes(checked))

    @Slot()
    def match_classes(self) -> None:
        """Let a person say which class means which; the project keeps it."""
        from gui.checks.mapping_dialog import MappingDialog

        model = self._session.model
        if model is None:
            return
        names = model.spec.class_names
        given = self._session.given_meanings
        dialog = MappingDialog(
            names,
            self._session.photos.label_index.classes.names,
            given,
            imagenet_synonyms(names),
            self._panel,
        )
        if dialog.exec():
            others = {name: meant for name, meant in given.items() if name not in names}
            self._session.keep_in_project({KEPT_AS: to_text({**others, **dialog.given})})

    def _show(self, checked: Checked) -> None:
        self._checked = checked
        self._panel.show_checked(checked, self._notes(checked))
        if self._before is not None:
            self._tasks.ask(Compare(self._before, checked), self._show_comparison, ignore)

    def _show_comparison(self, comparison: Comparison) -> None:
        now = () if self._checked is None else self._checked.photos
        counts = (self._learnt_before, len(self._learnt.intersection(now)))
        notes = [
            tr(
                "{title} has learnt from {n} of these photos: its figure is too good.",
                title=title,
                n=count,
            )
            for title, count in zip(comparison.titles, counts, strict=True)
            if count
        ]
        self._panel.comparison.show_comparison(comparison, notes)

    def _notes(self, checked: Joined) -> list[str]:
        """Return what has to be said of photos that were learnt from or left out."""
        notes = []
        learnt = len(self._learnt.intersection(checked.photos))
        if learnt:
            notes.append(
                tr_n(
                    "It has learnt from {n} of these photos: the figure is too good.",
                    "It has learnt from {n} of these photos: the figure is too good.",
                    learnt,
                )
            )
        failed = sum(path in self._failed for path, _ in self._labelled())
        if failed:
            notes.append(left_out(failed))
        if self._session.taught is not None:
            notes.append(
                tr(
                    "The list shows proposals that come from your labels; these figures are of "
                    "{title}.",
                    title=checked.spec.title,
                )
            )
        return notes

    def _refuse(self, error: BaseException) -> None:
        said = [str(error)]
        if self._session.taught is not None:
            said.append(
                tr(
                    "The proposals come from your labels: teach a model of them (Ctrl+E), which "
                    "says how right it is on photos that it has not seen."
                )
            )
        self._panel.show_refusal(" ".join(said))
