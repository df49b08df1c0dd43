"""Labels that are likely wrong: each is taken, or left, by one key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QTreeWidgetItem

from core.language import percent, tr, tr_n
from gui.checks.look_tab import LookTab
from gui.checks.rows import Row, make_rows

if TYPE_CHECKING:
    from core.checks.reviewing import Reviewed

_FILE = Qt.ItemDataRole.UserRole
_MOST_ROWS = 1000


class SuspectsTab(LookTab):
    """Lists the labels, the likeliest wrong first.

    Args:
        start: called when labels are to be reviewed.
        show: called with the photo that is to be shown.
        take: called with a photo and the class that it is to get.
        leave: called with a photo whose label is right, and that label.
    """

    def __init__(
        self,
        start: Callable[[], object],
        show: Callable[[Path], object],
        take: Callable[[Path, str], object],
        leave: Callable[[Path, str], object],
    ) -> None:
        header = [tr("Photo"), tr("Label"), tr("Rather"), tr("Label’s probability")]
        super().__init__(
            tr(
                "Finds labels that are likely wrong, by what is learnt from all other photos. Each "
                "is then corrected, or left, by one key."
            ),
            tr("Look for wrong labels"),
            make_rows(tr("Likely wrong labels"), header, 3),
            start,
        )
        self._show, self._take, self._leave = show, take, leave
        self._buttons = []
        self._keys: dict[Qt.Key, Callable[[], object]] = {}
        for key, text, slot in (
            (Qt.Key.Key_T, tr("Take the proposal (T)"), self.take_proposal),
            (Qt.Key.Key_R, tr("The label is right (R)"), self.leave_label),
        ):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(slot)
            self.extra.addWidget(button)
            self._buttons.append(button)
            self._keys[key] = slot
        self.rows.currentItemChanged.connect(self._show_current)
        self.rows.installEventFilter(self)
        self._enable()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the two keys before a class that has one of them, while the rows have the focus."""
        if isinstance(event, QKeyEvent) and event.key() in self._keys:
            if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
                return False
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and not event.isAutoRepeat():
                self._keys[Qt.Key(event.key())]()
                return True
        return super().eventFilter(watched, event)

    def show_reviewed(self, reviewed: Reviewed) -> None:
        """List what was found; the photo that is chosen stays so, or its place is."""
        row = self._current()
        at, file = max(0, self.rows.currentIndex().row()), row.data(0, _FILE) if row else ""
        is_first = self.rows.isHidden() and self.isVisible() and self.window().isActiveWindow()
        takes_keys = self.rows.hasFocus() or is_first
        self.rows.blockSignals(True)
        self.rows.clear()
        for one in reviewed.suspects[:_MOST_ROWS]:
            photo = reviewed.photos[one.position]
            row = Row(
                [photo.name, one.label, one.proposal, percent(one.share)], {3: float(one.share)}
            )
            row.setData(0, _FILE, str(photo))
            self.rows.addTopLevelItem(row)
            if str(photo) == file:
                at = self.rows.topLevelItemCount() - 1
        self.rows.blockSignals(False)
        count, untried = len(reviewed.suspects), len(reviewed.photos) - reviewed.tested
        self.show_found(
            tr_n(
                "{n} label looks wrong: by what was learnt from the other photos, another class is "
                "likelier.",
                "{n} labels look wrong: by what was learnt from the other photos, another class is "
                "likelier.",
                count,
            )
            if count
            else tr("No label looks wrong.")
        )
        if untried:
            more = tr_n(
                "{n} photo was not tried: it is the only one of its class, or new.",
                "{n} photos were not tried: each is the only one of its class, or new.",
                untried,
            )
            self.said.setText(f"{self.said.text()} {more}")
        if count and takes_keys:
            self.rows.setFocus()
            self._choose(at)
        self._enable()

    @Slot()
    def take_proposal(self) -> None:
        """Give the photo of the chosen row the class that is likelier."""
        row = self._current()
        if row is not None:
            self._take(Path(row.data(0, _FILE)), row.text(2))
            self._go_on(row)

    @Slot()
    def leave_label(self) -> None:
        """Note that the label of the chosen row is right."""
        row = self._current()
        if row is not None:
            self._leave(Path(row.data(0, _FILE)), row.text(1))
            self._go_on(row)

    def _current(self) -> QTreeWidgetItem | None:
        row: QTreeWidgetItem | None = self.rows.currentItem()
        return row

    def _go_on(self, row: QTreeWidgetItem) -> None:
        """Take a row away that is done; the next one is chosen."""
        at = self.rows.indexOfTopLevelItem(row)
        self.rows.takeTopLevelItem(at)
        self._choose(at)
        self.rows.setFocus()
        self._enable()

    def _choose(self, at: int) -> None:
        """Choose the row at a place, or the last."""
        last = self.rows.topLevelItemCount() - 1
        if last >= 0:
            self.rows.setCurrentIndex(self.rows.model().index(min(at, last), 0))

    @Slot()
    def _show_current(self) -> None:
        row = self._current()
        if row is not None:
            self._show(Path(row.data(0, _FILE)))
        self._enable()

    def _enable(self) -> None:
        for button in self._buttons:
            button.setEnabled(self._current() is not None)
