"""Checkpoints of PyTorch, in any of their containers; no code in them is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.images.kinds import CHECKPOINTS, SAFETENSORS, SHARED_CHECKPOINTS, Kind, kind_of

if TYPE_CHECKING:
    from core.models.overrides import SavedOverrides
    from core.models.sources.base import OpenedModel
    from core.values.spec import Inspection, ModelChoice


class CheckpointSource:
    """Opens state dicts, pickled networks, training checkpoints and TorchScript archives."""

    name = "checkpoint"
    endings = (*CHECKPOINTS.endings, *SAFETENSORS.endings, *SHARED_CHECKPOINTS.endings)

    def recognises(self, path: Path) -> bool:
        """Return whether the ending is one of a model's; what no other source takes is tried."""
        return kind_of(path) is Kind.CHECKPOINT

    def inspect(self, path: Path) -> Inspection:
        """Say what a file is."""
        from core.models.sources.checkpoint.source import inspect_checkpoint  # imports torch

        return inspect_checkpoint(path)

    def open(
        self,
        choice: ModelChoice,
        saved_overrides: SavedOverrides | None,
        is_stopped: Callable[[], bool],
    ) -> OpenedModel:
        """Open what the user picked."""
        from core.models.sources.checkpoint.source import open_model  # imports torch

        return open_model(choice, saved_overrides, is_stopped)
