"""A grid of feature maps as thumbnails; paints only what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    Qt,
)
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem, QWidget

from core.language import figure, tr
from gui import theme
from gui.widgets.pictures import to_image
from gui.widgets.plain_text import literal
from gui.widgets.tile_view import TileDelegate, TileView

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.inside.colouring import Colours
    from core.inside.feature_maps import FeatureMapsOfPhoto

CHANNEL_ROLE = Qt.ItemDataRole.UserRole
_TILE_PX = 76
_RING_PX = 4
_CAPTION_SHARE = 0.9
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class MapGridModel(QAbstractListModel):
    """One row a channel, in the order chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.found: FeatureMapsOfPhoto | None = None
        self._channels: list[int] = []
        self._colours: Colours = "grey"
        self._shared = False
        self._limits = (0.0, 0.0)

    def set_maps(self, found: FeatureMapsOfPhoto | None, order: str) -> None:
        """Show the maps of one layer, by "index", "strength", "mean" or "maximum"."""
        self.beginResetModel()
        self.found = found
        if found is None:
            self._channels = []
        else:
            self._channels = _ordered(found, order)
            values = found.maps.values
            self._limits = (float(values.min()), float(values.max()))
        self.endResetModel()

    def set_colours(self, colours: Colours, *, shared: bool) -> None:
        """Paint in "grey", "viridis" or "signed", each map by itself or all at one scale."""
        self._colours, self._shared = colours, shared

    def coloured(self, channel: int) -> npt.NDArray[np.uint8]:
        """Return a map in its colours, shape (h, w, 3)."""
        from core.inside.colouring import colour

        assert self.found is not None
        values = self.found.maps.values[channel]
        low, high = float(values.min()), float(values.max())
        if self._shared or self.found.maps.layout == "vector":
            low, high = self._limits
        return colour(values, self._colours, low, high)

    def bar(self, channel: int) -> tuple[float, float]:
        """Return where a vector's bar begins and ends between its least and greatest, 0..1."""
        assert self.found is not None
        low, high = min(0.0, self._limits[0]), max(0.0, self._limits[1])
        span = high - low or 1.0
        value = float(self.found.maps.values[channel, 0, 0])
        zero = -low / span
        end = (value - low) / span
        return (min(zero, end), max(zero, end))

    def position(self, channel: int) -> int:
        """Return where a channel stands."""
        return self._channels.index(channel)

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._channels)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or self.found is None:
            return None
        channel = self._channels[index.row()]
        if role == CHANNEL_ROLE:
            return channel
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return str(channel)
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(self._tool_tip(channel))
        return None

    def _tool_tip(self, channel: int) -> str:
        assert self.found is not None
        values = self.found.maps.values[channel]
        counts = self.found.counts
        if counts is not None:
            value = f"{counts[channel]:+.3g}"
            return tr("Channel {n}: {value} of the class's logit", n=channel, value=value)
        return tr(
            "Channel {n}: from {low} to {high}, mean {mean}",
            n=channel,
            low=figure(values.min(), 4),
            high=figure(values.max(), 4),
            mean=figure(values.mean(), 4),
        )


class MapDelegate(TileDelegate):
    """Paints one map with its channel number."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = index.model()
        if not isinstance(model, MapGridModel) or model.found is None:
            return
        used = theme.colours()
        channel: int = index.data(CHANNEL_ROLE)
        tile = option.rect.adjusted(2, 2, -2, -2)
        caption = round(option.fontMetrics.height() * _CAPTION_SHARE)
        area = tile.adjusted(2, 2, -2, -caption - 1)
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(QPen(QColor(used.accent if selected else used.border_strong), 2))
            painter.setBrush(QColor(used.accent_soft if selected else used.hover))
            painter.drawRoundedRect(tile, 4, 4)
        if model.found.maps.layout == "vector":
            begin, end = model.bar(channel)
            high = area.height()
            painter.fillRect(area, QColor(used.canvas))
            bar = QRect(area.left(), area.top() + round((1 - end) * high), area.width(), 1)
            bar.setHeight(max(1, round((end - begin) * high)))
            painter.fillRect(bar, QColor(used.accent))
        else:
            picture = to_image(model.coloured(channel))
            fitted = picture.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(area.topLeft(), fitted)
            place.moveCenter(area.center())
            painter.drawImage(place, picture)
            if selected or hovered:
                _mark_strongest(painter, place, model.found.maps.values[channel])
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.8)
        painter.setFont(font)
        painter.setPen(QColor(used.text if selected else used.muted))
        line = QRect(tile.left(), area.bottom() + 1, tile.width(), caption)
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, str(channel))
        painter.restore()


class MapGrid(TileView):
    """The maps, one of which can be chosen."""

    def __init__(self, model: MapGridModel, parent: QWidget | None = None) -> None:
        super().__init__(MapDelegate(), _TILE_PX, parent)
        self.setModel(model)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName(tr("Feature maps"))

    def tile_height(self, width: int) -> int:
        return width + round(self.fontMetrics().height() * _CAPTION_SHARE) - 3


def _mark_strongest(painter: QPainter, place: QRect, values: npt.NDArray[np.float32]) -> None:
    """Draw a ring around the place of a map's greatest value."""
    row, column = divmod(int(values.argmax()), values.shape[1])
    across, down = place.width() / values.shape[1], place.height() / values.shape[0]
    middle = QPointF(place.left() + (column + 0.5) * across, place.top() + (row + 0.5) * down)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in (("#000000", 3), ("#ffffff", 1.4)):
        painter.setPen(QPen(QColor(colour), width))
        painter.drawEllipse(middle, _RING_PX, _RING_PX)


def _ordered(found: FeatureMapsOfPhoto, order: str) -> list[int]:
    """Return the channels in an order, the first first."""
    values = found.maps.values
    if order == "strength":
        key = found.strength
    elif order == "mean":
        key = values.mean(axis=(1, 2))
    elif order == "maximum":
        key = values.max(axis=(1, 2))
    elif order == "class" and found.counts is not None:
        key = found.counts
    else:
        return list(range(len(values)))
    channels: list[int] = (-key).argsort(kind="stable").tolist()
    return channels
