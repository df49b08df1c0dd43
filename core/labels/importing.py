"""Bring labels into a project: read, find the photos, and give the labels in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import LabelsError
from core.labels.classes import MARKS, ClassList, clean_name
from core.labels.formats.table import Format, guess_format
from core.labels.reading import Locator, ReadLabels
from core.labels.store import Change, Labelling, LabelStore

_SAID_MISSING = 5
_SAID_OUTSIDE = 5
UNEXPECTED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What reading a file that is nearly of a form can provoke."""


@dataclass
class ImportPlan:
    """What an import would do.

    Attributes:
        project: file of the project that it was planned for.
        labels: names of the classes, or the mark, of each photo that was found and has a label.
        unlabelled: photos that were found and have none.
        classes: names that the labels come with, in their order.
        new_classes: those of them that the project has not.
        is_multiple: whether photos have several classes.
        missing: photos that are named and were not found.
        differing: photos that have another label in the project, which this one replaces.
        notes: what a person should know, in sentences.
    """

    project: Path
    labels: dict[Path, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    unlabelled: list[Path] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    new_classes: list[str] = field(default_factory=list)
    is_multiple: bool = False
    missing: list[str] = field(default_factory=list)
    differing: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def photos(self) -> list[Path]:
        """Return all photos that were found."""
        return [*self.labels, *self.unlabelled]


def plan_import(
    store: LabelStore, form: Format | None, source: Path, folders: Sequence[Path] = ()
) -> ImportPlan:
    """Work out what an import would do; nothing is changed.

    Args:
        store: the project.
        form: of the labels; None finds it out.
        source: file or folder.
        folders: where the photos lie, if not where the format says.

    Raises:
        LabelsError: it cannot be read, or none of its photos was found.
    """
    form = form or guess_format(source)
    try:
        read = form.read(source)
    except UNEXPECTED as error:  # a file that is nearly of this form
        raise LabelsError(
            f"The labels in {source} could not be read: they are not in the form of {form.title}."
        ) from error
    plan = ImportPlan(store.path, notes=list(read.notes))
    _find_photos(plan, read, [*folders, *read.folders])
    if read.labels and not plan.photos:
        raise LabelsError(
            f"None of the {len(read.labels):,} photos that {source} names was found, the first is "
            f"“{read.labels[0].file}”; say in which folder the photos lie."
        )
    _note_outside(plan, source, folders)
    names = [name for classes, _ in plan.labels.values() for name in classes]
    plan.classes = list(
        dict.fromkeys(filter(None, map(clean_name, [*read.classes, *sorted(names)])))
    )
    there = set(store.classes.names)
    plan.new_classes = [name for name in plan.classes if name not in there]
    plan.is_multiple = any(len(classes) > 1 for classes, _ in plan.labels.values())
    if plan.is_multiple and not store.classes.is_multiple:
        plan.notes.append("Some photos have several classes; the project allows that from now on.")
    _, labellings = _given(plan, store)
    plan.differing = sum(store.label_of(one.path) not in ((), one.classes) for one in labellings)
    return plan


def _note_outside(plan: ImportPlan, source: Path, folders: Sequence[Path]) -> None:
    """Say first which photos lie elsewhere: an export copies what stands in the list of photos."""
    home = source if source.is_dir() else source.parent
    roots = [folder.resolve() for folder in (home, *folders)]
    outside = [
        path
        for path in plan.photos
        if not any(path.resolve().is_relative_to(root) for root in roots)
    ]
    if outside:
        listed = ", ".join(map(str, outside[:_SAID_OUTSIDE]))
        more = ", …" if len(outside) > _SAID_OUTSIDE else ""
        plan.notes.insert(
            0, f"{len(outside):,} of the photos lie outside of {home}: {listed}{more}."
        )


def carry_out(plan: ImportPlan, store: LabelStore) -> Change:
    """Give the labels: one step, which undo takes back as a whole.

    Raises:
        LabelsError: nothing of it was kept.
    """
    if store.path != plan.project:
        raise LabelsError("Another project was opened meanwhile; import the labels again.")
    classes, labellings = _given(plan, store)
    store.meet(plan.photos)
    return store.label(labellings, "import", classes)


def _given(plan: ImportPlan, store: LabelStore) -> tuple[ClassList, list[Labelling]]:
    """Return the labels by the numbers that the classes have now, and the classes."""
    classes = store.classes.add(plan.classes)
    if plan.is_multiple:
        classes = classes.set_multiple(True)
    ids = {one.name: one.id for one in classes.classes}
    marks = {text: number for number, text in MARKS.items()}
    return classes, [
        Labelling(path, (marks[mark],) if mark else tuple(ids[clean_name(one)] for one in names))
        for path, (names, mark) in plan.labels.items()
    ]


def _find_photos(plan: ImportPlan, read: ReadLabels, folders: Sequence[Path]) -> None:
    """Sort out which photos are meant; where two names can only guess at one, neither counts."""
    locator = Locator(folders, by_stem=read.by_stem)
    named: dict[Path, str] = {}
    found: dict[Path, tuple[dict[str, None], str]] = {}
    located: dict[str, tuple[Path | None, bool]] = {}
    guessed: set[Path] = set()
    for one in read.labels:
        if one.file not in located:
            located[one.file] = locator.find(one.file)
        path, is_exact = located[one.file]
        if path is None or (named.get(path, one.file) != one.file and not is_exact):
            plan.missing.append(one.file)
            continue
        named.setdefault(path, one.file)
        if not is_exact and not read.by_stem:
            guessed.add(path)
        classes, mark = found.get(path, ({}, ""))
        classes.update(dict.fromkeys(filter(clean_name, one.classes)))
        found[path] = (classes, one.mark or mark)
    for path, (classes, mark) in found.items():
        if classes or mark:
            plan.labels[path] = (tuple(classes), mark)
        else:
            plan.unlabelled.append(path)
    if guessed:
        plan.notes.append(
            f"{len(guessed):,} photos lie elsewhere than the labels say and were found by their "
            f"name, for instance {min(guessed)}."
        )
    if plan.missing:
        shown = ", ".join(f"“{name[:80]}”" for name in plan.missing[:_SAID_MISSING])
        more = "" if len(plan.missing) <= _SAID_MISSING else " and others"
        plan.notes.append(f"{len(plan.missing):,} photos were not found: {shown}{more}.")
