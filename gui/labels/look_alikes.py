"""Brings the photos together that look like some of them, by the model's own features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from gui.engine_bridge import EngineBridge
    from gui.images.gallery_model import GalleryModel
    from gui.images.gallery_panel import GalleryPanel

_FIRST = 2.0
"""Above every cosine, for the photos that the others are compared with."""


class LookAlikes(QObject):
    """Lets the gallery stand in the order of likeness once all photos were compared."""

    noted = Signal(str)
    """What is going on, for the bar at the bottom."""

    def __init__(self, gallery: GalleryPanel, model: GalleryModel, bridge: EngineBridge) -> None:
        super().__init__()
        self._gallery, self._model, self._bridge = gallery, model, bridge
        self._likeness: dict[str, float] = {}
        self._references: list[Path] = []
        self._total = 0
        bridge.alike_told.connect(self._note)
        bridge.look_alikes_found.connect(self._end)

    @Slot(list)
    def find(self, references: list[Path]) -> None:
        """Compare all photos with some."""
        if self._bridge.model_in_use is None:
            self.noted.emit(self.tr("The model is being loaded…"))
            return
        self._likeness, self._references = {}, references
        photos = [row.path for row in self._model.rows() if not row.is_away]
        self._total = len(photos)
        self._gallery.set_order("similar")
        self._bridge.find_look_alikes(photos, references)

    @Slot(list)
    def _note(self, found: list[tuple[Path, float]]) -> None:
        self._likeness.update((str(path), likeness) for path, likeness in found)
        self.noted.emit(
            self.tr("Comparing photos: {done} of {total}. Esc stops.").format(
                done=f"{len(self._likeness):,}", total=f"{self._total:,}"
            )
        )

    @Slot()
    def _end(self) -> None:
        first = dict.fromkeys(map(str, self._references), _FIRST)
        self._model.set_similarity({**self._likeness, **first})
        self.noted.emit(self.tr("The photos that look most alike come first."))
