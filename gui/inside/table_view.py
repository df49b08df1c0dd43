"""The layer table: every layer with shapes, costs and what it gave, to copy and to export."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from core.language import figure, number, percent, tr
from gui.widgets.plain_text import PlainLabel, literal
from gui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from core.inside.summary import LayerTable

_NO_PARENT = QModelIndex()
_ROWS_MEASURED = 12
"""For the width of columns: all of some hundred rows would hold the window for 0.2 s."""

_CELL_MARGIN_PX = 24
_Index = QModelIndex | QPersistentModelIndex


class _Column(IntEnum):
    LAYER, KIND, OUTPUT, SHORTCUT, PARAMETERS, MULTIPLY_ADDS, DEAD, MINIMUM, MEAN, MAXIMUM = range(
        10
    )


class LayerTableModel(QAbstractTableModel):
    """One row a call, in order of execution."""

    def __init__(self) -> None:
        super().__init__()
        self.table: LayerTable | None = None
        self._rows: list[list[object]] = []
        self._headings = [
            tr("Layer"),
            tr("Kind"),
            tr("Output"),
            tr("Shortcut"),
            tr("Parameters"),
            tr("Multiply-adds"),
            tr("Dead"),
            tr("Min"),
            tr("Mean"),
            tr("Max"),
        ]

    def set_table(self, table: LayerTable | None) -> None:
        """Show the table of a photo."""
        self.beginResetModel()
        self.table = table
        self._rows = [] if table is None else [self._row(table, layer) for layer in table.layers]
        self.endResetModel()

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._headings)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if role == Qt.ItemDataRole.DisplayRole and way == Qt.Orientation.Horizontal:
            return self._headings[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        value = self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.EditRole:
            return value
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= _Column.PARAMETERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return _said(value, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(str(_said(value, index.column())))
        return None

    def _row(self, table: LayerTable, layer: Any) -> list[object]:
        block = table.blocks.get(layer.name)
        shortcut = ""
        if block is not None:
            words = {
                "identity": tr("identity"),
                "projection": tr("projection: {reason}", reason=block.reason),
                "none": tr("none: {reason}", reason=block.reason),
            }
            shortcut = words[block.shortcut]
        call = f" ({layer.call})" if layer.calls > 1 else ""
        return [
            layer.name + call,
            layer.kind,
            "×".join(map(str, layer.output_shape[1:])),
            shortcut,
            layer.parameters,
            table.multiply_adds.get(layer.name, 0) // max(1, layer.calls),
            -1.0 if layer.dead is None else layer.dead,
            layer.minimum,
            layer.mean,
            layer.maximum,
        ]


class LayerTableView(QWidget):
    """The table, the stages in one line, and the ways out."""

    layer_chosen = Signal(str)
    """Dotted name."""
    csv_wanted = Signal(str)
    """Path of the file to write."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LayerTableModel()
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(Qt.ItemDataRole.EditRole)
        self._sorted.setFilterKeyColumn(-1)
        self._sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._stages = PlainLabel(wordWrap=True)
        self._stages.setProperty("muted", True)
        self._stages.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.filter = SearchField(tr("Filter"), tr("Filter the table"))
        copy, export = QPushButton(tr("Copy")), QPushButton(tr("Export CSV…"))
        for button in (copy, export):
            button.setProperty("small", True)
        self.view = QTableView()
        self.view.setTabKeyNavigation(False)  # else nobody leaves it by keys
        self.view.setModel(self._sorted)
        self.view.setSortingEnabled(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.view.horizontalHeader().setResizeContentsPrecision(_ROWS_MEASURED)
        self.view.setAccessibleName(tr("Layer table"))
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(copy)
        top.addWidget(export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._stages)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        self.filter.textChanged.connect(self._sorted.setFilterFixedString)
        copy.clicked.connect(self._copy)
        export.clicked.connect(self._ask_for_file)
        self.view.activated.connect(self._choose)
        self.view.doubleClicked.connect(self._choose)

    def set_table(self, table: LayerTable | None) -> None:
        """Show the table of a photo."""
        first = self.model.rowCount() == 0
        self.model.set_table(table)
        if table is None:
            self._stages.clear()
            return
        shapes = [("", table.input_shape), *table.stages]
        line = " → ".join(
            f"{_short(name)} {'×'.join(map(str, shape))}".strip() for name, shape in shapes
        )
        counted = tr(
            "{adds} billion multiply-adds", adds=number(table.multiply_adds.get("", 0) / 1e9, 2)
        )
        if table.weighted_layers is not None:
            counted = tr("{n} layers with weights, {rest}", n=table.weighted_layers, rest=counted)
        text = f"{line}\n{counted}"
        if table.error:
            text += "\n" + tr("The pass ended here: {reason}", reason=table.error)
        self._stages.setText(text)
        if first:
            self.view.resizeColumnsToContents()
            longest = max((layer.name for layer in table.layers), key=len, default="")
            width = self.fontMetrics().horizontalAdvance(longest) + _CELL_MARGIN_PX
            self.view.setColumnWidth(_Column.LAYER, max(width, self.view.columnWidth(0)))

    def show_error(self, sentence: str) -> None:
        """Say why there is nothing."""
        self.set_table(None)
        self._stages.setText(sentence)

    @Slot()
    def _copy(self) -> None:
        from core.inside.summary import to_text

        if self.model.table is not None:
            QGuiApplication.clipboard().setText(to_text(self.model.table))

    @Slot()
    def _ask_for_file(self) -> None:
        file, _ = QFileDialog.getSaveFileName(
            self, tr("Export the layer table"), "layers.csv", tr("Tables (*.csv)")
        )
        if file:
            self.csv_wanted.emit(file)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        row = self._sorted.mapToSource(index).row()
        if self.model.table is not None:
            self.layer_chosen.emit(self.model.table.layers[row].name)


def _short(name: str) -> str:
    """Return the last part of a name where that is a word, as textbooks have it."""
    last = name.rpartition(".")[2]
    return name if last.isdecimal() else last


def _said(value: object, column: int) -> str:
    if isinstance(value, int):
        return number(value) if value else ""
    if isinstance(value, float):
        if column == _Column.DEAD:
            return "" if value < 0 else percent(value)
        return figure(value)
    return str(value)
