"""Gives labels at the person's wish, one step after the other, each on the disk before the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from core.errors import DroplensError
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
        self._is_held = False
        self._after: Path | None = None
        self._goes_on = False
        self._said = ""
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
        self._queue(lambda: self._give(class_id, self._targets(), advance=True))

    def give_to(self, class_id: int, paths: Sequence[Path]) -> None:
        """Give photos a class, as they were dropped on it; the current one stays."""
        self._queue(lambda: self._give(class_id, paths, advance=False))

    def take_away(self) -> None:
        """Take the labels of the selected photos away."""
        self._queue(lambda: self._clear(self._targets()))

    def accept(self) -> None:
        """Give the selected photos the classes that the model proposes."""
        self._queue(lambda: self._accept(self._rows(self._targets()), advance=True))

    def accept_all(self, rows: Sequence[GalleryRow]) -> None:
        """Give photos the classes that the model proposes."""
        self._queue(lambda: self._accept(rows, advance=False))

    def edit_classes(self, kind: str, edit: Callable[[ClassList], ClassList]) -> None:
        """Edit the list of classes as it is when what waits before is done."""

        def carry_out() -> None:
            try:
                classes = edit(self._model.book.classes)
            except (DroplensError, StopIteration, ValueError) as error:  # a class that is gone
                self.refused.emit(error)
                return
            self._begin(lambda: self._bridge.edit_classes(kind, classes))

        self._queue(carry_out)

    def hold(self) -> None:
        """Take nothing until ``release``: another project is being opened."""
        self._waiting.clear()
        self._is_held = True

    def release(self) -> None:
        """Take wishes again."""
        self._is_held = False

    def undo(self) -> None:
        """Take the last step back."""
        self._queue(lambda: self._turn(self._bridge.undo, self.tr("Undone.")))

    def redo(self) -> None:
        """Do again what was undone last."""
        self._queue(lambda: self._turn(self._bridge.redo, self.tr("Done again.")))

    def begin(self, ask: Callable[[], None]) -> None:
        """Let something else change labels, an import for instance."""
        self._queue(lambda: self._begin(ask))

    # One after the other

    def _queue(self, step: Callable[[], None]) -> None:
        if self._is_held:
            return
        self._waiting.append(step)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._is_busy:
            self._waiting.popleft()()

    def _begin(self, ask: Callable[[], None]) -> None:
        self._is_busy = True
        self._after, self._goes_on, self._said = None, False, ""
        ask()

    def _turn(self, ask: Callable[[], None], said: str) -> None:
        self._begin(ask)
        self._said = said

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
        if classes is not None:
            new = ", ".join(dict.fromkeys(missing))
            self.noted.emit(self.tr("New among the classes: {names}").format(names=new))
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
        elif self._said:
            self._show_turned([Path(file) for file in change.labels])
        self._go_on()

    def _show_turned(self, paths: list[Path]) -> None:
        """Go to the photos whose labels were undone, so that the next key is meant for them."""
        shown = [path for path in paths if self._model.position(path) >= 0]
        if shown:
            self._gallery.select(shown, shown[0])
        if len(paths) == 1:
            row = self._model.row(paths[0])
            label = self._model.book.classes.said(self._label(row)) if row is not None else ""
            now = label or self.tr("no label")
            self.noted.emit(f"{self._said} {paths[0].name}: {now}")
        else:
            self.noted.emit(self._said)

    @Slot(object)
    def _refuse(self, error: BaseException) -> None:
        self._is_busy = False
        self._waiting.clear()
        self.refused.emit(error)

    def _rows(self, paths: Sequence[Path]) -> list[GalleryRow]:
        found = (self._model.row(path) for path in paths)
        return [row for row in found if row is not None]

    def _targets(self) -> list[Path]:
        """Return the selected photos, else the one that is shown, where the list has it."""
        current = self._gallery.current
        shown = [current] if current is not None and self._model.position(current) >= 0 else []
        found = self._gallery.selected() or shown
        if not found:
            self.noted.emit(self.tr("No photo is selected; choose one in the list first."))
        return found

    def _label(self, row: GalleryRow) -> Labels:
        return self._model.book.resolve(row.label)
