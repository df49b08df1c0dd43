"""Where a person sees whether the model is set up right, and what another set-up would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QProgressBar,
    QPushButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.errors import left_out
from core.inference.diagnosing import Diagnose
from core.inference.diagnosis import By, Diagnosis, Finding, sentence_of, what
from core.language import number, percent, tr, tr_n
from gui.checks.rows import Row, make_rows
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.work.handles import Handle
    from gui.session import Session
    from gui.tasks import Tasks

_EMPTY_PX, _FULL_PX = 220, 520
_FILE = Qt.ItemDataRole.UserRole


class DoctorDialog(QDialog):
    """Tries other set-ups, says which fits better, and uses it when it is told to."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        photos: tuple[Path, ...],
        labels: tuple[int, ...],
        look_at: Callable[[Path], object],
        parent: QWidget,
    ) -> None:
        """Make the dialog.

        Args:
            session: whose model is looked at.
            tasks: asks the worker.
            photos: that are looked at.
            labels: the class index of each; empty where they are not known.
            look_at: called with a photo that is to be shown while the dialog keeps the keys.
            parent: the window.
        """
        super().__init__(parent)
        self._session, self._tasks, self._look_at = session, tasks, look_at
        self._diagnosis: Diagnosis | None = None
        self._before: dict[str, object] | None = None
        self._is_changing = False
        self.setWindowTitle(tr("Is the model set up right?"))
        resize_within_screen(self, 620, _EMPTY_PX)
        self._make()
        self._lay_out()
        self._begin(photos, labels)
        session.model_changed.connect(self._follow_model)
        session.model_refused.connect(self._follow_refusal)

    def _make(self) -> None:
        self._heading = PlainLabel(tr("Trying other set-ups"))
        self._heading.setProperty("heading", True)
        self._about = PlainLabel(wordWrap=True)
        self._about.setProperty("muted", True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(tr("Progress"))
        self._findings = make_rows(
            tr("What looks wrong"), [tr("It looks as if"), tr("Now"), tr("Then")], 1
        )
        self._said = PlainLabel(wordWrap=True)
        self._examples = make_rows(
            tr("Photos that are named otherwise then"), [tr("Photo"), tr("Now"), tr("Then")], 3
        )
        for rows in (self._findings, self._examples):
            rows.setSortingEnabled(False)
            rows.hide()
        self._findings.setWordWrap(True)
        self._findings.currentItemChanged.connect(self._show_finding)
        self._examples.currentItemChanged.connect(self._show_photo)

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._use = QPushButton(tr("Use this set-up"))
        self._back = QPushButton(tr("Take it back"))
        for button, slot in ((self._use, self._use_finding), (self._back, self._take_back)):
            button.setAutoDefault(False)
            button.setEnabled(False)
            button.clicked.connect(slot)
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        for widget in (self._heading, self._about, self._bar, self._findings, self._said):
            layout.addWidget(widget)
        layout.addWidget(self._examples, 1)
        layout.addStretch(0)
        layout.addWidget(buttons)
        layout.setStretch(layout.count() - 2, 1)

    def _begin(self, photos: tuple[Path, ...], labels: tuple[int, ...]) -> None:
        said = tr_n("It looks at {n} photo", "It looks at {n} photos", len(photos))
        with_labels = tr("and their labels") if labels else tr("without labels")
        self._about.setText(
            tr(
                "{photos} {with_labels}; of many it takes some. Nothing is changed by it.",
                photos=said,
                with_labels=with_labels,
            )
        )
        self._handle: Handle[None] | None = self._tasks.stream(
            Diagnose(photos, labels), self._take, self._end, self._refuse
        )

    def done(self, result: int) -> None:
        """Look no further."""
        if self._handle is not None:
            self._handle.drop()
            self._handle = None
        super().done(result)

    def _take(self, steps: list[int | Diagnosis]) -> None:
        for step in steps:
            if isinstance(step, Diagnosis):
                self._diagnosis = step
            else:
                self._heading.setText(tr("Trying other set-ups: {n} so far", n=step))

    def _refuse(self, error: BaseException) -> None:
        self._bar.hide()
        self._heading.setText(tr("This cannot be told"))
        self._about.setText(str(error))

    def _end(self) -> None:
        self._bar.hide()
        found = self._diagnosis
        if found is None:
            return
        if not found.findings:
            self._heading.setText(
                tr("It looks set up right") if found.is_told else tr("This cannot be told")
            )
            self._about.setText(self._basis(found))
            return
        self._heading.setText(tr("Something looks wrong"))
        self._about.setText(self._basis(found))
        for finding in found.findings:
            written = _WRITTEN[finding.by]
            row = Row(
                [what(finding), written(finding.before), written(finding.after)], {1: 0, 2: 0}
            )
            self._findings.addTopLevelItem(row)
        self._findings.setMaximumHeight(60 + 34 * len(found.findings))
        self._layout.setStretch(self._layout.count() - 2, 0)
        self._findings.show()
        self._examples.show()
        resize_within_screen(self, self.width(), _FULL_PX)
        self._findings.setCurrentIndex(self._findings.model().index(0, 0))

    def _basis(self, found: Diagnosis) -> str:
        """Return what was found rests on."""
        said = []
        if found.accuracy is not None:
            said.append(
                tr_n(
                    "{share} right on {n} photo as it is set up.",
                    "{share} right on {n} photos as it is set up.",
                    found.photos,
                    share=percent(found.accuracy),
                )
            )
            if not found.findings:
                said.append(tr("Nothing that was tried is surely better."))
        elif found.mismatch is not None:
            said.append(
                tr(
                    "Without labels it is told by the numbers alone that the first batch norm is "
                    "given; label 24 photos or more, and colours, size, cut and the order of class "
                    "names are told as well."
                )
            )
        elif found.recognition is not None:
            said.append(
                tr(
                    "Without labels it is told by how surely photos are known again in their "
                    "mirror images; label 24 photos or more, and size, cut and the order of class "
                    "names are told as well."
                )
            )
        else:
            said.append(
                tr(
                    "The model has no batch norm, so that nothing can be told without labels: "
                    "label 24 photos or more first."
                )
            )
        if found.failed:
            said.append(left_out(found.failed))
        return " ".join(said)

    @Slot()
    def _show_finding(self) -> None:
        finding = self._finding()
        self._examples.clear()
        if finding is None:
            return
        self._said.setText(sentence_of(finding))
        for example in finding.examples:
            row = Row([example.photo.name, example.before, example.after], {})
            row.setData(0, _FILE, str(example.photo))
            self._examples.addTopLevelItem(row)
        self._use.setEnabled(finding.preprocessing is not None or finding.class_names is not None)

    def _finding(self) -> Finding | None:
        at = self._findings.currentIndex().row()
        if self._diagnosis is None or at < 0:
            return None
        return self._diagnosis.findings[at]

    @Slot(QTreeWidgetItem)
    def _show_photo(self, row: QTreeWidgetItem | None) -> None:
        if row is not None:
            self._look_at(Path(row.data(0, _FILE)))

    @Slot()
    def _use_finding(self) -> None:
        """Let the model be set up as the chosen row says; what was set before is kept."""
        finding, model = self._finding(), self._session.model
        if finding is None or model is None:
            return
        if self._before is None:
            before = model.spec.overrides
            self._before = {
                "preprocessing": before.preprocessing,
                "class_names": before.class_names,
            }
        if finding.preprocessing is not None:
            self._change({"preprocessing": finding.preprocessing})
        else:
            self._change({"class_names": finding.class_names})
        self._heading.setText(tr("It is set up so now"))
        self._back.setEnabled(True)

    @Slot()
    def _take_back(self) -> None:
        if self._before is not None:
            self._change(self._before)
            self._heading.setText(tr("It is set up as before"))
            self._back.setEnabled(False)
            self._use.setEnabled(True)

    def _change(self, overrides: dict[str, object]) -> None:
        self._use.setEnabled(False)
        self._is_changing = True
        if not self._session.override_model(overrides):
            self._follow_refusal()

    @Slot()
    def _follow_refusal(self) -> None:
        """Say that what was to be changed was not; the window says why."""
        if self._is_changing:
            self._is_changing = False
            self._heading.setText(tr("It cannot be set up so"))
            self._use.setEnabled(True)

    @Slot()
    def _follow_model(self) -> None:
        """Close where another model is opened: this was about the one before."""
        if not self._is_changing:
            self.reject()
        self._is_changing = False


def _apart(value: float) -> str:
    return tr("{value} apart", value=number(value, 2))


def _bits(value: float) -> str:
    return tr("{value} bits", value=number(value, 2))


_WRITTEN: Mapping[By, Callable[[float], str]] = {"labels": percent, "norm": _apart, "mirror": _bits}
