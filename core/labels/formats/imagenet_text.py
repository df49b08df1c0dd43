"""Datumaro's and CVAT's ImageNet text: lists of photos with class indices, and synsets.txt."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import LabelsError
from core.labels.plans import (
    ExportOptions,
    Plan,
    Targets,
    common_folder,
    labelled_only,
    plain_name,
    split_of,
    subfolder,
)
from core.labels.reading import ReadLabel, ReadLabels, read_text
from core.labels.records import LabelledPhoto

_NAMES = "synsets.txt"
_IMAGES = "images"
_QUOTED = re.compile(r'"(?P<stem>(?:[^"\\]|\\.)*)"(?P<ending>\.\S*)?(?P<rest>.*)')
_INDICES = re.compile(r"(?P<file>.*?)(?P<rest>(?:\s+\d+)*)\s*$")


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], root: Path, options: ExportOptions
) -> Plan:
    """Plan ``images/<photo>``, ``<set>.txt`` and synsets.txt."""
    plan = Plan()
    kept = labelled_only(photos, plan)
    sets = split_of(kept, options.split, options.seed)
    common = common_folder(kept) if options.keep_folders else None
    targets = Targets(root, unique_stems=True)
    index = {name: number for number, name in enumerate(classes)}
    lines: dict[str, list[str]] = {}
    for one in kept:
        below = subfolder(one, common) if common else ""
        folder, name = _readable(f"{_IMAGES}/{below}".rstrip("/"), plain_name(one.path.name))
        file = targets.place(one, folder, name)
        plan.files.append(file)
        numbers = " ".join(str(index[name]) for name in one.classes)
        quoted = _quoted(file.target.removeprefix(f"{_IMAGES}/"))
        lines.setdefault(sets[one.path] or "train", []).append(f"{quoted} {numbers}\n")
    for split, rows in lines.items():
        plan.texts[f"{split}.txt"] = "".join(rows).encode("utf-8", "surrogateescape")
    plan.texts[_NAMES] = ("\n".join(classes) + "\n").encode("utf-8", "surrogateescape")
    return plan


def read(path: Path) -> ReadLabels:
    """Read the lists beside synsets.txt.

    Raises:
        LabelsError: there is no synsets.txt, or an index has no name in it.
    """
    root = path if path.is_dir() else path.parent
    if not (root / _NAMES).is_file():
        raise LabelsError(f"{root} has no {_NAMES}, which names the classes; choose its folder.")
    classes = read_text(root / _NAMES).splitlines()
    found = ReadLabels(classes=classes, folders=[root / _IMAGES, root])
    for file in sorted(root.glob("*.txt")):
        if file.name == _NAMES:
            continue
        for number, line in enumerate(read_text(file).split("\n"), 1):
            if line.strip():
                name, indices = _parsed(line.rstrip("\r"))
                if any(index >= len(classes) for index in indices):
                    raise LabelsError(
                        f"{file}, line {number}: there is no class {max(indices)}; {_NAMES} has "
                        f"{len(classes):,}, counted from 0."
                    )
                found.labels.append(ReadLabel(name, tuple(classes[index] for index in indices)))
    return found


def _readable(folder: str, name: str) -> tuple[str, str]:
    """Return folder and name as the format can express them.

    A stem may hold blanks, within quotes; an ending may not, and without one none may.
    """
    folder, name = folder.replace('"', "_"), name.replace('"', "_")
    ending = os.path.splitext(name)[1]  # noqa: PTH122
    if not ending or re.search(r"\s", ending):
        folder, name = re.sub(r"\s", "_", folder), re.sub(r"\s", "_", name)
    return folder, name


def _quoted(path: str) -> str:
    if not re.search(r"\s", path):
        return path
    stem, ending = os.path.splitext(path)  # noqa: PTH122
    return f'"{stem}"{ending}'


def _parsed(line: str) -> tuple[str, list[int]]:
    quoted = _QUOTED.fullmatch(line)
    if quoted:
        file, rest = quoted["stem"] + (quoted["ending"] or ""), quoted["rest"]
    else:
        plain = _INDICES.fullmatch(line)
        file, rest = (plain["file"], plain["rest"]) if plain else (line, "")
    return file, [int(one) for one in rest.split() if one.isdecimal()]
