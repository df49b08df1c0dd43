"""Keeps what the model says of labelled photos, and its figures up to date with the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from core.checks.requests import Check
from core.inference.shares import FindShares, PhotoShares
from core.models.class_names.lists import imagenet_synonyms

if TYPE_CHECKING:
    from pathlib import Path

    from core.work.handles import Handle
    from gui.checks.check_dialog import CheckDialog
    from gui.session import Session
    from gui.tasks import Tasks

_WAIT_MS = 200
"""Labels that are changed within it are counted together."""


class Checking(QObject):
    """Checks the model in use from its beginning on, until the dialog is closed."""

    def __init__(self, session: Session, tasks: Tasks, dialog: CheckDialog) -> None:
        super().__init__(dialog)
        self._dialog = dialog
        self._session, self._tasks = session, tasks
        self._shares: dict[Path, object] = {}
        self._failed: set[Path] = set()
        self._stream: Handle[None] | None = None
        self._waiting = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._waiting.timeout.connect(self._ask)
        session.labels_changed.connect(self._waiting.start)
        session.model_changed.connect(self._begin_anew)

    def start(self) -> None:
        """Begin at once."""
        self._ask()

    def close(self) -> None:
        """Look at no more photos."""
        self._waiting.stop()
        if self._stream is not None:
            self._stream.drop()
            self._stream = None

    @Slot()
    def _begin_anew(self) -> None:
        self.close()
        self._shares, self._failed = {}, set()
        self._waiting.start()

    @Slot()
    def _ask(self) -> None:
        """Look at photos that have not been looked at, else count."""
        self.close()
        labelled = self._labelled()
        known = self._shares.keys() | self._failed
        new = tuple(path for path, _ in labelled if path not in known)
        if new and self._session.model is not None:
            done = len(labelled) - len(new)
            self._dialog.show_progress(done, len(labelled))
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
        self._dialog.show_progress(len(self._shares) + len(self._failed), len(self._labelled()))

    def _count(self) -> None:
        model = self._session.model
        if model is None:
            return
        request = Check(
            tuple(self._labelled()),
            dict(self._shares),  # type: ignore[arg-type]  # arrays, which only core speaks of
            model.spec,
            synonyms=imagenet_synonyms(model.spec.class_names),
        )
        self._tasks.ask(request, self._dialog.show_checked, self._refuse)

    def _refuse(self, error: BaseException) -> None:
        self._dialog.show_refusal(str(error))

    def _labelled(self) -> list[tuple[Path, str]]:
        """Return the photos that have one class and are there."""
        photos = self._session.photos
        found = []
        for path, names in photos.labelled():
            row = photos.row(path)
            if len(names) == 1 and row is not None and not row.is_away:
                found.append((path, names[0]))
        return found
