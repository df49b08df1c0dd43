"""Owns what is picked: asks the engine to open it, and keeps the last that opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog

from core.models.spec import ModelChoice, Settled
from gui.images.drop import CHECKPOINT_ENDINGS

if TYPE_CHECKING:
    from core.inference.engine import ReadyModel
    from core.settings import Settings
    from gui.engine_bridge import EngineBridge
    from gui.models.model_bar import ModelBar

_KEPT_RECENT = 8


class ModelPicker(QObject):
    """The choice in use, the choice being opened, and what the settings remember of them."""

    opening = Signal(str)
    """Name of what is being opened."""
    opened = Signal(object)
    """ReadyModel: now in use."""
    refused = Signal(object)
    """An exception; the model before stays in use."""
    checkpoint_missing = Signal(str)
    """An architecture was picked that the checkpoint in use is not of; torchvision's name."""

    def __init__(self, bar: ModelBar, bridge: EngineBridge, settings: Settings) -> None:
        super().__init__()
        self.ready: ReadyModel | None = None
        self._bar, self._bridge, self._settings = bar, bridge, settings
        self._device = settings.device
        self._asked = self._remembered()
        self.is_by_user = False
        self._failed: list[tuple[ModelChoice, str]] = []
        bar.architecture_picked.connect(self.pick_architecture)
        bar.checkpoint_picked.connect(self.pick_checkpoint)
        bar.checkpoint_wanted.connect(self.ask_for_checkpoint)
        bar.device_picked.connect(self.pick_device)
        bridge.model_opened.connect(self._accept)
        bridge.model_failed.connect(self._refuse)

    def open_remembered(self) -> None:
        """Open the model of last time, or the one that is shipped."""
        self._open(self._asked, self._device, by_user=False)

    @Slot(object)
    def pick_checkpoint(self, path: Path | None) -> None:
        """Open a checkpoint; its architecture is recognised, its own class names are used."""
        self._open(ModelChoice(checkpoint=path), self._device)

    @Slot(str)
    def pick_architecture(self, name: str) -> None:
        """Hold the checkpoint in use against an architecture, or ask for one of it."""
        if not name or (self.ready is not None and self.ready.spec.architecture == name):
            self._open(replace(self._asked, architecture=name or None), self._device)
        else:
            self.checkpoint_missing.emit(name)

    def pick_both(self, path: Path, architecture: str) -> None:
        """Open a checkpoint of an architecture that the user named."""
        self._open(ModelChoice(checkpoint=path, architecture=architecture), self._device)

    @Slot()
    def ask_for_checkpoint(self) -> None:
        """Let the user look for a checkpoint."""
        path = self.look_for_checkpoint(self.tr("Open a checkpoint"))
        if path is not None:
            self.pick_checkpoint(path)

    @Slot(object)
    def settle(self, settled: Settled) -> None:
        """Use and remember what the user settled about the checkpoint in use."""
        self._open(replace(self._asked, settled=settled), self._device)

    @property
    def settled(self) -> Settled:
        """Return what the user has settled about the checkpoint in use."""
        return Settled() if self.ready is None else self.ready.spec.settled

    @Slot(str)
    def pick_device(self, device: str) -> None:
        """Run the model in use elsewhere."""
        self._open(self._asked, device)

    def look_for_checkpoint(self, title: str) -> Path | None:
        """Return the file that the user chooses."""
        endings = " ".join(f"*{ending}" for ending in CHECKPOINT_ENDINGS)
        file, _ = QFileDialog.getOpenFileName(
            self._bar.window(),
            title,
            self._settings.last_folder,
            self.tr("Checkpoints ({endings});;All files (*)").format(endings=endings),
        )
        if not file:
            return None
        self._settings.last_folder = str(Path(file).parent)
        return Path(file)

    def _open(self, choice: ModelChoice, device: str, *, by_user: bool = True) -> None:
        self._asked, self._device, self.is_by_user = choice, device, by_user
        self._bar.show_choice(choice, device, self._settings.recent_checkpoints)
        name = choice.checkpoint.name if choice.checkpoint else self.tr("SqueezeNet 1.1")
        self.opening.emit(name)
        self._bridge.open_model(choice, device)

    @Slot(object)
    def _accept(self, ready: ReadyModel) -> None:
        if self.is_by_user:
            self._remember(ready.choice, ready.wanted_device)
        self._use(ready)
        self.opened.emit(ready)

    @Slot(object)
    def _refuse(self, error: BaseException) -> None:
        """Go back to what the engine uses; at the start, to the nearest choice that may open."""
        self.refused.emit(error)
        in_use = self._bridge.model_in_use
        if in_use is None:
            self._open_instead()
        elif in_use is self.ready:
            self._use(in_use)
        else:  # it had opened, but the refused one had overtaken the news of it
            self._use(in_use)
            self.opened.emit(in_use)

    def _open_instead(self) -> None:
        """Open something else, without the user and so without remembering it."""
        tried = (self._asked, self._device)
        remembered = self._remembered()
        for choice, device in (
            (remembered, self._settings.device),
            (remembered, "auto"),
            (ModelChoice(), "auto"),
        ):
            if (choice, device) not in (*self._failed, tried):
                self._failed.append(tried)
                self._open(choice, device, by_user=False)
                return
        self._bar.show_nothing()

    def _use(self, ready: ReadyModel) -> None:
        self.ready = ready
        self._asked, self._device = ready.choice, ready.wanted_device
        self._failed.clear()
        self._bar.show_model(ready, self._settings.recent_checkpoints)

    def _remembered(self) -> ModelChoice:
        settings = self._settings
        return ModelChoice(
            checkpoint=Path(settings.checkpoint) if settings.checkpoint else None,
            architecture=settings.architecture or None,
        )

    def _remember(self, choice: ModelChoice, device: str) -> None:
        settings = self._settings
        settings.checkpoint = str(choice.checkpoint or "")
        settings.architecture = choice.architecture or ""
        settings.device = device
        if settings.checkpoint:
            recent = [path for path in settings.recent_checkpoints if path != settings.checkpoint]
            settings.recent_checkpoints = [settings.checkpoint, *recent][:_KEPT_RECENT]
