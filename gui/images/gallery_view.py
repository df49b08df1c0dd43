"""The gallery's cards: thumbnail, name, class and probability."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QDrag,
    QFont,
    QFontMetrics,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem, QWidget

from core.labels.classes import REJECT, UNSURE, Labels
from core.labels.label_index import LabelIndex
from core.language import number, tr
from gui import theme
from gui.gallery_model import ROW_ROLE, GalleryModel
from gui.gallery_rows import GalleryRow
from gui.widgets.tile_view import TileDelegate, TileView

THUMBNAIL_PX = 256
_KEPT_THUMBNAILS = 400
_CARD_WIDTH = 148
_PICTURE_SHARE = 0.75
_MARGIN = 6
_SETTLE_MS = 40

_Index = QModelIndex | QPersistentModelIndex


class ThumbnailCache:
    """The thumbnails seen last; a failed one is kept as None so as not to be asked for again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, QPixmap | None] = OrderedDict()

    def __contains__(self, path: Path) -> bool:
        return path in self._kept

    def get(self, path: Path) -> QPixmap | None:
        """Return a thumbnail and note that it was seen."""
        if path in self._kept:
            self._kept.move_to_end(path)
        return self._kept.get(path)

    def forget(self, path: Path) -> None:
        """Let a thumbnail be asked for again."""
        self._kept.pop(path, None)

    def put(self, path: Path, thumbnail: QPixmap | None) -> None:
        """Keep a thumbnail; the one unseen for longest goes."""
        self._kept[path] = thumbnail
        self._kept.move_to_end(path)
        while len(self._kept) > _KEPT_THUMBNAILS:
            self._kept.popitem(last=False)


class GalleryDelegate(TileDelegate):
    """Paints one card."""

    def __init__(self, thumbnails: ThumbnailCache) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self.label_index = LabelIndex()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row: GalleryRow = index.data(ROW_ROLE)
        used = theme.colours()
        painter.save()
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        card = option.rect.adjusted(3, 3, -3, -3)
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(used.accent_soft))
            painter.setPen(QColor(used.accent))
            painter.drawRoundedRect(card, 8, 8)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(used.hover))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(card, 8, 8)
        inner = card.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        lines = QFontMetrics(option.font).height()
        picture = QRect(inner.topLeft(), QSize(inner.width(), inner.height() - 2 * lines - 6))
        self._paint_picture(painter, picture, row)
        label = self.label_index.resolve(row.label)
        if label:
            self._paint_label(painter, picture, label, option)
        self._paint_text(
            painter, QRect(inner.left(), picture.bottom() + 5, inner.width(), lines), row, option
        )
        painter.restore()

    def _paint_picture(self, painter: QPainter, area: QRect, row: GalleryRow) -> None:
        used = theme.colours()
        thumbnail = self._thumbnails.get(row.path)
        shape = QPainterPath()
        if thumbnail is None:
            shape.addRoundedRect(area, 5, 5)
            painter.fillPath(shape, QColor(used.canvas))
            if row.path in self._thumbnails or row.reason is not None:
                size = min(28, area.height())
                broken = theme.pixmap("image-off", used.muted, 2 * size)
                place = QRect(QPoint(0, 0), QSize(size, size))
                place.moveCenter(area.center())
                painter.drawPixmap(place, broken)
            return
        fitted = thumbnail.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(QPoint(0, 0), fitted)
        place.moveCenter(area.center())
        shape.addRoundedRect(place, 4, 4)
        painter.setClipPath(shape)
        painter.drawPixmap(place, thumbnail)
        painter.setClipping(False)

    def _paint_label(
        self, painter: QPainter, area: QRect, label: Labels, option: QStyleOptionViewItem
    ) -> None:
        """Write the label on a pill of its class's colour, on the picture's lower edge."""
        used = theme.colours()
        if label[0] < 0:
            if label[0] == REJECT:
                veil = QColor(used.panel)
                veil.setAlphaF(0.7)
                painter.fillRect(area, veil)
            text = tr("Unsure") if label[0] == UNSURE else tr("Rejected")
            fill, ink = QColor(used.border_strong), QColor(used.text)
        else:
            known = [self.label_index.by_id[one] for one in label if one in self.label_index.by_id]
            if not known:
                return
            text = ", ".join(one.name for one in known)
            fill = QColor(known[0].colour)
            ink = theme.ink_on(fill)
        font = QFont(option.font)
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 0.9)
        metrics = QFontMetrics(font)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() - 20)
        pill = QRect(0, 0, metrics.horizontalAdvance(text) + 14, metrics.height() + 4)
        pill.moveBottomLeft(area.bottomLeft() + QPoint(3, -3))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_text(
        self, painter: QPainter, line: QRect, row: GalleryRow, option: QStyleOptionViewItem
    ) -> None:
        used = theme.colours()
        font = QFont(option.font)
        metrics = QFontMetrics(font)
        second = line.translated(0, line.height() + 1)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        left |= Qt.TextFlag.TextDontClip  # letters of another script may be taller than the font
        painter.setFont(font)
        painter.setPen(QColor(used.muted))
        name = metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, left, name)
        if row.reason is not None or row.is_away:
            painter.setPen(QColor(used.warning))
            reason = tr("away") if row.is_away else row.reason or ""
            text = reason[:1].upper() + reason[1:]
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, second.width())
            painter.drawText(second, left, text)
            return
        if not row.class_name:
            return
        font.setBold(True)
        painter.setFont(font)
        bold = QFontMetrics(font)
        percent = row.figure(0)
        width = bold.horizontalAdvance(percent) + 6
        painter.setPen(QColor(used.muted if row.is_unsure else used.text))
        named = row.named(self.label_index.named_from)
        painter.drawText(
            second.adjusted(0, 0, -width, 0),
            left,
            bold.elidedText(
                tr("unsure: {name}", name=named) if row.is_unsure else named,
                Qt.TextElideMode.ElideRight,
                second.width() - width,
            ),
        )
        painter.setPen(QColor(used.accent))
        painter.drawText(
            second, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent
        )


class GalleryView(TileView):
    """Cards in as many columns as fit; tells which photos are seen."""

    thumbnail_zoomed = Signal(int)
    """By how many steps the thumbnails are to be larger, from Ctrl and the wheel."""
    thumbnails_wanted = Signal(list)
    """Paths that are seen and have no thumbnail yet, first the ones on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.thumbnails = ThumbnailCache()
        self._message = ""
        self._said: dict[str, tuple[object, ...]] = {}
        self._cards = GalleryDelegate(self.thumbnails)
        super().__init__(self._cards, _CARD_WIDTH, parent)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName(tr("Photos"))
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._want_thumbnails)
        self.verticalScrollBar().valueChanged.connect(self.note_change)

    def setModel(self, model: QAbstractItemModel | None) -> None:
        if isinstance(model, GalleryModel):
            self._cards.label_index = model.label_index
        super().setModel(model)

    def startDrag(self, actions: Qt.DropAction) -> None:
        indexes = self.selectedIndexes()
        if not indexes:
            return
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData(indexes))
        first: GalleryRow = indexes[0].data(ROW_ROLE)
        picture = dragged_picture(self.thumbnails.get(first.path), len(indexes), self)
        drag.setPixmap(picture)
        drag.setHotSpot(QPoint(-12, -8))
        drag.exec(actions, Qt.DropAction.CopyAction)

    @Slot()
    def note_change(self) -> None:
        """Look again which thumbnails are missing, once the view has settled."""
        self._settle.start()

    def put_thumbnail(self, path: Path, thumbnail: QPixmap | None) -> None:
        """Show a thumbnail; None where the photo cannot be read."""
        self.thumbnails.put(path, thumbnail)
        file = str(path)
        for index, row in self._seen():
            if row.file == file:
                self.update(index)

    def forget_thumbnails(self, paths: Sequence[Path]) -> None:
        """Ask again for those that could not be read; what is shown stays until then."""
        for path in paths:
            if self.thumbnails.get(path) is None:
                self.thumbnails.forget(path)
        self._settle.start()

    def set_message(self, text: str) -> None:
        """Show a sentence where there is no card."""
        self._message = text
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._message:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(theme.colours().muted))
            area = self.viewport().rect().adjusted(16, 24, -16, -24)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, self._message)

    def dataChanged(self, first: _Index, last: _Index, roles: Sequence[int] = ()) -> None:
        """Paint again the cards that are seen and say something else than when last asked."""
        said: dict[str, tuple[object, ...]] = {}
        for index, row in self._seen():
            label = self._cards.label_index.resolve(row.label)
            named = tuple(self._cards.label_index.by_id.get(one) for one in label)
            from_ = self._cards.label_index.named_from
            said[row.file] = (row.likeliest, row.reason, row.is_away, label, named, from_)
            if self._said.get(row.file) != said[row.file]:
                self.update(index)
        self._said = said

    def tile_height(self, width: int) -> int:
        text = 2 * self.fontMetrics().height() + 6
        return round((width - 2 * _MARGIN) * _PICTURE_SHARE) + text + 2 * _MARGIN

    def resizeEvent(self, event: QResizeEvent) -> None:
        current, before = self.currentIndex(), QRect(QPoint(0, 0), event.oldSize())
        was_seen = current.isValid() and self.visualRect(current).intersects(before)
        super().resizeEvent(event)
        if was_seen and event.size().width() != event.oldSize().width():
            # Other columns carry the photo in front away; who has scrolled away from it stays.
            QTimer.singleShot(0, self, lambda: self.scrollTo(self.currentIndex()))
        self._settle.start()

    def set_least_width(self, least_width_px: int) -> None:
        super().set_least_width(least_width_px)
        self._settle.start()  # others are seen now

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.thumbnail_zoomed.emit(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settle.start()

    def _want_thumbnails(self) -> None:
        if not self.isVisible():
            return
        paths = [row.path for _, row in self._seen(screens=2)]
        wanted = [path for path in paths if path not in self.thumbnails]
        if wanted:
            self.thumbnails_wanted.emit(wanted)

    def seen_photos(self) -> list[Path]:
        """Return the photos that are on the screen."""
        return [row.path for _, row in self._seen()]

    def _seen(self, screens: int = 1) -> list[tuple[QModelIndex, GalleryRow]]:
        """Return what is on the screen, and on as many below it."""
        model, card = self.model(), self.tile
        columns = max(1, self.viewport().width() // card.width())
        top = self.verticalScrollBar().value() // card.height()
        rows = self.viewport().height() // card.height() + 2
        end = min(model.rowCount(), (top + screens * rows) * columns)
        indexes = [model.index(row, 0) for row in range(top * columns, end)]
        return [(index, index.data(ROW_ROLE)) for index in indexes]


def dragged_picture(thumbnail: QPixmap | None, count: int, view: QWidget) -> QPixmap:
    """Return what hangs at the pointer: the first photo, and how many there are."""
    used = theme.colours()
    ratio = view.devicePixelRatioF()
    size = QSize(96, 72)
    picture = QPixmap(size * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHints(
        QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
    )
    place = QRect(QPoint(0, 8), QSize(84, 64))
    if thumbnail is not None:
        fitted = thumbnail.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place.setSize(fitted)
        painter.drawPixmap(place, thumbnail)
    else:
        painter.fillRect(place, QColor(used.canvas))
    if count > 1:
        text = number(count)
        metrics = QFontMetrics(view.font())
        badge = QRect(0, 0, max(20, metrics.horizontalAdvance(text) + 12), 20)
        badge.moveTopRight(QPoint(size.width() - 1, 0))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(used.accent))
        painter.drawRoundedRect(badge, 10, 10)
        painter.setPen(QColor(used.on_accent))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return picture
