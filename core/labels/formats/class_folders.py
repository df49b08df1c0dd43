"""Folders named like classes, as torchvision's ImageFolder, timm and YOLO read them.

Folder names are made safe, so ``classes.txt`` holds the class names: line i is the class of the
i-th folder as sorted by code point, which is torchvision's class index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import LabelsError, os_reason
from core.images.finding import IMAGE_ENDINGS, find_images
from core.labels.plans import (
    SPLIT_NAMES,
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
from core.labels.reading import READ_AS_IT_IS, ReadLabel, ReadLabels, ReadOptions, read_text
from core.labels.records import LabelledPhoto

CLASSES_FILE = "classes.txt"
_TRAINING = ("train", "training")
_SETS = frozenset(
    (*SPLIT_NAMES, *_TRAINING, "valid", "validation", "testing", "trainval", "dev", "eval")
)
_DATA = frozenset(("data", "images", "image", "img", "imgs", "photos", "jpegimages", "dataset"))
"""Folders in which tools put all photos of a data set."""

_NO_CLASSES = frozenset(
    ("__macosx", "runs", "annotations", "labels", "logs", "checkpoints", "weights", "imagesets")
)
"""Folders that tools leave beside those of photos."""

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
        plan.notes.append("Photos of several classes are put into each of their folders.")
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
        names = {**_class_names(root, _folders_in(root)), **names}
    if names:
        lines = [names[folder] for folder in sorted(names)]
        plan.texts[CLASSES_FILE] = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    return plan


def read(path: Path, options: ReadOptions = READ_AS_IT_IS) -> ReadLabels:
    """Read a folder whose subfolders are classes, or hold train, val and test with classes in them.

    Raises:
        LabelsError: it is no such folder.
    """
    if path.is_file():
        path = path.parent
    found = ReadLabels()
    root, sets = _root_of(path, found.notes)
    roots = [root / name for name in sets] or [root]
    folders = sorted({name for one in roots for name in _classes_in(one)})
    names = _class_names(root, folders)
    if not names:
        raise LabelsError(
            f"{path} has no subfolders, which would be the classes; choose the folder above them."
        )
    labels: dict[str, ReadLabel] = {}
    for one in roots:
        for folder in _classes_in(one):
            for photo in find_images([one / folder], lambda _: None):
                labels[str(photo)] = ReadLabel(str(photo), (names[folder],))
    found.labels, found.classes = list(labels.values()), list(names.values())
    loose = [entry for entry in root.iterdir() if entry.is_file() and entry.name != CLASSES_FILE]
    photos = sum(1 for entry in loose if entry.suffix.lower() in IMAGE_ENDINGS)
    if photos:
        found.notes.append(f"{photos:,} photos beside the folders of the classes are passed over.")
    return found


def _root_of(path: Path, notes: list[str]) -> tuple[Path, list[str]]:
    """Return the folder that has the classes in it, and the sets that it has them in, if any.

    Folders for all data, and one that is alone, are gone through.
    """
    for _ in range(_DEEPEST):
        folders = [name for name in _folders_in(path) if name.casefold() not in _NO_CLASSES]
        if _lines(path, folders) is not None:
            return path, []
        sets = [name for name in folders if name.casefold() in _SETS]
        are_sets = bool(sets) and all(_classes_in(path / name) for name in sets)
        are_all = len(sets) == len(folders)
        if are_sets and (are_all or any(name.casefold() in _TRAINING for name in sets)):
            others = [name for name in folders if name not in sets]
            if others:
                notes.append(f"Beside the sets, {', '.join(others[:5])} are passed over.")
            return path, sets
        held = [name for name in folders if name.casefold() in _DATA]
        alone = held if held and len(folders) == len(held) else folders
        if len(alone) != 1 or not (
            _is_above(path / alone[0]) or (held and _classes_in(path / alone[0]))
        ):
            return path, []
        path = path / alone[0]
        notes.append(f"The classes are taken to be the folders in {path}.")
    return path, []


def _is_above(folder: Path) -> bool:
    """Return whether a folder that is alone lies above the classes, and is none itself."""
    inside = _classes_in(folder)
    if _holds_photos(folder) or not inside:
        return False
    return len(inside) > 1 or _is_above(folder / inside[0])


def _classes_in(folder: Path) -> list[str]:
    """Return the subfolders that may be classes: all but those that tools leave there."""
    return [name for name in _folders_in(folder) if name.casefold() not in _NO_CLASSES]


def _holds_photos(folder: Path) -> bool:
    return any(
        entry.is_file() and entry.suffix.lower() in IMAGE_ENDINGS for entry in folder.iterdir()
    )


def _class_names(root: Path, folders: list[str]) -> dict[str, str]:
    """Return the class of each folder: by classes.txt where it fits, else by the folder's name."""
    return dict(zip(folders, _lines(root, folders) or folders, strict=True))


def _lines(root: Path, folders: list[str]) -> list[str] | None:
    """Return the names in classes.txt, where each of them can be the class of its folder."""
    if not (root / CLASSES_FILE).is_file():
        return None
    lines = read_text(root / CLASSES_FILE).text.splitlines()
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
        raise LabelsError(f"The folder {folder} could not be read: {os_reason(error)}.") from error
