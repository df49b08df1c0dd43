"""Names for classes that a file of labels gives as numbers, from a file beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import LabelsError
from core.labels.reading import ReadLabel, ReadLabels, read_json, read_text

Names = dict[int, str]

_LISTS = ("classes.txt", "labels.txt", "class_names.txt", "obj.names", "synsets.txt")
_YAML_NAME = re.compile(r"""^\s+["']?(\d+)["']?\s*:\s*["']?(.*?)["']?\s*$""")


def name_numbers(found: ReadLabels, folder: Path) -> None:
    """Give classes that are numbers the names that a file beside them has for them.

    Args:
        found: labels; the note says whose names they are.
        folder: of the file of labels; that above it counts too.
    """
    used = {name for label in found.labels for name in (*label.classes, *label.boxes)}
    if not used or not all(name.strip().lstrip("-").isdigit() for name in used):
        return
    for place in (folder, folder.parent):
        for pattern, read in _SOURCES:
            for file in sorted(place.glob(pattern))[:3]:
                names = _read(read, file)
                if names and {int(name) for name in used} - {-1} <= set(names):
                    _rename(found, names)
                    found.notes.append(f"Their numbers have the names that {file} gives.")
                    return
    if len(used) > 1:
        found.notes.append(
            "The classes are numbers; if they have names, put classes.txt with one a line beside "
            "the file, the first for 0, and import again."
        )


def _rename(found: ReadLabels, names: Names) -> None:
    def named(classes: Sequence[str]) -> tuple[str, ...]:
        return tuple(names[int(name)] for name in classes if int(name) >= 0)

    found.labels = [
        ReadLabel(label.file, named(label.classes), label.mark, named(label.boxes))
        for label in found.labels
    ]
    found.classes = [names[number] for number in sorted(names)]


def _read(read: Callable[[Path], Names], file: Path) -> Names:
    try:
        return read(file)
    except (LabelsError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _listed(file: Path) -> Names:
    lines = [line.strip() for line in read_text(file).text.splitlines()]
    names = dict(enumerate(line for line in lines if line))
    numbered = {}
    for line in names.values():  # "0 cat", as Teachable Machine writes it
        number, _, name = line.partition(" ")
        if not number.isdigit() or not name:
            return names
        numbered[int(number)] = name
    return numbered


def _of_features(content: Any) -> Names:
    """Return the names in Hugging Face's dataset_info.json or dataset_infos.json."""
    if not isinstance(content, Mapping):
        return {}
    features = content.get("features")
    if not isinstance(features, Mapping):
        found = (_of_features(one) for one in content.values())
        return next((names for names in found if names), {})
    for feature in features.values():
        if isinstance(feature, Mapping) and isinstance(feature.get("names"), list):
            return {number: str(name) for number, name in enumerate(feature["names"])}
        inner = feature.get("feature") if isinstance(feature, Mapping) else None
        if isinstance(inner, Mapping) and isinstance(inner.get("names"), list):
            return {number: str(name) for number, name in enumerate(inner["names"])}
    return {}


def _dataset_info(file: Path) -> Names:
    return _of_features(read_json(file))


def _card(file: Path) -> Names:
    """Return the names of a ClassLabel in the head of a README, which is YAML."""
    text = read_text(file).text
    head = text.split("---", 2)[1] if text.startswith("---") else ""
    names: Names = {}
    is_inside = False
    for line in head.splitlines():
        if line.strip() == "names:":
            if names:
                break
            is_inside = True
        elif is_inside:
            match = _YAML_NAME.match(line)
            if match is None:
                break
            names[int(match[1])] = match[2]
    return names


def _json_map(file: Path) -> Names:
    content = json.loads(read_text(file).text)
    if isinstance(content, Mapping) and all(str(key).isdigit() for key in content):
        return {int(key): str(value) for key, value in content.items()}
    if isinstance(content, Mapping) and all(isinstance(one, int) for one in content.values()):
        return {number: str(name) for name, number in content.items()}
    return {}


_SOURCES: tuple[tuple[str, Callable[[Path], Names]], ...] = (
    ("dataset_info.json", _dataset_info),
    ("dataset_infos.json", _dataset_info),
    ("README.md", _card),
    ("*label*map*.json", _json_map),
    ("id2label.json", _json_map),
    ("class_indices.json", _json_map),
    *((name, _listed) for name in _LISTS),
)
