"""The room of teaching: a model of the user's own classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, Slot

from core.language import tr
from core.models.sources.base import Capability
from core.settings import project_path
from gui.actions import Action
from gui.room import Room
from gui.training.live_learning import LiveLearning
from gui.training.piling import Piling

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

    def actions(self) -> list[Action]:
        return [
            Action(
                "teach_model", tr("&Teach a model…"), self.open, "labels", 5, "Ctrl+E",
                "graduation-cap",
                enabled=self._can_teach,
            ),
            Action(
                "select_pile", tr("Select a pile of p&hotos that look alike"),
                self.piling.select_next, "labels", 3, "Alt+P", "square-stack",
                enabled=self._can_teach, of_photos=True,
            ),
            Action(
                "taught_models", tr("Taught mo&dels…"), self._show_taught, "labels", 5,
                "Ctrl+Alt+E",
            ),
            Action(
                "learn_from_labels", tr("Learn from labels while they are gi&ven"),
                self.live.set_wanted, "labels", 5, "Ctrl+Alt+L",
                checked=self.session.settings.learns_from_labels,
            ),
        ]  # fmt: skip

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
