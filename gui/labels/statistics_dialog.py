"""Where a project stands: how many photos of each class, by day, and how good the model was."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.language import number, percent, tr
from gui import theme
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel, RichLabel
from gui.widgets.scroll_area import ScrollArea

if TYPE_CHECKING:
    from core.labels.records import Statistics

_ROW_PX = 26
_NAME_SHARE = 0.4
_BAR_PX = 8
_COUNT_PX = 70


class CountBars(QWidget):
    """Names with a bar and a number each."""

    def __init__(self, counts: Mapping[str, int], colours: Mapping[str, str]) -> None:
        super().__init__()
        self._counts, self._colours = counts, colours
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(", ".join(f"{name} {number(n)}" for name, n in counts.items()))

    def sizeHint(self) -> QSize:
        return QSize(360, len(self._counts) * _ROW_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        most = max(1, *self._counts.values()) if self._counts else 1
        names = self.width() * _NAME_SHARE
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for place, (name, count) in enumerate(self._counts.items()):
            top = place * _ROW_PX
            painter.setPen(QColor(used.text))
            shown = self.fontMetrics().elidedText(
                name, Qt.TextElideMode.ElideRight, int(names) - 10
            )
            painter.drawText(QRectF(0, top, names, _ROW_PX), left, shown)
            room = self.width() - names - _COUNT_PX
            groove = QRectF(names, top + (_ROW_PX - _BAR_PX) / 2, room, _BAR_PX)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(used.groove))
            painter.drawRoundedRect(groove, 4, 4)
            if count:
                bar = QRectF(groove)
                bar.setWidth(max(_BAR_PX, room * count / most))
                painter.setBrush(QColor(self._colours.get(name, used.accent)))
                painter.drawRoundedRect(bar, 4, 4)
            painter.setPen(QColor(used.muted))
            counted = QRectF(self.width() - _COUNT_PX, top, _COUNT_PX - 4, _ROW_PX)
            painter.drawText(counted, right, number(count))


class StatisticsDialog(QDialog):
    """Counts, as they are on the disk."""

    def __init__(
        self,
        found: Statistics,
        colours: Mapping[str, str],
        agreement: tuple[int, int],
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            found: the counts.
            colours: of the classes, by name.
            agreement: how many labels the model in use agrees with, of how many it has seen.
            parent: the window.
        """
        super().__init__(parent)
        self.setWindowTitle(tr("Statistics"))
        resize_within_screen(self, 560, 560)
        area = ScrollArea(_counts(found, colours, agreement))
        area.setObjectName("panel")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addWidget(area, 1)
        layout.addWidget(buttons)


def _counts(found: Statistics, colours: Mapping[str, str], agreement: tuple[int, int]) -> QWidget:
    """Return the figures, and bars by class and by day."""
    inner = QWidget()
    inside = QVBoxLayout(inner)
    inside.setContentsMargins(20, 16, 20, 16)
    inside.setSpacing(6)
    facts = QHBoxLayout()
    facts.setSpacing(28)
    marks = sum(found.by_mark.values())
    for count, text in (
        (found.labelled, tr("labelled")),
        (marks, tr("unsure or rejected")),
        (found.photos - found.labelled - marks, tr("unlabelled")),
        (found.today, tr("today")),
    ):
        facts.addWidget(_fact(number(count), text))
    facts.addStretch(1)
    inside.addLayout(facts)
    agreed, seen = agreement
    if seen:
        inside.addWidget(
            PlainLabel(
                tr(
                    "The model in use agrees with {agreed} of the {seen} labelled photos that it "
                    "has seen ({share}).",
                    agreed=number(agreed),
                    seen=number(seen),
                    share=percent(agreed / seen),
                ),
                wordWrap=True,
            )
        )
    inside.addWidget(_caption(tr("By class")))
    marked = {
        tr("Unsure"): found.by_mark.get("unsure", 0),
        tr("Rejected"): found.by_mark.get("reject", 0),
    }
    grey = dict.fromkeys(marked, theme.colours().faint)
    inside.addWidget(CountBars({**found.by_class, **marked}, {**colours, **grey}))
    if found.by_day:
        inside.addWidget(_caption(tr("By day")))
        inside.addWidget(CountBars(found.by_day, {}))
    inside.addStretch(1)
    return inner


def _fact(figure: str, text: str) -> QLabel:
    large = f"<span style='font-size:x-large; font-weight:600'>{html.escape(figure)}</span>"
    return RichLabel(f"{large}<br>{html.escape(text)}")


def _caption(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setProperty("muted", True)
    label.setContentsMargins(0, 12, 0, 2)
    return label
