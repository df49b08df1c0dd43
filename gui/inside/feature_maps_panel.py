"""The panel of feature maps: choose a layer, see its channels, click one to enlarge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from gui.inside.map_grid import CHANNEL_ROLE, MapGrid, MapGridModel

if TYPE_CHECKING:
    from pathlib import Path

    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.layers import Layer


_LIST_WIDTH_PX = 360


class FeatureMapsPanel(QWidget):
    """Keeps layer, order and channel while photos change."""

    layer_chosen = Signal()
    map_chosen = Signal(object, str)
    """The map, uint8 of shape (h, w), and its title."""
    order_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = MapGridModel()
        self.grid = MapGrid(self._model)
        self._layers: tuple[Layer, ...] = ()
        self._channel: int | None = None
        self._layer = self._make_layer_choice()
        self._order = QComboBox()
        self._order.addItem(self.tr("By index"), "index")
        self._order.addItem(self.tr("Strongest first"), "strength")
        self._order.setAccessibleName(self.tr("Sort feature maps"))
        self._order.setToolTip(self.tr("Sort by channel index, or by mean magnitude in this photo"))
        self._facts = QLabel(wordWrap=True)
        self._facts.setProperty("muted", True)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(0, 0, 6, 0)
        bottom.addWidget(self._facts, 1)
        bottom.addWidget(self._order)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 6, 0)
        top.addWidget(self._layer)
        frame = QFrame()
        frame.setObjectName("panel")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(10, 10, 4, 8)
        inside.setSpacing(6)
        inside.addLayout(top)
        inside.addWidget(self.grid, 1)
        inside.addLayout(bottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 8, 8)
        layout.addWidget(frame)
        self._layer.currentIndexChanged.connect(self._ask)
        self._layer.currentTextChanged.connect(self._show_beginning)
        self._order.currentIndexChanged.connect(self._arrange)
        self.grid.clicked.connect(self._choose)
        self.grid.activated.connect(self._choose)
        self.grid.selectionModel().currentChanged.connect(self._follow_keys)
        self.clear()

    @property
    def layer(self) -> Layer | None:
        """Return the layer that is chosen."""
        at = self._layer.currentData()
        return self._layers[at] if at is not None else None

    def set_layers(self, layers: tuple[Layer, ...]) -> None:
        """Offer the layers of a new model; a layer of the same name stays chosen."""
        before = self.layer
        self._layers = layers
        self._channel = None
        self._layer.blockSignals(True)
        self._layer.clear()
        for at, layer in enumerate(layers):
            self._layer.addItem(self._title(layer), at)
        names = [(layer.name, layer.call) for layer in layers]
        wanted = (before.name, before.call) if before is not None else None
        self._layer.setCurrentIndex(
            names.index(wanted) if wanted in names else first_convolution(layers)
        )
        self._layer.blockSignals(False)
        self._show_beginning()
        self._model.set_maps(None, self.order)
        self.layer_chosen.emit()

    @Slot()
    def focus_layer(self) -> None:
        """Put the cursor into the layer's name, ready to type another."""
        self._layer.setFocus()
        line = self._layer.lineEdit()
        if line is not None:
            line.selectAll()

    @property
    def order(self) -> str:
        """Return "index" or "strength"."""
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
        count, height, width = found.grey.shape
        self._facts.setText(
            self.tr("{count} maps of {height} × {width}")
            .format(count=f"{count:,}", height=height, width=width)
            .replace(" ", "\N{NO-BREAK SPACE}")
        )
        self._facts.setToolTip(self.tr("Each map is scaled from its own least to greatest value"))
        if self._channel is not None and self._channel < count:
            self._select(self._channel)
            self._show_channel(self._channel)

    def show_error(self, sentence: str) -> None:
        """Say why there are no maps."""
        self._model.set_maps(None, self.order)
        self._facts.setText(sentence)

    def clear(self) -> None:
        """Show no maps."""
        self._model.set_maps(None, self.order)
        self._facts.setText(self.tr("The feature maps of the photo appear here."))

    def enlarge_again(self, image: Path) -> None:
        """Enlarge the chosen channel over a photo that has just appeared."""
        found = self._model.found
        if self._channel is not None and found is not None and found.image == image:
            self._show_channel(self._channel)

    @Slot()
    def forget_channel(self) -> None:
        """Stop enlarging a map."""
        self._channel = None
        self.grid.clearSelection()

    def _make_layer_choice(self) -> QComboBox:
        choice = QComboBox(editable=True, insertPolicy=QComboBox.InsertPolicy.NoInsert)
        choice.setAccessibleName(self.tr("Layer"))
        choice.setToolTip(self.tr("Choose a layer; type to search"))
        choice.setMinimumContentsLength(12)
        choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        matching = QSortFilterProxyModel(choice)
        matching.setSourceModel(choice.model())
        completer = QCompleter(matching, choice)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        choice.setCompleter(completer)
        for popup in (completer.popup(), choice.view()):
            if popup is not None:
                popup.setMinimumWidth(_LIST_WIDTH_PX)
        choice.activated.connect(self._leave_search)
        return choice

    def _title(self, layer: Layer) -> str:
        channels, height, width = layer.shape or (0, 0, 0)
        call = self.tr(", call {n}").format(n=layer.call) if layer.calls > 1 else ""
        return f"{layer.name}{call}  ·  {layer.kind}  ·  {channels} × {height} × {width}"

    @Slot()
    def _show_beginning(self) -> None:
        """Show the layer's name where its title is wider than the field."""
        line = self._layer.lineEdit()
        if line is not None and not line.hasFocus():
            line.setCursorPosition(0)

    @Slot()
    def _leave_search(self) -> None:
        """Go to the maps once a layer is chosen."""
        self.grid.setFocus()
        self._show_beginning()

    @Slot(int)
    def _ask(self, _: int) -> None:
        self._channel = None
        self.layer_chosen.emit()

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
    def _follow_keys(self, index: QModelIndex, _: QModelIndex) -> None:
        if index.isValid() and self.grid.hasFocus():
            self._choose(index)

    def _select(self, channel: int) -> None:
        self.grid.setCurrentIndex(self._model.index(self._model.position(channel)))

    def _show_channel(self, channel: int) -> None:
        found = self._model.found
        if found is None:
            return
        title = self.tr("{layer}, channel {n}").format(layer=found.maps.layer, n=channel)
        self.map_chosen.emit(found.grey[channel], title)


def first_convolution(layers: tuple[Layer, ...]) -> int:
    """Return the place of the first convolution, where people like to begin."""
    kinds = [layer.kind for layer in layers]
    return kinds.index("Conv2d") if "Conv2d" in kinds else 0
