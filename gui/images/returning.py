"""Takes up again the photos that were gone for a while, with a drive that was pulled out say."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from core.errors import os_reason
from core.images.requests import WhichAreThere

if TYPE_CHECKING:
    from core.values.predictions import Prediction
    from gui.session import Session
    from gui.tasks import Tasks

_LOOK_MS, _SELDOM_MS = 5_000, 60_000
_MOST_LOOKED_FOR = 2_000
"""At once; of more, others are looked for the next time."""


class Returning(QObject):
    """Looks from time to time for photos that were not there, as long as there are any."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__()
        self._session, self._tasks = session, tasks
        self._from = 0
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        session.predicted.connect(self._follow_predictions)
        session.labels_changed.connect(self._begin)  # and with them who is away

    @Slot()
    def look(self) -> None:
        """Ask which of the photos that were gone are there."""
        missing = os_reason(FileNotFoundError(errno.ENOENT, ""))
        rows = self._session.photos.rows()
        gone = [row.file for row in rows if row.is_away or row.reason == missing]
        if not gone:
            self.stop()
            return
        self._from = self._from if self._from < len(gone) else 0
        asked = gone[self._from : self._from + _MOST_LOOKED_FOR]
        self._from += _MOST_LOOKED_FOR
        self._timer.setInterval(min(2 * self._timer.interval(), _SELDOM_MS))
        self._tasks.ask(WhichAreThere(tuple(map(Path, asked))), self._take)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    @Slot()
    def _begin(self) -> None:
        if not self._timer.isActive():
            self._timer.start(_LOOK_MS)

    @Slot(list)
    def _follow_predictions(self, predictions: list[Prediction]) -> None:
        if any(one.reason is not None for one in predictions):
            self._begin()

    def _take(self, back: list[Path]) -> None:
        if back:
            self._from = 0
            self._timer.start(_LOOK_MS)  # the others of the drive are there as well
            self._session.photos.set_away(map(str, back), away=False)
            self._session.return_wanted.emit(back)
            self._session.photos_found.emit(back)
