"""Labels in and out: asks for files, shows what an import would do, opens the dialogs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog

from core.errors import ClassNamesError, DroplensError
from core.images.kinds import LABELS
from core.labels.requests import CountLabels, Import, PlanImport
from core.language import tr

if TYPE_CHECKING:
    from core.labels.exporting import Report
    from core.labels.importing import ImportPlan
    from core.labels.reading import ReadOptions
    from core.labels.records import Statistics
    from gui.labels.import_dialog import ImportDialog
    from gui.labels.labelling import LabelGiver
    from gui.labels.project import Project
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class LabelExchange(QObject):
    """Imports, exports and statistics of the project that is open."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        window: MainWindow,
        giver: LabelGiver,
        project: Project,
    ) -> None:
        """Wait for what is chosen.

        Args:
            session: has the photos.
            tasks: asks the labels.
            window: over which the dialogs stand.
            giver: applies what is imported in its turn.
            project: takes the photos that an import names; keeps predictions for exports.
        """
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._giver, self._project = giver, project
        self._export_target: Path | None = None
        self._source: Path | None = None
        self._importing: ImportDialog | None = None
        self._planned: ImportPlan | None = None

    def ask_for_import(self) -> None:
        """Let the user look for a file of labels."""
        file, _ = QFileDialog.getOpenFileName(
            self._window,
            tr("Import labels"),
            self._session.settings.last_folder,
            tr("Labels ({endings});;All files (*)", endings=LABELS.pattern),
        )
        if file:
            self.take(Path(file))

    def ask_for_folders(self) -> None:
        """Let the user look for a folder whose subfolders are classes, or with labels in it."""
        folder = QFileDialog.getExistingDirectory(
            self._window,
            tr("Folder whose subfolders are classes, or that holds labels"),
            self._folder(),
        )
        if folder:
            self.take(Path(folder))

    def _folder(self) -> str:
        """Return the folder that was opened last: its subfolders may well be the classes."""
        settings = self._session.settings
        return settings.recent_folders[0] if settings.recent_folders else settings.last_folder

    def count(self) -> None:
        """Show how many photos have which label."""
        self._tasks.ask(CountLabels(), self._show_statistics)

    def take(self, source: Path, name: str = "") -> None:
        """Plan an import and show what it would do.

        Args:
            source: file or folder.
            name: of the format; "" finds it out.
        """
        from core.labels.formats.table import FORMATS

        form = FORMATS[name] if name else None
        self._source = source
        self._window.note(tr("Reading {name}…", name=source.name))
        self._plan(PlanImport(form, source, self._places()))

    def _names_classes(self, path: Path) -> bool:
        """Return whether a file holds as many names as the model in use has classes."""
        from core.models.class_names import lists

        model = self._session.model
        if model is None or not path.is_file():
            return False
        try:
            return lists.fits(lists.read_any(path), model.spec.inspection.num_classes or 0)
        except ClassNamesError:
            return False

    def _plan(self, request: PlanImport) -> None:
        self._tasks.ask(request, self._show_plan, self._show_refusal)

    def _places(self) -> tuple[Path, ...]:
        return tuple(sorted({row.path.parent for row in self._session.photos.rows()}))

    def _show_plan(self, plan: ImportPlan) -> None:
        from gui.labels.import_dialog import ImportDialog

        self._window.note("")
        added = sum(self._session.photos.row(path) is None for path in plan.photos)
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
        planned = self._planned
        self._plan(PlanImport(planned.form, planned.source, self._places(), options))

    def _show_refusal(self, error: BaseException) -> None:
        self._window.note("")
        if self._importing is not None and isinstance(error, DroplensError):
            self._importing.show_refusal(str(error))
        elif self._source is not None and self._names_classes(self._source):
            self._window.reporter.offer(
                tr(
                    "{name} holds no labels, but a name for each class of the model.",
                    name=self._source.name,
                ),
                tr("Name the classes…"),
                partial(self._session.name_classes, self._source),
            )
        else:
            self._window.reporter.report(error)

    @Slot()
    def _forget_dialog(self) -> None:
        if self._importing is not None:
            self._importing.deleteLater()
        self._importing = None

    @Slot(object)
    def _import(self, plan: ImportPlan) -> None:
        self._project.bring(plan.photos)
        self._giver.begin(Import(plan))

    def export(self) -> None:
        """Open the dialog of exports."""
        from gui.labels.export_dialog import ExportDialog

        target = self._export_target or Path.home() / tr("Exported labels")
        dialog = ExportDialog(
            self._tasks,
            self._session.photos.label_index.classes,
            target,
            self._project.keep_predictions,
            self._session.move_photos,
            self._window,
        )
        dialog.done_exporting.connect(self._follow_export)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    @Slot(object, str)
    def _follow_export(self, report: Report, target: str) -> None:
        self._export_target = Path(target)
        self._window.note(
            tr("Exported to {target}. Files written: {n}.", n=report.written, target=target)
        )

    def _show_statistics(self, found: Statistics) -> None:
        from gui.labels.statistics_dialog import StatisticsDialog

        colours = {one.name: one.colour for one in self._session.photos.label_index.classes.classes}
        photos, is_taught = self._session.photos, self._session.taught is not None
        # What was learnt from these labels agrees with them, which says nothing.
        agreement = (0, 0) if is_taught else photos.agreement()
        dialog = StatisticsDialog(found, colours, agreement, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
