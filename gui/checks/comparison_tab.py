"""Two models that were opened one after the other, on the same photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem, QVBoxLayout, QWidget

from core.language import number, tr
from gui.checks.rows import Row, make_rows
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.checks.comparing import Comparison

_FILES = Qt.ItemDataRole.UserRole


class ComparisonTab(QWidget):
    """Says which model is right more often, and lists the photos that only one names rightly.

    Args:
        show: called with files of photos that are to be shown, and what they are.
    """

    def __init__(self, show: Callable[[list[str], str], object]) -> None:
        super().__init__()
        self._show = show
        self._said = PlainLabel(wordWrap=True)
        self._rows = make_rows(tr("Only one is right"), [tr("Only right"), tr("Photos")], 1)
        self._rows.itemClicked.connect(self._choose)
        self._rows.itemActivated.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._said)
        layout.addWidget(self._rows, 1)
        layout.addStretch(0)
        self.forget()

    def forget(self) -> None:
        """Say how two models are compared."""
        self._rows.clear()
        self._rows.hide()
        self._said.setText(tr("Open another model: both are then compared on the same photos."))

    def show_comparison(self, comparison: Comparison, notes: Sequence[str] = ()) -> None:
        """Show what came of two checks, with what has to be said of them."""
        self._said.setText(" ".join([*comparison.sentences(), *notes]))
        self._rows.clear()
        self._rows.show()
        for title, paths in zip(comparison.titles, comparison.only, strict=True):
            row = Row([title, number(len(paths))], {1: float(len(paths))})
            row.setData(0, _FILES, [str(path) for path in paths])
            self._rows.addTopLevelItem(row)

    def _choose(self, row: QTreeWidgetItem) -> None:
        files = row.data(0, _FILES)
        if files:
            self._show(files, tr("only {title} is right", title=row.text(0)))
