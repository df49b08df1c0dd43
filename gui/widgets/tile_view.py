"""A list shown as tiles of one size, in as many columns as fit; paints only what is seen."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)


class TileDelegate(QStyledItemDelegate):
    """Paints tiles of the size that its view has found."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tile = QSize(100, 100)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return self.tile


class TileView(QListView):
    """Fits the columns to its width.

    Args:
        delegate: paints the tiles.
        least_width_px: of a tile; tiles grow until the columns fill the view.
    """

    def __init__(
        self, delegate: TileDelegate, least_width_px: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._delegate = delegate
        self._least_width_px = least_width_px
        self.setItemDelegate(delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @abstractmethod
    def tile_height(self, width: int) -> int:
        """Return a tile's height for its width, in pixels."""

    @property
    def tile(self) -> QSize:
        """Return the size of the tiles."""
        return self._delegate.tile

    def set_least_width(self, least_width_px: int) -> None:
        """Show larger or smaller tiles; what is looked at stays in sight."""
        current = self.currentIndex()
        self._least_width_px = least_width_px
        self._fit_tiles()
        if current.isValid():
            self.scrollTo(current)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_tiles()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit_tiles()
        super().changeEvent(event)

    def _fit_tiles(self) -> None:
        # Room for the scroll bar is kept free, so that its coming changes nothing.
        available = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        width = available // max(1, available // self._least_width_px)
        self._delegate.tile = QSize(width, self.tile_height(width))
        self.setGridSize(self._delegate.tile)
