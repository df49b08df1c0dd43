"""The photos in the gallery: how they come, where they stand, and how they go."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from core.images.loader import SearchResult
    from gui.engine_bridge import EngineBridge
    from gui.images.gallery_model import GalleryModel
    from gui.images.gallery_panel import GalleryPanel
    from gui.inference.classifying import Classifying
    from gui.labels.project import LabelProject

_PAINT_MS = 10


class PhotoList(QObject):
    """Keeps gallery, run and project together as photos come and go."""

    count_changed = Signal()
    """There are more photos than before, or fewer."""
    emptied = Signal()
    """The user has taken all photos off the list."""

    def __init__(
        self,
        model: GalleryModel,
        gallery: GalleryPanel,
        classifying: Classifying,
        project: LabelProject,
        bridge: EngineBridge,
    ) -> None:
        super().__init__()
        self._model, self._gallery = model, gallery
        self._classifying, self._project, self._bridge = classifying, project, bridge
        bridge.search_finished.connect(self._arrange)
        project.files_listed.connect(self.show_listed)
        project.present.connect(self.classify)
        project.moved.connect(self.follow_moves)

    @Slot(list)
    def add_found(self, paths: list[Path]) -> None:
        new = self._model.add(paths)
        self._project.meet(new)
        # In another order than "as added" they are sorted in when the search is over.
        self.count_changed.emit()
        # In a turn of its own, so that the window is painted in between.
        QTimer.singleShot(_PAINT_MS, self, partial(self.classify, new))

    def classify(self, found: list[Path]) -> None:
        """Classify photos that were just added, unless they were taken off the list since."""
        rows = (self._model.row(path) for path in found)
        self._classifying.add([row.path for row in rows if row is not None and not row.is_away])

    @Slot(list)
    def show_listed(self, paths: list[Path]) -> None:
        """Show photos that are classified once it is known that they are there."""
        if self._model.add(paths):
            self.count_changed.emit()

    @Slot(object)
    def follow_moves(self, moved: dict[str, str]) -> None:
        """Show photos where they are now; their predictions are found again by their content."""
        self._model.remove([Path(file) for file in moved])
        places = [Path(file) for file in moved.values()]
        self._model.add(places)
        self._project.meet(places)
        self.classify(places)

    @Slot(object, list)
    def _arrange(self, found: SearchResult, _: list[Path]) -> None:
        if found.came_early:
            self._model.put_in_order(found.photos)
            self._project.keep_order()
        elif self._model.is_sorted:
            self._model.arrange()

    def remove_selected(self) -> None:
        """Take the selected photos off the list; their files stay."""
        selected = self._gallery.selected()
        self._classifying.forget(selected)
        self._model.remove(selected)
        self._project.take_off(selected)
        self._project.noted.emit(
            self.tr("Taken off the list: {n}. Files and labels stay.").format(
                n=f"{len(selected):,}"
            )
        )
        if self._model.total == 0:
            self.remove_all()

    def remove_all(self) -> None:
        """Empty the list; the files stay."""
        self._bridge.stop_searches()
        self._classifying.clear()
        self._project.take_off(self._gallery.paths())
        self._model.clear()
        self.emptied.emit()
        self.count_changed.emit()
