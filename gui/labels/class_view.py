"""The classes as tiles: drop photos on one, click it, or press its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
)
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem, QWidget

from core.labels.classes import MARK_KEYS, REJECT, UNSURE, ClassList, LabelClass, Labels
from core.language import number, tr
from gui import theme
from gui.dropping import paths_in
from gui.widgets.plain_text import literal
from gui.widgets.tile_view import TileDelegate, TileView

CLASS_ROLE = Qt.ItemDataRole.UserRole
"""The LabelClass, for the delegate."""
COUNT_ROLE = Qt.ItemDataRole.UserRole + 1
"""How many photos have it."""
CURRENT_ROLE = Qt.ItemDataRole.UserRole + 2
"""Whether the photo that is shown has it."""

_Index = QModelIndex | QPersistentModelIndex
_TILE_WIDTH = 140
_TILE_HEIGHT = 36
_GREY = "#868e9c"


class ClassModel(QAbstractListModel):
    """One row a class, then "unsure" and "reject"; a search hides some of the classes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        keys = {mark: key for key, mark in MARK_KEYS.items()}
        self._marks = [
            LabelClass(UNSURE, tr("Unsure"), _GREY, keys[UNSURE]),
            LabelClass(REJECT, tr("Reject"), _GREY, keys[REJECT]),
        ]
        self._classes = ClassList()
        self._shown: list[LabelClass] = []
        self._search = ""
        self._counts: Mapping[int, int] = {}
        self._current: Labels = ()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        shown = self._shown[index.row()]
        count = self._counts.get(shown.id, 0)
        if role == CLASS_ROLE:
            return shown
        if role == COUNT_ROLE:
            return count
        if role == CURRENT_ROLE:
            return shown.id in self._current
        if role == Qt.ItemDataRole.DisplayRole:
            return shown.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(self.data(index, Qt.ItemDataRole.AccessibleTextRole))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if not shown.key:
                return tr("{name}, photos: {n}", name=shown.name, n=count)
            key = shown.key.upper()
            return tr("{name}, photos: {n}, key {key}", name=shown.name, n=count, key=key)
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemIsDropEnabled

    def set_classes(self, classes: ClassList) -> None:
        """Show another list of classes."""
        if classes != self._classes:
            self._classes = classes
            self._arrange()

    def set_counts(self, counts: Mapping[int, int]) -> None:
        """Show how many photos have each class."""
        self._counts = counts
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def set_current(self, labels: Labels) -> None:
        """Mark the classes of the photo that is shown."""
        if labels != self._current:
            self._current = labels
            self.set_counts(self._counts)

    def set_search(self, text: str) -> None:
        """Show only classes whose name holds the text."""
        self._search = text.strip().casefold()
        self._arrange()

    def _arrange(self) -> None:
        self.beginResetModel()
        found = [one for one in self._classes.classes if self._search in one.name.casefold()]
        self._shown = [*found, *(self._marks if self._classes.classes else [])]
        self.endResetModel()


class ClassDelegate(TileDelegate):
    """Paints one class: colour, key, name, count."""

    def __init__(self) -> None:
        super().__init__()
        self.lit = -1

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        shown: LabelClass = index.data(CLASS_ROLE)
        used = theme.colours()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = option.rect.adjusted(3, 3, -3, -3)
        is_lit = index.row() == self.lit
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        marked = bool(index.data(CURRENT_ROLE))
        fill = used.accent_soft if is_lit or marked else used.hover if hovered else used.panel
        painter.setBrush(QColor(fill))
        edged = is_lit or focused or marked
        painter.setPen(QColor(used.accent if edged else used.border_strong))
        painter.drawRoundedRect(card, 7, 7)
        badge = QRect(card.left() + 7, card.top() + (card.height() - 20) // 2, 22, 20)
        colour = QColor(shown.colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(badge, 5, 5)
        bold = QFont(option.font)
        bold.setBold(True)
        if shown.key:
            painter.setFont(bold)
            painter.setPen(theme.ink_on(colour))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, shown.key.upper())
        painter.setFont(option.font)
        metrics = QFontMetrics(option.font)
        count = number(index.data(COUNT_ROLE))
        width = metrics.horizontalAdvance(count)
        line = card.adjusted(36, 0, -10, 0)
        painter.setPen(QColor(used.muted))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, right, count)
        painter.setPen(QColor(used.text))
        name = metrics.elidedText(shown.name, Qt.TextElideMode.ElideRight, line.width() - width - 8)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, left, name)
        painter.restore()


class ClassView(TileView):
    """Tiles to drop photos on; Return and a click label the selected photos."""

    chosen = Signal(int)
    """Number of the class that the selected photos shall have."""
    dropped = Signal(int, list)
    """Number of a class, and the photos that were dropped on it."""
    files_dropped = Signal(int, list)
    """Number of a class (0 beside all), and paths that come from outside of the window."""
    menu_wanted = Signal(int, QPoint)
    """Number of a class, and where on the screen."""

    def __init__(self, model: ClassModel, parent: QWidget | None = None) -> None:
        self._tiles = ClassDelegate()
        super().__init__(self._tiles, _TILE_WIDTH, parent)
        self.setModel(model)
        self.setAccessibleName(tr("Classes"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAcceptDrops(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._want_menu)
        self.clicked.connect(self._choose)
        self.setMinimumSize(_TILE_WIDTH + 20, _TILE_HEIGHT + 4)

    def tile_height(self, width: int) -> int:
        return max(_TILE_HEIGHT, self.fontMetrics().height() + 18)

    def sizeHint(self) -> QSize:
        return QSize(_TILE_WIDTH, 2 * self.tile_height(0) + 6)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self.currentIndex())
        elif event.key() == Qt.Key.Key_Menu:
            self._want_menu(self.visualRect(self.currentIndex()).center())
        else:
            super().keyPressEvent(event)

    # Dropping

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._light(self.indexAt(event.position().toPoint()).row())
        event.setDropAction(Qt.DropAction.CopyAction)
        inside = event.source() is not None
        event.setAccepted(self._tiles.lit >= 0 or not inside)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._light(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        self._light(-1)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        number = index.data(CLASS_ROLE).id if index.isValid() else 0
        paths = paths_in(event.mimeData())
        if event.source() is None:  # from another program
            self.files_dropped.emit(number, paths)
        elif number:
            self.dropped.emit(number, paths)

    def _light(self, row: int) -> None:
        if row != self._tiles.lit:
            self._tiles.lit = row
            self.viewport().update()

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(index.data(CLASS_ROLE).id)

    @Slot(QPoint)
    def _want_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if index.isValid() and index.data(CLASS_ROLE).id > 0:
            self.menu_wanted.emit(index.data(CLASS_ROLE).id, self.viewport().mapToGlobal(place))
