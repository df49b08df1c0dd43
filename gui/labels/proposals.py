"""Offers the class that the model proposes for the photo that is shown, or for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from core.language import tr
from core.values.class_mapping import KEPT_AS, to_text
from gui.widgets.message_box import ask

if TYPE_CHECKING:
    from gui.gallery_rows import GalleryRow
    from gui.labels.label_panel import LabelPanel
    from gui.labels.labelling import LabelGiver
    from gui.main_window import MainWindow
    from gui.session import Session

_SHOWN_NAMES = 5
_ADDS_CLASSES = "adds the model's classes"
"""Under which a project keeps that classes which it lacks are added without asking."""


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
        session.photos.modelReset.connect(self.show)

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

    def accept(self) -> None:
        """Give the selected photos the classes that the model proposes."""
        targets = self._giver.targets()
        rows = [row for path in targets if (row := self._session.photos.row(path)) is not None]
        if targets and self._is_meant(rows):
            self._giver.accept(rows, advance=True)  # selected no more, where it was asked

    def _is_missing(self, row: GalleryRow) -> bool:
        """Return whether the project lacks what the model proposes for a photo."""
        label_index = self._session.photos.label_index
        is_known = label_index.proposed(row.top[0]) or label_index.means_none(row.class_name)
        return bool(row.class_name) and not is_known

    def _is_meant(self, rows: Sequence[GalleryRow]) -> bool:
        """Ask what classes mean that the project lacks; return False where it is left open.

        The first class of a project comes unasked, and so do all where a person wants it so.
        """
        missing = Counter(row.class_name for row in rows if self._is_missing(row))
        classes = self._session.photos.label_index.classes.names
        notes = self._session.project_notes
        if not missing or not classes or notes.get(_ADDS_CLASSES):
            return True
        from gui.labels.meaning_dialog import MeaningDialog

        dialog = MeaningDialog(missing, classes, self._window)
        is_settled = dialog.exec()
        dialog.deleteLater()
        if not is_settled:
            return False
        given = {**self._session.given_meanings, **dialog.given}
        self._session.keep_in_project(
            {KEPT_AS: to_text(given), _ADDS_CLASSES: "yes" if dialog.adds_all else ""}
        )
        return True

    def accept_all(self) -> None:
        """Ask, then give all photos that are shown the class that the model proposes."""
        label_index = self._session.photos.label_index
        proposing = [row for row in self._session.photos.shown_rows() if row.class_name]
        rows = [row for row in proposing if not label_index.resolve(row.label)]
        if not rows:
            self._window.note(tr("No photo that is shown lacks a label and has a proposal."))
            return
        if not self._is_meant(rows):
            return
        rows = [row for row in rows if not label_index.means_none(row.class_name)]
        new = {row.class_name for row in rows if self._is_missing(row)}
        said = [tr("Give {n} photos the class that the model proposes?", n=len(rows))]
        if len(rows) < len(proposing):
            said.append(tr("{n} that have a label keep it.", n=len(proposing) - len(rows)))
        if new:
            names = ", ".join(sorted(new)[:_SHOWN_NAMES])
            names += ", …" if len(new) > _SHOWN_NAMES else ""
            said.append(tr("New classes: {n} ({names}).", n=len(new), names=names))
        said.append(tr("It can be undone."))
        if ask(self._window, tr("Accept all"), " ".join(said)):
            self._giver.accept(rows, advance=False)
