"""Gives labels at the person's wish, one step after the other, each on the disk before the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from core.labels.classes import ClassList, Labels, clean_name
from core.labels.store import Labelling

if TYPE_CHECKING:
    from core.labels.store import Change
    from gui.images.gallery_model import GalleryModel, GalleryRow
    from gui.images.gallery_panel import GalleryPanel
    from gui.labels.label_bridge import LabelBridge


class LabelGiver(QObject):
    """Labels the selected photos. Keys that come while a label is being kept wait for it."""

    given = Signal(object, bool)
    """Change, and whether photos were labelled by it."""
    refused = Signal(object)
    """An exception; nothing was kept, and what waited was dropped."""
    noted = Signal(str)
    """What was done, in a sentence."""

    def __init__(self, gallery: GalleryPanel, model: GalleryModel, bridge: LabelBridge) -> None:
        super().__init__()
        self._gallery, self._model, self._bridge = gallery, model, bridge
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_busy = False
        self._after: Path | None = None
        self._goes_on = False
        self.advances = True
        """Whether the next photo comes by itself."""
        bridge.changed.connect(self._take)
        bridge.not_changed.connect(self._refuse)

    @property
    def is_busy(self) -> bool:
        """Return whether something is being kept."""
        return self._is_busy

    def give(self, class_id: int) -> None:
        """Give the selected photos a class, or a mark; where several count, add or take it."""
        self._queue(lambda: self._give(class_id, self._gallery.selected(), advance=True))

    def give_to(self, class_id: int, paths: Sequence[Path]) -> None:
        """Give photos a class, as they were dropped on it; the current one stays."""
        self._queue(lambda: self._give(class_id, paths, advance=False))

    def take_away(self) -> None:
        """Take the labels of the selected photos away."""
        self._queue(lambda: self._clear(self._gallery.selected()))

    def accept(self) -> None:
        """Give the selected photos the classes that the model proposes."""
        self._queue(lambda: self._accept(self._selected_rows(), advance=True))

    def accept_all(self, rows: Sequence[GalleryRow]) -> None:
        """Give photos the classes that the model proposes."""
        self._queue(lambda: self._accept(rows, advance=False))

    def edit_classes(self, kind: str, classes: ClassList) -> None:
        """Let another list of classes hold."""
        self._queue(lambda: self._begin(lambda: self._bridge.edit_classes(kind, classes)))

    def undo(self) -> None:
        """Take the last step back."""
        self._queue(lambda: self._begin(self._bridge.undo))

    def redo(self) -> None:
        """Do again what was undone last."""
        self._queue(lambda: self._begin(self._bridge.redo))

    def begin(self, ask: Callable[[], None]) -> None:
        """Let something else change labels, an import for instance."""
        self._queue(lambda: self._begin(ask))

    # One after the other

    def _queue(self, step: Callable[[], None]) -> None:
        self._waiting.append(step)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._is_busy:
            self._waiting.popleft()()

    def _begin(self, ask: Callable[[], None]) -> None:
        self._is_busy = True
        self._after, self._goes_on = None, False
        ask()

    def _give(self, class_id: int, paths: Sequence[Path], *, advance: bool) -> None:
        classes = self._model.book.classes
        rows = self._rows(paths)
        adds = classes.is_multiple and class_id > 0
        # Where all have it already, it is taken from all.
        takes = adds and all(class_id in self._label(row) for row in rows)
        labellings = []
        for row in rows:
            before = tuple(one for one in self._label(row) if one > 0 and one != class_id)
            label = before if takes else (*before, class_id) if adds else (class_id,)
            labellings.append(Labelling(row.path, label, row.prediction))
        self._label_all(labellings, "person", advance=advance and not adds)

    def _clear(self, paths: Sequence[Path]) -> None:
        rows = [row for row in self._rows(paths) if self._label(row)]
        labellings = [Labelling(row.path, (), row.prediction) for row in rows]
        self._label_all(labellings, "person", advance=False)

    def _accept(self, rows: Sequence[GalleryRow], *, advance: bool) -> None:
        proposing = [row for row in rows if row.class_name]
        if not proposing:
            self.noted.emit(self.tr("The model has no proposal for these photos yet."))
            return
        book = self._model.book
        missing = [row.class_name for row in proposing if not book.proposed(row.top[0])]
        classes = book.classes.add(missing) if missing else None
        ids = {one.name: one.id for one in (classes or book.classes).classes}
        labellings = []
        for row in proposing:
            known = book.proposed(row.top[0]) or ids[clean_name(row.class_name)]
            labellings.append(Labelling(row.path, (known,), row.prediction))
        self._label_all(labellings, "proposal", advance=advance, classes=classes)

    def _label_all(
        self,
        labellings: Sequence[Labelling],
        who: str,
        *,
        advance: bool,
        classes: ClassList | None = None,
    ) -> None:
        if not labellings:
            return
        self._begin(lambda: self._bridge.label(labellings, who, classes))
        self._goes_on = advance and self.advances
        self._after = labellings[-1].path

    @Slot(object)
    def _take(self, change: Change) -> None:
        labelled = self._is_busy and self._after is not None
        self._is_busy = False
        self._model.set_labels(change.labels)
        self.given.emit(change, labelled)
        if self._goes_on and self._after is not None:
            self._gallery.go_past(self._after)
        self._go_on()

    @Slot(object)
    def _refuse(self, error: BaseException) -> None:
        self._is_busy = False
        self._waiting.clear()
        self.refused.emit(error)

    def _rows(self, paths: Sequence[Path]) -> list[GalleryRow]:
        found = (self._model.row(path) for path in paths)
        return [row for row in found if row is not None]

    def _selected_rows(self) -> list[GalleryRow]:
        return self._rows(self._gallery.selected())

    def _label(self, row: GalleryRow) -> Labels:
        return self._model.book.resolve(row.label)
