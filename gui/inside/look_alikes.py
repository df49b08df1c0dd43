"""Brings the photos together that look like some of them, by the model's own features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from core.inside.requests import Likeness, LookAlikes
from core.language import tr

if TYPE_CHECKING:
    from core.work.handles import Handle
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_FIRST = 2.0
"""Above every cosine, for the photos that the others are compared with."""


class FindingLookAlikes(QObject):
    """Lets the photos stand in the order of likeness once all were compared."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._likeness: dict[str, float] = {}
        self._references: list[Path] = []
        self._done = self._total = 0
        self._stream: Handle[None] | None = None
        session.look_alikes_wanted.connect(self.find)

    def find_of_selected(self) -> None:
        """Find the photos that look like the selected ones, or like the current one."""
        current = self._session.current
        references = self._session.selected() or ([current] if current is not None else [])
        if references:
            self.find(references)

    @Slot(list)
    def find(self, references: list[Path]) -> None:
        """Compare all photos with some."""
        if self._session.model is None:
            self._window.note(tr("The model is being loaded…"))
            return
        self._likeness, self._references, self._done = {}, references, 0
        photos = tuple(row.path for row in self._session.photos.rows() if not row.is_away)
        self._total = len(photos)
        self._session.photos.set_order("similar")
        request = LookAlikes(photos, tuple(references))
        self._stream = self._tasks.stream(request, self._take, self._end)

    def stop(self) -> bool:
        """Compare no more photos; return whether some were being compared."""
        if self._stream is None or self._stream.future.done():
            return False
        self._stream.stop()
        return True

    def _take(self, found: list[Likeness]) -> None:
        self._done += len(found)
        self._likeness.update(
            (str(one.photo), one.cosine) for one in found if one.cosine is not None
        )
        self._window.note(
            tr(
                "Comparing photos: {done} of {total}. Esc stops.",
                done=self._done,
                total=self._total,
            )
        )

    def _end(self) -> None:
        first = dict.fromkeys(map(str, self._references), _FIRST)
        self._session.photos.set_similarity({**self._likeness, **first})
        self._window.note(tr("The photos that look most alike come first."))
