"""The room of teaching: a model of the user's own classes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, Slot

from core.language import tr
from core.models.sources.base import Capability
from core.settings import project_path
from gui.actions import Action
from gui.room import Room
from gui.training.live_learning import LiveLearning, knows_all
from gui.training.piling import Piling
from gui.training.teach_panel import TeachPanel
from gui.workspaces import TEACH, Panel

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


_MOST_MODELS = 200


class TrainingRoom(Room):
    """Learns from the labels as they come, and makes a model file of them when asked."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.live = LiveLearning(session, tasks, window)
        self.piling = Piling(session, tasks, window)
        self.panel = TeachPanel()
        for changed in (
            session.labels_changed,
            session.taught_changed,
            session.list_changed,
            session.model_changed,
        ):
            changed.connect(self._show_counts)

    def actions(self) -> list[Action]:
        return [
            Action(
                "teach_model", tr("&Teach a model…"), self.open, "labels", 5, "Ctrl+E",
                "graduation-cap",
                enabled=self._can_teach,
            ),
            Action(
                "next_photos", tr("Photos that help most first"), self._show_helpful,
                "labels", 3, "Ctrl+Alt+N", "sparkles",
                enabled=self._can_teach,
            ),
            Action(
                "select_pile", tr("Select a pile of look-alikes"),
                self.piling.select_next, "labels", 3, "Alt+P", "square-stack",
                enabled=self._can_teach, of_photos=True,
            ),
            Action(
                "taught_models", tr("Taught mo&dels…"), self._show_taught, "labels", 5,
                "Ctrl+Alt+E",
            ),
            Action(
                "learn_from_labels", tr("Learn w&hile I label"),
                self.live.set_wanted, "labels", 5, "Ctrl+Alt+L",
                checked=self.session.settings.learns_from_labels,
            ),
        ]  # fmt: skip

    def panels(self) -> list[Panel]:
        right = Qt.DockWidgetArea.RightDockWidgetArea
        return [Panel("teach", tr("Teach"), self.panel, right, {TEACH: 0.3})]

    def furnish(self) -> None:
        actions = self.window.actions_table
        steps = actions.some("next_photos", "select_pile", "teach_model", "taught_models")
        self.panel.offer(steps, actions["learn_from_labels"])
        self.window.workspaces.attend(TEACH, self._show_counts)

    @Slot()
    def _show_counts(self) -> None:
        if self.panel.isVisible():  # there may be 100,000 photos
            counts = Counter(name for _, names in self.session.photos.labelled() for name in names)
            taught = self.session.taught
            model, knows = self.session.model, ""
            if model is not None and knows_all(model.spec.class_names, counts):
                knows = model.spec.title
            self.panel.show_counts(counts, "" if taught is None else taught.sentence, knows)

    def stop(self) -> bool:
        return self.piling.stop() or self.live.stop()

    def close(self) -> None:
        self.live.close()

    @Slot()
    def open(self) -> None:
        """Show what a model would learn from."""
        from gui.training.teach_dialog import ENDING, TeachDialog

        model = self.session.model
        if model is None:
            return
        project = Path(self.session.settings.project or project_path())
        documents = QStandardPaths.StandardLocation.DocumentsLocation
        folder = Path(QStandardPaths.writableLocation(documents))
        if not folder.is_dir():  # named by the system, made by nobody
            folder = Path.home()
        dialog = TeachDialog(
            self.tasks,
            self.session.photos.labelled(),
            model.spec.title,
            _unused(folder, project.stem, ENDING),
            self._use,
            self._remember,
            self.window,
            is_several=self.session.photos.label_index.classes.is_multiple,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _show_helpful(self) -> None:
        self.session.photos.set_order("helpful")
        self.window.gallery_view.scrollToTop()

    def _show_taught(self) -> None:
        from gui.training.trainings_dialog import TrainingsDialog

        models = [Path(model) for model in self.session.settings.taught_models]
        dialog = TrainingsDialog(self.tasks, models, self._use, self._forget, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _remember(self, model: Path) -> None:
        """Let a model that was taught stand in the list, as the newest."""
        before = [one for one in self.session.settings.taught_models if one != str(model)]
        self.session.remember(taught_models=[*before, str(model)][-_MOST_MODELS:])

    def _forget(self, model: Path) -> None:
        left = [one for one in self.session.settings.taught_models if one != str(model)]
        self.session.remember(taught_models=left)

    def _can_teach(self) -> bool:
        return self.session.has_photos and self.session.can(Capability.TEACH)

    def _use(self, model: Path) -> None:
        self.session.give([model])


def _unused(folder: Path, stem: str, ending: str) -> Path:
    """Return a file that is not there yet, numbered where it must be."""
    path, number = folder / f"{stem}{ending}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem} {number}{ending}"
    return path
