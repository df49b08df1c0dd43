"""A grid of feature maps as thumbnails; paints only what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    Qt,
)
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyleOptionViewItem,
    QWidget,
)

from gui import theme
from gui.images.pictures import to_image
from gui.images.tile_view import TileDelegate, TileView

if TYPE_CHECKING:
    from core.inside.feature_maps import FeatureMapsOfPhoto

CHANNEL_ROLE = Qt.ItemDataRole.UserRole
_TILE_PX = 76
_CAPTION_SHARE = 0.9
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class MapGridModel(QAbstractListModel):
    """One row a channel, in the order chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.found: FeatureMapsOfPhoto | None = None
        self._channels: list[int] = []

    def set_maps(self, found: FeatureMapsOfPhoto | None, order: str) -> None:
        """Show the maps of one layer, by "index" or by "strength"."""
        self.beginResetModel()
        self.found = found
        if found is None:
            self._channels = []
        elif order == "strength":
            self._channels = (-found.strength).argsort(kind="stable").tolist()
        else:
            self._channels = list(range(len(found.grey)))
        self.endResetModel()

    def position(self, channel: int) -> int:
        """Return where a channel stands."""
        return self._channels.index(channel)

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._channels)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self.found is None:
            return None
        channel = self._channels[index.row()]
        if role == CHANNEL_ROLE:
            return channel
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return str(channel)
        if role == Qt.ItemDataRole.ToolTipRole:
            values = self.found.maps.values[channel]
            return self.tr("Channel {n}: from {low} to {high}, mean {mean}").format(
                n=channel,
                low=f"{values.min():.4g}",
                high=f"{values.max():.4g}",
                mean=f"{values.mean():.4g}",
            )
        return None


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
        picture = to_image(model.found.grey[channel])
        place = QRect(
            area.topLeft(), picture.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        )
        place.moveCenter(area.center())
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(QPen(QColor(used.accent if selected else used.border_strong), 2))
            painter.setBrush(QColor(used.accent_soft if selected else used.hover))
            painter.drawRoundedRect(tile, 4, 4)
        painter.drawImage(place, picture)
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
        self.setAccessibleName(self.tr("Feature maps"))

    def tile_height(self, width: int) -> int:
        return width + round(self.fontMetrics().height() * _CAPTION_SHARE) - 3
