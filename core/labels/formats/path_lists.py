"""Plain lists of photos with a class behind each, and CUB-200's three lists."""

from __future__ import annotations

import re
from pathlib import Path

from core.labels.formats.layouts import read_rows
from core.labels.formats.numbered import name_numbers
from core.labels.locating import looks_like_file
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_text, unreadable
from core.labels.sheets import read_sheet
from core.language import tr

_QUOTED = re.compile(r'"(?P<stem>[^"]*)"(?P<ending>\.\S*)?\s*(?P<rest>.*)')
_NUMBERS = re.compile(r"\d+(\s+\d+)+")
_SEPARATED = ("\t", ",", ";")
_PHOTOS, _OF_PHOTOS, _NAMES = "images.txt", "image_class_labels.txt", "classes.txt"


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read lines such as ``folder/photo.jpg cat`` or ``folder/photo.jpg 3``.

    Raises:
        LabelsError: it cannot be read, or its lines are not such.
    """
    folder = path if path.is_dir() else path.parent
    if (folder / _OF_PHOTOS).is_file() and (folder / _PHOTOS).is_file():
        return _numbered(folder, options)
    lines = [line.strip() for line in read_text(path, options).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if any(separator in lines[0] for separator in _SEPARATED if lines):
        return read_rows(path, read_sheet(path, options), options)
    found = ReadLabels(folders=[path.parent, path.parent.parent])
    for line in lines:
        file, name = _parsed(line)
        found.labels.append(ReadLabel(file, (name,) if name else ()))
    if all(_NUMBERS.fullmatch(" ".join(label.classes)) for label in found.labels):
        raise unreadable(
            path,
            tr(
                "each photo has several numbers behind it, which may be classes, or a yes or "
                "no for each class; save it as a table with a column for each"
            ),
        )
    if not any(label.classes for label in found.labels):
        found.labels = [ReadLabel(one.file, _folder_of(one.file)) for one in found.labels]
        folders = {one.classes for one in found.labels}
        if () in folders or len(folders) < 2:
            raise unreadable(path, tr("its lines are not photos with a class behind each"))
        found.notes.append(tr("The list names no classes; those of the folders in it are taken."))
    found.by_stem = not any(looks_like_file(one.file) for one in found.labels)
    name_numbers(found, path.parent, options)
    return found


def _parsed(line: str) -> tuple[str, str]:
    quoted = _QUOTED.fullmatch(line)
    if quoted is not None:
        return quoted["stem"] + (quoted["ending"] or ""), quoted["rest"].strip()
    words = line.split()
    for count in range(1, len(words) + 1):  # a path, or a class, may hold blanks
        file = line[: line.index(words[count - 1]) + len(words[count - 1])] if count == 1 else ""
        file = file or " ".join(words[:count])
        if looks_like_file(file):
            return file, " ".join(words[count:])
    file, _, name = line.rpartition(" ")
    return (file, name) if file else (name, "")


def _folder_of(file: str) -> tuple[str, ...]:
    parts = file.replace("\\", "/").split("/")
    return (parts[-2],) if len(parts) > 1 else ()


def _numbered(folder: Path, options: ReadOptions) -> ReadLabels:
    """Read CUB-200's lists, in which numbers stand for photos and for classes."""
    photos, classes, names = (
        _by_number(folder / name, options) for name in (_PHOTOS, _OF_PHOTOS, _NAMES)
    )
    found = ReadLabels(folders=[folder / "images", folder], classes=list(names.values()))
    for number, file in photos.items():
        told = classes.get(number, "")
        found.labels.append(ReadLabel(file, (names.get(told, told),) if told else ()))
    return found


def _by_number(file: Path, options: ReadOptions) -> dict[str, str]:
    if not file.is_file():
        return {}
    pairs = (line.strip().partition(" ") for line in read_text(file, options).splitlines())
    return {number: rest.strip() for number, _, rest in pairs if rest}
