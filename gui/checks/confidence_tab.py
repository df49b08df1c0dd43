"""Whether probabilities mean what they say, and which photos a person should look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.language import number, percent, tr
from gui import theme
from gui.checks.rows import Row, make_rows
from gui.widgets.fields import NarrowBox
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.checks.calibration import Bin
    from core.checks.confidence import Confidence

_SIDE_PX = 120
_FEW = 10
"""Photos; fewer say little, and their bar is pale."""

_FROM = Qt.ItemDataRole.UserRole


class ReliabilityDiagram(QWidget):
    """Draws the share of photos that is right at each probability; the diagonal is as promised."""

    def __init__(self) -> None:
        super().__init__()
        self._bins: tuple[Bin, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Share that is right, by probability"))
        self.setToolTip(
            tr("Share that is right, by probability; pale bars have fewer than 10 photos")
        )

    def show_bins(self, bins: Sequence[Bin]) -> None:
        """Show other bins."""
        self._bins = tuple(bins)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_SIDE_PX + 2, _SIDE_PX + self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(1, 1, _SIDE_PX, _SIDE_PX)
        painter.setPen(QPen(QColor(used.border), 1))
        painter.drawRect(area)
        for one in self._bins:
            if one.photos:
                colour = QColor(used.accent)
                colour.setAlphaF(0.3 if one.photos < _FEW else 0.85)
                height = one.accuracy * area.height()
                left, width = one.low * area.width(), (one.high - one.low) * area.width()
                bar = QRectF(area.left() + left + 1, area.bottom() - height, width - 2, height)
                painter.fillRect(bar, colour)
        painter.setPen(QPen(QColor(used.text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(area.bottomLeft(), area.topRight())
        painter.setPen(QColor(used.muted))
        below = QPointF(area.left(), area.bottom() + self.fontMetrics().ascent() + 3)
        painter.drawText(below, percent(0.0))
        most = percent(1.0)
        across = area.right() - self.fontMetrics().horizontalAdvance(most)
        painter.drawText(QPointF(across, below.y()), most)


class ConfidenceTab(QWidget):
    """Shows the diagram, and from which probability on how many are right.

    Args:
        show_below: called with a probability: photos below it are to be shown.
        name_from: called with the probability from which on classes are to be named in the list;
            0 for the likeliest alone.
        trust_from: called with the probability below which classes are to be called unsure.
    """

    def __init__(
        self,
        show_below: Callable[[float], object],
        name_from: Callable[[float], object],
        trust_from: Callable[[float], object],
    ) -> None:
        super().__init__()
        self._show_below, self._name_from, self._trust_from = show_below, name_from, trust_from
        self._covered = 0.0
        self._from: dict[float, float] = {}
        self._said = PlainLabel(wordWrap=True)
        self._diagram = ReliabilityDiagram()
        self._rows = make_rows(
            tr("Thresholds"), [tr("So many right"), tr("From"), tr("Photos that reach it")], 1
        )
        self._rows.setSortingEnabled(False)
        self._rows.setToolTip(tr("Click a row to see the photos below it"))
        self._rows.itemClicked.connect(self._choose)
        self._rows.itemActivated.connect(self._choose)
        self._limit = QPushButton()
        self._limit.setToolTip(
            tr("The model keeps it: in the list, in results, and in the file where it is saved")
        )
        self._limit.clicked.connect(self._choose_limit)
        self._rows.itemSelectionChanged.connect(self._follow_row)
        self._sets = NarrowBox(20)
        self._sets.setAccessibleName(tr("What the list names"))
        self._sets.activated.connect(self._choose_sets)
        self._lay_out()
        self.forget()

    def _lay_out(self) -> None:
        beside = QHBoxLayout()
        beside.addWidget(self._diagram, 0, Qt.AlignmentFlag.AlignTop)
        beside.addWidget(self._rows, 1)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(PlainLabel(tr("In the list of photos, name")), self._sets)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._said)
        layout.addLayout(beside, 1)
        layout.addWidget(self._limit, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(form)

    def forget(self) -> None:
        """Show nothing."""
        self._said.setText(tr("There are no figures yet."))
        self._rows.clear()
        self._follow_row()
        self._diagram.show_bins(())
        self._clear_sets()
        self._sets.setEnabled(False)

    def show_confidence(self, found: Confidence) -> None:
        """Show what was found; what the list names stays."""
        first, *_ = found.sentences()
        temperature = found.sentences()[1 + len(found.thresholds) :]
        self._said.setText(" ".join([first, *temperature]))
        self._diagram.show_bins(found.reliability)
        self._rows.clear()
        for one in found.thresholds:
            texts = [percent(one.accuracy), percent(one.probability, 1), percent(one.coverage)]
            row = Row(texts, {1: one.probability, 2: one.coverage})
            row.setData(0, _FROM, one.probability)
            self._rows.addTopLevelItem(row)
        self._clear_sets()
        short = []
        for sets in found.conformal:
            if not sets.is_promised:
                short.append(percent(sets.coverage))
                continue
            text = tr(
                "enough classes that {share} of labels are among them ({mean} a photo)",
                share=percent(sets.coverage),
                mean=number(sets.mean_classes, 1),
            )
            self._sets.addItem(text, sets.coverage)
            self._from[sets.coverage] = sets.probability
        self._sets.setEnabled(True)
        if short:
            too_few = tr(
                "There are too few photos to name classes that cover {shares} of labels.",
                shares=", ".join(short),
            )
            self._said.setText(f"{self._said.text()} {too_few}")
        at = max(0, self._sets.findData(self._covered))
        self._sets.setCurrentIndex(at)
        if self._covered:
            self._choose_sets()

    def _clear_sets(self) -> None:
        self._from = {0.0: 0.0}
        self._sets.clear()
        self._sets.addItem(tr("the likeliest class"), 0.0)

    @Slot()
    def _choose_sets(self) -> None:
        """Let the list name as many classes as were chosen; coverage 0 is the likeliest alone."""
        self._covered = float(self._sets.currentData())
        self._name_from(self._from[self._covered])

    def _choose(self, row: QTreeWidgetItem) -> None:
        self._show_below(float(row.data(0, _FROM)))

    @Slot()
    def _follow_row(self) -> None:
        """Offer what the row says, or say that a row is to be chosen."""
        rows = self._rows.selectedItems()
        self._limit.setEnabled(bool(rows))
        self._limit.setText(tr("Say “unsure” below a limit of the table"))
        for row in rows:
            self._limit.setText(tr("Say “unsure” below {probability}", probability=row.text(1)))

    @Slot()
    def _choose_limit(self) -> None:
        for row in self._rows.selectedItems():
            self._trust_from(float(row.data(0, _FROM)))
