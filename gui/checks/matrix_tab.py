"""The confusion matrix with what a person chooses of it: its order, and counts or shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from core.language import number, tr
from gui.checks.matrix import MatrixView
from gui.widgets.fields import NarrowBox
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.checks.figures import Report

FOLDED_TO = 50
"""Classes that are shown of very many, where the most confused come first."""


class MatrixTab(QWidget):
    """Shows the matrix below the choices.

    Args:
        choose: called with label and prediction of the cell that was clicked, or entered.
    """

    def __init__(self, choose: Callable[[str, str], object]) -> None:
        super().__init__()
        self._report: Report | None = None
        self.view = MatrixView(choose)
        self._order = NarrowBox(10)
        self._order.setAccessibleName(tr("Order of the classes"))
        self._order.addItem(tr("In the order of classes"), False)
        self._order.addItem(tr("The most confused first"), True)
        self._shares = QCheckBox(tr("Shares of the label’s photos"))
        self._said = PlainLabel()
        self._said.setProperty("muted", True)
        self._order.activated.connect(self._show)
        self._shares.toggled.connect(self.view.matrix.set_shares)
        choices = QHBoxLayout()
        choices.addWidget(self._order, 1)
        choices.addWidget(self._shares)
        choices.addWidget(self._said, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(choices)
        layout.addWidget(self.view, 1)

    def show_report(self, report: Report) -> None:
        """Show another report."""
        self._report = report
        self._show()

    def clear(self) -> None:
        """Show nothing."""
        self._report = None
        self._said.setText("")
        self.view.matrix.clear()

    @Slot()
    def _show(self) -> None:
        report = self._report
        if report is None:
            return
        count = len(report.names)
        order = list(range(count))
        if self._order.currentData():
            order = report.most_confused[:FOLDED_TO]
        self._said.setText(
            tr("{shown} of {n} classes", shown=number(len(order)), n=number(count))
            if len(order) < count
            else ""
        )
        self.view.matrix.show_report(report, order)
