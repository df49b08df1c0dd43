"""What can be asked of the project that is open; each step is on the disk when it is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from core.work.requests import Request, is_stopped, tell

if TYPE_CHECKING:
    from core.labels.changes import Change, Labelling
    from core.labels.classes import ClassList
    from core.labels.exporting import Report, Which
    from core.labels.formats.table import Format
    from core.labels.importing import ImportPlan
    from core.labels.photos import Registered
    from core.labels.plans import ExportOptions, Plan
    from core.labels.reading import ReadOptions
    from core.labels.records import Statistics
    from core.labels.service import LabelService, OpenedProject
    from core.labels.store import LabelStore
    from core.values.predictions import Prediction

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class OpenProject(Request["LabelService", "OpenedProject"]):
    """Open a project, or make it; the one before stays open where this one cannot be.

    None replaces another: whoever asks is told of each project that is open from then on.
    """

    lane = "label"
    path: Path

    def run(self, service: LabelService) -> OpenedProject:
        return service.open(self.path)


@dataclass(frozen=True)
class FlushLabels(Request["LabelService", None]):
    """Bring all labels into the project's one file, which people copy by itself."""

    lane = "label"

    def run(self, service: LabelService) -> None:
        service.flush()


class LabelRequest(Request["LabelService", Answer], Generic[Answer]):
    """Base of what is asked of the label store."""

    lane = "label"

    def run(self, service: LabelService) -> Answer:
        return service.carry_out(self.apply)

    def apply(self, store: LabelStore) -> Answer:
        """Return the answer of the store."""
        raise NotImplementedError


@dataclass(frozen=True)
class PutSession(LabelRequest[None]):
    """Keep how the window looks at the project."""

    values: Mapping[str, str]

    def apply(self, store: LabelStore) -> None:
        store.put_session(self.values)


@dataclass(frozen=True)
class NotePredictions(LabelRequest[None]):
    """Keep what the model says of photos."""

    predictions: tuple[Prediction, ...]

    def apply(self, store: LabelStore) -> None:
        store.note_predictions(self.predictions)


@dataclass(frozen=True)
class RegisterPhotos(LabelRequest["tuple[Registered, Change]"]):
    """Take photos into the project's list."""

    photos: tuple[Path, ...]

    def apply(self, store: LabelStore) -> tuple[Registered, Change]:
        return store.register(self.photos)


@dataclass(frozen=True)
class TakeOffList(LabelRequest[None]):
    """Take photos off the project's list; their labels stay."""

    files: tuple[str, ...]

    def apply(self, store: LabelStore) -> None:
        store.take_off(self.files)


@dataclass(frozen=True)
class PutInOrder(LabelRequest[None]):
    """Let the project's list stand in this order."""

    files: tuple[str, ...]

    def apply(self, store: LabelStore) -> None:
        store.put_in_order(self.files)


@dataclass(frozen=True)
class Label(LabelRequest["Change"]):
    """Give labels.

    Attributes:
        labellings: one a photo.
        who: "person" or "proposal".
        classes: another list of classes that holds from now on; None leaves it.
    """

    labellings: tuple[Labelling, ...]
    who: str
    classes: ClassList | None = None

    def apply(self, store: LabelStore) -> Change:
        return store.label(self.labellings, self.who, self.classes)


@dataclass(frozen=True)
class EditClasses(LabelRequest["Change"]):
    """Let another list of classes hold."""

    kind: str
    classes: ClassList

    def apply(self, store: LabelStore) -> Change:
        return store.edit_classes(self.kind, self.classes)


@dataclass(frozen=True)
class Undo(LabelRequest["Change"]):
    """Take the last step back."""

    def apply(self, store: LabelStore) -> Change:
        return store.undo()


@dataclass(frozen=True)
class Redo(LabelRequest["Change"]):
    """Do again what was undone last."""

    def apply(self, store: LabelStore) -> Change:
        return store.redo()


@dataclass(frozen=True)
class CountLabels(LabelRequest["Statistics"]):
    """How many photos have which label."""

    def apply(self, store: LabelStore) -> Statistics:
        from core.labels.records import count

        return count(store)


@dataclass(frozen=True)
class PlanExport(LabelRequest["Plan"]):
    """What an export would write."""

    slot = "plan of an export"
    which: Which
    only_class: str | None
    form: Format
    target: Path
    options: ExportOptions

    def apply(self, store: LabelStore) -> Plan:
        from core.labels.exporting import choose, plan_export

        photos = choose(store, self.which, self.only_class)
        return plan_export(store, photos, self.form, self.target, self.options)


@dataclass(frozen=True)
class Exported:
    """How far an export is.

    Attributes:
        done: photos done.
        total: photos in all.
        moved: file where a photo was → file where it is now.
    """

    done: int
    total: int
    moved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Export(Request[Callable[[Mapping[str, str]], None], "Iterator[Exported | Report]"]):
    """Carry out a planned export; tells how far it is, and in the end what came of it."""

    lane = "export"
    plan: Plan
    form: Format
    target: Path
    options: ExportOptions

    def run(self, note_moves: Callable[[Mapping[str, str]], None]) -> Iterator[Exported | Report]:
        from core.labels.exporting import carry_out

        done = 0

        def note_progress(now: int, total: int) -> None:
            nonlocal done
            done = now
            tell(Exported(done, total))

        def note(moved: Mapping[str, str]) -> None:
            note_moves(moved)
            tell(Exported(done, len(self.plan.files), moved))

        report = carry_out(
            self.plan, self.form, self.target, self.options, note, note_progress, is_stopped
        )
        return iter((report,))


@dataclass(frozen=True)
class PlanImport(LabelRequest["ImportPlan"]):
    """What an import would do.

    Attributes:
        form: of the labels; None finds it out.
        source: file or folder.
        near: folders where the photos may lie.
        options: how to read it; None finds it out.
    """

    slot = "plan of an import"
    form: Format | None
    source: Path
    near: tuple[Path, ...]
    options: ReadOptions | None = None

    def apply(self, store: LabelStore) -> ImportPlan:
        from core.labels.importing import plan_import

        return plan_import(store, self.form, self.source, near=self.near, options=self.options)


@dataclass(frozen=True)
class Import(LabelRequest["Change"]):
    """Give the labels that were planned."""

    plan: ImportPlan

    def apply(self, store: LabelStore) -> Change:
        from core.labels.importing import carry_out

        return carry_out(self.plan, store)
