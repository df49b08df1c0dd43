"""Applies the user's labels one at a time; each is saved before the next starts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Signal

from core.errors import DroplensError
from core.labels.changes import Labelling
from core.labels.classes import ClassList, Labels, clean_name
from core.labels.requests import EditClasses, Label, LabelRequest, Redo, Undo
from core.language import tr

if TYPE_CHECKING:
    from core.labels.changes import Change
    from gui.gallery_rows import GalleryRow
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class LabelGiver(QObject):
    """Labels the selected photos. Keys that come while a label is being saved wait for it."""

    changed = Signal(object)
    """Change."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._photos = session.photos
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_busy = False
        self._held = 0
        self._after: Path | None = None
        self._goes_on = False
        self._said = ""

    def give(self, class_id: int) -> None:
        """Give the selected photos a class, or a mark; where several count, add or take it."""
        self._queue(lambda: self._give(class_id, self.targets(), advance=True))

    def give_to(self, class_id: int, paths: Sequence[Path]) -> None:
        """Give photos a class, as they were dropped on it; the current one stays."""
        self._queue(lambda: self._give(class_id, paths, advance=False))

    def clear(self) -> None:
        """Clear the labels of the selected photos."""
        self._queue(lambda: self._clear(self.targets()))

    def accept(self, rows: Sequence[GalleryRow], *, advance: bool) -> None:
        """Give photos the classes that the model proposes; then go on to the next, or stay."""
        self._queue(lambda: self._accept(rows, advance=advance))

    def give_named(self, paths: Sequence[Path], name: str) -> None:
        """Give photos a class that was proposed, by its name; the current one stays."""
        self._queue(lambda: self._give_named(paths, name))

    def edit_classes(self, kind: str, edit: Callable[[ClassList], ClassList]) -> None:
        """Edit the list of classes as it is when what waits before is done."""

        def carry_out() -> None:
            try:
                classes = edit(self._photos.label_index.classes)
            except (DroplensError, StopIteration, ValueError) as error:  # a class that is gone
                self._window.reporter.report(error)
                return
            self._begin(EditClasses(kind, classes))

        self._queue(carry_out)

    def hold(self) -> None:
        """Take nothing until each ``hold`` is released: another project is being opened.

        What waits is carried out first, in the project that it was meant for.
        """
        self.finish()
        self._held += 1

    def release(self) -> None:
        """Go on."""
        self._held -= 1

    def undo(self) -> None:
        """Take the last step back."""
        self._queue(lambda: self._turn(Undo(), tr("Undone.")))

    def redo(self) -> None:
        """Do again what was undone last."""
        self._queue(lambda: self._turn(Redo(), tr("Redone.")))

    def begin(self, request: LabelRequest[Change]) -> None:
        """Let something else change labels, an import for instance."""
        self._queue(lambda: self._begin(request))

    def finish(self) -> None:
        """Carry out the keys that wait for a label that is being saved."""
        while self._is_busy:
            QCoreApplication.processEvents(
                QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents
                | QEventLoop.ProcessEventsFlag.WaitForMoreEvents
            )

    # One after the other

    def _queue(self, step: Callable[[], None]) -> None:
        if self._held:
            return
        self._waiting.append(step)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._is_busy:
            self._waiting.popleft()()

    def _begin(self, request: LabelRequest[Change]) -> None:
        self._is_busy = True
        self._after, self._goes_on, self._said = None, False, ""
        self._tasks.ask(request, self._take, self._refuse)

    def _turn(self, request: LabelRequest[Change], said: str) -> None:
        self._begin(request)
        self._said = said

    def _give(self, class_id: int, paths: Sequence[Path], *, advance: bool) -> None:
        classes = self._photos.label_index.classes
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
        means_none = self._photos.label_index.means_none
        proposing = [row for row in rows if row.class_name and not means_none(row.class_name)]
        if not proposing:
            self._window.note(tr("The model has no proposal for these photos yet."))
            return
        label_index = self._photos.label_index
        missing = [row.class_name for row in proposing if not label_index.proposed(row.top[0])]
        classes = label_index.classes.add(missing) if missing else None
        if classes is not None:
            new = ", ".join(dict.fromkeys(missing))
            self._window.note(tr("New among the classes: {names}", names=new))
        ids = {one.name: one.id for one in (classes or label_index.classes).classes}
        labellings = []
        for row in proposing:
            known = label_index.proposed(row.top[0]) or ids[clean_name(row.class_name)]
            labellings.append(Labelling(row.path, (known,), row.prediction))
        self._label_all(labellings, "proposal", advance=advance, classes=classes)

    def _give_named(self, paths: Sequence[Path], name: str) -> None:
        before = self._photos.label_index.classes
        ids = {one.name: one.id for one in before.classes}
        classes = None if name in ids else before.add([name])
        if classes is not None:
            ids = {one.name: one.id for one in classes.classes}
        labellings = [
            Labelling(row.path, (ids[name],), row.prediction) for row in self._rows(paths)
        ]
        self._label_all(labellings, "proposal", advance=False, classes=classes)

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
        self._begin(Label(tuple(labellings), who, classes))
        self._goes_on = advance and self._session.settings.label_advances
        self._after = labellings[-1].path

    def _take(self, change: Change) -> None:
        self._is_busy = False
        self._photos.set_labels(change.labels)
        self.changed.emit(change)
        if self._goes_on and self._after is not None:
            self._session.go_past(self._after)
        elif self._said:
            self._show_turned(list(change.labels))
        self._go_on()

    def _show_turned(self, files: list[str]) -> None:
        """Go to the photos whose labels were undone, so that the next key is meant for them."""
        shown = list(self._photos.positions(files))
        if shown:
            self._session.select(shown, Path(shown[0]))
        if len(files) == 1:
            path = Path(files[0])
            row = self._photos.row(path)
            label = (
                self._photos.label_index.classes.said(self._label(row)) if row is not None else ""
            )
            now = label or tr("no label")
            self._window.note(f"{self._said} {path.name}: {now}")
        else:
            self._window.note(self._said)

    def _refuse(self, error: BaseException) -> None:
        self._is_busy = False
        self._waiting.clear()
        self._window.reporter.report(error)

    def _rows(self, paths: Sequence[Path]) -> list[GalleryRow]:
        found = (self._photos.row(path) for path in paths)
        return [row for row in found if row is not None]

    def targets(self) -> list[Path]:
        """Return the selected photos, else the one that is shown, where the list has it."""
        current = self._session.current
        shown = [current] if current is not None and self._photos.position(current) >= 0 else []
        found = self._session.selected() or shown
        if not found:
            self._window.note(tr("No photo is selected; choose one in the list first."))
        return found

    def _label(self, row: GalleryRow) -> Labels:
        return self._photos.label_index.resolve(row.label)
