"""The one place where the objects are made and joined."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QActionGroup, QGuiApplication
from PySide6.QtWidgets import QApplication

from core import settings as settings_file
from core.errors import DroplensError, SettingsError, UnreadableImageError
from core.images.loader import ImageLoader
from core.inference.engine import Engine
from gui import theme
from gui.engine_bridge import EngineBridge
from gui.help import show_about, show_keys
from gui.images.gallery_model import GalleryModel
from gui.images.gallery_panel import GalleryPanel
from gui.images.opening import Opening
from gui.images.viewer import PhotoViewer
from gui.inference.classifying import Classifying
from gui.inference.predictions_panel import PredictionsPanel
from gui.inference.run_bar import RunBar
from gui.inference.saving import ask_where_to_save, save_predictions
from gui.inside.feature_maps_panel import FeatureMapsPanel
from gui.main_window import MainWindow, Panel
from gui.models.model_picker import ModelPicker
from gui.problem_reporter import ProblemReporter

if TYPE_CHECKING:
    from core.images.loader import ViewedPhoto
    from core.inference.engine import ReadyModel, RunOutcome
    from core.inference.predictions import Prediction
    from core.inside.feature_maps import FeatureMapsOfPhoto, Layer
    from core.settings import Settings


_VIEWER_TOOLS = ("previous", "next", "zoom_out", "zoom_in", "fit", "show_seen")


class Droplens(QObject):
    """The program: window, engine and the ways between them."""

    def __init__(
        self,
        window: MainWindow,
        settings: Settings,
        settings_path: Path,
        make_engine: Callable[[Callable[[str], None]], Engine] = Engine,
    ) -> None:
        super().__init__()
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
        self.window = window
        self.settings = settings
        self._settings_path = settings_path
        self.gallery_model = GalleryModel()
        self.gallery = GalleryPanel(self.gallery_model)
        self.viewer = PhotoViewer()
        self.viewer.add_tools(window.actions_table.some(*_VIEWER_TOOLS))
        self.predictions = PredictionsPanel()
        self.feature_maps = FeatureMapsPanel()
        self.reporter = ProblemReporter()
        self.run_bar = RunBar()
        window.furnish(self.reporter, self.viewer, self._panels(), self.run_bar)
        self.bridge = EngineBridge(make_engine, ImageLoader())
        self.opening = Opening(window, self.bridge, settings)
        self.picker = ModelPicker(window.model_bar, self.bridge, settings)
        self.classifying = Classifying(self.bridge, self.run_bar)
        self._join_photos()
        self._join_model()
        self._join_inside()
        self._join_rest()
        self._join_actions()
        self._restore()

    def start(self, paths: Sequence[Path]) -> None:
        """Let the engine import torch, open the model of last time, and take the paths."""
        self.bridge.warm_up()
        self.picker.open_remembered()
        if paths:
            self.opening.add_paths(list(paths))

    def _panels(self) -> list[Panel]:
        left = Qt.DockWidgetArea.LeftDockWidgetArea
        right = Qt.DockWidgetArea.RightDockWidgetArea
        return [
            Panel("gallery", self.tr("Photos"), self.gallery, left, 330, 750),
            Panel("predictions", self.tr("Predictions"), self.predictions, right, 340, 330),
            Panel("featureMaps", self.tr("Feature maps"), self.feature_maps, right, 340, 420),
        ]

    # Joining

    def _join_photos(self) -> None:
        window, bridge = self.window, self.bridge
        window.paths_dropped.connect(self.opening.add_paths)
        self.opening.found.connect(self._add_found)
        bridge.search_finished.connect(self._arrange_found)
        self.opening.noted.connect(self._note)
        self.opening.refused.connect(self.reporter.say)
        self.opening.checkpoint_given.connect(self.picker.pick_checkpoint)
        self.gallery.current_changed.connect(self._show_current)
        self.gallery.thumbnails_wanted.connect(bridge.request_thumbnails)
        self.viewer.canvas.stepped.connect(self.gallery.step)
        bridge.thumbnail_ready.connect(self.gallery.put_thumbnail)
        bridge.photo_ready.connect(self._show_photo)
        bridge.photo_failed.connect(self._show_photo_error)

    def _join_model(self) -> None:
        bridge = self.bridge
        self.picker.opening.connect(self._note_opening)
        self.picker.opened.connect(self._use_model)
        self.picker.refused.connect(self._refuse_model)
        self.classifying.predicted.connect(self._note_predictions)
        self.classifying.finished.connect(self._end_run)
        bridge.run_finished.connect(self._note_outcome)
        self.run_bar.problems_clicked.connect(self.reporter.show_list)
        self.reporter.problems_changed.connect(self.run_bar.show_problems)

    def _join_inside(self) -> None:
        bridge = self.bridge
        bridge.layers_listed.connect(self._offer_layers)
        bridge.feature_maps_ready.connect(self._show_maps)
        bridge.feature_maps_failed.connect(self._show_maps_error)
        self.feature_maps.layer_chosen.connect(self._request_maps)
        self.feature_maps.map_chosen.connect(self.viewer.show_map)
        self.viewer.map_removed.connect(self.feature_maps.forget_channel)

    def _join_rest(self) -> None:
        window = self.window
        self.bridge.noticed.connect(self.reporter.say)
        self.bridge.failed.connect(self.reporter.report)
        window.closing.connect(self._close)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_scheme)
        self.gallery.order_changed.connect(self._remember_gallery_order)
        self.feature_maps.order_changed.connect(self._remember_maps_order)
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
            "remove_selected": self.remove_selected,
            "remove_all": self.remove_all,
            "quit": window.close,
            "open_checkpoint": self.picker.ask_for_checkpoint,
            "choose_architecture": bar.open_architectures,
            "recent_checkpoints": bar.open_checkpoints,
            "open_class_names": self.picker.ask_for_class_names,
            "choose_device": bar.open_devices,
            "use_shipped": lambda: self.picker.pick_checkpoint(None),
            "classify_again": self.classify_again,
            "stop": self.stop,
            "previous": lambda: self.gallery.step(-1),
            "next": lambda: self.gallery.step(1),
            "search": self.gallery.focus_search,
            "zoom_in": lambda: canvas.zoom_by(1),
            "zoom_out": lambda: canvas.zoom_by(-1),
            "fit": canvas.fit,
            "actual_size": lambda: canvas.zoom_to(1 / canvas.devicePixelRatioF()),
            "choose_layer": self.feature_maps.focus_layer,
            "remove_map": self.viewer.remove_map,
            "show_keys": lambda: show_keys(window, actions.all()),
            "show_problems": self.reporter.show_list,
            "about": lambda: show_about(window),
        }
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

    def _restore(self) -> None:
        settings = self.settings
        self.gallery.set_order(settings.gallery_order)
        self.feature_maps.set_order(settings.feature_maps_order)
        self.viewer.set_opacity(settings.overlay_opacity)

    # Photos

    @Slot(list)
    def _add_found(self, paths: list[Path]) -> None:
        new = self.gallery_model.add(paths)
        # In another order than "as added" they are sorted in when the search is over.
        self.window.show_empty(self.gallery_model.total == 0)
        self.classifying.add(new)

    @Slot()
    def _arrange_found(self) -> None:
        if self.settings.gallery_order != "added":
            self.gallery_model.arrange()

    @Slot(str)
    def _note(self, text: str) -> None:
        if not self.classifying.is_running:
            self.run_bar.say(text)

    def remove_selected(self) -> None:
        """Take the selected photos off the list; their files stay."""
        selected = self.gallery.selected()
        self.classifying.forget(selected)
        self.gallery_model.remove(selected)
        self.window.show_empty(self.gallery_model.total == 0)

    def remove_all(self) -> None:
        """Empty the list; the files stay."""
        self.bridge.stop_searches()
        self.classifying.stop()
        self.gallery_model.clear()
        self.reporter.forget_all()
        self.window.show_empty(True)

    def save(self) -> None:
        """Write the predictions made so far to a file of the user's choice."""
        path = ask_where_to_save(self.window, self.settings.last_folder)
        if path is None:
            return
        made = [row.prediction for row in self.gallery_model.rows() if row.prediction is not None]
        try:
            save_predictions(made, path)
        except DroplensError as error:
            self.reporter.report(error)
            return
        self.run_bar.say(
            self.tr("{n} predictions saved as {path}").format(n=f"{len(made):,}", path=path)
        )

    # The current photo

    @Slot(object)
    def _show_current(self, path: Path | None) -> None:
        if path is None:
            self.viewer.clear()
            self.feature_maps.clear()
            self.predictions.show_waiting("")
            return
        self.viewer.announce(path.name)
        ready = self.picker.ready
        self.bridge.view(path, ready.spec.preprocessing if ready is not None else None)
        self.classifying.put_first(path)
        self._show_prediction()
        self._request_maps()

    def _show_prediction(self) -> None:
        current = self.gallery.current
        row = self.gallery_model.row(current) if current is not None else None
        panel = self.predictions
        if row is not None and row.prediction is not None:
            panel.show_prediction(row.prediction)
        elif self.picker.ready is None:
            panel.show_waiting(self.tr("The model is being loaded…"))
        elif self.classifying.is_running:
            panel.show_waiting(self.tr("Waiting for its turn…"))
        else:
            panel.show_waiting(self.tr("Not classified. F5 classifies all photos again."))

    @Slot(object)
    def _show_photo(self, photo: ViewedPhoto) -> None:
        if photo.path == self.gallery.current:
            self.viewer.show_photo(photo)
            self.feature_maps.enlarge_again(photo.path)

    @Slot(object)
    def _show_photo_error(self, error: BaseException) -> None:
        self.viewer.show_error(self._expected(error))

    # The model

    @Slot(str)
    def _note_opening(self, name: str) -> None:
        self.classifying.hold()
        self.run_bar.say(self.tr("Loading {name}…").format(name=name))
        if self.picker.ready is None:
            self._show_prediction()

    @Slot(object)
    def _use_model(self, ready: ReadyModel) -> None:
        self.predictions.show_model(ready)
        self.run_bar.say(ready.spec.summary)
        self.viewer.remove_map()
        self.bridge.list_layers()
        self.classify_again()
        self._save_settings()
        current = self.gallery.current
        if current is not None:
            self.bridge.view(current, ready.spec.preprocessing)

    @Slot(object)
    def _refuse_model(self, error: BaseException) -> None:
        self.run_bar.say("")
        self.reporter.report(error)
        if self.picker.ready is not None:
            waiting = [row.path for row in self.gallery_model.rows() if row.prediction is None]
            self.classifying.restart(waiting)

    def classify_again(self) -> None:
        """Classify all photos with the model in use."""
        if self.picker.ready is None:
            return
        self.gallery_model.forget_predictions()
        self.reporter.forget_photos()
        self.classifying.restart([row.path for row in self.gallery_model.rows()])
        self._show_prediction()

    def stop(self) -> None:
        """Escape: take the enlarged map away, else stop classifying."""
        if not self.viewer.remove_map():
            self.classifying.stop()

    @Slot(list)
    def _note_predictions(self, predictions: list[Prediction]) -> None:
        self.gallery_model.set_predictions(predictions)
        for one in predictions:
            if one.error is not None:
                self.reporter.note(one.error)
        if any(one.image == self.gallery.current for one in predictions):
            self._show_prediction()

    @Slot()
    def _end_run(self) -> None:
        if self.gallery_model.depends_on_predictions:
            self.gallery_model.arrange()
        self._show_prediction()

    @Slot(object)
    def _note_outcome(self, outcome: RunOutcome | None) -> None:
        if outcome is not None:
            self.predictions.show_device(outcome.device.title, outcome.device.reason)
            self.window.model_bar.show_device(outcome.device.title, outcome.device.reason)

    def _save_settings(self) -> None:
        try:
            settings_file.save(self.settings, self._settings_path)
        except SettingsError as error:
            self.reporter.report(error)

    # The inside

    @Slot(object)
    def _offer_layers(self, layers: tuple[Layer, ...]) -> None:
        self.feature_maps.set_layers(layers)

    @Slot()
    def _request_maps(self) -> None:
        current, layer = self.gallery.current, self.feature_maps.layer
        if current is not None and layer is not None and self.picker.ready is not None:
            self.bridge.request_feature_maps(current, layer.name, layer.call)

    @Slot(object)
    def _show_maps(self, found: FeatureMapsOfPhoto) -> None:
        if found.image == self.gallery.current:
            self.feature_maps.show_maps(found)

    @Slot(object)
    def _show_maps_error(self, error: BaseException) -> None:
        sentence = self._expected(error)
        if isinstance(error, UnreadableImageError):  # the viewer says why
            sentence = self.tr("No feature maps for this photo.")
        self.feature_maps.show_error(sentence)

    def _expected(self, error: BaseException) -> str:
        """Return the sentence for a panel; an unexpected error is reported as well."""
        if isinstance(error, DroplensError):
            return str(error)
        self.reporter.report(error)
        return self.tr("This did not work; see the message above.")

    # The rest

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
        self.settings.gallery_order = order

    @Slot(str)
    def _remember_maps_order(self, order: str) -> None:
        self.settings.feature_maps_order = order

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
        self.bridge.shut_down()
