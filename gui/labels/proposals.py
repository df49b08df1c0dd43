"""Offers the class that the model proposes for the photo that is shown, or for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from core.language import tr
from gui.widgets.message_box import ask

if TYPE_CHECKING:
    from gui.labels.label_panel import LabelPanel
    from gui.labels.labelling import LabelGiver
    from gui.main_window import MainWindow
    from gui.session import Session

_SHOWN_NAMES = 5


class Proposals(QObject):
    """Follows the current photo and the selection."""

    def __init__(
        self, session: Session, window: MainWindow, giver: LabelGiver, panel: LabelPanel
    ) -> None:
        super().__init__()
        self._session, self._window = session, window
        self._giver, self._panel = giver, panel
        session.current_changed.connect(self.show)
        session.selection.selectionChanged.connect(self.show)
        session.photos.dataChanged.connect(self.show)

    @Slot()
    def show(self) -> None:
        """Offer the model's class for the photo that is shown."""
        current, photos = self._session.current, self._session.photos
        row = photos.row(current) if current is not None else None
        label_index = photos.label_index
        self._panel.show_current(() if row is None else label_index.resolve(row.label))
        selected = self._session.selected_count
        if selected > 1:
            self._panel.show_proposal(tr("Enter: accept for {n} photos", n=selected))
        elif (
            row is None
            or not row.class_name
            or photos.position(row.path) < 0
            or label_index.proposed(row.top[0]) in label_index.resolve(row.label)
        ):
            self._panel.show_proposal("")
        else:
            self._panel.show_proposal(
                tr("Enter: {name} {probability}", name=row.class_name, probability=row.figure(0))
            )

    def accept_all(self) -> None:
        """Ask, then give all photos that are shown the class that the model proposes."""
        label_index = self._session.photos.label_index
        proposing = [row for row in self._session.photos.shown_rows() if row.class_name]
        rows = [row for row in proposing if not label_index.resolve(row.label)]
        if not rows:
            self._window.note(tr("No photo that is shown lacks a label and has a proposal."))
            return
        new = {row.class_name for row in rows if not label_index.proposed(row.top[0])}
        said = [tr("Give {n} photos the class that the model proposes?", n=len(rows))]
        if len(rows) < len(proposing):
            said.append(tr("{n} that have a label keep it.", n=len(proposing) - len(rows)))
        if new:
            names = ", ".join(sorted(new)[:_SHOWN_NAMES])
            names += ", …" if len(new) > _SHOWN_NAMES else ""
            said.append(tr("New classes: {n} ({names}).", n=len(new), names=names))
        said.append(tr("It can be undone."))
        if ask(self._window, tr("Accept all"), " ".join(said)):
            self._giver.accept_all(rows)
