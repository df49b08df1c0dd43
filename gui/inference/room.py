"""The room of the predictions: the run over all photos, and what the model says of one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QFileDialog

from core.inference.requests import SavePredictions, WarmUp
from core.inference.speed import FAST_AGREEMENT, Decoding, Speed
from core.language import percent, tr
from gui.actions import Action
from gui.inference.classifying import Classifying
from gui.inference.predictions_panel import PredictionsPanel
from gui.inference.run_bar import RunBar
from gui.room import Room
from gui.workspaces import CLASSIFY, Panel

if TYPE_CHECKING:
    from core.inference.engine import ReadyModel
    from core.values.predictions import Prediction
    from core.values.spec import ModelSpec
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_PAINT_MS = 10
_SETTLE_MS = 150
_MOST_RENAMED = 5_000
"""Photos whose predictions are renamed at once; of more, they come from the cache in portions."""
_ENDINGS = (".csv", ".json")


class InferenceRoom(Room):
    """Classifies photos as they come, and shows the prediction of the current one."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.panel = PredictionsPanel()
        self._is_taught = self._is_told = False
        self._spec: ModelSpec | None = None
        self.bar = RunBar()
        self.classifying = Classifying(session, tasks, self.bar, self._speed())
        window.set_bottom(self.bar)
        window.noted.connect(self._note)
        self.bar.problems.clicked.connect(window.reporter.show_list)
        window.reporter.problems_changed.connect(self.bar.show_problems)
        self.panel.names_wanted.connect(partial(window.choose, "name_classes"))
        self.panel.details_wanted.connect(partial(window.choose, "show_details"))
        self.classifying.finished.connect(self._end_run)
        session.photos_added.connect(self._classify_soon)
        session.photos_found.connect(self._classify)
        session.photos_removed.connect(self.classifying.forget)
        session.photos_removed.connect(self._follow_removed)
        session.current_changed.connect(self._follow_current)
        session.model_opening.connect(self._note_opening)
        session.model_changed.connect(self._follow_model)
        session.model_refused.connect(self._go_on)
        session.taught_changed.connect(self._follow_taught)
        session.device_changed.connect(self.panel.show_device)
        session.predicted.connect(self._follow_predictions)
        self._scrolled = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._scrolled.timeout.connect(self._put_first)

    def panels(self) -> list[Panel]:
        right = Qt.DockWidgetArea.RightDockWidgetArea
        return [Panel("predictions", tr("Predictions"), self.panel, right, {CLASSIFY: 0.33}, "F7")]

    def actions(self) -> list[Action]:
        settings, speed = self.session.settings, tr("Sp&eed")
        return [
            Action(
                "save_predictions", tr("Sa&ve predictions…"), self._save, "file", 2,
                "Ctrl+S", "save", enabled=self._has_photos,
            ),
            Action(
                "decode_fast",
                tr(
                        "&Fast decoding of large JPEGs ({share} of photos keep their class)"
                    , share=percent(FAST_AGREEMENT)),
                self._set_decoding, "model", 2, "Ctrl+Alt+4",
                checked=settings.decoding == "fast", submenu=speed,
            ),
            Action(
                "mixed_precision",
                tr("&Half precision on NVIDIA cards (the device says how much it differs)"),
                self._set_precision, "model", 2, "Ctrl+Alt+5",
                checked=settings.mixed_precision, submenu=speed, enabled=self._has_cuda,
            ),
            Action(
                "classify_again", tr("Classify all a&gain"),
                self._classify_anew, "model", 3,
                "F5", "rotate-ccw", enabled=self._has_photos,
            ),
        ]  # fmt: skip

    def furnish(self) -> None:
        self.window.gallery_view.verticalScrollBar().valueChanged.connect(self._scrolled.start)
        self.bar.begin()  # seen by nobody, so that its parts stand ready when they are

    def start(self) -> None:
        self.bar.clear()
        self.tasks.ask(WarmUp())

    def close(self) -> None:
        self._scrolled.stop()

    def stop(self) -> bool:
        return self.classifying.stop()

    def classify_again(self, *, recall: bool = True) -> None:
        """Classify all photos with the model in use."""
        model = self.session.model
        if model is None:
            return
        if self.session.taught is not None:
            self.classifying.hold()
            return
        self.session.photos.forget_predictions()
        self.window.reporter.forget_photos()
        if model.spec.predicts:
            rows = list(self.session.photos.rows())
            self.session.return_wanted.emit([row.path for row in rows if row.is_away])
            photos = [row.path for row in rows if not row.is_away]
            self.classifying.restart(photos, recall=recall)
        else:
            self.classifying.hold()
            self.bar.say(model.spec.summary)
        self._show_current()

    def _classify_anew(self) -> None:
        """Look at all files again; what was learnt of labels follows."""
        self.session.use_lesson(None)
        self.classify_again(recall=False)

    # Photos

    def _has_photos(self) -> bool:
        return self.session.has_photos

    def _has_cuda(self) -> bool:
        model = self.session.model
        return model is not None and any(one.name.startswith("cuda") for one in model.others)

    @Slot()
    def _follow_removed(self) -> None:
        if not self.session.has_photos:
            self.bar.clear()  # what was done with them is no longer of interest

    @Slot(list)
    def _classify_soon(self, paths: list[Path]) -> None:
        # In a turn of its own, so that the window is painted in between.
        QTimer.singleShot(_PAINT_MS, self, partial(self._classify, paths))

    @Slot(list)
    def _classify(self, paths: list[Path]) -> None:
        """Classify photos that were just added, unless they were taken off the list since."""
        rows = (self.session.photos.row(path) for path in paths)
        self.classifying.add([row.path for row in rows if row is not None and not row.is_away])

    @Slot(list)
    def _follow_predictions(self, predictions: list[Prediction]) -> None:
        for prediction in predictions:
            if prediction.error is not None:
                self.window.reporter.note(prediction.error)
        if any(prediction.photo == self.session.current for prediction in predictions):
            self._show_current()

    @Slot()
    def _end_run(self) -> None:
        if self.session.photos.depends_on_predictions:
            self.session.photos.arrange()
        self._show_current()

    @Slot(object)
    def _follow_current(self, path: Path | None) -> None:
        self._put_first()
        self._show_current()

    @Slot()
    def _put_first(self) -> None:
        """Let the photo that is looked at go next, then those that are seen in the list."""
        current = self.session.current
        first = [] if current is None else [current]
        self.classifying.put_first([*first, *self.session.seen_photos()])

    def _show_current(self) -> None:
        """Show what the model says of the current photo, or what it waits for."""
        current, model = self.session.current, self.session.model
        row = self.session.photos.row(current) if current is not None else None
        if current is None:
            self.panel.show_waiting("")
        elif row is not None and row.prediction is not None:
            self.panel.show_prediction(row.prediction)
        elif model is None:
            self.panel.show_waiting(tr("The model is being loaded…"))
        elif not model.spec.predicts:
            self.panel.show_waiting(
                tr("This model has no head, so it predicts nothing. Its feature maps show.")
            )
        elif row is not None and row.is_away:
            self.panel.show_waiting(
                tr("This photo is not where it was. It is classified when it is there again.")
            )
        elif self.classifying.is_stopped:
            self.panel.show_waiting(tr("Not classified yet: “Continue” below classifies the rest."))
        else:
            self.panel.show_waiting(tr("Waiting for its turn…"))

    # The model

    @Slot(str)
    def _note_opening(self, name: str) -> None:
        self.classifying.hold()
        self.bar.show_busy(tr("Loading {name}…", name=name))
        if self.session.model is None:
            self._show_current()

    @Slot(object)
    def _follow_model(self, model: ReadyModel) -> None:
        self.panel.show_model(model)
        self.bar.say(model.spec.summary)
        before, self._spec = self._spec, model.spec
        is_same = before is not None and model.spec.computes_as(before)
        if is_same and self.session.taught is None and self.session.photos.total <= _MOST_RENAMED:
            self._rename(model.spec)
        else:
            self.classify_again()

    def _rename(self, spec: ModelSpec) -> None:
        """Let what was said be in other names; nothing is computed again."""
        photos = self.session.photos
        photos.speak_as(spec)
        said = [row.prediction for row in photos.rows() if row.prediction is not None]
        self.session.predicted.emit(said)  # it is kept in the project under the new names
        self._go_on()
        self._show_current()

    @Slot()
    def _follow_taught(self) -> None:
        """Leave the photos to what was learnt of the labels, or take them back."""
        lesson = self.session.taught
        if lesson is None:
            self._is_taught = self._is_told = False
            self.panel.show_taught("", 0)
            if self.session.model is not None:
                self.panel.show_model(self.session.model)
            self.classify_again()
            return
        self.panel.show_taught(lesson.sentence, len(lesson.spec.class_names))
        if not self._is_taught:
            self._is_taught = True
            self.classifying.hold()
        self._show_current()
        if lesson.looked < lesson.total:
            self.bar.say(
                tr("Learning: {done} of {total} photos…", done=lesson.looked, total=lesson.total)
            )
        elif not self._is_told:
            self._is_told = True
            self.bar.say(
                tr(
                    "The classes shown are those of your labels now; Ctrl+Alt+L shows the model's "
                    "own."
                )
            )
        else:
            self.bar.say("")

    @Slot()
    def _go_on(self) -> None:
        """Classify what waits with the model that stays in use."""
        self.bar.say("")
        model = self.session.model
        if model is not None and model.spec.predicts and self.session.taught is None:
            rows = self.session.photos.rows()
            self.classifying.restart(
                [row.path for row in rows if not row.is_classified and not row.is_away]
            )

    # Speed

    def _speed(self) -> Speed:
        settings = self.session.settings
        decoding: Decoding = "fast" if settings.decoding == "fast" else "exact"
        return Speed(decoding, settings.mixed_precision)

    def _set_decoding(self, fast: bool) -> None:
        self.session.remember(decoding="fast" if fast else "exact")
        self.classifying.speed = self._speed()
        self.classify_again()

    def _set_precision(self, mixed: bool) -> None:
        self.session.remember(mixed_precision=mixed)
        self.classifying.speed = self._speed()
        self.session.reopening_wanted.emit()

    # Files

    @Slot(str)
    def _note(self, text: str) -> None:
        if not self.classifying.is_running:
            self.bar.say(text)

    def _save(self) -> None:
        """Write the predictions made so far to a file of the user's choice."""
        path = self._ask_where_to_save()
        if path is None:
            return
        rows = [row for row in self.session.photos.rows() if row.is_classified]
        made = tuple(row.prediction for row in rows if row.prediction is not None)
        self.tasks.ask(SavePredictions(made, path), lambda _: self._tell_saved(len(made), path))

    def _tell_saved(self, n: int, path: Path) -> None:
        self.bar.say(tr("{n} predictions saved as {path}", n=n, path=path))

    def _ask_where_to_save(self) -> Path | None:
        file, chosen = QFileDialog.getSaveFileName(
            self.window,
            tr("Save predictions"),
            str(Path(self.session.settings.last_folder) / "predictions.csv"),
            tr("Table for spreadsheets (*.csv);;JSON (*.json)"),
        )
        if not file:
            return None
        path = Path(file)
        if path.suffix.lower() in _ENDINGS:
            return path
        return path.with_name(path.name + (".json" if "*.json" in chosen else ".csv"))
