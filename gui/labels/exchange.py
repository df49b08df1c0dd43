"""Labels in and out: asks for files, shows what an import would do, opens the dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from gui.message_box import PlainMessageBox

if TYPE_CHECKING:
    from core.labels.exporting import Report
    from core.labels.importing import ImportPlan
    from core.labels.records import Statistics
    from gui.images.gallery_model import GalleryModel
    from gui.labels.label_bridge import LabelBridge
    from gui.labels.labelling import LabelGiver


class LabelExchange(QObject):
    """Imports, exports and statistics of the project that is open."""

    photos_come = Signal(list)
    """Paths that an import brings."""
    moved = Signal(object)
    """File where a photo was → file where an export has put it."""
    noted = Signal(str)
    """What was done, for the bar at the bottom."""
    failed = Signal(object)
    """An exception."""

    def __init__(
        self, window: QWidget, model: GalleryModel, bridge: LabelBridge, giver: LabelGiver
    ) -> None:
        super().__init__()
        self._window, self._model = window, model
        self._bridge, self._giver = bridge, giver
        self._export_target: Path | None = None
        bridge.counted.connect(self._show_statistics)
        bridge.import_planned.connect(self._confirm_import)
        bridge.import_refused.connect(self.failed)
        bridge.photos_moved.connect(self.moved)

    def ask_for_import(self) -> None:
        """Let the user look for a file of labels."""
        file, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Import labels"),
            "",
            self.tr("Labels (*.csv *.tsv *.json *.jsonl *.txt);;All files (*)"),
        )
        if file:
            self.take(Path(file))

    def ask_for_folders(self) -> None:
        """Let the user look for a folder whose subfolders are classes, or with labels in it."""
        folder = QFileDialog.getExistingDirectory(
            self._window, self.tr("Folder whose subfolders are classes, or that holds labels")
        )
        if folder:
            self.take(Path(folder))

    def take(self, source: Path, name: str = "") -> None:
        from core.labels.formats.table import FORMATS

        form = FORMATS[name] if name else None
        self.noted.emit(self.tr("Reading {name}…").format(name=source.name))
        places = {row.path.parent for row in self._model.rows()}
        self._bridge.plan_import(form, source, sorted(places))

    @Slot(object)
    def _confirm_import(self, plan: ImportPlan) -> None:
        self.noted.emit("")
        text = [self.tr("Label {n} photos?").format(n=f"{len(plan.labels):,}")]
        if plan.new_classes:
            text.append(self.tr("{n} new classes.").format(n=f"{len(plan.new_classes):,}"))
        added = sum(self._model.row(path) is None for path in plan.photos)
        if added:
            text.append(
                self.tr("{n} of them are not in the list yet and join it.").format(n=f"{added:,}")
            )
        if plan.differing:
            text.append(
                self.tr("{n} photos have another label now, which is replaced.").format(
                    n=f"{plan.differing:,}"
                )
            )
        box = PlainMessageBox(self._window)
        box.setWindowTitle(self.tr("Import labels"))
        box.setText(" ".join(text))
        box.setInformativeText("\n".join([*plan.notes, self.tr("It can be undone.")]))
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
        box.button(QMessageBox.StandardButton.Yes).setText(self.tr("Import"))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.accepted.connect(lambda: self._import(plan))
        box.open()

    def _import(self, plan: ImportPlan) -> None:
        self.photos_come.emit(plan.photos)
        self._giver.begin(lambda: self._bridge.carry_out_import(plan))

    def export(self) -> None:
        """Open the dialog of exports."""
        from gui.labels.export_dialog import ExportDialog

        target = self._export_target or Path.home() / self.tr("Exported labels")
        dialog = ExportDialog(self._bridge, self._model.book.classes, target, self._window)
        dialog.done_exporting.connect(self._follow_export)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    @Slot(object, str)
    def _follow_export(self, report: Report, target: str) -> None:
        self._export_target = Path(target)
        self.noted.emit(
            self.tr("Exported to {target}. Files written: {n}.").format(
                n=f"{report.written:,}", target=target
            )
        )

    @Slot(object)
    def _show_statistics(self, found: Statistics) -> None:
        from gui.labels.statistics_dialog import StatisticsDialog

        colours = {one.name: one.colour for one in self._model.book.classes.classes}
        dialog = StatisticsDialog(found, colours, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
