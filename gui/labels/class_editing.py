"""Opens the dialog of the classes and keeps it up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot

if TYPE_CHECKING:
    from core.labels.classes import ClassList
    from gui.labels.classes_dialog import ClassesDialog
    from gui.labels.labelling import LabelGiver
    from gui.main_window import MainWindow
    from gui.session import Session


class ClassEditing(QObject):
    """Edits the list of classes in its turn among the labels."""

    def __init__(self, session: Session, window: MainWindow, giver: LabelGiver) -> None:
        super().__init__()
        self._session, self._window, self._giver = session, window, giver
        self._dialog: ClassesDialog | None = None

    def add(self, text: str) -> None:
        """Add classes whose names stand in a text, with commas or line breaks between."""
        from gui.labels.classes_dialog import names_in

        names = names_in(text)
        self._giver.edit_classes("add", lambda classes: classes.add(names))

    def open(self) -> None:
        """Open the dialog."""
        from gui.labels.classes_dialog import ClassesDialog

        model = self._session.model
        names = model.spec.class_names if model is not None else ()
        dialog = ClassesDialog(
            self._session.photos.label_index.classes, self._photos_of, names, self._window
        )
        dialog.edited.connect(self._giver.edit_classes)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._forget_dialog)
        self._dialog = dialog
        dialog.open()

    def show(self, classes: ClassList) -> None:
        """Show the classes as they are now."""
        if self._dialog is not None:
            self._dialog.show_classes(classes)

    @Slot()
    def _forget_dialog(self) -> None:
        self._dialog = None

    def _photos_of(self, class_id: int) -> int:
        photos = self._session.photos
        return sum(class_id in photos.label_index.resolve(row.label) for row in photos.rows())
