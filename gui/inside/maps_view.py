"""The maps of the chosen layer: as thumbnails, sorted and coloured; one can be enlarged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.language import tr
from gui import theme
from gui.inside.map_grid import CHANNEL_ROLE, MapGrid, MapGridModel
from gui.widgets.breaking_row import BreakingRow
from gui.widgets.fields import NarrowBox
from gui.widgets.plain_text import PlainLabel, literal

if TYPE_CHECKING:
    from pathlib import Path

    from core.inside.feature_maps import FeatureMapsOfPhoto

_ROW_PX = 460
"""Narrower, what is said of the maps stands over the buttons."""


class MapsView(QWidget):
    """Keeps order, colours and channel while photos change."""

    map_chosen = Signal(object, str)
    """The map, uint8 of shape (h, w, 3), and its title."""
    order_changed = Signal(str)
    export_wanted = Signal(object, str)
    """FeatureMapsOfPhoto, and the path of the file to write."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = MapGridModel()
        self.grid = MapGrid(self._model)
        self._channel: int | None = None
        self._order = NarrowBox(9)
        for text, name in (
            (tr("By index"), "index"),
            (tr("Strongest first"), "strength"),
            (tr("Largest mean first"), "mean"),
            (tr("Largest maximum first"), "maximum"),
            (tr("By its say for the class"), "class"),
        ):
            self._order.addItem(text, name)
        self._order.setAccessibleName(tr("Sort feature maps"))
        self._order.setToolTip(tr("Sort by channel index, or by the values in this photo"))
        self.colours = NarrowBox(7)
        for text, name in (
            (tr("Grey"), "grey"),
            (tr("Viridis"), "viridis"),
            (tr("Red and blue"), "signed"),
        ):
            self.colours.addItem(text, name)
        self.colours.setAccessibleName(tr("Colours of the maps"))
        self.shared = QCheckBox(tr("One scale"))
        self.shared.setToolTip(
            tr("All maps from the layer's least to its greatest value, not each its own")
        )
        self._export = QPushButton(tr("Export…"))
        self._export.setProperty("small", True)
        self._export.setToolTip(tr("The grid as PNG, or the numbers as NPY"))
        self.exciting = QToolButton()
        theme.set_icon(self.exciting, "images")
        said = tr("Which photos excite it? Those for which the chosen map has its largest values")
        self.exciting.setToolTip(literal(said))
        self.exciting.setAccessibleName(tr("Which photos excite it?"))
        self._facts = PlainLabel(wordWrap=True)
        self._facts.setProperty("muted", True)
        self._lay_out()
        self._order.currentIndexChanged.connect(self._arrange)
        self.colours.currentIndexChanged.connect(self._recolour)
        self.shared.toggled.connect(self._recolour)
        self._export.clicked.connect(self._ask_for_file)
        self.grid.clicked.connect(self._choose)
        self.grid.activated.connect(self._choose)
        self.grid.selectionModel().currentChanged.connect(self._follow_keys)
        self.clear()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 6, 0)
        for box, letters in ((self._order, 9), (self.colours, 7)):
            top.addWidget(box, letters)
        bottom = BreakingRow(_ROW_PX)
        bottom.row.setContentsMargins(0, 0, 6, 0)
        bottom.add(self._facts, 1)
        tools = QHBoxLayout()
        for tool in (self.exciting, self.shared, self._export):
            tools.addWidget(tool)
        bottom.add(tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 6)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.grid, 1)
        layout.addWidget(bottom)

    @property
    def order(self) -> str:
        """Return the order by its name, e.g. "index"."""
        return str(self._order.currentData())

    def set_order(self, order: str) -> None:
        """Choose the order, as remembered from last time."""
        self._order.setCurrentIndex(max(0, self._order.findData(order)))

    @Slot(object)
    def show_maps(self, found: FeatureMapsOfPhoto) -> None:
        """Show what the chosen layer computes for the current photo."""
        scrolled = self.grid.verticalScrollBar().value()
        self._model.set_maps(found, self.order)
        self.grid.verticalScrollBar().setValue(scrolled)
        count = len(found.grey)
        self._facts.setText(self._described(found))
        self._export.setEnabled(True)
        if self._channel is not None and self._channel < count:
            self._select(self._channel)
            self._show_channel(self._channel)

    def show_error(self, sentence: str) -> None:
        """Say why there are no maps."""
        self._model.set_maps(None, self.order)
        self._export.setEnabled(False)
        self.exciting.setEnabled(False)
        self._facts.setText(sentence)

    def clear(self) -> None:
        """Show no maps."""
        self._model.set_maps(None, self.order)
        self._export.setEnabled(False)
        self.exciting.setEnabled(False)
        self._facts.setText(tr("The feature maps of the photo appear here."))

    def enlarge_again(self, image: Path) -> None:
        """Enlarge the chosen channel over a photo that has just appeared."""
        found = self._model.found
        if self._channel is not None and found is not None and found.photo == image:
            self._show_channel(self._channel)

    @property
    def channel(self) -> int | None:
        """Return the channel that is enlarged, if any."""
        return self._channel

    @Slot()
    def forget_channel(self) -> None:
        """Stop enlarging a map."""
        self._channel = None
        self.exciting.setEnabled(False)
        self.grid.clearSelection()

    @Slot(int)
    def _arrange(self, _: int) -> None:
        self._model.set_maps(self._model.found, self.order)
        if self._channel is not None:
            self._select(self._channel)
        self.order_changed.emit(self.order)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        self._channel = index.data(CHANNEL_ROLE)
        if self._channel is not None:
            self._show_channel(self._channel)

    @Slot(QModelIndex, QModelIndex)
    def _follow_keys(self, index: QModelIndex, before: QModelIndex) -> None:
        # Without one before it is the focus that has come, and nobody has chosen anything.
        if self._channel is None and (before.row(), index.row()) == (0, 1):
            self.grid.setCurrentIndex(before)  # the first key takes the first map
        elif index.isValid() and before.isValid() and self.grid.hasFocus():
            self._choose(index)

    @Slot()
    def _recolour(self) -> None:
        self._model.set_colours(self.colours.currentData(), shared=self.shared.isChecked())
        self.grid.viewport().update()
        if self._channel is not None:
            self._show_channel(self._channel)

    @Slot()
    def _ask_for_file(self) -> None:
        if self._model.found is None:
            return
        name = self._model.found.maps.layer.replace(".", "_")
        file, _ = QFileDialog.getSaveFileName(
            self,
            tr("Export the feature maps"),
            f"{name}.png",
            tr("Picture of the grid (*.png);;Numbers (*.npy)"),
        )
        if file:
            self.export_wanted.emit(self._model.found, file)

    def _described(self, found: FeatureMapsOfPhoto) -> str:
        count, height, width = found.maps.values.shape
        layout = found.maps.layout
        size = f"{height}×{width}"
        if found.is_attention:
            return tr("{n} heads of {size}: where each looks", n=count, size=size)
        if layout == "vector":
            return tr("{n} numbers", n=count)
        if layout == "tokens":
            return tr("{n} channels of {size} tokens, the class token apart", n=count, size=size)
        return tr("{n} maps of {size}", n=count, size=size)

    def _select(self, channel: int) -> None:
        self.grid.setCurrentIndex(self._model.index(self._model.position(channel)))

    def _show_channel(self, channel: int) -> None:
        found = self._model.found
        self.exciting.setEnabled(found is not None and not found.is_attention)
        if found is None:
            return
        if found.maps.layout == "vector":
            return
        layer = found.maps.layer
        title = (
            tr("{layer}, head {n}", layer=layer, n=channel)
            if found.is_attention
            else tr("{layer}, channel {n}", layer=layer, n=channel)
        )
        self.map_chosen.emit(self._model.coloured(channel), title)
