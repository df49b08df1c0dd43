"""The dock "Inside": the layers on the left, and what is inside them on the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QSplitter, QTabBar, QVBoxLayout, QWidget

from core.language import tr
from gui.inside.block_view import BlockView
from gui.inside.compare_view import CompareView
from gui.inside.evidence_view import EvidenceView
from gui.inside.layer_tree import LayerTree
from gui.inside.maps_view import MapsView
from gui.inside.network_view import NetworkView
from gui.inside.table_view import LayerTableView
from gui.widgets.page_stack import PageStack

if TYPE_CHECKING:
    from pathlib import Path

    from core.inside.layers import Layer
    from core.inside.summary import LayerTable

TABS = ("network", "maps", "block", "evidence", "compare", "table")


class InsidePanel(QWidget):
    """Keeps layer, tab and view while photos change."""

    layer_chosen = Signal()
    tab_changed = Signal(str)
    map_chosen = Signal(object, str)
    """A picture, uint8 of shape (h, w, 3), and its title: to lay over the photo."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown: Callable[[], None] = lambda: None
        """Called when the panel appears; nothing is asked for while it is hidden."""
        self.network = NetworkView()
        self.tree = LayerTree()
        self.maps = MapsView()
        self.block = BlockView()
        self.evidence = EvidenceView()
        self.compare = CompareView()
        self.table = LayerTableView()
        self.tabs = QTabBar(drawBase=False, expanding=False)
        self.tabs.setAccessibleName(tr("What to look at"))
        self._stack = PageStack()
        self.tabs.addTab(tr("Network"))
        for view, title in (
            (self.maps, tr("Maps")),
            (self.block, tr("Block")),
            (self.evidence, tr("Evidence")),
            (self.compare, tr("Compare")),
            (self.table, tr("Table")),
        ):
            self.tabs.addTab(title)
            self._stack.addWidget(view)
        upright = self._splitters()
        frame = QFrame()
        frame.setObjectName("panel")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(8, 4, 4, 4)
        inside.setSpacing(6)
        inside.addWidget(self.tabs)
        inside.addWidget(upright, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 8, 8)
        layout.addWidget(frame)
        self.tree.chosen.connect(self._choose_layer)
        self.network.layer_chosen = self._choose_drawn
        self.network.other_chosen = self._choose_none
        self.tabs.currentChanged.connect(self._tell_tab)
        self.table.layer_chosen.connect(self._show_layer)
        self.maps.map_chosen.connect(self._pass_map)
        self.maps.exciting.clicked.connect(self.show_exciting)
        self._arrange()
        self.evidence.map_chosen.connect(self._pass_evidence)

    def _splitters(self) -> QSplitter:
        """Return the drawing over what is chosen of it, or the layers beside that."""
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.tree)
        split.addWidget(self._stack)
        split.setStretchFactor(1, 1)
        split.setSizes([200, 330])
        upright = QSplitter(Qt.Orientation.Vertical)
        upright.setChildrenCollapsible(False)
        upright.addWidget(self.network)
        upright.addWidget(split)
        upright.setStretchFactor(0, 3)
        upright.setStretchFactor(1, 2)
        upright.setSizes([460, 250])
        self.network.setMinimumHeight(160)
        self._stack.setMinimumHeight(110)
        self.tree.setMinimumWidth(120)
        return upright

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown()

    @property
    def layer(self) -> Layer | None:
        """Return the layer that is chosen."""
        return self.tree.layer

    @property
    def call(self) -> int:
        """Return which of its calls, from 1, or ``ATTENTION``."""
        return self.tree.call

    @property
    def tab(self) -> str:
        """Return the name of the tab that is shown."""
        return TABS[self.tabs.currentIndex()]

    def set_tab(self, name: str) -> None:
        """Show a tab, as remembered from last time."""
        if name in TABS:
            self.tabs.setCurrentIndex(TABS.index(name))

    def focus_tab(self) -> None:
        """Let the keys go to what the tab in front shows."""
        takers: dict[str, QWidget] = {
            "network": self.network.canvas,
            "maps": self.maps.grid,
            "block": self.block.choice,
            "evidence": self.evidence.pictures,
            "compare": self.compare.pictures,
            "table": self.table.view,
        }
        takers[self.tab].setFocus()

    def set_table(self, table: LayerTable) -> bool:
        """Show the layers of a network; return whether they are others than before."""
        self.table.set_table(table)
        is_other = self.tree.set_table(table)
        self.network.set_table(table)
        if not is_other:
            return False
        self.block.set_table(table)
        if self.layer is not None:
            self.block.choose(self.layer.name)
            self.network.choose(self.layer.name, self.call, goes_there=False)
        return True

    def show_no_layers(self, sentence: str) -> None:
        """Show nothing of the network before, and why there is nothing of this one."""
        self.tree.forget()
        self.block.forget()
        for view in (
            self.network, self.maps, self.block, self.evidence, self.compare, self.table,
        ):  # fmt: skip
            view.show_error(sentence)

    def forget(self) -> None:
        """Show nothing of the network before; the same layer is chosen if the next one has it."""
        self.tree.forget()
        self.network.clear()
        self.block.forget()
        self.table.set_table(None)
        self.clear()

    def enlarge_again(self, image: Path) -> None:
        """Lay what was chosen over a photo that has just appeared."""
        self.maps.enlarge_again(image)
        self.evidence.enlarge_again(image)

    def clear(self) -> None:
        """Show nothing of a photo; the layers stay."""
        for view in (self.maps, self.block, self.evidence):
            view.clear()
        self.network.clear_pictures()

    @Slot()
    def forget_map(self) -> None:
        """Lay nothing over the next photo."""
        self.maps.forget_channel()
        self.evidence.forget_choice()

    @Slot()
    def focus_layer(self) -> None:
        """Put the cursor into the search for layers."""
        if self.tab == "network":
            self.network.search.setFocus()
            self.network.search.selectAll()
        else:
            self.tree.focus_filter()

    @Slot()
    def _choose_layer(self) -> None:
        self.maps.forget_channel()
        if self.layer is not None:
            self.block.choose(self.layer.name)
            self.network.choose(self.layer.name, self.call)
        self.layer_chosen.emit()

    def _choose_none(self) -> None:
        self.maps.forget_channel()
        self.maps.show_error(tr("This has no maps of its own. Choose a layer."))

    def _choose_drawn(self, layer: str, call: int) -> None:
        if self.layer is not None and (self.layer.name, max(1, self.call)) == (layer, call):
            self.layer_chosen.emit()  # its maps may have gone
        self.tree.choose((layer, call))

    @Slot()
    def _tell_tab(self) -> None:
        self._arrange()
        self.tab_changed.emit(self.tab)

    def _arrange(self) -> None:
        number = self.tabs.currentIndex()
        self._stack.setCurrentIndex(max(0, number - 1))  # under the drawing are the maps
        self.network.setVisible(self.tab == "network")
        # A layer is chosen for these; the others want the room.
        self.tree.setVisible(self.tab in ("maps", "block", "compare"))

    @Slot(str)
    def _show_layer(self, name: str) -> None:
        self.tree.choose((name, 1))
        self.set_tab("maps")

    @Slot()
    def show_exciting(self) -> None:
        """Show the photos for which the chosen map, or the layer, has its largest values."""
        self.set_tab("compare")
        self.compare.pictures.setFocus()

    @Slot(object, str)
    def _pass_map(self, picture: object, title: str) -> None:
        self.evidence.forget_choice()
        self.map_chosen.emit(picture, title)

    @Slot(object, str)
    def _pass_evidence(self, picture: object, title: str) -> None:
        self.maps.forget_channel()
        self.map_chosen.emit(picture, title)
