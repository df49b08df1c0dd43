"""The room of checking: how right the model in use is on the labelled photos of the list."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog

from core.language import tr, tr_n
from gui.actions import Action
from gui.checks.checking import Checking
from gui.room import Room
from gui.widgets.page_stack import PageStack
from gui.workspaces import CHECK, Panel

if TYPE_CHECKING:
    from gui.checks.doctor_dialog import DoctorDialog
    from gui.checks.reviewing import Reviewing
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_MARGIN_PX, _FROM_TOP_PX = 12, 90
"""Of the dialog in the window's corner, where it hides neither the list nor the photo."""

_STEP = 1e-6
"""Between two photos of a cell, in the order of likeness."""


class ChecksRoom(Room):
    """Brings the panel, and shows the photos that it asks for in the list."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self._place = PageStack()
        self._checking: Checking | None = None
        self._reviewing: Reviewing | None = None
        self._doctor: DoctorDialog | None = None

    def actions(self) -> list[Action]:
        return [
            Action(
                "check_model", tr("See ho&w right the model is"), self.open, "labels", 5,
                "Ctrl+K", "check-check",
                enabled=self._can_check,
            ),
            Action(
                "diagnose_model", tr("Is it set &up right?…"), self.open_doctor, "model", 2,
                "Ctrl+Alt+K", enabled=self._can_check,
            ),
        ]  # fmt: skip

    def panels(self) -> list[Panel]:
        right = Qt.DockWidgetArea.RightDockWidgetArea
        return [Panel("check", tr("Check"), self._place, right, {CHECK: 0.55})]

    def furnish(self) -> None:
        self.window.workspaces.attend(CHECK, self._enter, self._leave)

    def close(self) -> None:
        self._leave()
        if self._reviewing is not None:
            self._reviewing.close()
        if self._doctor is not None:
            self._doctor.reject()

    @Slot()
    def open(self) -> None:
        """Show how right the model in use is."""
        if self.window.workspaces.current == CHECK:
            self._enter()
        self.window.workspaces.choose(CHECK)

    @Slot()
    def _enter(self) -> None:
        """Look at the labelled photos, in a panel that is made when it is first needed."""
        if self._checking is None:
            self._make()
        assert self._checking is not None
        self._checking.start()

    @Slot()
    def _leave(self) -> None:
        """Count no more; what takes minutes goes on."""
        if self._checking is not None:
            self._checking.close()
            self.session.photos.name_from(0.0)

    def _make(self) -> None:
        from gui.checks.check_panel import CheckPanel
        from gui.checks.reviewing import Reviewing

        self._reviewing = Reviewing(self.session, self.tasks)
        panel = CheckPanel(
            self.tasks,
            Path(self.session.settings.last_folder or Path.home()),
            self._show_photos,
            self._look_at,
            self.session.photos.name_from,
            self._trust_from,
            self._reviewing,
        )
        self._reviewing.setParent(panel)
        panel.doctor_button.clicked.connect(partial(self.window.choose, "diagnose_model"))
        self._place.addWidget(panel)
        self._checking = Checking(self.session, self.tasks, panel)

    @Slot()
    def open_doctor(self) -> None:
        """Find out whether the model in use is set up right, on the photos of the list."""
        from core.inference.diagnosing import LEAST_PHOTOS
        from core.models.class_names.meaning import indices_of
        from gui.checks.doctor_dialog import DoctorDialog

        model = self.session.model
        if model is None:
            return
        if self._doctor is not None:
            self._doctor.reject()
        labelled = self.session.labelled_once()
        given = self.session.given_meanings
        labels = [label for _, label in labelled]
        index = indices_of(model.spec.class_names, labels, given)
        known = [(path, index[label]) for path, label in labelled if label in index]
        if len(known) >= LEAST_PHOTOS:
            photos = tuple(path for path, _ in known)
            indices = tuple(at for _, at in known)
        else:
            rows = self.session.photos.rows()
            photos, indices = tuple(row.path for row in rows if not row.is_away), ()
        dialog = DoctorDialog(self.session, self.tasks, photos, indices, self._look_at, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._forget_doctor)
        self._doctor = dialog
        self._move(dialog)
        dialog.show()

    @Slot()
    def _forget_doctor(self) -> None:
        self._doctor = None

    def _move(self, dialog: QDialog) -> None:
        """Put the dialog into the window's upper right corner, as far as the screen reaches."""
        screen = self.window.screen().availableGeometry()
        corner = self.window.frameGeometry().topRight()
        width = min(dialog.width(), screen.width() - 2 * _MARGIN_PX)
        height = min(dialog.height(), screen.height() - 4 * _MARGIN_PX)
        dialog.resize(width, height)
        dialog.move(
            min(corner.x(), screen.right()) - width - _MARGIN_PX,
            min(corner.y() + _FROM_TOP_PX, screen.bottom() - height - _MARGIN_PX),
        )

    def _show_photos(self, files: list[str], said: str) -> None:
        """Let photos come first in the list, and select them."""
        photos = self.session.photos
        shown = photos.positions(files)
        files = [file for file in files if file in shown]
        if not files:
            self.window.note(tr("{name}: search or filter hide these photos", name=said))
            return
        photos.set_similarity({file: 1 - at * _STEP for at, file in enumerate(files)})
        photos.set_order("chosen")
        self.session.select(files, Path(files[0]))
        self.window.gallery_view.setFocus()  # whose keys correct labels
        self.window.note(
            tr_n(
                "{name}: {n} photo is selected",
                "{name}: {n} photos are selected",
                len(files),
                name=said,
            )
        )

    def _look_at(self, photo: Path) -> None:
        """Select a photo; the dialog keeps the keys."""
        if self.session.photos.position(photo) < 0:
            self.window.note(tr("{name}: search or filter hide this photo", name=photo.name))
            return
        self.session.select([str(photo)], photo)

    def _trust_from(self, probability: float) -> None:
        self.session.override_model({"unsure_below": probability})

    def _can_check(self) -> bool:
        model = self.session.model
        return (
            self.session.has_photos
            and model is not None
            and model.spec.predicts
            and model.spec.outputs != "value"
            and len(model.spec.class_names) > 1
        )
