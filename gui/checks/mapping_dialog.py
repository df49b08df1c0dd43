"""Where a person says which classes of the model mean which of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.language import tr
from core.values.class_mapping import joined
from gui.checks.rows import Row, make_rows
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel
from gui.widgets.search_field import SearchField


class MappingDialog(QDialog):
    """Lists the model's classes; those that are selected are given a meaning together."""

    def __init__(
        self,
        model_classes: Sequence[str],
        label_classes: Sequence[str],
        given: Mapping[str, str],
        synonyms: Mapping[str, Sequence[str]],
        parent: QWidget,
    ) -> None:
        """Make the dialog.

        Args:
            model_classes: names.
            label_classes: names.
            given: what was settled before; an empty text means none.
            synonyms: other names of the model's classes.
            parent: the panel of the check.
        """
        super().__init__(parent)
        self._model_classes, self._label_classes = tuple(model_classes), tuple(label_classes)
        self._synonyms = synonyms
        self.given = {name: meant for name, meant in given.items() if name in set(model_classes)}
        """What is settled now."""
        self.setWindowTitle(tr("Which class means which"))
        resize_within_screen(self, 560, 520)
        self._make()
        self._lay_out()
        self._fill()

    def _make(self) -> None:
        self._about = PlainLabel(
            tr(
                "Several classes of the model may mean one of yours: tench and goldfish both mean "
                "fish. Select them, choose what they mean, and press “Set”."
            ),
            wordWrap=True,
        )
        self._about.setProperty("muted", True)
        self._search = SearchField(tr("Search classes"), tr("Search the model’s classes"))
        self._rows: QTreeWidget = make_rows(
            tr("Classes of the model"), [tr("Class of the model"), tr("Means")], 2
        )
        self._rows.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._meant = QComboBox()
        self._meant.setAccessibleName(tr("What the selected classes mean"))
        self._meant.addItem(tr("none of my classes"), "")
        for name in self._label_classes:
            self._meant.addItem(name, name)
        self._set = QPushButton(tr("Set"))
        self._anew = QPushButton(tr("As the names say"))
        for button in (self._set, self._anew):
            button.setAutoDefault(False)
        self._search.textChanged.connect(self._filter)
        self._search.left.connect(self._rows.setFocus)
        self._set.clicked.connect(self._set_meaning)
        self._anew.clicked.connect(self._forget)
        self._rows.itemSelectionChanged.connect(self._follow_selection)

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.addWidget(PlainLabel(tr("Selected classes mean")))
        choice.addWidget(self._meant, 1)
        choice.addWidget(self._set)
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        buttons.addButton(self._anew, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        for widget in (self._about, self._search):
            layout.addWidget(widget)
        layout.addWidget(self._rows, 1)
        layout.addLayout(choice)
        layout.addWidget(buttons)

    def _fill(self) -> None:
        """Show what each class means; those that mean something come first."""
        meant = joined(self._model_classes, self._label_classes, self.given, self._synonyms)
        self._rows.clear()
        names = sorted(self._model_classes, key=lambda name: name not in meant)
        for name in dict.fromkeys(names):
            self._rows.addTopLevelItem(Row([name, meant.get(name, "")], {}))
        self._filter(self._search.text())
        self._follow_selection()

    @Slot(str)
    def _filter(self, text: str) -> None:
        sought = text.strip().casefold()
        for at in range(self._rows.topLevelItemCount()):
            row = self._rows.topLevelItem(at)
            assert row is not None
            is_hidden = not any(sought in row.text(column).casefold() for column in range(2))
            row.setHidden(is_hidden)
            if is_hidden:
                row.setSelected(False)  # what is not seen is not changed

    @Slot()
    def _follow_selection(self) -> None:
        rows = self._selected()
        self._set.setEnabled(bool(rows))
        if rows:
            self._meant.setCurrentIndex(max(0, self._meant.findData(rows[0].text(1))))

    @Slot()
    def _set_meaning(self) -> None:
        meant = str(self._meant.currentData())
        for row in self._selected():
            self.given[row.text(0)] = meant
            row.setText(1, meant)

    @Slot()
    def _forget(self) -> None:
        self.given = {}
        self._fill()

    def _selected(self) -> list[QTreeWidgetItem]:
        rows: list[QTreeWidgetItem] = self._rows.selectedItems()
        return rows
