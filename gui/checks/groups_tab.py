"""The groups of photos on which a model is worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem

from core.checks.slices import sentence_of, words_of
from core.language import number, percent, tr
from gui.checks.look_tab import LookTab
from gui.checks.rows import Row, make_rows

if TYPE_CHECKING:
    from core.checks.slices import Slice

_FILES = Qt.ItemDataRole.UserRole


class GroupsTab(LookTab):
    """Lists the groups, the surest first.

    Args:
        start: called when groups are to be compared.
        show: called with the files of photos that are to be shown, and what they are.
    """

    def __init__(
        self, start: Callable[[], object], show: Callable[[list[str], str], object]
    ) -> None:
        header = [tr("Photos with"), tr("Photos"), tr("Right"), tr("Others"), tr("Chance")]
        rows = make_rows(tr("Groups"), header, 1)
        rows.headerItem().setToolTip(3, tr("Share of all other photos that is right"))
        rows.headerItem().setToolTip(
            4,
            tr(
                "How likely so large a difference is where there is none, among as many groups as "
                "were compared"
            ),
        )
        super().__init__(
            tr(
                "Finds out whether it is worse on photos of one folder, month, camera, size or "
                "brightness."
            ),
            tr("Compare groups of photos"),
            rows,
            start,
        )
        self._show = show
        rows.itemClicked.connect(self._choose)
        rows.itemActivated.connect(self._choose)

    def show_slices(self, slices: Sequence[Slice], photos: Sequence[Path]) -> None:
        """List what was found.

        Args:
            slices: groups.
            photos: that their positions are of.
        """
        self.rows.clear()
        for one in slices:
            texts = [
                words_of(one.kind, one.value),
                number(len(one.positions)),
                percent(one.accuracy.value),
                percent(one.others),
                percent(one.chance, 1) if one.chance >= _LEAST else tr("< 0.1%"),
            ]
            keys = {
                1: float(len(one.positions)),
                2: one.accuracy.value,
                3: one.others,
                4: one.chance,
            }
            row = Row(texts, keys)
            row.setData(0, _FILES, [str(photos[at]) for at in one.positions])
            for column in range(len(texts)):
                if not one.is_sure:
                    row.setForeground(column, self.palette().placeholderText())
            self.rows.addTopLevelItem(row)
        self.show_found(sentence_of(slices))

    def _choose(self, row: QTreeWidgetItem) -> None:
        self._show(row.data(0, _FILES), row.text(0))


_LEAST = 0.001
