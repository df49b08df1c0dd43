"""Tables whose columns are texts and numbers, sorted as they are."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from gui.widgets.plain_text import literal


class Row(QTreeWidgetItem):
    """Is sorted by numbers where its columns are such."""

    def __init__(self, texts: list[str], keys: dict[int, float]) -> None:
        super().__init__(texts)
        self._keys = keys
        self.setToolTip(0, literal(texts[0]))
        for column in keys:
            self.setTextAlignment(
                column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        if isinstance(other, Row) and column in self._keys:
            return self._keys[column] < other._keys[column]
        return self.text(column).casefold() < other.text(column).casefold()


def make_rows(name: str, header: list[str], first_number: int) -> QTreeWidget:
    """Return an empty table.

    Args:
        name: for screen readers.
        header: its columns.
        first_number: the column from which on there are numbers, which need little room.
    """
    rows = QTreeWidget()
    rows.setAccessibleName(name)
    rows.setHeaderLabels(header)
    rows.setRootIsDecorated(False)
    rows.setUniformRowHeights(True)
    rows.setSortingEnabled(True)
    rows.sortByColumn(-1, Qt.SortOrder.DescendingOrder)
    rows.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    rows.setStyleSheet("QTreeWidget::item { padding: 4px 2px }")
    header_view = rows.header()
    header_view.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    for column in range(first_number):
        header_view.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
    header_view.setStretchLastSection(False)
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    for column in range(first_number, len(header)):
        rows.headerItem().setTextAlignment(column, right)
    return rows
