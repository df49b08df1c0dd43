"""Models of Keras and Teachable Machine, translated layer by layer; no code in them is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import open_ordinary
from core.images.kinds import KERAS, SHARED_KERAS

if TYPE_CHECKING:
    from core.models.overrides import SavedOverrides
    from core.models.sources.base import OpenedModel
    from core.values.spec import Inspection, ModelChoice

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_OF_TORCH = b"data.pkl"
"""In the name of the first member of an archive of ``torch.save``, which some call .h5 too."""


class KerasSource:
    """Opens whole models of ``model.save``: .h5 of all versions of Keras, and .keras."""

    name = "keras"
    endings = (*KERAS.endings, *SHARED_KERAS.endings)

    def recognises(self, path: Path) -> bool:
        """Return whether the ending is one of Keras's, and the beginning too."""
        if path.suffix.lower() not in self.endings:
            return False
        try:
            with open_ordinary(path) as file:
                start = file.read(512)
        except OSError:
            return False
        return start.startswith(_HDF5) or (start.startswith(_ZIP) and _OF_TORCH not in start)

    def inspect(self, path: Path) -> Inspection:
        """Say what a file is."""
        from core.models.sources.keras.source import inspect_keras  # imports torch

        return inspect_keras(path)

    def open(
        self,
        choice: ModelChoice,
        saved_overrides: SavedOverrides | None,
        is_stopped: Callable[[], bool],
    ) -> OpenedModel:
        """Open what the user picked."""
        from core.models.sources.keras.source import open_keras  # imports torch

        return open_keras(choice, saved_overrides, is_stopped)
