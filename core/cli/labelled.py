"""Labelled photos that a command is given: class folders, a file of labels, or a project."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.cli.terminal import path_option, say
from core.errors import DroplensError
from core.images.kinds import PROJECTS
from core.labels.formats import class_folders
from core.labels.reading import ReadOptions
from core.language import tr
from core.values.class_mapping import KEPT_AS, RIGHT_LABELS, of_text

_CLASS_LIST = "classes.txt"
"""Stands beside class folders, and names theirs."""


@dataclass(frozen=True)
class NamedPhotos:
    """Photos with the names of their classes.

    Attributes:
        photos: with the names of each.
        classes: all names, in order.
        is_several: whether a photo may have several.
        mapping: for a class of a model the class that it means, as a project keeps it.
        right: photos whose label a person has looked at and left.
    """

    photos: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    classes: tuple[str, ...] = ()
    is_several: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    right: frozenset[Path] = frozenset()


def add_labelled_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which photos are meant."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "folder",
        nargs="?",
        type=path_option,
        metavar="FOLDER|FILE",
        help=tr("with a folder a class; or a file of labels, as “labels import” reads it"),
    )
    source.add_argument(
        "--project", type=path_option, metavar="FILE", help=tr("project with labels")
    )


def labelled_photos(options: argparse.Namespace) -> NamedPhotos:
    """Return photos and the names of their classes.

    Raises:
        DroplensError: there are none.
    """
    if options.project is None:
        return photos_named_by(options.folder)
    return photos_of_project(options.project)


def photos_named_by(path: Path) -> NamedPhotos:
    """Return the photos that a folder of class folders, a file of labels, or a project names.

    Raises:
        DroplensError: it names none.
    """
    if path.is_file() and path.suffix == PROJECTS.endings[0]:
        return photos_of_project(path)
    if path.is_file() and path.name.casefold() != _CLASS_LIST:
        return _photos_of_label_file(path)
    return photos_in_folders(path)


def _photos_of_label_file(path: Path) -> NamedPhotos:
    """Return photos by a file of labels: what a project would hold that imports it.

    Raises:
        DroplensError: it cannot be read, or names no photo that is there.
    """
    from core.labels.importing import carry_out, plan_import, refuse_useless
    from core.labels.store import LabelStore

    with tempfile.TemporaryDirectory() as place:
        project = Path(place) / f"labels{PROJECTS.endings[0]}"
        with LabelStore(project) as store:
            path = path.absolute()
            plan = plan_import(store, None, path, near=(path.parent,))
            refuse_useless(plan)
            for note in plan.notes:
                say(note)
            carry_out(plan, store)
        return photos_of_project(project)


def photos_of_project(project: Path) -> NamedPhotos:
    """Return the labelled photos of a project.

    Raises:
        DroplensError: it is no project.
    """
    from core.labels.exporting import choose
    from core.labels.store import LabelStore

    if not project.is_file():
        raise DroplensError("{path} is no project; choose another file.", path=project)
    with LabelStore(project) as store:
        photos = [(one.path, one.classes) for one in choose(store) if one.is_labelled]
        names, is_multiple = store.classes.names, store.classes.is_multiple
        notes = store.session()
    is_several = is_multiple or any(len(classes) > 1 for _, classes in photos)
    left = of_text(notes.get(RIGHT_LABELS, ""))
    return replace(
        _sorted(photos, names, is_several=is_several),
        mapping=of_text(notes.get(KEPT_AS, "")),
        right=frozenset(path for path, one in photos if left.get(str(path)) in one),
    )


def _sorted(
    photos: Sequence[tuple[Path, Sequence[str]]], names: Sequence[str], *, is_several: bool
) -> NamedPhotos:
    """Return photos by their first class, and of all classes those that have any."""
    order = {name: at for at, name in enumerate(names)}
    found = [(path, tuple(classes)) for path, classes in photos]
    found.sort(key=lambda one: order[one[1][0]])
    used = {name for _, classes in found for name in classes}
    return NamedPhotos(tuple(found), tuple(filter(used.__contains__, names)), is_several)


def photos_in_folders(folder: Path) -> NamedPhotos:
    """Return the photos of a folder with a folder a class; of sets, those of all together.

    Raises:
        DroplensError: there are none.
    """
    read = class_folders.read(folder, ReadOptions())
    for note in read.notes:
        say(note)
    found = [(Path(one.file), one.classes[:1]) for one in read.labels if one.classes]
    above = folder if folder.is_dir() else folder.parent  # classes.txt names its folder
    sets: dict[str, set[str]] = {}
    for path, (name,) in found:
        sets.setdefault(name, set()).add(path.relative_to(above).parts[0])
    joined = sorted(set().union(*(one for one in sets.values() if len(one) > 1)))
    if joined:
        say(
            tr(
                "{names} are taken together; name one of them alone to leave the others out.",
                names=", ".join(joined),
            )
        )
    return _sorted(found, read.classes, is_several=False)
