"""Which photos the gallery shows: by label, and by what the model says of them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSpinBox, QToolButton, QVBoxLayout, QWidget

from core.labels.classes import ClassList
from core.labels.label_index import LABEL_FILTERS, Filter, LabelFilter
from core.language import tr
from gui import theme
from gui.labels.class_filter import ClassFilter
from gui.widgets.fields import NarrowBox
from gui.widgets.plain_text import PlainLabel

_DOT_PX = 12


class FilterBar(QWidget):
    """A list of labels; beside it, on demand, the model's class and its least probability."""

    changed = Signal(object)
    """Filter."""
    accept_all_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._class_list = ClassList()
        self._label = NarrowBox(10)
        self._label.setAccessibleName(tr("Show photos by label"))
        self._label.setToolTip(tr("Show photos by label"))
        self._by_model = QToolButton()
        self._by_model.setCheckable(True)
        theme.set_icon(self._by_model, "funnel")
        self._by_model.setToolTip(tr("Show photos by what the model says"))
        self._by_model.setAccessibleName(self._by_model.toolTip())
        self.predicted = ClassFilter(self._tell)
        self._percent = QSpinBox(minimum=0, maximum=100, suffix="%")
        self._percent.setPrefix("≥ ")
        self._percent.setSpecialValueText(tr("however sure"))
        self._percent.setToolTip(tr("Least probability"))
        self._percent.setAccessibleName(tr("Least probability"))
        self._accept = QPushButton(tr("Accept all"))
        self._accept.setProperty("small", True)
        self._accept.setToolTip(
            tr("Give all photos that are shown the class that the model predicts")
        )
        self._lay_out()
        self.set_classes(ClassList())
        self._label.currentIndexChanged.connect(self._tell)
        self._by_model.toggled.connect(self._show_second)
        self._percent.valueChanged.connect(self._tell)
        self._accept.clicked.connect(self.accept_all_wanted)

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self._label, 1)
        first.addWidget(self._by_model)
        self._second = QWidget()
        second = QVBoxLayout(self._second)
        second.setContentsMargins(0, 0, 0, 0)
        second.setSpacing(6)
        row = QHBoxLayout()
        said = PlainLabel(tr("Predicted"))
        said.setProperty("muted", True)
        row.addWidget(said)
        row.addWidget(self.predicted, 1)
        second.addLayout(row)
        row = QHBoxLayout()
        row.addWidget(self._percent)
        row.addStretch(1)
        row.addWidget(self._accept)
        second.addLayout(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addWidget(self._second)
        self._second.hide()

    @property
    def filter(self) -> Filter:
        """Return what is chosen."""
        label, class_id = self._shown_label()
        if not self._by_model.isChecked():
            return Filter(label, class_id)
        return Filter(label, class_id, self.predicted.terms, self._percent.value() / 100)

    def set_filter(self, shown: Filter) -> None:
        """Choose a filter."""
        self.show_filter(shown)
        self._tell()

    def show_filter(self, shown: Filter) -> None:
        """Show which filter holds, and tell nobody."""
        blocked = [QSignalBlocker(one) for one in (self._label, self._percent, self._by_model)]
        self._label.setCurrentIndex(max(0, self._position(shown.label, shown.class_id)))
        by_model = bool(shown.predicted) or shown.at_least > 0
        self._by_model.setChecked(by_model)
        self._second.setVisible(by_model)
        if by_model:
            self.predicted.show_terms(shown.predicted)
            self._percent.setValue(round(shown.at_least * 100))
        del blocked

    def set_classes(self, classes: ClassList) -> None:
        """Offer the classes of the project."""
        if classes == self._class_list and self._label.count():
            return
        self._class_list = classes
        label, class_id = self._shown_label()
        titles = {
            "any": tr("All photos"),
            "none": tr("Unlabelled"),
            "some": tr("Labelled"),
            "disagreeing": tr("Model disagrees"),
            "doubted": tr("Model is unsure"),
            "unsure": tr("Marked unsure"),
            "reject": tr("Rejected"),
        }
        with QSignalBlocker(self._label):
            self._label.clear()
            for name in LABEL_FILTERS[:-1]:
                self._label.addItem(titles[name], (name, 0))
            if classes.classes:
                self._label.insertSeparator(self._label.count())
            for one in classes.classes:
                self._label.addItem(_dot(one.colour), one.name, ("class", one.id))
            self._label.setCurrentIndex(max(0, self._position(label, class_id)))
        if self._shown_label() != (label, class_id):
            self._tell()

    def focus(self) -> None:
        """Put the cursor into the list of labels."""
        self._label.setFocus()

    def focus_prediction(self) -> None:
        """Open the second row and its list of classes."""
        self._by_model.setChecked(True)
        self.predicted.showPopup()

    def _shown_label(self) -> tuple[LabelFilter, int]:
        shown: tuple[LabelFilter, int] = self._label.currentData() or ("any", 0)
        return shown[0], shown[1]

    def _position(self, label: str, class_id: int) -> int:
        found = [n for n in range(self._label.count()) if self._label.itemData(n)]
        wanted = (label, class_id)
        return next((n for n in found if tuple(self._label.itemData(n)) == wanted), -1)

    @Slot(bool)
    def _show_second(self, shown: bool) -> None:
        self._second.setVisible(shown)
        self._tell()

    @Slot()
    def _tell(self) -> None:
        self.changed.emit(self.filter)


def _dot(colour: str) -> QIcon:
    picture = QPixmap(2 * _DOT_PX, 2 * _DOT_PX)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(2, 2, 2 * _DOT_PX - 4, 2 * _DOT_PX - 4)
    painter.end()
    return QIcon(picture)
