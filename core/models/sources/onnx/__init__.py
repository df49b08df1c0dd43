"""ONNX networks, computed by ONNX Runtime on the processor; their files are read by us first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import open_ordinary
from core.images.kinds import CHECKPOINTS, ONNX, SHARED_CHECKPOINTS

if TYPE_CHECKING:
    from core.models.overrides import SavedOverrides
    from core.models.sources.base import OpenedModel
    from core.values.spec import Inspection, ModelChoice

_START_BYTES = 3
_CHECKPOINT_ENDINGS = (*CHECKPOINTS.endings, *SHARED_CHECKPOINTS.endings)
_OTHER_STARTS = (b"PK\x03", b"\x80")
"""Of a checkpoint that somebody gave this ending: a zip archive, or a pickle."""


class OnnxSource:
    """Opens classifiers that were exported to ONNX, by whatever library."""

    name = "onnx"
    endings = ONNX.endings

    def recognises(self, path: Path) -> bool:
        """Return whether the ending is ONNX's, or a checkpoint's with ONNX's beginning."""
        ending = path.suffix.lower()
        if ending in self.endings:
            return not _start(path).startswith(_OTHER_STARTS)
        return ending in _CHECKPOINT_ENDINGS and _is_onnx(_start(path))

    def inspect(self, path: Path) -> Inspection:
        """Say what a file is."""
        from core.models.sources.onnx.source import inspect_onnx  # imports ONNX Runtime

        return inspect_onnx(path)

    def open(
        self,
        choice: ModelChoice,
        saved_overrides: SavedOverrides | None,
        is_stopped: Callable[[], bool],
    ) -> OpenedModel:
        """Open what the user picked."""
        from core.models.sources.onnx.source import open_onnx  # imports torch, ONNX Runtime

        return open_onnx(choice, saved_overrides, is_stopped)


def _start(path: Path) -> bytes:
    try:
        with open_ordinary(path) as file:
            return file.read(_START_BYTES)
    except OSError:
        return b""


def _is_onnx(start: bytes) -> bool:
    """Return whether a file begins as ONNX: the number of its version, then its maker's name."""
    return start[:1] == b"\x08" and start[1:2] < b"\x20" and start[2:3] in (b"\x12", b"\x1a", b":")
