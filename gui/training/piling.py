"""Selects a pile of look-alikes at a time, so that one key labels them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from core.language import tr, tr_n
from core.training.piles import FindPiles, Piles
from core.training.teaching import Looked

if TYPE_CHECKING:
    from core.work.handles import Handle
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_STEP = 1e-6
"""Between two photos of a pile, in the order of likeness."""


class Piling(QObject):
    """Keeps the piles until photos, or the model, are other ones."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._piles: list[tuple[Path, ...]] = []
        self._stream: Handle[None] | None = None
        session.list_changed.connect(self._forget)
        session.model_changed.connect(self._forget)

    def select_next(self) -> None:
        """Select the next pile of photos that have no label yet."""
        while self._piles:
            shown = self._session.photos.positions(map(str, self._piles[0]))
            pile = [path for path in self._piles.pop(0) if str(path) in shown]
            pile = [path for path in pile if self._is_open(path)]
            if len(pile) > 1:
                self._select(pile)
                return
        photos = [row.path for row in self._session.photos.shown_rows() if self._is_open(row.path)]
        if len(photos) < 2:
            self._window.note(tr("All photos that are shown have a label."))
            return
        self._stream = self._tasks.stream(FindPiles(tuple(photos)), self._take)

    def stop(self) -> bool:
        """Look at no more photos; return whether some were being looked at."""
        if self._stream is None or self._stream.future.done():
            return False
        self._stream.stop()
        return True

    def _take(self, news: list[Looked | Piles]) -> None:
        last = news[-1]
        if isinstance(last, Looked):
            self._window.note(
                tr(
                    "Looking for piles: {done} of {total} photos. Esc stops.",
                    done=last.done,
                    total=last.total,
                )
            )
            return
        self._piles = list(last.piles)
        if self._piles:
            self.select_next()
        else:
            self._window.note(tr("No photos without a label look alike."))

    def _select(self, pile: list[Path]) -> None:
        files = [str(path) for path in pile]
        photos = self._session.photos
        photos.set_similarity({file: 1 - at * _STEP for at, file in enumerate(files)})
        photos.set_order("similar")
        self._session.select(files, pile[0])
        self._window.note(
            tr_n(
                "{n} photo looks alike. Take out what does not belong (Ctrl+click), then press "
                "the key of its class.",
                "{n} photos look alike. Take out what does not belong (Ctrl+click), then press "
                "the key of their class.",
                len(pile),
            )
        )

    def _is_open(self, path: Path) -> bool:
        photos = self._session.photos
        row = photos.row(path)
        return row is not None and not row.is_away and not photos.label_index.resolve(row.label)

    @Slot()
    def _forget(self) -> None:
        self._piles = []
