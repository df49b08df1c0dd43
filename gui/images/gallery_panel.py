"""The panel on the left: search, order, and the photos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QKeyEvent, QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gui import theme
from gui.images.gallery_model import ORDERS, GalleryModel, GalleryRow
from gui.images.gallery_view import THUMBNAIL_PX, GalleryView
from gui.images.pictures import to_image
from gui.plain_text import PlainLabel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


_SEARCH_GREY = "#868e9c"
"""Seen well enough in both schemes."""


_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SearchField(QLineEdit):
    """Escape empties it; Return and Down go to what was found."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # Else the window's own Escape and Return come first.
            if event.key() == Qt.Key.Key_Escape:
                event.setAccepted(bool(self.text()))
                return True
            if event.key() in _RETURN:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        elif event.key() in (*_RETURN, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)


class GalleryPanel(QWidget):
    """The photos; one of them is the current one."""

    current_changed = Signal(object)
    """Path of the photo to show, or None."""
    thumbnails_wanted = Signal(list, int)
    """Paths and the size in pixels."""
    order_changed = Signal(str)

    def __init__(self, model: GalleryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._current: Path | None = None
        self.view = GalleryView()
        self.view.setModel(model)
        self.setFocusProxy(self.view)
        self._search = SearchField(placeholderText=self.tr("Search"))
        self._search.setToolTip(self.tr("Search names and classes"))
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName(self.tr("Search names and classes"))
        self._search.addAction(
            theme.icon("search", _SEARCH_GREY), QLineEdit.ActionPosition.LeadingPosition
        )
        self._order = QComboBox()
        self._order.setAccessibleName(self.tr("Sort photos by"))
        self._order.setToolTip(self.tr("Sort photos by"))
        titles = {
            "added": self.tr("As added"),
            "name": self.tr("Name"),
            "class": self.tr("Class"),
            "probability": self.tr("Most certain"),
            "uncertain": self.tr("Least certain"),
            "unlabelled": self.tr("Unlabelled first"),
            "disagreeing": self.tr("Disagreeing first"),
            "similar": self.tr("Look-alikes first"),
        }
        for order in ORDERS:
            self._order.addItem(titles[order], order)
        self._order.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._order.setMinimumContentsLength(12)
        self._count = PlainLabel()
        self._count.setProperty("muted", True)
        top = QHBoxLayout()
        top.addWidget(self._search, 1)
        top.addWidget(self._order)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 2, 6)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._count)
        self._layout = layout

        self._search.left.connect(self._go_to_found)
        self._search.textChanged.connect(self._apply_search)
        self._order.currentIndexChanged.connect(self._apply_order)
        self.view.thumbnails_wanted.connect(self._pass_wanted)
        self.view.selectionModel().currentChanged.connect(self._note_current)
        model.modelReset.connect(self._after_reset)
        model.rowsInserted.connect(self._after_insert)
        model.dataChanged.connect(self.update_count)
        self.update_count()

    @property
    def current(self) -> Path | None:
        """Return the photo that is shown."""
        return self._current

    def add_bar(self, bar: QWidget) -> None:
        """Put a bar between the search and the photos."""
        self._layout.insertWidget(1, bar)

    def row(self, path: Path) -> GalleryRow | None:
        """Return what is known of a photo."""
        return self._model.row(path)

    def selected(self) -> list[Path]:
        """Return the selected photos in the order shown."""
        rows = sorted(index.row() for index in self.view.selectedIndexes())
        return [self._model.shown_row(row).path for row in rows]

    def paths(self) -> list[Path]:
        """Return all photos, those that the search hides included."""
        return [row.path for row in self._model.rows()]

    def set_order(self, order: str) -> None:
        """Choose the order, as remembered from last time."""
        self._order.setCurrentIndex(max(0, self._order.findData(order)))

    def select(self, paths: Iterable[Path], current: Path | None) -> None:
        """Select photos, those that are shown, and make one the current one."""
        self.view.clearSelection()
        if current is not None:
            self.show_photo(current)
        chosen = QItemSelection()
        for path in paths:
            position = self._model.position(path)
            if position >= 0:
                index = self._model.index(position)
                chosen.select(index, index)
        self.view.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.Select)

    def go_past(self, path: Path) -> None:
        """Make the photo after one the current one; the last stays."""
        position = self._model.position(path)
        if position >= 0:
            there = min(position + 1, self._model.rowCount() - 1)
            self.view.setCurrentIndex(self._model.index(there))

    @property
    def search(self) -> str:
        """Return what is searched for."""
        return self._search.text()

    @search.setter
    def search(self, text: str) -> None:
        self._search.setText(text)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def show_photo(self, path: Path) -> None:
        """Make a photo the current one, where the search does not hide it."""
        position = self._model.position(path)
        if position >= 0:
            self.view.setCurrentIndex(self._model.index(position))

    def step(self, by: int) -> None:
        """Go forward or back; the ends hold."""
        count = self._model.rowCount()
        if count == 0:
            return
        here = self.view.currentIndex().row()
        there = min(count - 1, max(0, here + by)) if here >= 0 else 0
        self.view.setCurrentIndex(self._model.index(there))

    @Slot(object, object)
    def put_thumbnail(self, path: Path, pixels: npt.NDArray[np.uint8] | None) -> None:
        """Show a thumbnail that was asked for."""
        picture = None if pixels is None else QPixmap.fromImage(to_image(pixels))
        self.view.put_thumbnail(path, picture)

    @Slot()
    def update_count(self) -> None:
        """Say how many photos there are and how many of them are shown."""
        total, shown = self._model.total, self._model.rowCount()
        if shown == total:
            text = self.tr("%n photo(s)", "", total)
        else:
            text = self.tr("{shown} of {total} photos").format(
                shown=f"{shown:,}", total=f"{total:,}"
            )
        self._count.setText(text.replace("(s)", "" if total == 1 else "s"))

    @Slot(str)
    def _apply_search(self, text: str) -> None:
        self._model.set_search(text)

    @Slot()
    def _go_to_found(self) -> None:
        """Leave the search for the photos; a current one that is hidden gives way."""
        if self._model.rowCount() == 0:
            return
        self.view.setFocus()
        if self._current is None or self._model.position(self._current) < 0:
            self.view.setCurrentIndex(self._model.index(0))

    @Slot(int)
    def _apply_order(self, _: int) -> None:
        order = self._order.currentData()
        self._model.set_order(order)
        self.order_changed.emit(order)

    @Slot(list)
    def _pass_wanted(self, paths: list[Path]) -> None:
        self.thumbnails_wanted.emit(paths, THUMBNAIL_PX)

    @Slot(QModelIndex, QModelIndex)
    def _note_current(self, index: QModelIndex, _: QModelIndex) -> None:
        if not index.isValid():
            return  # a search or a sort resets the view; the photo stays
        path = self._model.shown_row(index.row()).path
        if path != self._current:
            self._current = path
            self.current_changed.emit(path)

    @Slot()
    def _after_reset(self) -> None:
        """Find the current photo again; where it is gone, the first takes its place."""
        self.update_count()
        hidden = self._model.total > 0 and self._model.rowCount() == 0
        message = self.tr("No photo matches search and filter.")
        self.view.set_message(message if hidden else "")
        self.view.note_change()
        if self._current is not None and self._model.row(self._current) is None:
            self._current = None
            if self._model.rowCount() == 0:
                self.current_changed.emit(None)
        if self._current is None:
            self.step(0)
        else:
            position = self._model.position(self._current)
            if position >= 0:
                self.view.selectionModel().setCurrentIndex(
                    self._model.index(position), QItemSelectionModel.SelectionFlag.ClearAndSelect
                )
                self.view.scrollTo(self._model.index(position))

    @Slot()
    def _after_insert(self) -> None:
        self.update_count()
        self.view.note_change()
        if self._current is None:
            self.step(0)
