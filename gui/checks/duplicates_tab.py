"""Photos that are there twice, or nearly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem

from core.language import number, tr, tr_n
from gui.checks.look_tab import LookTab
from gui.checks.rows import Row, make_rows

if TYPE_CHECKING:
    from core.checks.reviewing import Reviewed

_FILES = Qt.ItemDataRole.UserRole
_MOST_ROWS = 1000


class DuplicatesTab(LookTab):
    """Lists groups of photos, those with different labels first.

    Args:
        start: called when they are to be found.
        show: called with the files of a group, and what they are.
    """

    def __init__(
        self, start: Callable[[], object], show: Callable[[list[str], str], object]
    ) -> None:
        header = [tr("Labels"), tr("What"), tr("Stand in"), tr("Photos")]
        super().__init__(
            tr(
                "Finds photos that are there twice, or nearly: with different labels, or both "
                "where a model learns and where it is tried."
            ),
            tr("Look for duplicates"),
            make_rows(tr("Duplicates"), header, 3),
            start,
        )
        self._show = show
        self.rows.itemClicked.connect(self._choose)
        self.rows.itemActivated.connect(self._choose)

    def show_reviewed(self, reviewed: Reviewed) -> None:
        """List what was found."""
        self.rows.clear()
        for one in reviewed.duplicates[:_MOST_ROWS]:
            sets = ", ".join(name for name in one.sets if name)
            what = tr("the same file") if one.is_exact else tr("nearly the same")
            count = len(one.positions)
            row = Row([", ".join(one.labels), what, sets, number(count)], {3: float(count)})
            row.setData(0, _FILES, [str(reviewed.photos[at]) for at in one.positions])
            self.rows.addTopLevelItem(row)
        groups = len(reviewed.duplicates)
        differing = sum(len(one.labels) > 1 for one in reviewed.duplicates)
        said = tr_n(
            "{n} group of photos shows the same.", "{n} groups of photos show the same.", groups
        )
        if differing:
            said += " " + tr_n(
                "In {n} of them the labels differ.", "In {n} of them the labels differ.", differing
            )
        self.show_found(said if groups else tr("No photo is there twice."))

    def _choose(self, row: QTreeWidgetItem) -> None:
        self._show(row.data(0, _FILES), f"{row.text(1)}: {row.text(0)}")
