"""Names for classes that a file of labels gives as numbers, from a file beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.errors import LabelsError
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json, read_text
from core.language import tr

Names = dict[int, str]

_LISTS = ("classes.txt", "labels.txt", "class_names.txt", "obj.names", "synsets.txt")
_YAML_NAME = re.compile(r"""^\s+["']?(\d+)["']?\s*:\s*["']?(.*?)["']?\s*$""")
_YAML_FEATURE = re.compile(r"^\s*-\s+name:\s*(.+?)\s*$")
_WHOLE = re.compile(r"-?\d+(\.0+)?")


def name_numbers(found: ReadLabels, folder: Path, options: ReadOptions) -> None:
    """Give classes that are numbers the names that a file beside them has for them.

    Args:
        found: labels; the note says whose names they are.
        folder: of the file of labels.
        options: as a person wants it to be read.
    """
    used = {name for label in found.labels for name in (*label.classes, *label.boxes)}
    if not used or not all(_WHOLE.fullmatch(name.strip()) for name in used):
        return
    numbers = {int(float(name)) for name in used} - {-1}
    for pattern, read in _SOURCES:
        for file in sorted(folder.glob(pattern))[:3]:
            names = _read(read, file, found.label_column, options)
            if 0 in names and 0 not in numbers and max(numbers, default=0) == len(names):
                names = {number + 1: name for number, name in names.items()}  # counted from 1
            if names and numbers <= set(names):
                _rename(found, names)
                note = tr("Their numbers have the names that {file} gives.", file=file)
                if 0 in names and 0 not in numbers:
                    note = tr(
                        "Their numbers have the names that {file} gives, the first for 0.",
                        file=file,
                    )
                found.notes.append(note)
                return
    if any("." in name for name in used):  # as pandas writes a column with gaps
        found.labels = [
            ReadLabel(one.file, _without_points(one.classes), one.mark, _without_points(one.boxes))
            for one in found.labels
        ]
    if len(used) > 1:
        found.notes.append(
            tr(
                "The classes are numbers; if they have names, put classes.txt with one a "
                "line beside the file, the first for 0, and import again."
            )
        )


def _without_points(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.partition(".")[0] for name in names)


def _rename(found: ReadLabels, names: Names) -> None:
    def named(classes: Sequence[str]) -> tuple[str, ...]:
        numbers = [int(float(name)) for name in classes]
        return tuple(names[number] for number in numbers if number in names)

    found.labels = [
        ReadLabel(label.file, named(label.classes), label.mark, named(label.boxes))
        for label in found.labels
    ]
    found.classes = [names[number] for number in sorted(names)]


def _read(read: _Reader, file: Path, column: str, options: ReadOptions) -> Names:
    try:
        return read(file, column, options)
    except (LabelsError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _listed(file: Path, column: str, options: ReadOptions) -> Names:
    lines = [line.strip() for line in read_text(file, options).splitlines()]
    names = dict(enumerate(line for line in lines if line))
    numbered = {}
    for line in names.values():  # "0 cat", as Teachable Machine writes it
        number, _, name = line.partition(" ")
        if not number.isdigit() or not name:
            return names
        numbered[int(number)] = name
    return numbered


def _of_column(features: Mapping[str, Names], column: str) -> Names:
    """Return the names of a column; of the one that has any, where it has another name."""
    if column in features:
        return features[column]
    return next(iter(features.values())) if len(features) == 1 else {}


def _dataset_info(file: Path, column: str, options: ReadOptions) -> Names:
    return _of_column(_features_in(read_json(file, options)), column)


def _features_in(content: object) -> dict[str, Names]:
    """Return the names in Hugging Face's dataset_info.json or dataset_infos.json, by column."""
    if not isinstance(content, Mapping):
        return {}
    features = content.get("features")
    if not isinstance(features, Mapping):
        found = (_features_in(one) for one in content.values())
        return next((names for names in found if names), {})
    named = {}
    for column, feature in features.items():
        for told in (feature, feature.get("feature") if isinstance(feature, Mapping) else None):
            if isinstance(told, Mapping) and isinstance(told.get("names"), list):
                named[str(column)] = {n: str(name) for n, name in enumerate(told["names"])}
    return named


def _card(file: Path, column: str, options: ReadOptions) -> Names:
    """Return the names of a ClassLabel in the head of a README, which is YAML."""
    text = read_text(file, options)
    head = text.split("---", 2)[1] if text.startswith("---") else ""
    features: dict[str, Names] = {}
    feature, is_inside = "", False
    for line in head.splitlines():
        begun, name = _YAML_FEATURE.match(line), _YAML_NAME.match(line)
        if begun is not None:
            feature, is_inside = begun[1].strip("'\""), False
        elif line.strip() == "names:":
            is_inside = True
        elif is_inside and name is not None:
            features.setdefault(feature, {})[int(name[1])] = name[2]
        else:
            is_inside = False
    return _of_column(features, column)


def _json_map(file: Path, column: str, options: ReadOptions) -> Names:
    content = read_json(file, options)
    if isinstance(content, Mapping) and all(str(key).isdigit() for key in content):
        return {int(key): str(value) for key, value in content.items()}
    if isinstance(content, Mapping) and all(isinstance(one, int) for one in content.values()):
        return {number: str(name) for name, number in content.items()}
    return {}


_Reader = Callable[[Path, str, ReadOptions], Names]
_SOURCES: tuple[tuple[str, _Reader], ...] = (
    ("dataset_info.json", _dataset_info),
    ("dataset_infos.json", _dataset_info),
    ("README.md", _card),
    ("*label*map*.json", _json_map),
    ("id2label.json", _json_map),
    ("class_indices.json", _json_map),
    *((name, _listed) for name in _LISTS),
)
