"""Where a person edits the classes: add, rename, order, colour, key, merge, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QColorDialog,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.errors import DroplensError
from core.labels.classes import KEYS, ClassList
from core.language import number, tr
from core.models.class_names import lists as class_names
from gui import theme
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.message_box import PlainMessageBox
from gui.widgets.plain_text import PlainLabel, literal

_NAME, _KEY, _PHOTOS = range(3)


class ClassesDialog(QDialog):
    """Every edit holds at once and can be undone; the dialog only shows and asks."""

    edited = Signal(str, object)
    """Kind of the edit, and a function from the ClassList that holds to the one that shall."""

    def __init__(
        self,
        classes: ClassList,
        counts: Callable[[int], int],
        model_names: Sequence[str],
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            classes: of the project.
            counts: says how many photos have a class.
            model_names: of the model in use, to be taken over.
            parent: the window.
        """
        super().__init__(parent)
        self._classes, self._counts, self._model_names = classes, counts, model_names
        self.setWindowTitle(tr("Classes"))
        resize_within_screen(self, 620, 520)
        self._list = QTreeWidget()
        self._list.setHeaderLabels([tr("Class"), tr("Key"), tr("Photos")])
        self._list.setRootIsDecorated(False)
        self._list.setAccessibleName(tr("Classes"))
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self._list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_KEY, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_PHOTOS, QHeaderView.ResizeMode.ResizeToContents)
        self._new = QLineEdit(placeholderText=tr("New classes, with commas between"))
        self._new.setAccessibleName(tr("Names of new classes"))
        self._new.returnPressed.connect(self._add_typed)
        self._message = PlainLabel(wordWrap=True)
        self._message.hide()
        self._several = QCheckBox(tr("A photo may have several classes"))
        self._several.setChecked(classes.is_multiple)
        self._several.toggled.connect(self._set_multiple)
        self._lay_out()
        self._list.itemDoubleClicked.connect(self._rename)
        self._list.currentItemChanged.connect(self._follow_current)
        self._fill(0)

    def show_classes(self, classes: ClassList) -> None:
        """Follow edits made elsewhere, undone ones for instance, and count again."""
        self._classes = classes
        self._fill(self._current or 0)

    # Making

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(6)
        self._needing: list[QPushButton] = []
        for text, icon, slot in (
            (tr("Rename… (F2)"), "pencil", self._rename),
            (tr("Key…"), "key-round", self._ask_key),
            (tr("Colour…"), "palette", self._ask_colour),
            (tr("Move up"), "arrow-up", lambda: self._move(-1)),
            (tr("Move down"), "arrow-down", lambda: self._move(1)),
            (tr("Merge into…"), "merge", self._merge),
            (tr("Delete… (Del)"), "trash-2", self._delete),
        ):
            button = self._button(text, icon, slot)
            side.addWidget(button)
            self._needing.append(button)
        side.addStretch(1)
        adding = QHBoxLayout()
        adding.addWidget(self._new, 1)
        adding.addWidget(self._button(tr("Add"), "plus", self._add_typed))
        taking = QHBoxLayout()
        from_model = self._button(tr("From the model"), "layers", self._add_from_model)
        from_model.setEnabled(bool(self._model_names))
        taking.addWidget(from_model)
        taking.addWidget(self._button(tr("From a text file…"), "file-text", self._ask_file))
        taking.addWidget(self._button(tr("From folder names…"), "folder-tree", self._ask_folder))
        taking.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        middle = QHBoxLayout()
        middle.addWidget(self._list, 1)
        middle.addLayout(side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        layout.addLayout(adding)
        layout.addLayout(taking)
        layout.addLayout(middle, 1)
        layout.addWidget(self._several)
        layout.addWidget(self._message)
        layout.addWidget(buttons)
        self._new.setFocus()

    def _button(self, text: str, icon: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        theme.set_icon(button, icon)
        button.clicked.connect(lambda: slot())
        return button

    def _fill(self, current: int) -> None:
        self._list.clear()
        for one in self._classes.classes:
            item = QTreeWidgetItem([one.name, one.key.upper(), number(self._counts(one.id))])
            item.setData(_NAME, Qt.ItemDataRole.UserRole, one.id)
            picture = QPixmap(24, 24)
            picture.fill(QColor(one.colour))
            item.setIcon(_NAME, QIcon(picture))
            item.setTextAlignment(_PHOTOS, Qt.AlignmentFlag.AlignRight)
            item.setToolTip(_NAME, literal(one.name))
            self._list.addTopLevelItem(item)
            if one.id == current:
                self._list.setCurrentItem(item)
        first = self._list.topLevelItem(0)
        if self._list.currentItem() is None and first is not None:
            self._list.setCurrentItem(first)
        self._follow_current()

    @property
    def _current(self) -> int | None:
        item = self._list.currentItem()
        return None if item is None else int(item.data(_NAME, Qt.ItemDataRole.UserRole))

    @Slot()
    def _follow_current(self) -> None:
        for button in self._needing:
            button.setEnabled(self._list.currentItem() is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self._rename()
        elif event.key() == Qt.Key.Key_Delete and self._list.hasFocus():
            self._delete()
        else:
            super().keyPressEvent(event)

    # Edits

    def _edit(
        self, kind: str, edit: Callable[[ClassList], ClassList], current: int | None = None
    ) -> None:
        """Let an edit hold, or say why it cannot be made."""
        try:
            made = edit(self._classes)
        except DroplensError as error:
            self._message.setText(str(error))
            self._message.show()
            return
        self._message.hide()
        if made != self._classes:
            self._classes = made
            self._fill(current or self._current or 0)
            self.edited.emit(kind, edit)

    @Slot()
    def _add_typed(self) -> None:
        names = names_in(self._new.text())
        if names:
            self._edit("add", lambda now: now.add(names))
            if not self._message.isVisible():
                self._new.clear()

    def _add_from_model(self) -> None:
        self._edit("add", lambda now: now.add(self._model_names))

    def _ask_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self, tr("Class names"), "", tr("Names (*.txt *.json *.csv);;All files (*)")
        )
        if file:
            self._edit("add", lambda now: now.add(class_names.read_any(Path(file))))

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, tr("Folder whose subfolders are the classes")
        )
        if folder:
            self._edit("add", lambda now: now.add(class_names.from_folder(Path(folder))[1]))

    @Slot()
    def _rename(self) -> None:
        current = self._current
        if current is None:
            return
        name, accepted = QInputDialog.getText(
            self, tr("Rename"), tr("Name:"), text=self._classes[current].name
        )
        if accepted:
            self._edit("rename", lambda now: now.rename(current, name))

    def _ask_key(self) -> None:
        current = self._current
        if current is None:
            return
        keys = ["", *KEYS.upper()]
        shown = [tr("none"), *self._said_keys(keys[1:])]
        now = keys.index(self._classes[current].key.upper())
        chosen, accepted = QInputDialog.getItem(
            self, tr("Key"), tr("Key that gives this class:"), shown, now, False
        )
        if accepted:
            key = keys[shown.index(chosen)]
            self._edit("key", lambda now: now.set_key(current, key))

    def _said_keys(self, keys: Sequence[str]) -> list[str]:
        owners = {one.key.upper(): one.name for one in self._classes.classes if one.key}
        return [
            tr("{key}, now {name}", key=key, name=owners[key]) if key in owners else key
            for key in keys
        ]

    def _ask_colour(self) -> None:
        current = self._current
        if current is None:
            return
        colour = QColorDialog.getColor(QColor(self._classes[current].colour), self)
        if colour.isValid():
            self._edit("colour", lambda now: now.recolour(current, colour.name()))

    def _move(self, by: int) -> None:
        current = self._current
        if current is not None:
            place = self._classes.ids.index(current) + by
            if 0 <= place < len(self._classes.ids):
                self._edit("order", lambda now: now.move(current, place))

    def _merge(self) -> None:
        current = self._current
        if current is not None:
            into = self._ask_class(current, tr("Merge"), tr("Its photos become:"))
            if into is not None:
                self._edit("merge", lambda now: now.merge(current, into), into)

    def _delete(self) -> None:
        """Ask what becomes of the labels, where there are any."""
        current = self._current
        if current is None:
            return
        count = self._counts(current)
        if count == 0:
            self._edit("remove", lambda now: now.remove(current))
            return
        box = PlainMessageBox(self)
        box.setWindowTitle(tr("Delete"))
        box.setText(
            tr(
                "{n} photos have the class “{name}”. What becomes of them?",
                n=count,
                name=self._classes[current].name,
            )
        )
        away = box.addButton(tr("They become unlabelled"), QMessageBox.ButtonRole.DestructiveRole)
        other = box.addButton(tr("They get another class…"), QMessageBox.ButtonRole.AcceptRole)
        other.setEnabled(len(self._classes.ids) > 1)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is away:
            self._edit("remove", lambda now: now.remove(current))
        elif box.clickedButton() is other:
            self._merge()

    def _ask_class(self, but: int, title: str, text: str) -> int | None:
        others = [one for one in self._classes.classes if one.id != but]
        if not others:
            return None
        chosen, accepted = QInputDialog.getItem(
            self, title, text, [one.name for one in others], 0, False
        )
        return next((one.id for one in others if accepted and one.name == chosen), None)

    @Slot(bool)
    def _set_multiple(self, multiple: bool) -> None:
        self._edit("multiple", lambda now: now.set_multiple(multiple))


def names_in(text: str) -> list[str]:
    """Return the names in a typed text, with commas, semicolons or line breaks between."""
    for separator in (";", "\n"):
        text = text.replace(separator, ",")
    return [name.strip() for name in text.split(",") if name.strip()]
