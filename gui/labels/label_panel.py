"""The label bar: progress, the proposal, and the classes to drop photos on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.labels.classes import ClassList, Labels
from core.language import tr
from gui import theme
from gui.labels.class_view import ClassModel, ClassView
from gui.widgets.page_stack import PageStack
from gui.widgets.plain_text import PlainLabel, literal
from gui.widgets.scroll_area import ScrollArea
from gui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from gui.gallery_model import GalleryModel

_SEARCH_FROM = 12
"""Classes from which on a search field is worth its place."""
_PROPOSAL_PX, _PROPOSAL_SHARE = 170, 3


class ClassSearch(SearchField):
    """Return labels with the first class found."""

    first_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.first_wanted.emit()
        else:
            super().keyPressEvent(event)


class LabelPanel(QWidget):
    """Shows the classes; what is chosen here is said by signals."""

    class_chosen = Signal(int)
    """Number of the class that the selected photos shall have."""
    left = Signal()
    """A class was found and chosen; the photos may have the keys again."""
    names_typed = Signal(str)
    """Names of new classes, with commas or line breaks between."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes = ClassModel()
        self.view = ClassView(self._classes)
        self._progress = QProgressBar(textVisible=False)
        self._progress.setAccessibleName(tr("Labelled photos"))
        self._count = PlainLabel()
        self._count.setProperty("muted", True)
        self._search = ClassSearch(tr("Find a class"), tr("Find a class"))
        self._search.setMaximumWidth(130)
        self._accept = QPushButton()
        self._accept.setProperty("primary", True)
        self._accept.setProperty("small", True)
        self._accept.hide()
        self._tools = QHBoxLayout()
        self._tools.setSpacing(2)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._count, 1)
        top.addWidget(self._accept)
        top.addWidget(self._search)
        top.addLayout(self._tools)
        self._empty_buttons = QHBoxLayout()
        self._stack = PageStack()
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(self.view)
        frame = QFrame()
        frame.setObjectName("panel")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(10, 8, 6, 6)
        inside.setSpacing(6)
        inside.addLayout(top)
        inside.addWidget(self._progress)
        inside.addWidget(self._stack, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 0, 2, 6)
        layout.addWidget(frame)
        self.setFocusProxy(self.view)
        self.view.chosen.connect(self.class_chosen)
        self._search.textChanged.connect(self._classes.set_search)
        self._search.first_wanted.connect(self._choose_first)
        self._search.left.connect(self.view.setFocus)
        self.show_classes(ClassList())

    def add_tools(self, accept: QAction, tools: list[QAction], beginnings: list[QAction]) -> None:
        """Put buttons for actions in.

        Args:
            accept: of the proposal.
            tools: on the right.
            beginnings: where there are no classes yet.
        """
        self._accept.clicked.connect(accept.trigger)
        for action in tools:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setIconSize(theme.ICON_SIZE)
            self._tools.addWidget(button)
        for action in beginnings:
            begin = QPushButton(action.iconText())
            begin.setToolTip(action.toolTip())
            begin.clicked.connect(action.trigger)
            self._empty_buttons.addWidget(begin)
        self._empty_buttons.addStretch(1)

    def show_classes(self, classes: ClassList) -> None:
        """Show the classes of the project."""
        self._classes.set_classes(classes)
        self._stack.setCurrentIndex(1 if classes.classes else 0)
        self._search.setVisible(len(classes.classes) >= _SEARCH_FROM)

    def show_counts(self, model: GalleryModel, today: int) -> None:
        """Show how many photos of the list have which class.

        Args:
            model: the photos.
            today: how many were labelled today.
        """
        resolve = model.label_index.resolve
        counts: Counter[int] = Counter()
        labelled = 0
        for label, photos in Counter(row.label for row in model.rows()).items():
            resolved = resolve(label)
            labelled += photos if resolved else 0
            for one in resolved:
                counts[one] += photos
        self._classes.set_counts(counts)
        self._progress.setRange(0, max(1, model.total))
        self._progress.setValue(labelled)
        total = model.total
        count = tr("{labelled} of {total}", labelled=labelled, total=total)
        whole = tr("{labelled} of {total} labelled", labelled=labelled, total=total)
        if today:
            count, whole = (tr("{count} · {n} today", count=one, n=today) for one in (count, whole))
        self._count.setText(count)
        self._count.setToolTip(literal(whole))

    def show_proposal(self, text: str) -> None:
        """Offer what the model proposes for the current photo; "" takes the offer away."""
        self._accept.setVisible(bool(text))
        room = max(_PROPOSAL_PX, self.width() // _PROPOSAL_SHARE)
        room = room // 2 if self._search.isVisible() else room
        shown = self._accept.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        self._accept.setText(shown.replace("&", "&&"))
        self._accept.setToolTip(literal(text))

    def show_current(self, labels: Labels) -> None:
        """Mark the classes of the photo that is shown."""
        self._classes.set_current(labels)

    def focus_classes(self) -> None:
        """Put the cursor where a class is chosen by typing, or into the tiles."""
        if self._search.isVisible():
            self._search.setFocus()
            self._search.selectAll()
        elif self._stack.currentIndex() == 0:
            self._names.setFocus()
        else:
            self.view.setFocus()
            if not self.view.currentIndex().isValid():
                self.view.setCurrentIndex(self._classes.index(0))

    @Slot()
    def _choose_first(self) -> None:
        index = self._classes.index(0)
        if self._search.text() and index.isValid():
            self.view.chosen.emit(self._classes.data(index, Qt.ItemDataRole.UserRole).id)
            self._search.clear()
            self.left.emit()

    def _make_empty(self) -> QWidget:
        empty = QWidget()
        area = ScrollArea(empty)
        said = PlainLabel(
            tr(
                "Sort your photos into classes: name them here, then drag photos onto a class or "
                "press its key."
            ),
            wordWrap=True,
        )
        said.setProperty("muted", True)
        self._names = QLineEdit(placeholderText=tr("cat, dog, …"))
        self._names.setAccessibleName(tr("Names of new classes"))
        self._names.setMinimumWidth(120)
        self._names.returnPressed.connect(self._pass_names)
        add = QPushButton(tr("Add"))
        add.setProperty("primary", True)
        add.clicked.connect(self._pass_names)
        row = QHBoxLayout()
        row.addWidget(self._names, 1)
        row.addWidget(add)
        layout = QVBoxLayout(empty)
        layout.setContentsMargins(0, 0, 4, 4)
        layout.addWidget(said)
        layout.addLayout(row)
        layout.addLayout(self._empty_buttons)
        layout.addStretch(1)
        return area

    @Slot()
    def _pass_names(self) -> None:
        if self._names.text().strip():
            self.names_typed.emit(self._names.text())
            self._names.clear()
