"""The room of the model: what is in use, and the dialogs about it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot

from core.errors import UnclearArchitectureError
from core.language import tr
from core.models.sources import is_model
from core.models.sources.base import Capability
from gui.actions import Action
from gui.models.model_dialogs import ModelDialogs
from gui.models.model_picker import ModelPicker
from gui.room import Room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.inference.engine import ReadyModel
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class ModelsRoom(Room):
    """Opens the model of last time and whatever the user picks."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.picker = ModelPicker(window.model_bar, session, tasks)
        self.dialogs = ModelDialogs(self.picker, session, tasks, window)
        session.override_model = self._override
        window.model_bar.action_chosen.connect(window.choose)
        self.picker.refused.connect(self._take_refusal)
        session.model_changed.connect(self._follow_model)
        session.taught_changed.connect(self._follow_lesson)

    def actions(self) -> list[Action]:
        bar, dialogs, picker = self.window.model_bar, self.dialogs, self.picker
        return [
            Action(
                "open_checkpoint", tr("Open &checkpoint…"), picker.ask_for_checkpoint, "model",
                key="Ctrl+Shift+C", icon="box",
            ),
            Action(
                "choose_architecture", tr("Choose &architecture…"), bar.open_architectures,
                "model", key="Ctrl+Shift+A", icon="layers",
            ),
            Action(
                "recent_checkpoints", tr("&Recent checkpoints…"), bar.open_checkpoints, "model",
                key="Ctrl+R",
            ),
            Action(
                "open_weights", tr("torchvision's &weights…"), dialogs.open_weights, "model",
                key="Ctrl+Shift+W", icon="download",
            ),
            Action(
                "name_classes", tr("&Name the classes…"), dialogs.open_class_names, "model",
                key="Ctrl+Shift+N", icon="tags",
            ),
            Action(
                "edit_preprocessing", tr("&Preprocessing…"), dialogs.open_preprocessing, "model",
                key="Ctrl+Shift+E", icon="sliders-horizontal",
            ),
            Action(
                "show_details", tr("Deta&ils of the model…"), dialogs.open_details, "model",
                key="Ctrl+I", icon="info",
            ),
            *self._saving(),
            Action(
                "choose_device", tr("Choose &device…"), bar.open_devices, "model", 2,
                "Ctrl+Shift+D", "cpu",
            ),
            Action(
                "use_shipped", tr("Use the &built-in model"),
                picker.pick, "model", 2, "Ctrl+B",
            ),
        ]  # fmt: skip

    def _saving(self) -> list[Action]:
        dialogs = self.dialogs

        def can_save() -> bool:
            return self.session.can(Capability.SAVE)

        return [
            Action(
                "save_model", tr("Sa&ve the model as…"), dialogs.save_model, "model",
                key="Ctrl+Shift+S", icon="save",
                enabled=can_save,
            ),
            Action(
                "save_for_pytorch", tr("Save for P&yTorch…"), dialogs.save_for_pytorch, "model",
                key="Ctrl+Alt+S", enabled=can_save,
            ),
            Action(
                "save_as_onnx", tr("Save as &ONNX…"), dialogs.save_as_onnx, "model",
                key="Ctrl+Alt+X", enabled=can_save,
            ),
        ]  # fmt: skip

    def take(self, paths: list[Path]) -> list[Path]:
        models = [path for path in paths if is_model(path)]
        if models:
            self.picker.pick_checkpoint(models[-1])
        return models

    def start(self) -> None:
        self.picker.open_remembered()

    def _override(self, changes: Mapping[str, object]) -> bool:
        """Open the model anew with some of what the user said of it changed.

        Returns:
            False while another one is being opened, for which that was not said.
        """
        model = self.session.model
        if model is None or self.picker.asked != model.choice:
            self.window.note(tr("Another model is being opened; try it once more then."))
            return False
        self.picker.override(replace(self.picker.overrides, **changes))  # type: ignore[arg-type]
        return True

    @Slot()
    def _follow_lesson(self) -> None:
        model = self.session.model
        if model is not None:
            self.window.model_bar.show_lesson(self.session.taught, model.spec.title)

    @Slot(object)
    def _take_refusal(self, error: BaseException) -> None:
        """Say why a model does not open, or ask what its file does not say."""
        if isinstance(error, UnclearArchitectureError) and self.picker.is_by_user:
            self.dialogs.questions.ask_for_architecture(self.picker.asked, error)
        else:
            self.window.reporter.report(error)

    @Slot(object)
    def _follow_model(self, model: ReadyModel) -> None:
        """Say what is wrong with a model that the user picked."""
        if self.picker.is_by_user:
            self.window.reporter.hide()  # an earlier model's refusal is history
            said = " ".join(model.spec.problems)
            if model.spec.unanswered:
                self.window.reporter.offer(
                    said, tr("Choose…"), partial(self.dialogs.questions.ask_about, model)
                )
            elif said:
                self.window.reporter.say(said)
