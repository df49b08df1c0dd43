"""Labels in and out: asks for files, shows what an import would do, opens the dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from core.errors import DroplensError

if TYPE_CHECKING:
    from core.labels.exporting import Report
    from core.labels.importing import ImportPlan
    from core.labels.reading import ReadOptions
    from core.labels.records import Statistics
    from gui.images.gallery_model import GalleryModel
    from gui.labels.import_dialog import ImportDialog
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
        self._importing: ImportDialog | None = None
        self._planned: ImportPlan | None = None
        bridge.counted.connect(self._show_statistics)
        bridge.import_planned.connect(self._show_plan)
        bridge.import_refused.connect(self._show_refusal)
        bridge.photos_moved.connect(self.moved)

    def ask_for_import(self) -> None:
        """Let the user look for a file of labels."""
        file, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Import labels"),
            "",
            self.tr(
                "Labels (*.csv *.tsv *.xlsx *.json *.jsonl *.ndjson *.manifest *.xml *.txt *.vott)"
                ";;All files (*)"
            ),
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
        self._bridge.plan_import(form, source, self._places())

    def _places(self) -> list[Path]:
        return sorted({row.path.parent for row in self._model.rows()})

    @Slot(object)
    def _show_plan(self, plan: ImportPlan) -> None:
        from gui.labels.import_dialog import ImportDialog

        self.noted.emit("")
        added = sum(self._model.row(path) is None for path in plan.photos)
        if self._importing is None:
            self._importing = ImportDialog(self._window)
            self._importing.options_changed.connect(self._plan_again)
            self._importing.agreed.connect(self._import)
            self._importing.finished.connect(self._forget_dialog)
            self._importing.open()
        self._planned = plan
        self._importing.show_plan(plan, added)

    @Slot(object)
    def _plan_again(self, options: ReadOptions) -> None:
        assert self._planned is not None
        self._bridge.plan_import(self._planned.form, self._planned.source, self._places(), options)

    @Slot(object)
    def _show_refusal(self, error: BaseException) -> None:
        self.noted.emit("")
        if self._importing is not None and isinstance(error, DroplensError):
            self._importing.show_refusal(str(error))
        else:
            self.failed.emit(error)

    @Slot()
    def _forget_dialog(self) -> None:
        if self._importing is not None:
            self._importing.deleteLater()
        self._importing = None

    @Slot(object)
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
