"""Folders named like classes, as torchvision's ImageFolder, timm and YOLO read them.

Folder names are made safe, so ``classes.txt`` holds the class names: line i is the class of the
i-th folder as sorted by code point, which is torchvision's class index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import LabelsError, os_reason
from core.images.finding import find_images
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
from core.labels.reading import ReadLabel, ReadLabels, read_text
from core.labels.records import LabelledPhoto

CLASSES_FILE = "classes.txt"
_SETS = frozenset((*SPLIT_NAMES, "valid", "validation", "training"))


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


def read(path: Path) -> ReadLabels:
    """Read a folder whose subfolders are classes, or hold train, val and test with classes in them.

    Raises:
        LabelsError: it is no such folder.
    """
    if path.is_file():
        path = path.parent
    folders = _folders_in(path)
    are_sets = bool(folders) and all(name.lower() in _SETS for name in folders)
    are_classes = _lines(path, folders) is not None
    roots = [path / name for name in folders] if are_sets and not are_classes else [path]
    names = _class_names(path, sorted({name for root in roots for name in _folders_in(root)}))
    if not names:
        raise LabelsError(
            f"{path} has no subfolders, which would be the classes; choose the folder above them."
        )
    labels: dict[str, ReadLabel] = {}
    for root in roots:
        for folder in _folders_in(root):
            for photo in find_images([root / folder], lambda _: None):
                labels[str(photo)] = ReadLabel(str(photo), (names[folder],))
    found = ReadLabels(list(labels.values()), list(names.values()))
    loose = sum(1 for entry in path.iterdir() if entry.is_file() and entry.name != CLASSES_FILE)
    if loose:
        found.notes.append(f"{loose:,} files beside the folders of the classes are passed over.")
    return found


def _class_names(root: Path, folders: list[str]) -> dict[str, str]:
    """Return the class of each folder: by classes.txt where it fits, else by the folder's name."""
    return dict(zip(folders, _lines(root, folders) or folders, strict=True))


def _lines(root: Path, folders: list[str]) -> list[str] | None:
    """Return the names in classes.txt, where each of them can be the class of its folder."""
    if not (root / CLASSES_FILE).is_file():
        return None
    lines = read_text(root / CLASSES_FILE).splitlines()
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
