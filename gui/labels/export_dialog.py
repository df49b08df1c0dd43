"""Where a person exports labels: what, in which form, where to; what would be written shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import shiboken6
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.labels.formats.table import FORMATS, Format
from core.labels.plans import ExportOptions, Split, Transfer
from core.labels.requests import Export, Exported, PlanExport
from core.language import number, tr
from gui import theme
from gui.widgets.dialog_size import resize_within_screen
from gui.widgets.fields import row
from gui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from core.labels.classes import ClassList
    from core.labels.exporting import Report
    from core.labels.plans import Plan
    from core.work.handles import Handle
    from gui.tasks import Tasks

_SHOWN = 12
_SETTLE_MS = 250


class ExportDialog(QDialog):
    """Asks for a plan at every change, so that what is shown is what would be written."""

    done_exporting = Signal(object, str)
    """Report, and where to."""

    def __init__(
        self,
        tasks: Tasks,
        classes: ClassList,
        target: Path,
        keep_predictions: Callable[[], object],
        on_moved: Callable[[dict[str, str]], object],
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            tasks: asks the labels.
            classes: of the project.
            target: where to, if nothing else is chosen.
            keep_predictions: called before each plan, which is made of what the project has.
            on_moved: called with files that were moved, also once the dialog is closed.
            parent: the window.
        """
        super().__init__(parent)
        self._tasks, self._on_moved = tasks, on_moved
        self._keep_predictions = keep_predictions
        self._running: Handle[None] | None = None
        self._report: Report | None = None
        self._plan: Plan | None = None
        self._folder = str(target.parent)
        self.setWindowTitle(tr("Export labels"))
        resize_within_screen(self, 640, 620)
        self._make_fields(classes)
        self._preview = QPlainTextEdit(readOnly=True, tabChangesFocus=True)
        self._preview.setAccessibleName(tr("What would be written"))
        self._message = PlainLabel(wordWrap=True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.hide()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._go = QPushButton(tr("Export"))
        self._go.setEnabled(False)
        self._go.setProperty("primary", True)
        self._buttons.addButton(self._go, QDialogButtonBox.ButtonRole.ActionRole)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._ask_plan)
        self._lay_out()
        self._target.setText(str(target))
        self._join()
        self._follow_format()

    # Making

    def _make_fields(self, classes: ClassList) -> None:
        self._format = QComboBox()
        for form in FORMATS.values():
            if form.write is not None:
                self._format.addItem(str(form.title), form.name)
        self._which = QComboBox()
        for title, which in (
            (tr("Labelled photos"), "labelled"),
            (tr("Only those that I corrected"), "corrected"),
            (tr("Only those where the model disagrees"), "disagreeing"),
            (tr("All photos of the list"), "all"),
        ):
            self._which.addItem(title, which)
        self._class = QComboBox()
        self._class.addItem(tr("Of all classes"), None)
        for one in classes.classes:
            self._class.addItem(one.name, one.name)
        self._target = QLineEdit()
        self._target.setAccessibleName(tr("Where to"))
        self._browse = QPushButton(tr("Choose…"))
        self._browse.setAutoDefault(False)
        self._transfer = QComboBox()
        titles: dict[Transfer, str] = {
            "copy": tr("Copy the photos"),
            "link": tr("Link them (no room needed, same disk only)"),
            "move": tr("Move them (they leave their folders)"),
        }
        for transfer, title in titles.items():
            self._transfer.addItem(title, transfer)
        assert set(titles) == set(get_args(Transfer))
        self._keep_folders = QCheckBox(tr("Keep subfolders"))
        self._predictions = QCheckBox(tr("With the model's predictions"))
        self._split = QCheckBox(tr("Split into train, val, test"))
        self._shares = [QSpinBox(maximum=100, suffix="%", value=value) for value in (80, 10, 10)]
        for box, name in zip(self._shares, ("train", "val", "test"), strict=True):
            box.setAccessibleName(tr("Share of {name}", name=name))
        self._seed = QSpinBox(maximum=10**6, prefix=tr("seed "))
        self._seed.setAccessibleName(tr("Seed of the split"))
        self._template = QLineEdit(placeholderText=tr("none; image_id,label"))
        self._browse_template = QPushButton(tr("Choose…"))
        self._browse_template.setAutoDefault(False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Format"), self._format)
        what = row(self._which, self._class, first_grows=True)
        form.addRow(tr("Photos"), what)
        form.addRow(tr("Where to"), row(self._target, self._browse, first_grows=True))
        form.addRow(tr("How"), self._transfer)
        template = row(self._template, self._browse_template, first_grows=True)
        form.addRow(tr("Template"), template)
        form.addRow("", row(self._split, *self._shares, self._seed, first_grows=True))
        form.addRow("", row(self._keep_folders, self._predictions, first_grows=True))
        self._form, self._template_row = form, template
        written = PlainLabel(tr("What would be written"))
        written.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addWidget(written)
        layout.addWidget(self._preview, 1)
        layout.addWidget(self._message)
        layout.addWidget(self._bar)
        layout.addWidget(self._buttons)

    def _join(self) -> None:
        self._format.currentIndexChanged.connect(self._follow_format)
        for box in (self._which, self._class, self._transfer):
            box.currentIndexChanged.connect(self._settle.start)
        for check in (self._keep_folders, self._predictions, self._split):
            check.toggled.connect(self._settle.start)
        self._split.toggled.connect(self._follow_split)
        for spin in (*self._shares, self._seed):
            spin.valueChanged.connect(self._settle.start)
        for line in (self._target, self._template):
            line.textChanged.connect(self._settle.start)
        self._browse.clicked.connect(self._ask_target)
        self._browse_template.clicked.connect(self._ask_template)
        self._go.clicked.connect(self._export)
        self._buttons.rejected.connect(self.reject)

    # What is chosen

    @property
    def format(self) -> Format:
        """Return the form that is chosen."""
        return FORMATS[self._format.currentData()]

    @property
    def target(self) -> Path | None:
        """Return where to, None where nothing is named yet."""
        text = self._target.text().strip()
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        if not self.format.takes_photos and not path.suffix:
            path = path.with_name(path.name + self.format.ending)
        return path

    def set_target(self, path: Path) -> None:
        """Say where to."""
        self._target.setText(str(path))

    def set_format(self, name: str) -> None:
        """Choose a form."""
        self._format.setCurrentIndex(self._format.findData(name))

    @property
    def options(self) -> ExportOptions:
        """Return what else is chosen, as far as it means something for the form."""
        form = self.format
        split: Split | None = None
        if form.splits and self._split.isChecked() and self._shares[0].value():
            train, val, test = (box.value() / 100 for box in self._shares)
            split = (train, val, test)
        template = self._template.text().strip()
        return ExportOptions(
            self._transfer.currentData() if form.takes_photos else "copy",
            form.keeps_folders and self._keep_folders.isChecked(),
            split,
            self._seed.value(),
            form.says_predictions and self._predictions.isChecked(),
            Path(template) if form.takes_template and template else None,
        )

    @Slot()
    def _follow_format(self) -> None:
        form = self.format
        self._form.setRowVisible(self._transfer, form.takes_photos)
        self._form.setRowVisible(self._template_row, form.takes_template)
        for widget in (self._split, *self._shares, self._seed):
            widget.setVisible(form.splits)
        self._keep_folders.setVisible(form.keeps_folders)
        self._predictions.setVisible(form.says_predictions)
        if form.name == "yolo":
            self._split.setChecked(True)
        self._follow_split()
        target = self.target
        if target is not None and bool(target.suffix) == form.takes_photos:
            named = target.with_suffix("") if form.takes_photos else target.with_suffix(form.ending)
            self._target.setText(str(named))
        self._settle.start()

    @Slot()
    def _follow_split(self) -> None:
        for box in (*self._shares, self._seed):
            box.setEnabled(self._split.isChecked())

    @Slot()
    def _ask_target(self) -> None:
        form = self.format
        if form.takes_photos:
            title = tr("Folder for the export")
            chosen = QFileDialog.getExistingDirectory(self, title, self._folder)
        else:
            chosen, _ = QFileDialog.getSaveFileName(
                self,
                tr("Export labels"),
                str(Path(self._folder) / f"labels{form.ending}"),
                f"{form.title} (*{form.ending})",
            )
        if chosen:
            self._target.setText(chosen)

    @Slot()
    def _ask_template(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self, tr("Sample submission"), self._folder, tr("Tables (*.csv)")
        )
        if file:
            self._template.setText(file)

    # The plan

    @Slot()
    def _ask_plan(self) -> None:
        self._plan = None
        self._go.setEnabled(self._go.hasFocus())  # else the focus goes on to "Close"
        if self._is_exporting:
            return
        if self.target is None:
            self._preview.clear()
            self._say(tr("Choose where to write to."))
            return
        which, only_class = self._which.currentData(), self._class.currentData()
        self._keep_predictions()
        request = PlanExport(which, only_class, self.format, self.target, self.options)
        self._tasks.ask(request, self._show_plan, self._show_refusal)

    def _show_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._go.setEnabled(not self._is_exporting)
        lines = [one.target for one in plan.files[:_SHOWN]]
        if len(plan.files) > _SHOWN:
            more = number(len(plan.files) - _SHOWN)
            lines.append(tr("… and {n} more photos", n=more))
        lines += plan.texts
        self._preview.setPlainText("\n".join(lines).encode("utf-8", "replace").decode())
        said = [
            tr(
                "Photos: {photos}. Files with labels: {files}.",
                photos=len(plan.files),
                files=len(plan.texts),
            )
            if plan.files
            else tr("One file with labels; no photos are copied.")
            if len(plan.texts) == 1
            else tr("Files with labels: {n}; no photos are copied.", n=len(plan.texts)),
            *plan.notes,
        ]
        self._say(" ".join(said))

    def _show_refusal(self, error: BaseException) -> None:
        self._plan = None
        self._go.setEnabled(False)
        self._preview.clear()
        self._say(str(error), warns=True)

    # Exporting

    @property
    def _is_exporting(self) -> bool:
        return self._running is not None

    @Slot()
    def _export(self) -> None:
        if self._running is not None:
            self._running.stop()
            return
        if self._plan is None or self.target is None:
            return
        self._report = None
        self._go.setText(tr("Stop"))
        self._bar.setRange(0, max(1, len(self._plan.files)))
        self._bar.setValue(0)
        self._bar.show()
        request = Export(self._plan, self.format, self.target, self.options)
        self._running = self._tasks.stream(
            request, partial(_follow, self, self._on_moved), self._show_report, self._show_failure
        )

    def show_progress(self, item: Exported | Report) -> None:
        """Show how far the export is, or keep what came of it."""
        if isinstance(item, Exported):
            self._bar.setValue(item.done)
            self._say(tr("{done} of {total}", done=item.done, total=item.total))
        else:
            self._report = item

    def _show_report(self) -> None:
        self._end()
        report = self._report
        if report is None or report.is_stopped:
            self._say(tr("Stopped. Exporting again goes on from here."))
            return
        self.done_exporting.emit(report, str(self.target))
        said = [tr("Done. Files written: {n}.", n=report.written)]
        if report.present:
            said.append(tr("There already: {n}.", n=report.present))
        self._say(" ".join([*said, *report.failed[:3]]), warns=bool(report.failed))

    def _show_failure(self, error: BaseException) -> None:
        self._end()
        self._say(str(error), warns=True)

    def _end(self) -> None:
        self._running = None
        self._bar.hide()
        self._go.setText(tr("Export"))
        self._go.setEnabled(self._plan is not None)

    def _say(self, text: str, *, warns: bool = False) -> None:
        used = theme.colours()
        self._message.setStyleSheet(f"color: {used.warning if warns else used.muted}")
        self._message.setText(text)

    def reject(self) -> None:
        if self._running is not None:
            self._running.stop()
        super().reject()


def _follow(
    dialog: ExportDialog,
    on_moved: Callable[[dict[str, str]], object],
    news: list[Exported | Report],
) -> None:
    """Tell of moved files whether the dialog is still there or not."""
    for item in news:
        if isinstance(item, Exported) and item.moved:
            on_moved(dict(item.moved))
        if shiboken6.isValid(dialog):
            dialog.show_progress(item)
