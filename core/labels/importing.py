"""Bring labels into a project: read, find the photos, and give the labels in one step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import LabelsError
from core.labels.classes import MARKS, ClassList, Labels, clean_name
from core.labels.formats.table import Format
from core.labels.reading import Locator, ReadLabels
from core.labels.store import Change, Labelling, LabelStore

_SAID_MISSING = 5


@dataclass
class ImportPlan:
    """What an import would do.

    Attributes:
        classes: of the project afterwards.
        new_classes: names of those that come with it.
        labellings: one a photo that was found and has a label.
        unlabelled: photos that were found and have none.
        missing: photos that are named and were not found.
        differing: photos that have another label in the project, which this one replaces.
        notes: what a person should know, in sentences.
    """

    classes: ClassList
    new_classes: list[str] = field(default_factory=list)
    labellings: list[Labelling] = field(default_factory=list)
    unlabelled: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    differing: int = 0
    notes: list[str] = field(default_factory=list)


def plan_import(
    store: LabelStore, form: Format, source: Path, folders: Sequence[Path] = ()
) -> ImportPlan:
    """Work out what an import would do; nothing is changed.

    Args:
        store: the project.
        form: of the labels.
        source: file or folder.
        folders: where the photos lie, if not where the format says.

    Raises:
        LabelsError: it cannot be read, or none of its photos was found.
    """
    read = form.read(source)
    locator = Locator([*folders, *read.folders], by_stem=read.by_stem)
    found: dict[Path, tuple[tuple[str, ...], str]] = {}
    plan = ImportPlan(store.classes, notes=list(read.notes))
    for one in read.labels:
        path = locator.find(one.file)
        if path is None:
            plan.missing.append(one.file)
        else:
            before = found.get(path, ((), ""))
            classes = dict.fromkeys((*before[0], *filter(clean_name, one.classes)))
            found[path] = (tuple(classes), one.mark or before[1])
    if read.labels and not found:
        raise LabelsError(
            f"None of the {len(read.labels):,} photos that {source} names was found, the first is "
            f"“{read.labels[0].file}”; say in which folder the photos lie."
        )
    _name_classes(plan, read, found.values())
    ids = {one.name: one.id for one in plan.classes.classes}
    ids |= {text: number for number, text in MARKS.items()}
    for path, (names, mark) in found.items():
        label: Labels = (ids[mark],) if mark else tuple(ids[clean_name(name)] for name in names)
        if label:
            plan.labellings.append(Labelling(path, label))
            plan.differing += store.label_of(path) not in ((), label)
        else:
            plan.unlabelled.append(path)
    if plan.missing:
        shown = ", ".join(f"“{name}”" for name in plan.missing[:_SAID_MISSING])
        more = "" if len(plan.missing) <= _SAID_MISSING else " and others"
        plan.notes.append(f"{len(plan.missing):,} photos were not found: {shown}{more}.")
    return plan


def carry_out(plan: ImportPlan, store: LabelStore) -> Change:
    """Give the labels: one step, which undo takes back as a whole.

    Raises:
        LabelsError: nothing of it was kept.
    """
    store.meet([*(one.path for one in plan.labellings), *plan.unlabelled])
    return store.label(plan.labellings, "import", plan.classes)


def _name_classes(
    plan: ImportPlan, read: ReadLabels, labels: Collection[tuple[tuple[str, ...], str]]
) -> None:
    """Let the project have the classes that the labels need."""
    named = [*read.classes, *sorted({name for names, _ in labels for name in names})]
    there = set(plan.classes.names)
    cleaned = dict.fromkeys(map(clean_name, named))
    plan.new_classes = [name for name in cleaned if name and name not in there]
    plan.classes = plan.classes.add(plan.new_classes)
    if any(len(names) > 1 for names, _ in labels) and not plan.classes.is_multiple:
        plan.classes = plan.classes.set_multiple(True)
        plan.notes.append("Some photos have several classes; the project allows that from now on.")
