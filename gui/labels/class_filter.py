"""Chooses which predicted classes are shown: those that were found, groups of them, or a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.labels.class_groups import Offer
from core.language import number, tr
from gui.widgets.fields import NarrowBox
from gui.widgets.search_field import SearchField

_TERMS = Qt.ItemDataRole.UserRole
_IS_TELLING = Qt.ItemDataRole.UserRole + 1
_WIDTH_PX, _HEIGHT_PX = 300, 380


class ClassFilter(NarrowBox):
    """A box that says what is chosen; its list has the classes found, with counts, to be ticked."""

    def __init__(self, tell: Callable[[], None], parent: QWidget | None = None) -> None:
        """Make the box.

        Args:
            tell: called when something else is chosen.
            parent: the bar.
        """
        super().__init__(8, parent)
        self._tell = tell
        self.offers: Callable[[], Sequence[Offer]] = list
        """Returns what the list shall have when it opens."""
        self.how_many: Callable[[tuple[str, ...]], int] = len
        """Returns how many photos terms would show."""
        self._terms: tuple[str, ...] = ()
        self._list = _ClassList(self, self._take)
        self.addItem("")
        self.setAccessibleName(tr("Class that the model predicts"))
        self.show_terms(())

    @property
    def terms(self) -> tuple[str, ...]:
        """Return what is chosen; nothing for any class."""
        return self._terms

    def show_terms(self, terms: Sequence[str]) -> None:
        """Show what is chosen, and tell nobody."""
        self._terms = tuple(terms)
        said = ", ".join(terms) or tr("any class")
        self.setItemText(0, said)
        self.setAccessibleDescription(said)

    def showPopup(self) -> None:
        place = self.mapToGlobal(QPoint(0, self.height() + 2))
        self._list.open_at(place, self.offers(), self._terms, self.how_many)

    def hidePopup(self) -> None:
        self._list.hide()

    def _take(self, terms: tuple[str, ...]) -> None:
        self.show_terms(terms)
        self._tell()


class _ClassList(QFrame):
    """A popup: what is typed narrows the list, Enter takes the text, Space and clicks tick."""

    def __init__(self, parent: QWidget, choose: Callable[[tuple[str, ...]], None]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._choose = choose
        self.setObjectName("popup")
        self._terms: list[str] = []
        self._count: Callable[[tuple[str, ...]], int] = len
        self._first = QTreeWidgetItem()
        self._search = SearchField(tr("Class, group or text"), tr("Search predicted classes"))
        self._rows = QTreeWidget()
        self._rows.setColumnCount(2)
        self._rows.setHeaderHidden(True)
        self._rows.setRootIsDecorated(False)
        self._rows.setUniformRowHeights(True)
        self._rows.setAccessibleName(tr("Predicted classes"))
        header = self._rows.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self._search)
        layout.addWidget(self._rows)
        self._search.textChanged.connect(self._narrow)
        self._search.installEventFilter(self)
        self._rows.installEventFilter(self)
        self._rows.itemClicked.connect(self._tick)

    def open_at(
        self,
        place: QPoint,
        offers: Sequence[Offer],
        terms: Sequence[str],
        count: Callable[[tuple[str, ...]], int],
    ) -> None:
        """Show what is offered, with what is chosen ticked.

        Args:
            place: of the upper left corner, on the screen.
            offers: in their order.
            terms: what is chosen.
            count: returns how many photos terms would show.
        """
        self._terms, self._count = list(terms), count
        known = {one.title for one in offers}
        typed = [Offer(term, count((term,)), True) for term in terms if term not in known]
        self._rows.clear()
        self._first = QTreeWidgetItem()
        self._rows.addTopLevelItem(self._first)
        self._rows.addTopLevelItems([_item(one, one.title in terms) for one in (*typed, *offers)])
        self._search.clear()
        self._narrow("")
        self.resize(_WIDTH_PX, _HEIGHT_PX)
        screen = QApplication.screenAt(place) or QApplication.primaryScreen()
        room = screen.availableGeometry()
        place.setX(max(room.left(), min(place.x(), room.right() - self.width())))
        place.setY(max(room.top(), min(place.y(), room.bottom() - self.height())))
        self.move(place)
        self.show()
        self._search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Enter take what is current, and Down go to the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose_alone(self._rows.currentItem() or self._first)
                return True
            if event.key() == Qt.Key.Key_Space and watched is self._rows:
                self._tick(self._rows.currentItem() or self._first)
                return True
            if event.key() == Qt.Key.Key_Down and watched is self._search:
                self._rows.setFocus()
                return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _narrow(self, text: str) -> None:
        """Show what holds the text, and above it all of these as one; without one what is found."""
        wanted = text.strip()
        terms = (wanted,) if wanted else ()
        said = tr("all with “{text}”", text=wanted) if wanted else tr("any class")
        self._first.setText(0, said)
        self._first.setText(1, number(self._count(terms)))
        self._first.setData(0, _TERMS, terms)
        current = self._first
        for row in range(1, self._rows.topLevelItemCount()):
            item = self._rows.topLevelItem(row)
            assert item is not None
            title = item.text(0).casefold()
            is_ticked = item.checkState(0) is Qt.CheckState.Checked
            is_found = item.data(0, _IS_TELLING) or is_ticked
            item.setHidden(wanted.casefold() not in title if wanted else not is_found)
            if title == wanted.casefold():
                current = item
        self._first.setHidden(current is not self._first)  # it says the same
        self._rows.setCurrentItem(current)

    @Slot(QTreeWidgetItem)
    def _tick(self, item: QTreeWidgetItem) -> None:
        """Choose a class besides the others, or no more; a click anywhere in its row does."""
        if item is self._first:
            self._choose_alone(item)
            return
        (term,) = item.data(0, _TERMS)
        is_ticked = item.checkState(0) is Qt.CheckState.Checked
        item.setCheckState(0, Qt.CheckState.Unchecked if is_ticked else Qt.CheckState.Checked)
        self._terms = [one for one in self._terms if one != term]
        if not is_ticked:
            self._terms.append(term)
        self._choose(tuple(self._terms))

    @Slot(QTreeWidgetItem)
    def _choose_alone(self, item: QTreeWidgetItem) -> None:
        self.hide()
        self._choose(tuple(item.data(0, _TERMS)))


def _item(one: Offer, is_ticked: bool) -> QTreeWidgetItem:
    item = QTreeWidgetItem([one.title, number(one.photos)])
    item.setData(0, _TERMS, (one.title,))
    item.setData(0, _IS_TELLING, one.is_telling)
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)  # a click ticks it
    item.setCheckState(0, Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
    return item
