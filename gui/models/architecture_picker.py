"""A list of all architectures, grouped as people know them, that narrows while one types."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from core.language import tr
from core.models.families import ARCHITECTURES, BY_NAME, GROUPS
from gui.widgets.search_field import SearchField

_NAME_ROLE = Qt.ItemDataRole.UserRole


class ArchitecturePicker(QFrame):
    """A popup; Enter or a click picks, Escape leaves.

    timm's others stand at its end once something is searched for.
    """

    picked = Signal(str)
    """The library's name, or "" to recognise it from the checkpoint."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self._search = SearchField(tr("Search architectures"), tr("Search architectures"))
        self._tree = QTreeWidget()
        self._tree.setColumnCount(2)
        self._tree.setHeaderHidden(True)
        self._tree.setRootIsDecorated(False)
        self._tree.setIndentation(12)
        self._tree.setAccessibleName(tr("Architectures"))
        self._fill()
        self._timm = QTreeWidgetItem()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self._search)
        layout.addWidget(self._tree)
        self.resize(440, 480)
        self._search.textChanged.connect(self._narrow)
        self._search.installEventFilter(self)
        self._tree.itemClicked.connect(self._pick)
        self._tree.itemActivated.connect(self._pick)

    def open_at(self, place: QPoint, current: str) -> None:
        """Show the list with the current architecture selected."""
        self._search.clear()
        self._narrow("")
        self._select(current)
        self.move(place)
        self.show()
        self._search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys and Enter work on the list while the cursor stays in the search."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._step(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                item = self._tree.currentItem()
                if item is not None:
                    self._pick(item)
                return True
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        recognise = QTreeWidgetItem([tr("Recognise from the checkpoint"), ""])
        recognise.setData(0, _NAME_ROLE, "")
        self._tree.addTopLevelItem(recognise)
        for group in GROUPS:
            head = self._add_head(str(group))
            for architecture in ARCHITECTURES:
                if architecture.group == group:
                    self._add(head, architecture.title, architecture.name)
        self._tree.expandAll()
        self._tree.setColumnWidth(0, 240)

    def _fill_timm(self) -> None:
        """Add timm's architectures, which nobody needs to see before searching."""
        from core.models.recognition.lookalikes import timm_index  # when first needed

        self._timm = self._add_head(tr("timm"))
        for name in sorted(timm_index().names):
            if name not in BY_NAME:
                self._add(self._timm, name, name).setFirstColumnSpanned(True)
        self._timm.setExpanded(True)

    def _add_head(self, title: str) -> QTreeWidgetItem:
        head = QTreeWidgetItem([title, ""])
        head.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = head.font(0)
        font.setBold(True)
        head.setFont(0, font)
        self._tree.addTopLevelItem(head)
        return head

    def _add(self, head: QTreeWidgetItem, title: str, name: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([title, "" if title == name else name])
        item.setData(0, _NAME_ROLE, name)
        item.setForeground(1, self.palette().placeholderText())
        head.addChild(item)
        return item

    def _items(self) -> list[QTreeWidgetItem]:
        """Return what can be picked, in order."""
        items = []
        for at in range(self._tree.topLevelItemCount()):
            top = self._tree.topLevelItem(at)
            if top is None:
                continue
            if top.data(0, _NAME_ROLE) is not None:
                items.append(top)
            items += children(top)
        return items

    def _select(self, name: str) -> None:
        for item in self._items():
            if item.data(0, _NAME_ROLE) == name:
                self._tree.setCurrentItem(item)
                self._tree.scrollToItem(item, QTreeWidget.ScrollHint.PositionAtCenter)

    def _step(self, by: int) -> None:
        shown = [item for item in self._items() if not item.isHidden()]
        current = self._tree.currentItem()
        at = shown.index(current) + by if current in shown else 0
        if 0 <= at < len(shown):
            self._tree.setCurrentItem(shown[at])

    @Slot(str)
    def _narrow(self, text: str) -> None:
        words = text.casefold().replace("-", "").split()
        if words and not self._timm.childCount():
            self._fill_timm()
        for item in self._items():
            said = f"{item.text(0)} {item.text(1)}".casefold().replace("-", "")
            of_timm = item.parent() is self._timm
            item.setHidden((of_timm and not words) or not all(word in said for word in words))
        for at in range(self._tree.topLevelItemCount()):
            head = self._tree.topLevelItem(at)
            if head is not None and head.childCount():
                head.setHidden(all(child.isHidden() for child in children(head)))
        shown = [item for item in self._items() if not item.isHidden()]
        if shown and self._tree.currentItem() not in shown:
            self._tree.setCurrentItem(shown[0])

    @Slot(QTreeWidgetItem)
    def _pick(self, item: QTreeWidgetItem, _: int = 0) -> None:
        name = item.data(0, _NAME_ROLE)
        if name is not None:
            self.hide()
            self.picked.emit(name)


def children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    """Return what stands below an item."""
    found = [item.child(row) for row in range(item.childCount())]
    return [child for child in found if child is not None]
