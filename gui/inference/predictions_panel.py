"""The panel on the right: what the model says, which model, which device and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.files import readable
from core.language import percent, tr
from gui import theme
from gui.widgets.plain_text import PlainLabel, literal

if TYPE_CHECKING:
    from core.inference.devices import Device
    from core.inference.engine import ReadyModel
    from core.values.predictions import ClassProbability, Prediction

_ROWS = 5
_BAR_PX = 6
_GAP_PX = 12


class PredictionBars(QWidget):
    """The likeliest classes, each with a bar and its percentage."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._top: tuple[ClassProbability, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_top(self, top: tuple[ClassProbability, ...]) -> None:
        """Show classes, most likely first."""
        self._top = top[:_ROWS]
        said = [f"{one.class_name} {_figure(one)}" for one in self._top]
        self.setAccessibleName(", ".join(said))
        self.setToolTip(literal("\n".join(said)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, len(self._top) * self._row_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(160, len(self._top) * self._row_height())

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 4 + _BAR_PX + _GAP_PX

    def paintEvent(self, event: QPaintEvent) -> None:
        used = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text_height = self.fontMetrics().height()
        for number, one in enumerate(self._top):
            top = number * self._row_height()
            font = QFont(self.font())
            font.setBold(number == 0)
            painter.setFont(font)
            metrics = QFontMetrics(font)
            percent = _figure(one)
            width = metrics.horizontalAdvance(percent)
            line = QRectF(0, top, self.width(), text_height)
            painter.setPen(QColor(used.text))
            name = metrics.elidedText(
                one.class_name, Qt.TextElideMode.ElideRight, self.width() - width - 12
            )
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextDontClip, name)
            painter.setPen(QColor(used.accent if number == 0 else used.muted))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, percent)
            if one.is_plain:  # it fills no bar
                continue
            groove = QRectF(0, top + text_height + 4, self.width(), _BAR_PX)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(used.groove))
            painter.drawRoundedRect(groove, 3, 3)
            bar = QRectF(groove)
            bar.setWidth(max(_BAR_PX, groove.width() * one.probability))
            painter.setBrush(QColor(used.accent))
            painter.setOpacity(1.0 if number == 0 else 0.55)
            painter.drawRoundedRect(bar, 3, 3)
            painter.setOpacity(1.0)


class PredictionsPanel(QWidget):
    """Predictions of the photo that is shown, and where they come from."""

    names_wanted = Signal()
    """The user wants to name the classes."""
    details_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = PredictionBars()
        self._message = PlainLabel(wordWrap=True)
        self._message.setProperty("muted", True)
        self._naming = QPushButton(tr("Name the classes…"))
        self._naming.setToolTip(
            tr("The checkpoint does not carry the names of its classes; most do not")
        )
        theme.set_icon(self._naming, "tags")
        self._naming.hide()
        self._naming.clicked.connect(self.names_wanted)
        self._details = QPushButton(tr("Details…"))
        self._details.setToolTip(tr("All that is known of the checkpoint"))
        self._details.clicked.connect(self.details_wanted)
        self._taught = PlainLabel(wordWrap=True)
        self._taught.hide()
        self._model = self._fact()
        self._classes = self._fact()
        self._device = self._fact()
        facts = QFormLayout()
        facts.setHorizontalSpacing(12)
        facts.setVerticalSpacing(4)
        facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for caption, value in (
            (tr("Model"), self._model),
            (tr("Classes"), self._classes),
            (tr("Device"), self._device),
        ):
            label = PlainLabel(caption)
            label.setProperty("muted", True)
            facts.addRow(label, value)
        frame = QFrame()
        frame.setObjectName("panel")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(14, 12, 14, 12)
        inside.setSpacing(8)
        inside.addWidget(self._message)
        inside.addWidget(self.bars)
        inside.addWidget(self._taught)
        inside.addWidget(self._naming)
        inside.addLayout(facts)
        inside.addWidget(self._details, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 8, 2)
        layout.addWidget(frame)
        self.show_waiting(tr("The model is being loaded…"))

    def show_prediction(self, prediction: Prediction) -> None:
        """Show what the model says of the current photo, or why it says nothing."""
        said = prediction.error or ""
        if prediction.is_unsure:
            said = tr(
                "Unsure: the likeliest class is below {probability}.",
                probability=percent(prediction.model.unsure_below, 1),
            )
        self._message.setVisible(bool(said))
        self._message.setText(said)
        self.bars.setVisible(prediction.error is None)
        self.bars.set_top(prediction.top)

    def show_waiting(self, text: str) -> None:
        """Say what the photo is waiting for."""
        self._message.setText(text)
        self._message.show()
        self.bars.hide()
        self.bars.set_top(())

    @Slot(object)
    def show_model(self, ready: ReadyModel) -> None:
        """Say which model answers, and on which device and why."""
        spec = ready.spec
        self._naming.setVisible(spec.predicts and not spec.is_named)
        self._model.setText(spec.summary)
        self._model.setToolTip(
            literal(
                tr(
                    "{summary}\n{path}\nSHA-256 {sha256}",
                    summary=spec.summary,
                    path=readable(str(spec.checkpoint)),
                    sha256=spec.sha256,
                )
            )
        )
        self._classes.setText(
            tr("{count}, {source}", count=len(spec.class_names), source=spec.class_names_source)
        )
        self.show_device(ready.device)

    def show_taught(self, text: str, classes: int) -> None:
        """Say what the proposals were learnt from, and of how many classes they are.

        Args:
            text: "" where they are the model's own.
            classes: of the labels.
        """
        self._taught.setText(text)
        self._taught.setVisible(bool(text))
        if text:
            self._naming.hide()
            self._classes.setText(tr("{count}, those of your labels", count=classes))

    @Slot(object)
    def show_device(self, device: Device) -> None:
        """Name the device and why it was chosen."""
        self._device.setText(f"{device.title}: {device.reason}")

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._keep_whole()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_whole()

    def _keep_whole(self) -> None:
        """Ask for the height that the wrapped lines need at this width."""
        layout = self.layout()
        if layout is not None:
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))

    def _fact(self) -> QLabel:
        label = PlainLabel("–", wordWrap=True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label


def _figure(one: ClassProbability) -> str:
    """Return a probability, with the raw value beside it where a network has only one."""
    beside = "" if one.value is None or one.is_plain else f"  ({one.value:+.3g})"
    return one.figure(1) + beside
