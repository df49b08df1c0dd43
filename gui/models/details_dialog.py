"""What a checkpoint turned out to be, in full; and what only the user can know of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from core.language import percent, tr
from gui.models.preprocessing_words import in_words
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel
from gui.widgets.scroll_area import ScrollArea

if TYPE_CHECKING:
    from core.values.spec import ModelSpec

_SHOWN_ENTRIES = 6
ASK = 2
"""Result of the dialog where the user wants to answer what the file does not say."""


_NO_CHANGE = 0.0005 + 1e-9


class DetailsDialog(QDialog):
    """A list of facts to read and copy, and the choices that no file tells."""

    overrides = Signal(object)
    """Settled."""

    def __init__(self, spec: ModelSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec, self._settled = spec, spec.overrides
        self.setWindowTitle(tr("Details of {title}", title=spec.title))
        resize_within_screen(self, 680, 560)
        self._outputs = self._make_outputs()
        self._unsure = self._make_unsure()
        self._dilation = [QCheckBox(str(stage)) for stage in (2, 3, 4)]
        for box, on in zip(self._dilation, spec.overrides.dilation or (False,) * 3, strict=True):
            box.setChecked(on)
        summary = PlainLabel(spec.summary, wordWrap=True)
        summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = summary.font()
        font.setPointSizeF(font.pointSizeF() * 1.1)
        summary.setFont(font)
        inside = QWidget()
        facts = QVBoxLayout(inside)
        facts.setContentsMargins(14, 12, 14, 12)
        facts.addLayout(self._facts())
        facts.addStretch()
        area = ScrollArea(inside)
        area.setObjectName("panel")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        if spec.inspection.questions:
            ask = buttons.addButton(
                tr("What the file does not say…"), QDialogButtonBox.ButtonRole.ActionRole
            )
            ask.clicked.connect(lambda: self.done(ASK))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(12)
        layout.addWidget(summary)
        layout.addWidget(area, 1)
        if spec.predicts or spec.inspection.can_dilate:
            layout.addLayout(self._choices())
        layout.addWidget(buttons)
        self._outputs.activated.connect(self._settle)
        self._unsure.editingFinished.connect(self._settle)
        for box in self._dilation:
            box.clicked.connect(self._settle)

    def facts(self) -> list[tuple[str, str]]:
        """Return what is known of the file: captions and values."""
        spec, found = self._spec, self._spec.inspection
        matched = tr("{share} of the parameters", share=percent(found.matched, 1))
        names = ", ".join(spec.class_names[:_SHOWN_ENTRIES])
        if len(spec.class_names) > _SHOWN_ENTRIES:
            names += ", …"
        return [
            (tr("File"), str(spec.checkpoint)),
            (tr("SHA-256"), spec.sha256),
            (tr("Architecture"), spec.architecture),
            (tr("Head"), found.head or tr("none")),
            (tr("Classes"), f"{names or tr('none')} ({spec.class_names_source})"),
            (tr("Place in the file"), found.wrapper or tr("at the top")),
            (tr("Prefix of the names"), found.key_prefix or tr("none")),
            (tr("Found"), matched),
            (tr("Missing"), self._entries(found.missing)),
            (tr("Left out"), self._entries(found.unexpected)),
            (tr("Preprocessing"), in_words(spec.preprocessing)[1]),
            (tr("Assumed"), "\n".join(self._assumed()) or tr("nothing")),
        ]

    def _assumed(self) -> list[str]:
        """Return what stands in no file, in sentences."""
        spec = self._spec
        said = list(spec.problems)
        if spec.inspection.is_preprocessing_assumed and spec.overrides.preprocessing is None:
            said.append(
                tr(
                    "The file does not say how photos are prepared; what is usual for "
                    "{title} is assumed. “Preprocessing…” in the Model menu changes it.",
                    title=spec.title,
                )
            )
        return said

    def _entries(self, names: tuple[str, ...]) -> str:
        if not names:
            return tr("nothing")
        shown = ", ".join(names[:_SHOWN_ENTRIES])
        rest = len(names) - _SHOWN_ENTRIES
        return tr("{names} and {n} more", names=shown, n=rest) if rest > 0 else shown

    def _facts(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for caption, text in self.facts():
            label = PlainLabel(caption)
            label.setProperty("muted", True)
            # A break may stand after each separator, so that long paths and hashes wrap.
            value = PlainLabel(_breakable(text), wordWrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(label, value)
        return form

    def _make_outputs(self) -> QComboBox:
        box = QComboBox()
        if self._spec.inspection.num_classes == 1:
            box.addItem(tr("A yes or no (sigmoid)"), "sigmoid")
        else:
            box.addItem(tr("One class of several (softmax)"), "softmax")
            box.addItem(tr("Each class a yes or no (sigmoid)"), "sigmoid")
        box.addItem(tr("Plain values"), "value")
        box.setCurrentIndex(box.findData(self._spec.outputs))
        box.setAccessibleName(tr("What the outputs are"))
        return box

    def _make_unsure(self) -> QDoubleSpinBox:
        box = QDoubleSpinBox(decimals=1, maximum=100.0, singleStep=5.0, suffix="%")
        box.setSpecialValueText(tr("never"))
        box.setValue(100 * self._spec.unsure_below)
        box.setAccessibleName(tr("Unsure below"))
        box.setToolTip(
            tr("A class of less probability is called unsure; the check finds a good limit")
        )
        return box

    def _choices(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        if self._spec.predicts:
            form.addRow(tr("The outputs are"), self._outputs)
            if self._spec.outputs != "value":
                form.addRow(tr("Unsure below"), self._unsure)
        if self._spec.inspection.can_dilate:
            row = QHBoxLayout()
            for box in self._dilation:
                row.addWidget(box)
            row.addStretch()
            holder = QWidget()
            holder.setLayout(row)
            holder.setToolTip(
                tr(
                    "torchvision's replace_stride_with_dilation. No checkpoint tells it; leave "
                    "it off unless the training script set it."
                )
            )
            form.addRow(tr("Dilated stages"), holder)
        return form

    @Slot()
    def _settle(self) -> None:
        one, two, three = (box.isChecked() for box in self._dilation)
        found = self._spec.inspection
        outputs = self._outputs.currentData()
        unsure = self._unsure.value() / 100
        if abs(unsure - self._spec.unsure_below) < _NO_CHANGE:  # the box shows fewer digits
            unsure = self._spec.unsure_below
        settled = replace(
            self._settled,
            outputs=None if outputs == found.outputs else outputs,
            dilation=(one, two, three) if any((one, two, three)) else None,
            unsure_below=None if unsure == found.unsure_below else unsure,
        )
        if settled != self._settled:  # a field is left more often than it is changed
            self._settled = settled
            self.overrides.emit(settled)

    @Slot()
    def _copy(self) -> None:
        lines = [self._spec.summary, *(f"{caption}: {text}" for caption, text in self.facts())]
        QGuiApplication.clipboard().setText("\n".join(lines))


def _breakable(text: str) -> str:
    """Return text with places where a line may break that no copy shows."""
    if len(text) < 40 or " " in text:
        return text
    pieces = [text[at : at + 32] for at in range(0, len(text), 32)] if "/" not in text else None
    return "\u200b".join(pieces) if pieces else text.replace("/", "/\u200b")
