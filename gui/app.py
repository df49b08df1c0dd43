"""The one place where the objects are made and joined."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QActionGroup, QGuiApplication
from PySide6.QtWidgets import QApplication

from core import settings as settings_file
from core.errors import SettingsError
from core.images.loader import ImageLoader
from core.inference.engine import Engine
from core.inference.speed import Decoding, Speed
from core.models.settlements import Settlements
from gui import theme
from gui.current_photo import CurrentPhoto
from gui.engine_bridge import EngineBridge
from gui.help import check_installation, show_about, show_keys
from gui.images.gallery_model import GalleryModel
from gui.images.gallery_panel import GalleryPanel
from gui.images.opening import Opening
from gui.images.photo_list import PhotoList
from gui.images.viewer import PhotoViewer
from gui.inference.classifying import Classifying
from gui.inference.predictions_panel import PredictionsPanel
from gui.inference.run_bar import RunBar
from gui.inference.saving import ask_where_to_save, save_predictions
from gui.inside.exporting import export_maps, export_table
from gui.inside.inside_panel import InsidePanel
from gui.labels.look_alikes import LookAlikes
from gui.labels.project import LabelProject
from gui.main_window import MainWindow, Panel
from gui.models.model_dialogs import ModelDialogs
from gui.models.model_picker import ModelPicker
from gui.problem_reporter import ProblemReporter

if TYPE_CHECKING:
    from core.crash_reports import CrashReports
    from core.inference.engine import ReadyModel
    from core.inference.predictions import Prediction
    from core.inference.runs import RunOutcome
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.settings import Settings
    from core.versions import NewestVersion


_NEEDING_PHOTOS = (
    "save_predictions",
    "remove_selected",
    "remove_all",
    "classify_again",
    "previous",
    "next",
    "search",
    "zoom_in",
    "zoom_out",
    "fit",
    "actual_size",
    "show_seen",
    "choose_layer",
    "inside_maps",
    "inside_block",
    "inside_evidence",
    "inside_compare",
    "inside_table",
    "remove_map",
    "label_accept",
    "label_accept_all",
    "label_unsure",
    "label_reject",
    "label_clear",
    "label_full_screen",
    "focus_filter",
    "filter_prediction",
    "look_alikes",
    "label_statistics",
    "export_labels",
)
_LABEL_TOOLS = ("undo", "redo", "label_statistics", "edit_classes", "export_labels")
_LABEL_BEGINNINGS = ("edit_classes", "import_labels", "import_folders")
_VIEWER_TOOLS = ("previous", "next", "zoom_out", "zoom_in", "fit", "show_seen")


class Droplens(QObject):
    """The program: window, engine and the ways between them."""

    def __init__(
        self,
        window: MainWindow,
        settings: Settings,
        settings_path: Path,
        make_engine: Callable[..., Engine] = Engine,
        cache: Path | None = None,
        project: Path | None = None,
    ) -> None:
        """Make and join everything.

        Args:
            window: it stands already.
            settings: of last time.
            settings_path: where they are written.
            make_engine: makes the engine.
            cache: folder for what can be made again.
            project: file of the labels; None keeps none.
        """
        super().__init__()
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
        window.actions_table.fill()
        self.window = window
        self.settings = settings
        self._settings_path = settings_path
        self._project_path = project
        self.gallery_model = GalleryModel()
        self.gallery = GalleryPanel(self.gallery_model)
        self.viewer = PhotoViewer()
        self.viewer.add_tools(window.actions_table.some(*_VIEWER_TOOLS))
        self.predictions = PredictionsPanel()
        self.inside = InsidePanel()
        self.reporter = ProblemReporter()
        self.run_bar = RunBar()
        self.project = LabelProject(window, self.gallery, self.gallery_model, window.actions_table)
        window.furnish(self.reporter, self.viewer, self._panels(), self.run_bar)
        settlements = Settlements(settings_path.with_name("models"))
        memory = max(0, settings.inside_megabytes) * 2**20
        engine = partial(
            make_engine,
            settlements=settlements,
            lens_bytes=memory,
            cache=cache,
            speed=self._speed(),
        )
        self.bridge = EngineBridge(engine, ImageLoader())
        self.opening = Opening(window, self.bridge, settings)
        self.picker = ModelPicker(window.model_bar, self.bridge, settings)
        self.model_dialogs = ModelDialogs(
            window, self.picker, self.bridge, settings, lambda: self.gallery.current
        )
        self.classifying = Classifying(self.bridge, self.run_bar)
        self.look_alikes = LookAlikes(self.gallery, self.gallery_model, self.bridge)
        self.photos = PhotoList(
            self.gallery_model, self.gallery, self.classifying, self.project, self.bridge
        )
        self.current = CurrentPhoto(
            self.gallery,
            self.viewer,
            self.predictions,
            self.inside,
            self.bridge,
            self.picker,
            self.classifying,
        )
        self.current.surprised.connect(self.reporter.report)
        self.current.refused.connect(self.reporter.say)
        self._join_photos()
        self._join_labels()
        self._join_model()
        self._join_rest()
        self._join_actions()
        self._restore()

    def start(self, paths: Sequence[Path]) -> None:
        """Let the engine import torch, open the model of last time, and take the paths."""
        self.bridge.warm_up()
        if self._project_path is not None:
            self.project.open(self._project_path)
        if not paths:
            self.run_bar.begin()
            self.window.rehearse()
            self.run_bar.clear()
        self.picker.open_remembered()
        if paths:
            self.opening.add_paths(list(paths))

    @Slot(list)
    def take_call(self, paths: list[Path]) -> None:
        """Come to the front with the paths of another start."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.raise_()
        window.activateWindow()
        if paths:
            self.opening.add_paths(paths)

    @property
    def device(self) -> str:
        """Return what the network runs on, "" where no model is open."""
        ready = self.picker.ready
        return "" if ready is None else f"{ready.device.title}, {ready.device.reason}"

    def report_crash(self, error: BaseException, reports: CrashReports) -> None:
        """Show an error that nobody expected, and keep a report of it."""
        reports.write(error)
        self.reporter.report(error)

    def offer_report(self, reports: CrashReports) -> None:
        """Say that there is a report of last time."""
        path = reports.left_over
        if path is not None:
            reports.note_seen()
            self.reporter.offer(
                self.tr(
                    "Droplens ended unexpectedly last time; no label is lost. A report of it, with "
                    "names of your files, is in {folder}."
                ).format(folder=path.parent),
                self.tr("Begin with an empty list"),
                self.photos.remove_all,
            )

    def _panels(self) -> list[Panel]:
        left = Qt.DockWidgetArea.LeftDockWidgetArea
        right = Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        return [
            Panel("gallery", self.tr("Photos"), self.gallery, left, 330, 750),
            Panel("predictions", self.tr("Predictions"), self.predictions, right, 540, 300),
            Panel("inside", self.tr("Inside"), self.inside, right, 540, 450),
            Panel("labels", self.tr("Labels"), self.project.panel, bottom, 0, 214),
        ]

    # Joining

    def _join_photos(self) -> None:
        window, bridge = self.window, self.bridge
        window.paths_dropped.connect(self.opening.add_paths)
        self.opening.found.connect(self.photos.add_found)
        bridge.pages_saved.connect(self.opening.add_paths)
        self.photos.count_changed.connect(self._show_whether_empty)
        self.photos.emptied.connect(self.reporter.forget_all)
        self.opening.noted.connect(self._note)
        self.opening.refused.connect(self.reporter.say)
        self.opening.checkpoint_given.connect(self.picker.pick_checkpoint)
        self.gallery.thumbnails_wanted.connect(bridge.request_thumbnails)
        bridge.thumbnail_ready.connect(self.gallery.put_thumbnail)

    def _join_labels(self) -> None:
        project, actions = self.project, self.window.actions_table
        project.noted.connect(self._note)
        project.said.connect(self.reporter.say)
        project.failed.connect(self.reporter.report)
        project.label_changed.connect(self.current.show_prediction)
        project.look_alikes_wanted.connect(self.look_alikes.find)
        self.look_alikes.noted.connect(self._note)
        project.path_changed.connect(self._remember_project)
        project.panel.add_tools(
            actions["label_accept"],
            actions.some(*_LABEL_TOOLS),
            actions.some(*_LABEL_BEGINNINGS),
        )
        self.bridge.look_alikes_failed.connect(self.reporter.report)
        # Return belongs to the photos alone; elsewhere it ends what is typed.
        accept = actions["label_accept"]
        self.window.removeAction(accept)
        accept.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        for widget in (self.gallery.view, self.viewer.canvas):
            widget.addAction(accept)

    def _join_model(self) -> None:
        bridge = self.bridge
        self.picker.opening.connect(self._note_opening)
        self.picker.opened.connect(self._use_model)
        self.picker.refused.connect(self._refuse_model)
        dialogs, bar = self.model_dialogs, self.window.model_bar
        bar.class_names_wanted.connect(dialogs.open_class_names)
        bar.preprocessing_wanted.connect(dialogs.open_preprocessing)
        bar.weights_wanted.connect(dialogs.open_weights)
        bar.details_wanted.connect(dialogs.open_details)
        bar.saving_wanted.connect(dialogs.save_model)
        dialogs.noted.connect(self._note)
        dialogs.refused.connect(self.reporter.say)
        self.predictions.names_wanted.connect(dialogs.open_class_names)
        self.predictions.details_wanted.connect(dialogs.open_details)
        self.classifying.predicted.connect(self._note_predictions)
        self.classifying.finished.connect(self._end_run)
        bridge.run_finished.connect(self._note_outcome)
        self.run_bar.problems_clicked.connect(self.reporter.show_list)
        self.reporter.problems_changed.connect(self.run_bar.show_problems)

    def _join_rest(self) -> None:
        window = self.window
        self.bridge.noticed.connect(self.reporter.say)
        self.bridge.failed.connect(self.reporter.report)
        self.bridge.written.connect(self.run_bar.say)
        self.bridge.not_written.connect(self.reporter.report)
        window.closing.connect(self._close)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_scheme)
        self.gallery.order_changed.connect(self._remember_gallery_order)
        self.inside.maps.order_changed.connect(self._remember_maps_order)
        self.inside.tab_changed.connect(self._remember_tab)
        self.inside.maps.export_wanted.connect(self._export_maps)
        self.inside.table.csv_wanted.connect(self._export_table)
        self.viewer.opacity_changed.connect(self._remember_opacity)

    def _join_actions(self) -> None:
        window = self.window
        actions = window.actions_table
        canvas, bar = self.viewer.canvas, window.model_bar
        slots: dict[str, Callable[[], object]] = {
            "open_photos": self.opening.ask_for_photos,
            "open_folder": self.opening.ask_for_folder,
            "open_samples": self.opening.open_samples,
            "paste": self.opening.paste,
            "save_predictions": self.save,
            "remove_selected": self.photos.remove_selected,
            "remove_all": self.photos.remove_all,
            "quit": window.close,
            "open_checkpoint": self.picker.ask_for_checkpoint,
            "choose_architecture": bar.open_architectures,
            "recent_checkpoints": bar.open_checkpoints,
            "open_weights": self.model_dialogs.open_weights,
            "name_classes": self.model_dialogs.open_class_names,
            "edit_preprocessing": self.model_dialogs.open_preprocessing,
            "show_details": self.model_dialogs.open_details,
            "save_model": self.model_dialogs.save_model,
            "choose_device": bar.open_devices,
            "decode_fast": self._change_speed,
            "mixed_precision": self._change_speed,
            "use_shipped": lambda: self.picker.pick_checkpoint(None),
            "classify_again": lambda: self.classify_again(recall=False),
            "stop": self.stop,
            "previous": lambda: self.gallery.step(-1),
            "next": lambda: self.gallery.step(1),
            "search": self.gallery.focus_search,
            "zoom_in": lambda: canvas.zoom_by(1),
            "zoom_out": lambda: canvas.zoom_by(-1),
            "fit": canvas.fit,
            "actual_size": lambda: canvas.zoom_to(1 / canvas.devicePixelRatioF()),
            "choose_layer": self.inside.focus_layer,
            "inside_maps": lambda: self.inside.set_tab("maps"),
            "inside_block": lambda: self.inside.set_tab("block"),
            "inside_evidence": lambda: self.inside.set_tab("evidence"),
            "inside_compare": lambda: self.inside.set_tab("compare"),
            "inside_table": lambda: self.inside.set_tab("table"),
            "remove_map": self.viewer.remove_map,
            "show_keys": lambda: show_keys(window, actions),
            "show_problems": self.reporter.show_list,
            "check_installation": lambda: check_installation(window),
            "look_for_version": self._look_for_version,
            "about": lambda: show_about(window),
            **self.project.slots(),
        }
        actions["label_advance"].setChecked(self.settings.label_advances)
        actions["label_advance"].toggled.connect(self._set_advance)
        self._set_advance(self.settings.label_advances)
        actions["label_full_screen"].toggled.connect(self._label_full_screen)
        for name in ("undo", "redo"):
            actions[name].setEnabled(False)
        actions["decode_fast"].setChecked(self.settings.decoding == "fast")
        actions["mixed_precision"].setChecked(self.settings.mixed_precision)
        for name, slot in slots.items():
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        actions["show_seen"].toggled.connect(canvas.set_show_seen)
        actions["full_screen"].toggled.connect(self._set_full_screen)
        schemes = QActionGroup(self)
        for name in ("system", "light", "dark"):
            action = actions[f"appearance_{name}"]
            schemes.addAction(action)
            action.setChecked(name == self.settings.appearance)
            action.triggered.connect(lambda _=False, name=name: self.set_appearance(name))
        actions.paint_icons()
        self._show_whether_empty()

    def _restore(self) -> None:
        settings = self.settings
        self.gallery.set_order(settings.gallery_order)
        self.inside.maps.set_order(settings.feature_maps_order)
        self.inside.set_tab(settings.inside_tab)
        self.viewer.set_opacity(settings.overlay_opacity)

    # Photos

    def _show_whether_empty(self) -> None:
        """Show drop target or photos; what needs photos can be chosen only with some."""
        empty = self.gallery_model.total == 0
        self.window.show_empty(empty)
        for action in self.window.actions_table.some(*_NEEDING_PHOTOS):
            action.setEnabled(not empty)

    @Slot(str)
    def _note(self, text: str) -> None:
        if not self.classifying.is_running:
            self.run_bar.say(text)

    def save(self) -> None:
        """Write the predictions made so far to a file of the user's choice."""
        path = ask_where_to_save(self.window, self.settings.last_folder)
        if path is None:
            return
        rows = [row for row in self.gallery_model.rows() if row.is_classified]
        made = [row.prediction for row in rows if row.prediction is not None]
        told = self.tr("{n} predictions saved as {path}").format(n=f"{len(made):,}", path=path)
        self.bridge.write(lambda: save_predictions(made, path), told)

    # The model

    @Slot(str)
    def _note_opening(self, name: str) -> None:
        self.classifying.hold()
        self.run_bar.show_busy(self.tr("Loading {name}…").format(name=name))
        if self.picker.ready is None:
            self.current.show_prediction()

    @Slot(object)
    def _use_model(self, ready: ReadyModel) -> None:
        if self.picker.is_by_user:
            self.reporter.hide()  # an earlier model's refusal is history
            if ready.spec.problems:
                self.reporter.say(" ".join(ready.spec.problems))
        has_cuda = any(device.name.startswith("cuda") for device in ready.others)
        self.window.actions_table["mixed_precision"].setEnabled(has_cuda)
        self.predictions.show_model(ready)
        self.project.use_model_names(ready.spec.class_names)
        self.run_bar.say(ready.spec.summary)
        self.classify_again()
        self.current.use_model()
        self._save_settings()

    @Slot(object)
    def _refuse_model(self, error: BaseException) -> None:
        self.run_bar.say("")
        self.reporter.report(error)
        if self.picker.ready is not None and self.picker.ready.spec.predicts:
            rows = self.gallery_model.rows()
            waiting = [row.path for row in rows if not row.is_classified and not row.is_away]
            self.classifying.restart(waiting)

    def _speed(self) -> Speed:
        decoding: Decoding = "fast" if self.settings.decoding == "fast" else "exact"
        return Speed(decoding, self.settings.mixed_precision)

    def _change_speed(self) -> None:
        """Use and remember what the menu says now; photos are classified accordingly."""
        actions, before = self.window.actions_table, self._speed()
        self.settings.decoding = "fast" if actions["decode_fast"].isChecked() else "exact"
        self.settings.mixed_precision = actions["mixed_precision"].isChecked()
        now = self._speed()
        self.bridge.set_speed(now)
        if self.picker.ready is None:
            return
        if now.mixed_precision != before.mixed_precision:
            self.picker.pick_device(self.picker.ready.wanted_device)
        else:
            self.classify_again()

    def classify_again(self, *, recall: bool = True) -> None:
        """Classify all photos with the model in use."""
        if self.picker.ready is None:
            return
        self.gallery_model.forget_predictions()
        self.reporter.forget_photos()
        if self.picker.ready.spec.predicts:
            rows = list(self.gallery_model.rows())
            self.project.meet([row.path for row in rows if row.is_away])  # they may be back
            photos = [row.path for row in rows if not row.is_away]
            self.classifying.restart(photos, recall=recall)
        else:
            self.classifying.hold()
            self.run_bar.say(self.picker.ready.spec.summary)
        self.current.show_prediction()

    def stop(self) -> None:
        """Escape: leave the full screen, else take the enlarged map away, else stop what runs."""
        actions = self.window.actions_table
        for name in ("label_full_screen", "full_screen"):
            if actions[name].isChecked():
                actions[name].setChecked(False)
                return
        if not self.viewer.remove_map():
            self.bridge.stop_look_alikes()
            self.classifying.stop()

    @Slot(list)
    def _note_predictions(self, predictions: list[Prediction]) -> None:
        self.gallery_model.set_predictions(predictions)
        if self.project.path is not None:
            self.project.bridge.note_predictions(predictions)
        for one in predictions:
            if one.error is not None:
                self.reporter.note(one.error)
        if any(one.image == self.gallery.current for one in predictions):
            self.current.show_prediction()
            self.project.show_proposal()

    @Slot()
    def _end_run(self) -> None:
        if self.gallery_model.depends_on_predictions:
            self.gallery_model.arrange()
        self.current.show_prediction()

    @Slot(object)
    def _note_outcome(self, outcome: RunOutcome | None) -> None:
        if outcome is not None:
            self.predictions.show_device(outcome.device.title, outcome.device.reason)
            self.window.model_bar.show_device(outcome.device.title, outcome.device.reason)

    # Labels

    @Slot(bool)
    def _set_advance(self, advances: bool) -> None:
        self.project.giver.advances = advances
        self.settings.label_advances = advances

    @Slot(bool)
    def _label_full_screen(self, full: bool) -> None:
        self.window.set_only("labels" if full else "")
        self.viewer.canvas.setFocus()

    @Slot(object)
    def _remember_project(self, path: Path) -> None:
        self.settings.project = "" if path == settings_file.project_path() else str(path)
        self.window.setWindowTitle(
            "Droplens" if not self.settings.project else f"{path.stem} – Droplens"
        )

    def _save_settings(self) -> None:
        try:
            settings_file.save(self.settings, self._settings_path)
        except SettingsError as error:
            self.reporter.report(error)

    # The rest

    def _look_for_version(self) -> None:
        """Ask the project's page, at the user's wish alone."""
        from core.versions import newest_version

        self._note(self.tr("Looking for a new version…"))
        self.bridge.ask(newest_version, self._tell_version)

    def _tell_version(self, found: NewestVersion) -> None:
        if found.is_newer:
            text = self.tr("Droplens {version} is there; you have {own}. Download it at {page}.")
        else:
            text = self.tr("Droplens {own} is the newest version.")
        self._note("")
        self.reporter.say(text.format(version=found.version, own=found.own, page=found.page))

    def set_appearance(self, appearance: str) -> None:
        """Use "light" or "dark", or follow the "system"."""
        self.settings.appearance = appearance
        theme.set_appearance(appearance)
        self._follow_scheme()

    @Slot()
    def _follow_scheme(self, _: Qt.ColorScheme = Qt.ColorScheme.Unknown) -> None:
        self._apply_theme()
        self.window.follow_scheme()

    def _apply_theme(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply(application)

    @Slot(bool)
    def _set_full_screen(self, full: bool) -> None:
        if full:
            self.window.showFullScreen()
        else:
            self.window.showNormal()

    @Slot(str)
    def _remember_gallery_order(self, order: str) -> None:
        if order != "similar":  # to which photo is not known next time
            self.settings.gallery_order = order

    @Slot(str)
    def _remember_maps_order(self, order: str) -> None:
        self.settings.feature_maps_order = order

    @Slot(str)
    def _remember_tab(self, name: str) -> None:
        self.settings.inside_tab = name

    @Slot(object, str)
    def _export_maps(self, found: FeatureMapsOfPhoto, file: str) -> None:
        told = self.tr("The feature maps are saved as {path}.").format(path=file)
        self.bridge.write(lambda: export_maps(found, Path(file)), told)

    @Slot(str)
    def _export_table(self, file: str) -> None:
        table = self.inside.table.model.table
        if table is not None:
            told = self.tr("The layer table is saved as {path}.").format(path=file)
            self.bridge.write(lambda: export_table(table, Path(file)), told)

    @Slot(int)
    def _remember_opacity(self, percent: int) -> None:
        self.settings.overlay_opacity = percent

    @Slot()
    def _close(self) -> None:
        """Remember, stop, wait for one batch at most; then the window may go."""
        geometry, state = self.window.saved_layout()
        self.settings.window_geometry, self.settings.window_state = geometry, state
        self._save_settings()
        self.window.hide()
        self.project.shut_down()
        self.bridge.shut_down()
