"""Where the user names the classes: a pasted list, a file, or the training folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.errors import ClassNamesError
from core.language import number, tr
from core.models.class_names import lists as class_names
from gui import theme
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.values.spec import ModelSpec

_SHOWN_NAMES = 4


class ClassNamesDialog(QDialog):
    """Shows at once which class gets which name, and whether there are as many as needed."""

    given = Signal(object)
    """tuple of names, or None to go back to what the checkpoint says."""

    def __init__(self, spec: ModelSpec, folder: str, parent: QWidget | None = None) -> None:
        """Make the dialog.

        Args:
            spec: the model whose classes are named.
            folder: where file dialogs begin.
            parent: the window.
        """
        super().__init__(parent)
        self._spec, self._folder = spec, folder
        self._count = spec.inspection.num_classes or 0
        self._orders: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self.setWindowTitle(tr("Name the classes"))
        resize_within_screen(self, 760, 520)
        self._text = QPlainTextEdit(tabChangesFocus=True)
        self._text.setPlaceholderText(
            tr("One name a line, in the order in which the model was trained.\n\nant\nbee")
        )
        self._text.setAccessibleName(tr("Class names, one a line"))
        self._preview = QTreeWidget()
        self._preview.setHeaderLabels([tr("Class"), tr("Name")])
        self._preview.setRootIsDecorated(False)
        self._preview.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._preview.setAccessibleName(tr("Which class gets which name"))
        self._preview.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._status = PlainLabel(wordWrap=True)
        self._order = self._make_order()
        self._buttons = self._make_buttons()
        self._lay_out()
        self._text.textChanged.connect(self._follow)
        if spec.is_named and spec.predicts:
            self._text.setPlainText("\n".join(spec.class_names))
        self._follow()
        self._text.setFocus()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names as they stand now.

        Raises:
            ClassNamesError: the text begins as JSON and is none.
        """
        return class_names.from_text(self._text.toPlainText())

    def take_file(self, path: Path) -> None:
        """Put the names of a text or JSON file into the list."""
        try:
            names = class_names.read_any(path)
        except ClassNamesError as error:
            self._say(str(error), good=False)
            return
        self._order.hide()
        self._text.setPlainText("\n".join(names))

    def take_folder(self, folder: Path) -> None:
        """Put the subfolders of a training folder into the list, as torchvision sorts them."""
        try:
            self._orders = class_names.from_folder(folder)
        except ClassNamesError as error:
            self._say(str(error), good=False)
            return
        as_text, as_people = self._orders
        self._as_torchvision.setText(tr("As torchvision sorts: {names}", names=_some(as_text)))
        self._as_people.setText(tr("As people count: {names}", names=_some(as_people)))
        self._as_torchvision.setChecked(True)
        self._order.setVisible(as_text != as_people)
        self._text.setPlainText("\n".join(as_text))

    def _make_order(self) -> QFrame:
        frame = QFrame()
        self._as_torchvision, self._as_people = QRadioButton(), QRadioButton()
        group = QButtonGroup(frame)
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for place, button in enumerate((self._as_torchvision, self._as_people)):
            group.addButton(button, place)
            layout.addWidget(button)
        group.idClicked.connect(self._use_order)
        frame.hide()
        return frame

    def _make_buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._use = box.addButton(tr("Use these names"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._use.setProperty("primary", True)
        self._use.setDefault(True)
        if self._spec.overrides.class_names is not None:
            back = box.addButton(
                tr("As the checkpoint says"), QDialogButtonBox.ButtonRole.ResetRole
            )
            back.clicked.connect(self._go_back)
        box.accepted.connect(self._finish)
        box.rejected.connect(self.reject)
        return box

    def _lay_out(self) -> None:
        head = PlainLabel(self._introduction(), wordWrap=True)
        head.setProperty("muted", True)
        file = QPushButton(tr("From a file…"))
        theme.set_icon(file, "file-text")
        file.setToolTip(tr("A text file with one name a line, or JSON"))
        folder = QPushButton(tr("From the training folder…"))
        theme.set_icon(folder, "folder-tree")
        folder.setToolTip(tr("The folder that has one subfolder a class"))
        file.clicked.connect(self._ask_for_file)
        folder.clicked.connect(self._ask_for_folder)
        sources = QHBoxLayout()
        sources.addWidget(file)
        sources.addWidget(folder)
        sources.addStretch()
        grid = QGridLayout()
        grid.setSpacing(10)
        grid.addWidget(self._text, 0, 0)
        grid.addWidget(self._preview, 0, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(head)
        layout.addLayout(sources)
        layout.addWidget(self._order)
        layout.addLayout(grid, 1)
        layout.addWidget(self._status)
        layout.addWidget(self._buttons)

    def _introduction(self) -> str:
        if self._count == 1:
            return tr(
                "This model has one output. Give one name for it, or two: first for “no” (0), "
                "then for “yes” (1)."
            )
        return tr(
            "This model has {n} classes. Most checkpoints do not carry their names; they stand in "
            "the script or the folder that it was trained with. Paste them, or choose where they "
            "are.",
            n=self._count,
        )

    @Slot()
    def _follow(self) -> None:
        """Show which class gets which name."""
        try:
            names = self.names
        except ClassNamesError as error:
            self._preview.clear()
            self._say(str(error), good=False)
            return
        self._preview.clear()
        rows = max(len(names), self._count)
        for index in range(rows):
            name = names[index] if index < len(names) else "–"
            item = QTreeWidgetItem([str(index), name])
            if index >= len(names) or (index >= self._count and len(names) != 2):
                item.setForeground(1, self.palette().placeholderText())
            self._preview.addTopLevelItem(item)
        fits = bool(names) and class_names.fits(names, self._count)
        self._say(self._judged(names, fits=fits), good=fits)

    def _judged(self, names: tuple[str, ...], *, fits: bool) -> str:
        given, wanted = number(len(names)), number(self._count)
        if not names:
            return tr("No names yet; the model has {n} classes.", n=wanted)
        if not fits:
            text = tr("{given} names for {n} classes.", given=given, n=wanted)
            if len(names) == self._count + 1:
                text += " " + tr("One too many: is there a heading, or a “background”?")
            return text
        if len(set(names)) < len(names):
            return tr("{given} names, but some stand there twice.", given=given)
        if all(name.isdecimal() for name in names) and len(names) > 1:
            return tr(
                "{given} names, all of them numbers: check that each stands for the right class.",
                given=given,
            )
        return tr("{given} names for {n} classes.", given=given, n=wanted)

    def _say(self, text: str, *, good: bool) -> None:
        self._status.setText(text)
        self._use.setEnabled(good)

    @Slot()
    def _ask_for_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self,
            tr("Open a list of class names"),
            self._folder,
            tr("Class names (*.txt *.json *.csv);;All files (*)"),
        )
        if file:
            self.take_file(Path(file))

    @Slot()
    def _ask_for_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, tr("Choose the training folder"), self._folder
        )
        if folder:
            self.take_folder(Path(folder))

    @Slot(int)
    def _use_order(self, number: int) -> None:
        self._text.setPlainText("\n".join(self._orders[number]))

    @Slot()
    def _finish(self) -> None:
        self.given.emit(self.names)
        self.accept()

    @Slot()
    def _go_back(self) -> None:
        self.given.emit(None)
        self.accept()


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
