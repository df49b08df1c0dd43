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
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_text
from core.labels.records import LabelledPhoto
from core.language import tr

_NAMES = "synsets.txt"
_IMAGES = "images"
_QUOTED = re.compile(r'"(?P<stem>(?:[^"\\]|\\.)*)"(?P<ending>\.\S*)?(?P<rest>.*)')
_INDEX = re.compile(r"\d{1,9}", re.ASCII)
_USUAL = ("train", "val", "test", "trainval", "default")


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], root: Path, options: ExportOptions
) -> Plan:
    """Plan ``images/<photo>``, ``<set>.txt`` and synsets.txt."""
    plan = Plan()
    kept = labelled_only(photos, plan)
    sets = split_of(kept, options.split, options.seed)
    common = common_folder(kept) if options.keep_folders else None
    targets = Targets(root, options.taken, unique_stems=True)
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


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read the lists beside synsets.txt.

    Raises:
        LabelsError: there is no synsets.txt, or an index has no name in it.
    """
    root = path if path.is_dir() else path.parent
    if not (root / _NAMES).is_file():
        raise LabelsError(
            "{root} has no {names}, which names the classes; choose its folder.",
            root=root,
            names=_NAMES,
        )
    classes = read_text(root / _NAMES, options).splitlines()
    found = ReadLabels(classes=classes, folders=[root / _IMAGES, root])
    for file in sorted(root.glob("*.txt")):
        if file.name == _NAMES:
            continue
        lines = [line.rstrip("\r") for line in read_text(file, options).split("\n") if line.strip()]
        parsed = [_parsed(line) for line in lines]
        wrong = [most for _, indices in parsed for most in indices if most >= len(classes)]
        if wrong and file.stem not in _USUAL:
            found.notes.append(
                tr("{name} is no list of photos and is passed over.", name=file.name)
            )
        elif wrong:
            raise LabelsError(
                "{file} names a class {wrong}, but {names} has {n}, counted from 0.",
                file=file,
                wrong=wrong[0],
                names=_NAMES,
                n=len(classes),
            )
        else:
            found.labels += [
                ReadLabel(name, tuple(classes[index] for index in indices))
                for name, indices in parsed
            ]
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
        return file, [int(one) for one in rest.split() if _INDEX.fullmatch(one)]
    words = line.split()
    count = 0
    while count < len(words) - 1 and _INDEX.fullmatch(words[-1 - count]):
        count += 1
    indices = [int(one) for one in words[len(words) - count :]]
    return line.rsplit(maxsplit=count)[0].strip() if count else line.strip(), indices
