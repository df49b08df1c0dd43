"""The confusion matrix: labels in rows, predictions in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    Qt,
)
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from core.language import number, percent, tr, tr_n
from gui import theme
from gui.widgets.plain_text import literal

if TYPE_CHECKING:
    from core.checks.figures import Report

_CELL_PX = (72, 30)
_CHOSEN = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus
_Index = QModelIndex | QPersistentModelIndex


class MatrixModel(QAbstractTableModel):
    """Counts of a report; a cell is the darker, the larger its share of the label's photos."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._counts: list[list[int]] = []
        self._totals: list[int] = []
        self._has_shares = False

    def show_report(self, report: Report, order: Sequence[int]) -> None:
        """Show another report: the classes that a label or a prediction names.

        Args:
            report: of a check.
            order: positions of the report's names, those that are shown.
        """
        self.beginResetModel()
        self._names = tuple(report.names[at] for at in order)
        self._totals = report.confusion.sum(axis=1)[order].tolist()
        self._counts = report.confusion[order][:, order].tolist()
        self.endResetModel()

    def set_shares(self, shares: bool) -> None:
        """Show shares of the label's photos, or counts."""
        self.beginResetModel()
        self._has_shares = shares
        self.endResetModel()

    def text(self, row: int, column: int) -> str:
        """Return what a cell says; nothing where there is no photo."""
        count = self._counts[row][column]
        if not count:
            return ""
        return percent(count / self._totals[row]) if self._has_shares else number(count)

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
            return self.text(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
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

    def cell(self, row: int, column: int) -> tuple[int, float]:
        """Return the count of a cell, and the share of its label's photos."""
        count = self._counts[row][column]
        return count, count / self._totals[row] if count else 0.0


class CellPainter(QStyledItemDelegate):
    """Paints a cell itself: Qt would ask for eight roles of each, most of which are empty."""

    def __init__(self, matrix: MatrixModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._matrix = matrix

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row, column = index.row(), index.column()
        count, share = self._matrix.cell(row, column)
        area: QRect = option.rect
        if count:
            colour = QColor(self._right if row == column else self._wrong)
            colour.setAlphaF(0.12 + 0.5 * share)
            painter.fillRect(area, colour)
            painter.setPen(self._text)
            text = self._matrix.text(row, column)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
        if option.state & _CHOSEN:
            painter.setPen(self._frame)
            painter.drawRect(area.adjusted(0, 0, -1, -1))

    def follow_theme(self) -> None:
        """Take the colours in use."""
        used = theme.colours()
        self._text, self._frame = QColor(used.text), QPen(QColor(used.accent), 2)
        self._right, self._wrong = QColor(used.accent), QColor(used.warning)


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
        self._painter = CellPainter(self.matrix, self)
        self._painter.follow_theme()
        self.setItemDelegate(self._painter)
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

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._painter.follow_theme()
        super().changeEvent(event)

    def _choose(self, index: QModelIndex) -> None:
        self._choose_classes(*self.matrix.classes_of(index))
