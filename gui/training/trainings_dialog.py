"""The models that were taught: when, on what, how right; to be used, compared and deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QFile, QLocale, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.files import readable
from core.language import number, percent, tr
from core.training.records import ReadRecords, Record
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.message_box import ask
from gui.widgets.plain_text import PlainLabel, literal

if TYPE_CHECKING:
    from gui.tasks import Tasks

_SORTED = Qt.ItemDataRole.UserRole
_NUMBERS = (1, 4, 5)
"""Columns that are sorted by a number and not by their text."""


class TrainingsDialog(QDialog):
    """A row a model; a click on a heading sorts by it."""

    def __init__(
        self,
        tasks: Tasks,
        models: Sequence[Path],
        use: Callable[[Path], object],
        forget: Callable[[Path], object],
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            tasks: reads the files.
            models: that were taught, the newest last.
            use: called with the model that is to be opened.
            forget: called with a model that was deleted.
            parent: the window.
        """
        super().__init__(parent)
        self._tasks, self._use, self._forget = tasks, use, forget
        self.setWindowTitle(tr("Taught models"))
        resize_within_screen(self, 760, 420)
        self._rows = _rows()
        self._none = PlainLabel(
            tr("No model was taught yet. Label some photos, then choose “Teach a model…”."),
            wordWrap=True,
        )
        self._none.setProperty("muted", True)
        self._none.setVisible(not models)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._open = QPushButton(tr("Use this model"))
        self._open.setProperty("primary", True)
        self._delete = QPushButton(tr("Delete…"))
        buttons.addButton(self._delete, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self._open, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        layout.addWidget(self._none)
        layout.addWidget(self._rows, 1)
        layout.addWidget(buttons)
        self._rows.itemSelectionChanged.connect(self._follow_selection)
        self._rows.itemActivated.connect(self._use_chosen)
        self._open.clicked.connect(self._use_chosen)
        self._delete.clicked.connect(self._delete_chosen)
        buttons.rejected.connect(self.reject)
        self._follow_selection()
        tasks.ask(ReadRecords(tuple(models)), self._show)

    def _show(self, records: tuple[Record, ...]) -> None:
        for record in reversed(records):
            self._rows.addTopLevelItem(_Row(record))
        self._rows.setSortingEnabled(True)
        self._rows.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        first = self._rows.topLevelItem(0)
        if first is not None:
            self._rows.setCurrentItem(first)

    @property
    def _chosen(self) -> Record | None:
        items = self._rows.selectedItems()
        return items[0].record if items and isinstance(items[0], _Row) else None

    @Slot()
    def _follow_selection(self) -> None:
        chosen = self._chosen
        self._open.setEnabled(chosen is not None and bool(chosen.when))
        self._delete.setEnabled(chosen is not None)

    @Slot()
    def _use_chosen(self) -> None:
        chosen = self._chosen
        if chosen is not None and chosen.when:
            self._use(chosen.model)
            self.accept()

    @Slot()
    def _delete_chosen(self) -> None:
        """Put the file into the trash; what is gone, or another file by now, leaves the list."""
        chosen = self._chosen
        if chosen is None:
            return
        question = tr(
            "Put {model} into the trash? Photos and labels stay.", model=chosen.model.name
        )
        if chosen.method:
            if not ask(self, tr("Delete a model"), question):
                return
            if not _to_trash(chosen.model):
                self._none.setText(
                    tr(
                        "{model} could not be put into the trash.",
                        model=readable(chosen.model.name),
                    )
                )
                self._none.show()
                return
        self._forget(chosen.model)
        self._rows.takeTopLevelItem(self._rows.indexOfTopLevelItem(self._rows.selectedItems()[0]))
        self._none.setVisible(not self._rows.topLevelItemCount())


def _rows() -> QTreeWidget:
    rows = QTreeWidget()
    rows.setAccessibleName(tr("Taught models"))
    rows.setHeaderLabels(
        [tr("Model"), tr("When"), tr("How"), tr("Body"), tr("Photos"), tr("Right")]
    )
    rows.setRootIsDecorated(False)
    rows.setUniformRowHeights(True)
    rows.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    rows.setStyleSheet("QTreeWidget::item { padding: 4px 2px }")
    header = rows.header()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    header.setStretchLastSection(False)
    return rows


def _to_trash(file: Path) -> bool:
    return QFile(str(file)).moveToTrash()


class _Row(QTreeWidgetItem):
    """A model, sorted by what its columns mean."""

    def __init__(self, record: Record) -> None:
        self.record = record
        when, right = tr("no longer there"), ""
        if record.when:
            moment = QDateTime.fromSecsSinceEpoch(int(record.when))
            when = QLocale().toString(moment, QLocale.FormatType.ShortFormat)
        if record.accuracy is not None and record.interval is not None:
            low, high = record.interval
            right = tr(
                "{share}, between {low} and {high}",
                share=percent(record.accuracy),
                low=percent(low),
                high=percent(high),
            )
        methods = {"head": tr("last layer"), "fine-tune": tr("fine-tuned")}
        photos = number(record.photos) if record.photos else ""
        how = methods.get(record.method, "")
        super().__init__(
            [readable(record.model.stem), when, how, record.architecture, photos, right]
        )
        self.setToolTip(0, literal(readable(str(record.model))))
        keys = (record.when, record.photos, -1.0 if record.accuracy is None else record.accuracy)
        for column, key in zip(_NUMBERS, keys, strict=True):
            self.setData(column, _SORTED, key)

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        if column in _NUMBERS:
            return float(self.data(column, _SORTED)) < float(other.data(column, _SORTED))
        return self.text(column).casefold() < other.text(column).casefold()
