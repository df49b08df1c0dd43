"""Bring labels into a project: read, find the photos, and give the labels in one step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import LabelsError
from core.labels.changes import Change, Labelling
from core.labels.classes import MARKS, ClassList, clean_name
from core.labels.encodings import Decoded
from core.labels.formats.table import Format, guess_format
from core.labels.locating import Locator
from core.labels.reading import ReadLabels, ReadOptions
from core.labels.store import LabelStore
from core.language import tr

_SAID_MISSING = 5
_SAID_OUTSIDE = 5
_SAMPLES = 3
_NO_NAMES = frozenset(
    "train val valid test training testing validation data images image photos nan none null "
    "n/a na undefined unknown".split()
)
"""Names that classes get where a folder or an empty cell was taken for one."""

UNEXPECTED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What reading a file that is nearly of a form can provoke."""


@dataclass
class ImportPlan:
    """What an import would do.

    Attributes:
        project: file of the project that it was planned for.
        source: file or folder of the labels.
        form: whose form they are in.
        options: how they were read.
        read: what was read; its labels are those of ``labels`` and others.
        labels: names of the classes, or the mark, of each photo that was found and has a label.
        unlabelled: photos that were found and have none.
        samples: the first labels as the file has them: name of the photo, and of its classes.
        counts: classes that the labels come with, in their order, and how many photos each has.
        new_classes: those of them that the project has not.
        boxed: photos that have classes of boxes, which are taken only if a person says so.
        is_multiple: whether photos have several classes.
        missing: photos that are named and were not found.
        rivals: those of them that can only be guessed to mean a photo that another name means.
        differing: photos that have another label in the project, which this one replaces.
        notes: what a person should know, in sentences.
    """

    project: Path
    source: Path
    form: Format
    options: ReadOptions
    read: ReadLabels
    labels: dict[Path, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    unlabelled: list[Path] = field(default_factory=list)
    samples: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    new_classes: list[str] = field(default_factory=list)
    boxed: int = 0
    is_multiple: bool = False
    missing: list[str] = field(default_factory=list)
    rivals: set[str] = field(default_factory=set)
    differing: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def photos(self) -> list[Path]:
        """Return all photos that were found."""
        return [*self.labels, *self.unlabelled]

    @property
    def decoded(self) -> Decoded | None:
        """Return how the text was read that it is least sure of; None where there was none."""
        unsure = [one for one in self.options.decoded if not one.is_sure]
        foreign = [one for one in self.options.decoded if one.encoding != "utf-8"]
        return next(iter((*unsure, *foreign, *self.options.decoded)), None)

    @property
    def classes(self) -> list[str]:
        """Return the names that the labels come with, in their order."""
        return list(self.counts)


def plan_import(
    store: LabelStore,
    form: Format | None,
    source: Path,
    folders: Sequence[Path] = (),
    *,
    near: Sequence[Path] = (),
    options: ReadOptions | None = None,
) -> ImportPlan:
    """Work out what an import would do; nothing is changed.

    Args:
        store: the project.
        form: of the labels; None finds it out.
        source: file or folder.
        folders: where the photos lie, as a person says: what is found there wins.
        near: where they may lie as well.
        options: how to read them; None finds it out.

    Raises:
        LabelsError: it cannot be read, or none of its photos was found.
    """
    form = form or guess_format(source)
    home = source if source.is_dir() else source.parent
    probe = Locator([*folders, *near], [home])
    options = replace(
        options or ReadOptions(),
        decoded=[],
        known=frozenset(store.classes.names),
        is_there=lambda file: probe.find(file)[0] is not None,
    )
    try:
        read = form.read(source, options)
    except UNEXPECTED as error:  # a file that is nearly of this form
        raise LabelsError(
            "The labels in {source} could not be read: they are not in the form of {title}.",
            source=source,
            title=form.title,
        ) from error
    plan = ImportPlan(store.path, source, form, options, read, notes=list(read.notes))
    _settle_boxes(plan)
    _find_photos(plan, Locator(folders, [*near, *read.folders], by_stem=read.by_stem))
    _refuse_without_photos(plan)
    _note_outside(plan, source, [*folders, *near])
    _count_classes(plan, store)
    _warn_of_names(plan)
    _, labellings = _given(plan, store)
    plan.differing = sum(store.label_of(one.path) not in ((), one.classes) for one in labellings)
    return plan


def _refuse_without_photos(plan: ImportPlan) -> None:
    """Refuse labels of which no photo was found."""
    read = plan.read
    if not read.labels or plan.photos:
        return
    if plan.rivals:
        raise LabelsError(
            "The names of photos in {source} can only be guessed at, and several may mean one, for "
            "instance “{file}”; say in which folder the photos lie.",
            source=plan.source,
            file=min(plan.rivals)[:120],
        )
    raise LabelsError(
        "None of the {n} photos that {source} names was found, the first is “{file}”; say in which "
        "folder the photos lie.",
        n=len(read.labels),
        source=plan.source,
        file=read.labels[0].file[:120],
    )


def _count_classes(plan: ImportPlan, store: LabelStore) -> None:
    """Note samples, counts and what is new for the project."""
    read = plan.read
    plan.samples = [(one.file, one.classes) for one in read.labels[:_SAMPLES]]
    used = Counter(
        name for classes, _ in plan.labels.values() for name in map(clean_name, classes) if name
    )
    ordered = dict.fromkeys(filter(None, map(clean_name, [*read.classes, *sorted(used)])))
    plan.counts = {name: used[name] for name in ordered}
    there = set(store.classes.names)
    plan.new_classes = [name for name in plan.classes if name not in there]
    plan.is_multiple = any(len(classes) > 1 for classes, _ in plan.labels.values())
    if plan.is_multiple and not store.classes.is_multiple:
        plan.notes.append(
            tr("Some photos have several classes; the project allows that from now on.")
        )


def refuse_useless(plan: ImportPlan) -> None:
    """Refuse an import that would give no label, or whose columns have to be chosen first.

    Raises:
        LabelsError: with the columns that there are.
    """
    read = plan.read
    listed = ", ".join(f"“{name}”" for name in list(read.label_columns)[:12])
    if read.must_choose and not plan.options.label_column:
        raise LabelsError(
            "{source} does not say which column or question holds the classes; there is "
            "{listed}. Say which one it is, with --column.",
            source=plan.source,
            listed=listed,
        )
    if plan.decoded is not None and not plan.decoded.is_sure:
        told = "; ".join(f"{name}: {words}" for name, words in plan.decoded.words.items())
        raise LabelsError(
            "{source} does not say in which encoding its letters are, and several are as "
            "likely ({told}). Say which one it is, with --encoding.",
            source=plan.source,
            told=told,
        )
    if plan.labels:
        return
    if plan.boxed:
        raise LabelsError(
            "{source} has classes of boxes on {boxed} photos, and none of whole photos. "
            "To give each photo the classes of its boxes, add --boxes.",
            source=plan.source,
            boxed=plan.boxed,
        )
    told = " " + tr("The classes were looked for in {listed}.", listed=listed) if listed else ""
    raise LabelsError(
        "{source} names {n} photos that were found, and gives none of them a class.{told}",
        source=plan.source,
        n=len(plan.unlabelled),
        told=told,
    )


def _settle_boxes(plan: ImportPlan) -> None:
    """Give photos the classes of their boxes, if a person says so."""
    plan.boxed = sum(1 for one in plan.read.labels if one.boxes)
    if plan.boxed and plan.options.takes_boxes:
        plan.read.labels = [
            replace(one, classes=tuple(dict.fromkeys((*one.classes, *one.boxes))))
            for one in plan.read.labels
        ]
    elif plan.boxed:
        plan.read.classes = ()
        plan.notes.append(
            tr(
                "On {boxed} photos there are boxes with classes, which are not taken.",
                boxed=plan.boxed,
            )
        )


def _warn_of_names(plan: ImportPlan) -> None:
    odd = [name for name in plan.classes if name.casefold() in _NO_NAMES]
    if odd:
        listed = ", ".join(f"“{name}”" for name in odd)
        plan.notes.insert(0, tr("Classes that are hardly meant as such: {names}.", names=listed))


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
            0,
            tr(
                "{n} of the photos lie outside of {folder}: {listed}{more}.",
                n=len(outside),
                folder=home,
                listed=listed,
                more=more,
            ),
        )


def carry_out(plan: ImportPlan, store: LabelStore) -> Change:
    """Give the labels: one step, which undo takes back as a whole.

    Raises:
        LabelsError: nothing of it was kept.
    """
    if store.path != plan.project:
        raise LabelsError("Another project was opened meanwhile; import the labels again.")
    classes, labellings = _given(plan, store)
    store.register(plan.photos)
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


def _find_photos(plan: ImportPlan, locator: Locator) -> None:
    """Sort out which photos are meant; where two names can only guess at one, neither counts."""
    located = {one.file: locator.find(one.file) for one in plan.read.labels}
    exact: dict[Path, str] = {}
    guesses: dict[Path, dict[str, None]] = {}
    for file, (path, is_exact) in located.items():
        if path is not None and is_exact:
            exact.setdefault(path, file)
        elif path is not None:
            guesses.setdefault(path, {})[file] = None
    plan.rivals = {
        file for path, files in guesses.items() if path in exact or len(files) > 1 for file in files
    }
    found: dict[Path, tuple[dict[str, None], str]] = {}
    for one in plan.read.labels:
        path, _ = located[one.file]
        if path is None or one.file in plan.rivals:
            plan.missing.append(one.file)
            continue
        classes, mark = found.get(path, ({}, ""))
        classes.update(dict.fromkeys(filter(clean_name, one.classes)))
        found[path] = (classes, one.mark or mark)
    for path, (classes, mark) in found.items():
        if classes or mark:
            plan.labels[path] = (tuple(classes), mark)
        else:
            plan.unlabelled.append(path)
    _note_guesses(plan, [path for path in guesses if path in found and path not in exact])


def _note_guesses(plan: ImportPlan, guessed: Sequence[Path]) -> None:
    plan.missing = list(dict.fromkeys(plan.missing))
    if guessed and not plan.read.by_stem:
        plan.notes.append(
            tr(
                "{n} photos lie elsewhere than the labels say and were found by their name, "
                "for instance {min}.",
                n=len(guessed),
                min=min(guessed),
            )
        )
    if plan.rivals:
        plan.notes.append(
            tr(
                "{n} names can only be guessed to mean a photo that another name means as "
                "well, and do not count, for instance “{min}”.",
                n=len(plan.rivals),
                min=min(plan.rivals)[:80],
            )
        )
    if plan.missing:
        shown = ", ".join(f"“{name[:80]}”" for name in plan.missing[:_SAID_MISSING])
        more = "" if len(plan.missing) <= _SAID_MISSING else tr(" and others")
        plan.notes.append(
            tr(
                "{n} photos were not found: {shown}{more}.",
                n=len(plan.missing),
                shown=shown,
                more=more,
            )
        )
