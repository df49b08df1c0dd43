"""What every source of models gives: something that predicts, and what else it can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

    from core.models.building import Blueprint
    from core.models.overrides import SavedOverrides
    from core.values.spec import Inspection, ModelChoice, ModelSpec


class Capability(Enum):
    """What can be done with a model beside predicting."""

    SHOW_LAYERS = "its layers can be looked at"
    GIVE_GRADIENTS = "evidence for a class can be traced back through it"
    USE_GPU = "a graphics card can compute it"
    CONVERT = "a faster runtime may compute it"
    SAVE = "it can be written as one file with its class names and preprocessing"
    TEACH = "its head can be taught anew"


ALL_CAPABILITIES = frozenset(Capability)


@dataclass(frozen=True)
class OpenedModel:
    """A model and its network, on the CPU and in evaluation mode.

    Attributes:
        spec: what it is.
        network: takes a batch, float32, shape (N, C, H, W), and gives logits (N, K).
        plan: what it was built from; None where nobody can build it again.
        capabilities: what can be done with it.
    """

    spec: ModelSpec
    network: nn.Module
    plan: Blueprint | None = None
    capabilities: frozenset[Capability] = ALL_CAPABILITIES


class ModelSource(Protocol):
    """A kind of file that models come from."""

    @property
    def name(self) -> str:
        """Return its name for ``inspect --json``, e.g. "checkpoint"."""

    @property
    def endings(self) -> tuple[str, ...]:
        """Return the endings of its files, in small letters with their dots."""

    def recognises(self, path: Path) -> bool:
        """Return whether a file is of this kind, by its ending and first bytes."""

    def inspect(self, path: Path) -> Inspection:
        """Say what a file is; a file that cannot be used is an answer too, not an error."""

    def open(
        self,
        choice: ModelChoice,
        saved_overrides: SavedOverrides | None,
        is_stopped: Callable[[], bool],
    ) -> OpenedModel:
        """Open what the user picked.

        Args:
            choice: the file, and the user's overrides.
            saved_overrides: used where ``choice`` gives none.
            is_stopped: asked while the file is read.

        Raises:
            DroplensError: what does not fit, in one sentence.
            StoppedError: it was asked to stop.
        """
