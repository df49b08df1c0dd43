"""The confusion matrix: labels in rows, predictions in columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from core.language import number, percent, tr, tr_n
from gui import theme
from gui.widgets.plain_text import literal

if TYPE_CHECKING:
    from core.checks.figures import Report

_CELL_PX = (72, 30)
_Index = QModelIndex | QPersistentModelIndex


class MatrixModel(QAbstractTableModel):
    """Counts of a report; a cell is the darker, the larger its share of the label's photos."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._counts: list[list[int]] = []
        self._totals: list[int] = []

    def show_report(self, report: Report) -> None:
        """Show another report: the classes that a label or a prediction names."""
        self.beginResetModel()
        self._names = report.names
        self._counts = report.confusion.tolist()
        self._totals = [sum(row) for row in self._counts]
        self.endResetModel()

    def clear(self) -> None:
        """Show nothing."""
        self.beginResetModel()
        self._names, self._counts, self._totals = (), [], []
        self.endResetModel()

    def classes_of(self, index: QModelIndex) -> tuple[str, str]:
        """Return label and prediction of a cell."""
        return self._names[index.row()], self._names[index.column()]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._names)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._names)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = index.row(), index.column()
        count = self._counts[row][column]
        if role == Qt.ItemDataRole.DisplayRole:
            return number(count) if count else ""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.BackgroundRole and count:
            return self._colour(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(
                tr_n(
                    "{n} photo labelled {label}, predicted {prediction} ({share})",
                    "{n} photos labelled {label}, predicted {prediction} ({share})",
                    count,
                    label=self._names[row],
                    prediction=self._names[column],
                    share=percent(count / max(1, self._totals[row])),
                )
            )
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._names[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(self._names[section])
        return None

    def _colour(self, row: int, column: int) -> QColor:
        used = theme.colours()
        colour = QColor(used.accent if row == column else used.warning)
        colour.setAlphaF(0.12 + 0.5 * self._counts[row][column] / max(1, self._totals[row]))
        return colour


class MatrixView(QTableView):
    """Shows the matrix.

    Args:
        choose: called with label and prediction of the cell that was clicked, or entered.
    """

    def __init__(self, choose: Callable[[str, str], object]) -> None:
        super().__init__()
        self._choose_classes = choose
        self.matrix = MatrixModel(self)
        self.setModel(self.matrix)
        self.setAccessibleName(tr("Labels (rows) and predictions (columns)"))
        self.setCornerButtonEnabled(False)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
            header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.horizontalHeader().setDefaultSectionSize(_CELL_PX[0])
        self.verticalHeader().setDefaultSectionSize(_CELL_PX[1])
        self.verticalHeader().setMaximumWidth(160)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    def _choose(self, index: QModelIndex) -> None:
        self._choose_classes(*self.matrix.classes_of(index))
