"""The layers of a network as a tree that folds by module, narrowed by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from core.inside.names import ATTENTION
from core.language import tr
from gui.widgets.plain_text import literal
from gui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from core.inside.layers import Layer
    from core.inside.summary import LayerTable

_KEY = Qt.ItemDataRole.UserRole
_MOST_OPENED = 20
_LEAST_WITH_SHAPES_PX = 180


class LayerTree(QWidget):
    """Chooses a layer and one of its calls; keeps the choice when the network changes."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: dict[tuple[str, int], Layer] = {}
        self._items: dict[tuple[str, int], QTreeWidgetItem] = {}
        self._wanted: tuple[str, int] | None = None
        self.filter = SearchField(tr("Search layers"), tr("Search layers"))
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.setAccessibleName(tr("Layers"))
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.filter)
        layout.addWidget(self.tree, 1)
        self.filter.textChanged.connect(self._narrow)
        self.filter.installEventFilter(self)
        self.tree.currentItemChanged.connect(self._tell)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out the shapes where they would leave no room for the names."""
        super().resizeEvent(event)
        self.tree.setColumnHidden(1, self.width() < _LEAST_WITH_SHAPES_PX)

    @property
    def layer(self) -> Layer | None:
        """Return the layer that is chosen."""
        key = self._key()
        return None if key is None else self._layers.get((key[0], max(1, key[1])))

    @property
    def call(self) -> int:
        """Return which of its calls, from 1, or ``ATTENTION``."""
        key = self._key()
        return 1 if key is None else key[1]

    def set_table(self, table: LayerTable) -> bool:
        """Show the layers of a network; return whether they are others than before."""
        layers = {(one.name, one.call): one for one in table.layers}
        same = {key: one.shape for key, one in layers.items()} == {
            key: one.shape for key, one in self._layers.items()
        }
        self._layers = layers
        if same:
            return False
        wanted = self._key() or self._wanted
        with QSignalBlocker(self.tree):
            self._fill(table)
            self.choose(wanted if wanted in self._items else self._first())
        self._narrow(self.filter.text())
        return True

    def forget(self) -> None:
        """Show no layers; the same one is chosen again where the next network has it."""
        self._wanted = self._key() or self._wanted
        self._layers = {}
        self._items.clear()
        self.tree.clear()

    def choose(self, key: tuple[str, int] | None) -> None:
        """Choose a layer by name and call."""
        item = self._items.get(key) if key is not None else None
        if item is not None:
            self.tree.setCurrentItem(item)
            self.tree.scrollToItem(item)

    @Slot()
    def focus_filter(self) -> None:
        """Put the cursor into the search."""
        self.filter.setFocus()
        self.filter.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move in the tree while the cursor stays in the search."""
        down = (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in down
        ):
            self.tree.setFocus()
            return True
        return super().eventFilter(watched, event)

    def _fill(self, table: LayerTable) -> None:
        self.tree.clear()
        self._items.clear()
        parents: dict[str, QTreeWidgetItem] = {}
        for layer in table.layers:
            parent_name, _, last = layer.name.rpartition(".")
            text = last if layer.calls == 1 else f"{last} ({layer.call})"
            item = self._add(self._parent(parent_name, parents), text, layer)
            self._items[layer.name, layer.call] = item
            parents.setdefault(layer.name, item)
            if layer.has_attention and layer.call == 1:
                heads = self._add(item, tr("attention per head"), layer)
                heads.setText(1, "")
                heads.setFirstColumnSpanned(True)
                heads.setData(0, _KEY, (layer.name, ATTENTION))
                self._items[layer.name, ATTENTION] = heads
        for top in self._tops():
            top.setExpanded(top.childCount() <= _MOST_OPENED)

    def _parent(self, name: str, parents: dict[str, QTreeWidgetItem]) -> QTreeWidgetItem | None:
        """Return the item of a module; one that is never called itself is only a heading."""
        if not name:
            return None
        if name not in parents:
            above, _, last = name.rpartition(".")
            item = self._place(self._parent(above, parents), [last, ""])
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            parents[name] = item
        return parents[name]

    def _add(self, parent: QTreeWidgetItem | None, text: str, layer: Layer) -> QTreeWidgetItem:
        shape = layer.shape
        said = ""
        if shape is not None:
            said = f"{shape[0]}" if layer.layout == "vector" else "×".join(map(str, shape))
        item = self._place(parent, [text, said])
        item.setData(0, _KEY, (layer.name, layer.call))
        tip = tr("{name}\n{kind}", name=layer.name, kind=layer.kind)
        item.setToolTip(0, literal(f"{tip}\n{said}" if said else tip))
        if shape is None:
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        return item

    def _place(self, parent: QTreeWidgetItem | None, texts: list[str]) -> QTreeWidgetItem:
        item = QTreeWidgetItem(texts)
        if parent is None:
            self.tree.addTopLevelItem(item)
        else:
            parent.addChild(item)
        return item

    def _first(self) -> tuple[str, int] | None:
        """Return the first convolution, where people like to begin."""
        for key, layer in self._layers.items():
            if layer.kind.startswith("Conv2d") and layer.shape is not None:
                return key
        return next((key for key, layer in self._layers.items() if layer.shape), None)

    def _key(self) -> tuple[str, int] | None:
        item = self.tree.currentItem()
        found: tuple[str, int] | None = None if item is None else item.data(0, _KEY)
        return None if found is None else (found[0], found[1])

    @Slot(str)
    def _narrow(self, text: str) -> None:
        words = text.casefold().split()
        for (name, call), item in self._items.items():
            layer = self._layers.get((name, max(1, call)))
            kind = "" if layer is None else layer.kind
            fits = all(word in f"{name} {kind}".casefold() for word in words)
            item.setData(1, _KEY, fits)
        for top in self._tops():
            _show_fitting(top, searching=bool(words))

    def _tops(self) -> list[QTreeWidgetItem]:
        found = [self.tree.topLevelItem(at) for at in range(self.tree.topLevelItemCount())]
        return [item for item in found if item is not None]

    @Slot()
    def _tell(self) -> None:
        if self.layer is not None:
            self.chosen.emit()


def _show_fitting(item: QTreeWidgetItem, *, searching: bool) -> bool:
    """Hide what does not fit and holds nothing that fits; return whether it is shown."""
    inner = [
        _show_fitting(child, searching=searching)
        for child in (item.child(at) for at in range(item.childCount()))
        if child is not None
    ]
    shown = any(inner) or item.data(1, _KEY) is not False
    if item.data(0, _KEY) is None:
        shown = any(inner)
    item.setHidden(not shown)
    if searching and any(inner):
        item.setExpanded(True)
    return shown
