"""Palettes: text files with a class name a line; the brightest channel names the class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UnusableCheckpointError
from core.values.spec import Inspection, ModelChoice, ModelSpec, NamedBy, NamesSource

if TYPE_CHECKING:
    from core.models.overrides import SavedOverrides
    from core.models.sources.base import OpenedModel


class PaletteSource:
    name = "palette"
    endings = (".palette",)

    def recognises(self, path: Path) -> bool:
        return path.suffix.lower() in self.endings

    def inspect(self, path: Path) -> Inspection:
        from core.images.preprocessing import Preprocessing

        content = path.read_bytes()
        names = tuple(content.decode().split())
        return Inspection(
            usable=len(names) == 3,
            summary=f"A palette with {len(names)} classes.",
            architecture="palette",
            num_classes=len(names),
            class_names=names,
            class_names_source=NamesSource(NamedBy.CHECKPOINT),
            matched=1.0,
            preprocessing=Preprocessing(resize=8, crop=(8, 8)),
            sha256=hashlib.sha256(content).hexdigest(),
            outputs="softmax",
        )

    def open(
        self,
        choice: ModelChoice,
        saved_overrides: SavedOverrides | None,
        is_stopped: Callable[[], bool],
    ) -> OpenedModel:
        from torch import nn

        from core.models.sources.base import OpenedModel

        path = choice.checkpoint
        assert path is not None
        found = self.inspect(path)
        if not found.usable or found.preprocessing is None:
            raise UnusableCheckpointError("{path} names no three classes.", path=path)
        spec = ModelSpec(
            "palette", "Palette", path, found.sha256, found.class_names or (),
            NamesSource(NamedBy.CHECKPOINT), found.preprocessing, "softmax", found,
        )  # fmt: skip
        network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
        return OpenedModel(spec, network, capabilities=frozenset())
