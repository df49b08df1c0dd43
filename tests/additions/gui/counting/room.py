"""The room of counting: a panel that says how many photos there are, when asked."""

from __future__ import annotations

from core.counting.requests import CountPhotos
from PySide6.QtCore import Qt

from core.language import tr
from gui.actions import Action
from gui.room import Room
from gui.widgets.plain_text import PlainLabel
from gui.workspaces import Panel


class CountingRoom(Room):
    def panels(self) -> list[Panel]:
        self.panel = PlainLabel(tr("Not counted"))
        self.panel.setObjectName("count")
        side = Qt.DockWidgetArea.RightDockWidgetArea
        return [Panel("counting", tr("Count"), self.panel, side, {"classify": 0.2}, "F10")]

    def actions(self) -> list[Action]:
        return [
            Action(
                "count_photos", tr("&Count photos"), self._count, "view", key="Ctrl+Alt+9",
                enabled=lambda: self.session.has_photos,
            )
        ]  # fmt: skip

    def _count(self) -> None:
        photos = tuple(row.path for row in self.session.photos.rows())
        self.tasks.ask(CountPhotos(photos), lambda n: self.panel.setText(str(n)))
