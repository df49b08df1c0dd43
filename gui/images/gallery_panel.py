"""The panel on the left: search, order, and the photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from core.language import tr, tr_n
from core.settings import THUMBNAIL_WIDTHS
from gui.gallery_model import ORDERS
from gui.images.gallery_view import GalleryView
from gui.widgets.breaking_row import BreakingRow
from gui.widgets.fields import NarrowBox
from gui.widgets.plain_text import PlainLabel
from gui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from gui.session import Session

_STEP_PX, _SLIDER_PX, _ROW_PX = 20, 90, 230


class GalleryPanel(QWidget):
    """The photos of the session; one of them is the current one.

    Attributes:
        bars: between the search and the photos, where other rooms put theirs.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._photos = session, session.photos
        self.view = GalleryView()
        self.view.setModel(session.photos)
        self.view.setSelectionModel(session.selection)
        self.setFocusProxy(self.view)
        self._search = SearchField(tr("Search"), tr("Search names and classes"))
        self._order = NarrowBox(7)
        self._order.setAccessibleName(tr("Sort photos by"))
        self._order.setToolTip(tr("Sort photos by"))
        titles = {
            "added": tr("As added"),
            "name": tr("Name"),
            "class": tr("Class"),
            "probability": tr("Most certain"),
            "uncertain": tr("Least certain"),
            "unlabelled": tr("Unlabelled first"),
            "disagreeing": tr("Disagreeing first"),
            "similar": tr("Look-alikes first"),
            "chosen": tr("Chosen first"),
            "helpful": tr("To label next"),
        }
        for order in ORDERS:
            self._order.addItem(titles[order], order)
        self._order.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._count = PlainLabel()
        self._count.setProperty("muted", True)
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(THUMBNAIL_WIDTHS.start, THUMBNAIL_WIDTHS.stop - 1)
        self._size.setPageStep(_STEP_PX)
        self._size.setFixedWidth(_SLIDER_PX)
        self._size.setAccessibleName(tr("Size of the thumbnails"))
        self._size.setToolTip(tr("Size of the thumbnails (Ctrl and the wheel)"))
        self._size.setValue(session.settings.thumbnail_px)
        self.view.set_least_width(self._size.value())
        self._size.valueChanged.connect(self._resize)
        self.view.thumbnail_zoomed.connect(self.zoom)
        self._lay_out()
        self._order.setCurrentIndex(max(0, self._order.findData(session.settings.gallery_order)))
        self._apply_order()
        self._join()
        self.update_count()

    def _lay_out(self) -> None:
        top = BreakingRow(_ROW_PX)
        top.add(self._search, 1)
        top.add(self._order, 1)
        self.bars = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 2, 6)
        layout.setSpacing(6)
        layout.addWidget(top)
        layout.addLayout(self.bars)
        layout.addWidget(self.view, 1)
        below = QHBoxLayout()
        below.addWidget(self._count, 1)
        below.addWidget(self._size)
        layout.addLayout(below)

    def _join(self) -> None:
        self._search.left.connect(self._go_to_found)
        self._search.textChanged.connect(self._photos.set_search)
        self._order.currentIndexChanged.connect(self._choose_order)
        self._photos.search_set.connect(self._search.setText)
        self._photos.order_set.connect(self._show_order)
        # After the view's own slots, which forget the current photo.
        self._photos.modelReset.connect(self._after_reset)
        self._photos.rowsInserted.connect(self._after_insert)
        self._photos.dataChanged.connect(self.update_count)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus()
        self._search.selectAll()

    @Slot()
    @Slot(int)
    def zoom(self, steps: int) -> None:
        """Make the thumbnails larger by some steps, or smaller."""
        self._size.setValue(self._size.value() + steps * _STEP_PX)

    @Slot(int)
    def _resize(self, width_px: int) -> None:
        self.view.set_least_width(width_px)
        self._session.remember(thumbnail_px=width_px)

    def update_count(self) -> None:
        """Say how many photos there are and how many of them are shown."""
        total, shown = self._photos.total, self._photos.rowCount()
        if shown == total:
            self._count.setText(tr_n("{n} photo", "{n} photos", total))
        else:
            self._count.setText(tr("{shown} of {total} photos", shown=shown, total=total))

    @Slot()
    def _go_to_found(self) -> None:
        """Leave the search for the photos; a current one that is hidden gives way."""
        if self._photos.rowCount():
            self.view.setFocus()
            self._session.leave_hidden()

    @Slot(int)
    def _choose_order(self, _: int) -> None:
        self._apply_order()
        order = self._order.currentData()
        if order not in ("similar", "chosen"):  # to which photo is not known next time
            self._session.remember(gallery_order=order)

    def _apply_order(self) -> None:
        self._photos.set_order(self._order.currentData())

    @Slot(str)
    def _show_order(self, order: str) -> None:
        self._order.setCurrentIndex(max(0, self._order.findData(order)))

    @Slot()
    def _after_reset(self) -> None:
        self.update_count()
        hidden = self._photos.total > 0 and self._photos.rowCount() == 0
        self.view.set_message(tr("No photo matches search and filter.") if hidden else "")
        self.view.note_change()
        self._session.find_current_again()
        self.view.scrollTo(self.view.currentIndex())

    @Slot()
    def _after_insert(self) -> None:
        self.update_count()
        self.view.note_change()
