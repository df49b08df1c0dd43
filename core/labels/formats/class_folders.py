"""Folders named like classes, as torchvision's ImageFolder, timm and YOLO read them.

Folder names are made safe, so ``classes.txt`` holds the class names: line i is the class of the
i-th folder as sorted by code point, which is torchvision's class index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import LabelsError, os_reason
from core.images.finding import IMAGE_ENDINGS, NO_FOLDERS, find_images
from core.labels.plans import (
    USUAL_SPLIT,
    ExportOptions,
    Plan,
    Targets,
    common_folder,
    folder_name,
    folders_of,
    labelled_only,
    note_empty_sets,
    split_of,
    subfolder,
    used_classes,
)
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_text
from core.labels.records import LabelledPhoto
from core.language import tr

CLASSES_FILE = "classes.txt"
_TRAINING = re.compile("train", re.IGNORECASE)
_SET = re.compile(
    r"(seg[ _-]?)?(train|training|val|valid|validation|test|testing|trainval|dev|eval|pred|"
    r"unlabell?ed|holdout)([ _-]?(set|data|images?|imgs?|split))?[ _-]?\d*|(fold|split)[_-]?\d+",
    re.IGNORECASE,
)
"""Names of folders that hold a set of a data set."""

_SET_OF = re.compile(
    r"[\w ]+[_ -](train|training|test|testing|val|valid|validation)\d*", re.IGNORECASE
)
"""The same with the data set's name before it, if there are folders of classes in it."""

_DATA = frozenset(
    "data images image img imgs photos pictures jpegimages dataset masks annotations labels".split()
)
"""Folders in which tools put all photos of a data set, or all of another kind."""

_DEEPEST = 6


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], root: Path, options: ExportOptions
) -> Plan:
    """Plan ``[<set>/]<class>/[<subfolders>/]<photo>``."""
    return _plan(photos, classes, root, options, unique_names=False)


def write_yolo(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], root: Path, options: ExportOptions
) -> Plan:
    """Plan ``train|val|test/<class>/<photo>`` with no file name twice; YOLO wants all three."""
    options = ExportOptions(options.transfer, False, options.split or USUAL_SPLIT, options.seed)
    return _plan(photos, classes, root, options, unique_names=True)


def _plan(
    photos: Sequence[LabelledPhoto],
    classes: Sequence[str],
    root: Path,
    options: ExportOptions,
    *,
    unique_names: bool,
) -> Plan:
    plan = Plan()
    kept = labelled_only(photos, plan)
    if any(len(one.classes) > 1 for one in kept):
        plan.notes.append(tr("Photos of several classes are put into each of their folders."))
    used = used_classes(kept, classes)
    folders = folders_of(classes)  # the same ones, whichever photos are exported
    sets = split_of(kept, options.split, options.seed)
    note_empty_sets(sets.values(), options.split, plan)
    common = common_folder(kept) if options.keep_folders else None
    targets = Targets(root, options.taken, unique_names=unique_names)
    for one in kept:
        for name in one.classes:
            parts = [sets[one.path], folders[name], subfolder(one, common) if common else ""]
            plan.files.append(targets.place(one, "/".join(part for part in parts if part)))
    names = {folders[name]: name for name in used}
    if options.split is None:  # what lay there before counts for torchvision too
        names = {**_class_names(root, _folders_in(root), ReadOptions()), **names}
    if names:
        lines = [names[folder] for folder in sorted(names)]
        plan.texts[CLASSES_FILE] = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    return plan


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read a folder whose subfolders are classes, or hold train, val and test with classes in them.

    Raises:
        LabelsError: it is no such folder.
    """
    if path.is_file():
        path = path.parent
    found = ReadLabels()
    root, roots = _roots_of(path, found.notes, options)
    folders = sorted({name for one in roots for name in _classes_in(one)})
    names = _class_names(root, folders, options)
    if not names:
        raise LabelsError(
            "{path} has no subfolders, which would be the classes; choose the folder above them.",
            path=path,
        )
    if all(_is_for_all(name) for name in folders) and _lines(root, folders, options) is None:
        raise LabelsError(
            "The folders in {root} ({names}) hold photos, but no folders of classes, so "
            "they say nothing of what is on the photos.",
            root=root,
            names=", ".join(folders[:5]),
        )
    labels: dict[str, ReadLabel] = {}
    for one in roots:
        for folder in _classes_in(one):
            for photo in find_images([one / folder], lambda _: None):
                labels[str(photo)] = ReadLabel(str(photo), (names[folder],))
    found.labels, found.classes = list(labels.values()), list(names.values())
    photos = sum(_is_photo(entry.name) for entry in root.iterdir() if entry.is_file())
    if photos:
        found.notes.append(
            tr("{photos} photos beside the folders of the classes are passed over.", photos=photos)
        )
    return found


def _roots_of(path: Path, notes: list[str], options: ReadOptions) -> tuple[Path, list[Path]]:
    """Return the folder whose classes.txt counts, and the folders that have the classes in them.

    Sets, folders for all data, and one that is alone are gone through.
    """
    for _ in range(_DEEPEST):
        folders = _classes_in(path)
        if _lines(path, folders, options) is not None:
            return path, [path]
        sets = [name for name in folders if _SET.fullmatch(name) or _SET_OF.fullmatch(name)]
        divided = [name for name in sets if _has_classes(path / name)]
        if divided and (
            len(sets) == len(folders)
            or len(sets) > 1
            or any(_TRAINING.search(name) for name in divided)
        ):
            others = [name for name in folders if name not in divided]
            if others:
                notes.append(
                    tr(
                        "Without folders of classes in them, or beside the sets, and so "
                        "passed over: {names}.",
                        names=", ".join(others[:5]),
                    )
                )
            return path, [_below_set(path / name) for name in divided]
        _refuse_repeated(path, folders)
        held = [name for name in folders if name.casefold() in _DATA]
        is_above = len(folders) == 1 and (
            _is_above(path / folders[0]) or (bool(held) and _has_classes(path / folders[0]))
        )
        if not is_above:
            return path, [path]
        path = path / folders[0]
        notes.append(tr("The classes are taken to be the folders in {path}.", path=path))
    return path, [path]


def _refuse_repeated(path: Path, folders: list[str]) -> None:
    """Ask where folders without photos of their own all have the same ones in them."""
    inside = [_classes_in(path / name) for name in folders]
    if len(folders) < 2 or any(len(names) < 2 for names in inside):
        return
    if any(_is_photo(one.name) for name in folders for one in (path / name).iterdir()):
        return
    if len({tuple(names) for names in inside}) == 1:
        raise LabelsError(
            "The folders in {path} ({names}) all hold the same folders ({names_2}). If "
            "these are the classes, import each of the first by itself.",
            path=path,
            names=", ".join(folders[:4]),
            names_2=", ".join(inside[0][:4]),
        )


def _below_set(folder: Path) -> Path:
    """Return a set's folder, or the one that it has within, as archives are often packed."""
    inside = _classes_in(folder)
    is_named = len(inside) == 1 and (_is_for_all(inside[0]) or inside[0] == folder.name)
    is_doubled = is_named and _has_classes(folder / inside[0])
    return folder / inside[0] if is_doubled else folder


def _has_classes(folder: Path) -> bool:
    """Return whether a folder has others in it that may be classes."""
    inside = _classes_in(folder)
    if len(inside) == 1 and (_is_for_all(inside[0]) or inside[0] == folder.name):
        return _has_classes(folder / inside[0])
    return any(not _is_for_all(name) for name in inside)


def _is_for_all(name: str) -> bool:
    """Return whether a folder is named like one for all photos, or for a set of them."""
    return name.casefold() in _DATA or _SET.fullmatch(name) is not None


def _is_above(folder: Path) -> bool:
    """Return whether a folder that is alone lies above the classes, and is none itself."""
    inside = _classes_in(folder)
    if any(_is_photo(entry.name) for entry in folder.iterdir()) or not inside:
        return False
    return len(inside) > 1 or _is_above(folder / inside[0])


def _classes_in(folder: Path) -> list[str]:
    """Return the subfolders that hold photos, however deep."""
    return [
        name
        for name in _folders_in(folder)
        if name not in NO_FOLDERS and _holds_photos(folder / name)
    ]


def _holds_photos(folder: Path) -> bool:
    return next(find_images([folder], lambda _: None), None) is not None


def _is_photo(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_ENDINGS  # noqa: PTH122


def _class_names(root: Path, folders: list[str], options: ReadOptions) -> dict[str, str]:
    """Return the class of each folder: by classes.txt where it fits, else by the folder's name."""
    return dict(zip(folders, _lines(root, folders, options) or folders, strict=True))


def _lines(root: Path, folders: list[str], options: ReadOptions) -> list[str] | None:
    """Return the names in classes.txt, where each of them can be the class of its folder."""
    if not (root / CLASSES_FILE).is_file():
        return None
    lines = read_text(root / CLASSES_FILE, options).splitlines()
    if len(lines) != len(folders):
        return None
    for line, folder in zip(lines, folders, strict=True):
        made = folder_name(line)
        if folder != made and not re.fullmatch(re.escape(made) + r"-\d+", folder):
            return None
    return lines


def _folders_in(folder: Path) -> list[str]:
    try:
        return sorted(
            entry.name
            for entry in folder.iterdir()
            if entry.is_dir() and not entry.name.startswith(".")
        )
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise LabelsError(
            "The folder {folder} could not be read: {reason}.",
            folder=folder,
            reason=os_reason(error),
        ) from error
