"""Passes what the window wants to the thread that keeps labels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot

from core.labels.keeper import LabelKeeper
from gui.futures import FutureWatcher

if TYPE_CHECKING:
    from concurrent.futures import Future

    from core.inference.predictions import Prediction
    from core.labels.classes import ClassList
    from core.labels.exporting import Which
    from core.labels.formats.table import Format
    from core.labels.importing import ImportPlan
    from core.labels.plans import ExportOptions, Plan
    from core.labels.reading import ReadOptions
    from core.labels.store import Labelling

_CHUNK_MS = 50
_PORTION_MS = 2_000


class LabelBridge(FutureWatcher):
    """Requests go to the keeper; what it answers comes as signals."""

    opened = Signal(object)
    """OpenedProject."""
    not_opened = Signal(object)
    """An exception; the project before stays open."""
    changed = Signal(object)
    """Change: a step that was asked for is on the disk."""
    not_changed = Signal(object)
    """An exception; nothing of the step was kept."""
    met = Signal(object, object)
    """Met and Change, of photos that were found."""
    counted = Signal(object)
    """Statistics."""
    planned = Signal(object)
    """Plan of an export."""
    not_planned = Signal(object)
    """An exception."""
    export_progressed = Signal(int, int)
    """Photos done and all, at most 20 times a second."""
    exported = Signal(object)
    """Report."""
    not_exported = Signal(object)
    """An exception."""
    import_planned = Signal(object)
    """ImportPlan."""
    import_refused = Signal(object)
    """An exception."""

    photos_moved = Signal(object)
    """File where a photo was → file where an export has put it."""

    _progressed = Signal()
    _photos_moved = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._keeper = LabelKeeper()
        self._steps = 0
        self._meetings = 0
        self._stop_export = threading.Event()
        self._progress = (0, 0)
        self._chunks = QTimer(self, singleShot=True, interval=_CHUNK_MS)
        self._chunks.timeout.connect(self._tell_progress)
        self._planning: Future[Plan] | None = None
        self._predictions: list[Prediction] = []
        self._portions = QTimer(self, singleShot=True, interval=_PORTION_MS)
        self._portions.timeout.connect(self._keep_predictions)
        self._photos_moved.connect(self._pass_moves, Qt.ConnectionType.QueuedConnection)
        self._progressed.connect(self._start_chunk, Qt.ConnectionType.QueuedConnection)

    # The project

    def open(self, path: Path) -> None:
        """Open a project, or make it."""
        self._watch("open", self._keeper.open(path), self.opened.emit, self.not_opened.emit)

    def put_session(self, values: Mapping[str, str]) -> None:
        """Keep how the window looks at the project."""
        self._silently(lambda store: store.put_session(values))

    def note_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Keep what the model says of photos, soon: a label need not wait for the disk."""
        self._predictions.extend(predictions)
        if not self._portions.isActive():
            self._portions.start()

    @Slot()
    def _keep_predictions(self) -> None:
        kept, self._predictions = self._predictions, []
        if kept:
            self._silently(lambda store: store.note_predictions(kept))

    # Photos

    def meet(self, paths: Sequence[Path]) -> None:
        """Take photos into the project's list."""
        self._meetings += 1
        self._watch(
            f"meet {self._meetings}",
            self._keeper.ask(lambda store: store.meet(paths)),
            lambda found: self.met.emit(*found),
            lambda _: None,  # said once, when the project was not opened
        )

    def take_off(self, files: Iterable[str]) -> None:
        """Take photos off the project's list."""
        gone = list(files)
        self._silently(lambda store: store.take_off(gone))

    def put_in_order(self, files: Iterable[str]) -> None:
        """Let the project's list stand in this order."""
        ordered = list(files)
        self._silently(lambda store: store.put_in_order(ordered))

    # Steps

    def label(
        self, labellings: Sequence[Labelling], who: str, classes: ClassList | None = None
    ) -> None:
        """Give labels; ``changed`` says when they are on the disk."""
        self._step(lambda store: store.label(labellings, who, classes))

    def edit_classes(self, kind: str, classes: ClassList) -> None:
        """Let another list of classes hold."""
        self._step(lambda store: store.edit_classes(kind, classes))

    def undo(self) -> None:
        """Take the last step back."""
        self._step(lambda store: store.undo())

    def redo(self) -> None:
        """Do again what was undone last."""
        self._step(lambda store: store.redo())

    # In and out

    def count(self) -> None:
        """Ask for the statistics."""
        from core.labels.records import count

        self._watch("count", self._keeper.ask(count), self.counted.emit)

    def plan_export(
        self,
        which: Which,
        only_class: str | None,
        form: Format,
        target: Path,
        options: ExportOptions,
    ) -> None:
        """Ask what an export would write; the newest question wins."""
        from core.labels.exporting import choose, plan_export

        self._keep_predictions()
        if self._planning is not None:
            self._planning.cancel()
        self._planning = self._keeper.ask(
            lambda store: plan_export(
                store, choose(store, which, only_class), form, target, options
            )
        )
        self._watch(
            "plan",
            self._planning,
            self.planned.emit,
            self.not_planned.emit,
        )

    def export(self, plan: Plan, form: Format, target: Path, options: ExportOptions) -> None:
        """Carry out an export."""
        self._stop_export = threading.Event()
        future = self._keeper.export(
            plan,
            form,
            target,
            options,
            self._note_progress,
            self._photos_moved.emit,
            self._stop_export,
        )
        self._watch("export", future, self.exported.emit, self.not_exported.emit)

    def stop_export(self) -> None:
        """End the export; it goes on when it is started again."""
        self._stop_export.set()

    def plan_import(
        self,
        form: Format | None,
        source: Path,
        near: Sequence[Path],
        options: ReadOptions | None = None,
    ) -> None:
        """Ask what an import would do.

        Args:
            form: of the labels; None finds it out.
            source: file or folder.
            near: folders where the photos may lie.
            options: how to read it; None finds it out.
        """
        from core.labels.importing import plan_import

        self._watch(
            "import",
            self._keeper.ask(
                lambda store: plan_import(store, form, source, near=near, options=options)
            ),
            self.import_planned.emit,
            self.import_refused.emit,
        )

    def carry_out_import(self, plan: ImportPlan) -> None:
        """Give the labels that were planned."""
        from core.labels.importing import carry_out

        self._step(lambda store: carry_out(plan, store))

    def shut_down(self) -> None:
        """Wait for what was asked, and close the project."""
        self._newest.clear()
        self._chunks.stop()
        self._portions.stop()
        self._keep_predictions()
        self._keeper.shut_down()

    # Inside

    def _step(self, job: Callable[[Any], object]) -> None:
        self._steps += 1  # none overtakes another
        self._watch(
            f"step {self._steps}",
            self._keeper.ask(job),
            self.changed.emit,
            self.not_changed.emit,
        )

    def _silently(self, job: Callable[[Any], object]) -> None:
        """Ask for what nobody waits for, and which is asked for again if it fails."""
        self._keeper.ask(job)

    def _note_progress(self, done: int, total: int) -> None:
        """Keep the newest count. Runs in the thread of the export."""
        self._progress = (done, total)
        self._progressed.emit()

    @Slot(object)
    def _pass_moves(self, moved: Mapping[str, str]) -> None:
        self.photos_moved.emit(moved)

    @Slot()
    def _start_chunk(self) -> None:
        if not self._chunks.isActive():
            self._chunks.start()

    @Slot()
    def _tell_progress(self) -> None:
        self.export_progressed.emit(*self._progress)
