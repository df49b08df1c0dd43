"""Owns what is picked: asks for it to be opened, and keeps the last that opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog

from core.inference.requests import ModelInUse, OpenModel
from core.language import tr
from core.models.families import BUILT_IN, SHIPPED, built_in
from core.models.sources import model_pattern
from core.values.spec import ModelChoice, Overrides
from gui.widgets.recent_menu import newest_first

if TYPE_CHECKING:
    from core.inference.engine import ReadyModel
    from gui.models.model_bar import ModelBar
    from gui.session import Session
    from gui.tasks import Tasks

DEFAULT = ModelChoice()
"""The checkpoint that is shipped."""


class ModelPicker(QObject):
    """The choice in use, the choice being opened, and what the settings remember of them."""

    refused = Signal(object)
    """An exception; the model before stays in use."""
    checkpoint_missing = Signal(str)
    """An architecture was picked that the checkpoint in use is not of; torchvision's name."""

    def __init__(self, bar: ModelBar, session: Session, tasks: Tasks) -> None:
        super().__init__()
        self._bar, self._session, self._tasks = bar, session, tasks
        self._device = session.settings.device
        self._asked = self._remembered()
        self.is_by_user = False
        self._failed: list[tuple[ModelChoice, str]] = []
        bar.architecture_picked.connect(self.pick_architecture)
        bar.model_picked.connect(self.pick)
        bar.device_picked.connect(self.pick_device)
        session.reopening_wanted.connect(self._open_again)
        session.device_changed.connect(bar.show_device)

    def open_remembered(self) -> None:
        """Open the model of last time, or the one that is shipped."""
        self._open(self._asked, self._device, by_user=False)

    @Slot(object)
    def pick_checkpoint(self, path: Path) -> None:
        """Open a checkpoint; its architecture is recognised, its own class names are used."""
        self._open(ModelChoice(checkpoint=path), self._device)

    @Slot(object)
    def pick(self, choice: ModelChoice = DEFAULT) -> None:
        """Open a checkpoint, by default the one that is shipped."""
        is_default = choice.checkpoint is None and choice.architecture == BUILT_IN.name
        self._open(DEFAULT if is_default else choice, self._device)

    @Slot(str)
    def pick_architecture(self, name: str) -> None:
        """Hold the checkpoint in use against an architecture, or ask for one of it."""
        model = self._session.model
        if not name or (model is not None and model.spec.architecture == name):
            self._open(replace(self._asked, architecture=name or None), self._device)
        elif name in SHIPPED:
            self.pick(ModelChoice(architecture=name))
        else:
            self.checkpoint_missing.emit(name)

    def pick_both(self, path: Path, architecture: str) -> None:
        """Open a checkpoint of an architecture that the user named."""
        self._open(ModelChoice(checkpoint=path, architecture=architecture), self._device)

    @Slot()
    def ask_for_checkpoint(self) -> None:
        """Let the user look for a checkpoint."""
        path = self.look_for_checkpoint(tr("Open a checkpoint"))
        if path is not None:
            self.pick_checkpoint(path)

    @Slot(object)
    def override(self, overrides: Overrides) -> None:
        """Use and save overrides for the checkpoint in use."""
        self._open(replace(self._asked, overrides=overrides), self._device)

    def answer(self, choice: ModelChoice, overrides: Overrides) -> None:
        """Open a model with the user's answers to what its file does not say."""
        self._open(choice.answered(overrides), self._device)

    @property
    def asked(self) -> ModelChoice:
        """Return the choice that is in use, or is being opened."""
        return self._asked

    @property
    def overrides(self) -> Overrides:
        """Return the overrides for the checkpoint in use."""
        model = self._session.model
        return Overrides() if model is None else model.spec.overrides

    @Slot(str)
    def pick_device(self, device: str) -> None:
        """Run the model in use elsewhere."""
        self._open(self._asked, device)

    def look_for_checkpoint(self, title: str) -> Path | None:
        """Return the file that the user chooses."""
        file, _ = QFileDialog.getOpenFileName(
            self._bar.window(),
            title,
            self._session.settings.last_folder,
            tr("Checkpoints ({endings});;All files (*)", endings=model_pattern()),
        )
        if not file:
            return None
        self._session.remember(last_folder=str(Path(file).parent))
        return Path(file)

    @Slot()
    def _open_again(self) -> None:
        if self._session.model is not None:
            self._open(self._asked, self._session.model.wanted_device)

    def _open(self, choice: ModelChoice, device: str, *, by_user: bool = True) -> None:
        self._asked, self._device, self.is_by_user = choice, device, by_user
        settings = self._session.settings
        self._bar.show_choice(choice, device, settings.recent_checkpoints)
        built = built_in(choice.architecture)
        name = choice.checkpoint.name if choice.checkpoint else built.title
        self._session.model_opening.emit(name)
        request = OpenModel(choice, device, settings.mixed_precision)
        self._tasks.ask(request, self._accept, self._refuse)

    def _accept(self, ready: ReadyModel) -> None:
        if self.is_by_user:
            self._remember(ready.choice, ready.wanted_device)
        self._show(ready)
        self._session.use_model(ready)

    def _refuse(self, error: BaseException) -> None:
        """Go back to what the worker uses, which may have opened just before this was asked."""
        self.refused.emit(error)
        self._tasks.ask(ModelInUse(), self._go_back)

    def _go_back(self, in_use: ReadyModel | None) -> None:
        """Use what the worker uses; at the start, open the nearest choice that may open."""
        if in_use is None:
            self._open_instead()
            return
        self._show(in_use)
        model = self._session.model
        if model is not None and model.spec is in_use.spec:
            self._session.model_refused.emit()
        else:
            self._session.use_model(in_use)

    def _open_instead(self) -> None:
        """Open something else, without the user and so without remembering it."""
        tried = (self._asked, self._device)
        remembered = self._remembered()
        for choice, device in (
            (remembered, self._session.settings.device),
            (remembered, "auto"),
            (ModelChoice(), "auto"),
        ):
            if (choice, device) not in (*self._failed, tried):
                self._failed.append(tried)
                self._open(choice, device, by_user=False)
                return
        self._bar.show_nothing()
        self._session.model_refused.emit()

    def _show(self, ready: ReadyModel) -> None:
        self._asked, self._device = ready.choice, ready.wanted_device
        self._failed.clear()
        self._bar.show_model(ready, self._session.settings.recent_checkpoints)

    def _remembered(self) -> ModelChoice:
        settings = self._session.settings
        return ModelChoice(
            checkpoint=Path(settings.checkpoint) if settings.checkpoint else None,
            architecture=settings.architecture or None,
        )

    def _remember(self, choice: ModelChoice, device: str) -> None:
        checkpoint = str(choice.checkpoint or "")
        recent = self._session.settings.recent_checkpoints
        if checkpoint:
            recent = newest_first(checkpoint, recent)
        self._session.remember(
            checkpoint=checkpoint,
            architecture=choice.architecture or "",
            device=device,
            recent_checkpoints=recent,
        )
