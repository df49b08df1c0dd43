"""Class names: from a file, from what a checkpoint carries, or ImageNet's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

import resources
from core.errors import ClassNamesError, cannot_read, os_reason
from core.files import open_ordinary
from core.language import tr

KEYS = (
    "class_to_idx",
    "idx_to_class",
    "classes",
    "class_names",
    "labels",
    "label_map",
    "id2label",
    "label_names",
    "CLASSES",
    "idx2label",
    "names",
    "classes_",
)
"""Where training scripts keep class names in a checkpoint, most telling first."""

_NAME_TO_INDEX = ("class_to_idx", "label_map")
_LARGEST_FILE_BYTES = 16 * 2**20
_LARGEST_NUMBER = 10**15
_INDEX = re.compile(r"\d{1,9}", re.ASCII)
_LONGEST_NAME = 300
_UNPRINTABLE = {
    code: " " for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), 0x2028, 0x2029)
} | {code: " " for code in range(0x2066, 0x206A)}
"""Control characters, and those that turn the direction of the text around them; the marks that
Arabic and Hebrew names have of themselves stay."""


def clean(name: str) -> str:
    """Return a class name that can be shown: one line of text, without half characters."""
    shown = name.translate(_UNPRINTABLE).encode("utf-8", "replace").decode()
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"


def imagenet_names() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes, as torchvision writes them."""
    text = resources.path("class_names/imagenet.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def imagenet_synonyms(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the number in WordNet, such as "n01440764", of each of ImageNet's 1,000 classes.

    Args:
        names: of a model's classes; nothing is returned for others than ImageNet's.
    """
    if names != imagenet_names():
        return {}
    text = resources.path("class_names/imagenet_wordnet.txt").read_text(encoding="utf-8")
    return {name: (number,) for name, number in zip(names, text.splitlines(), strict=True)}


def imagenet_groups(names: Sequence[str]) -> dict[str, frozenset[int]]:
    """Return the classes below each word of WordNet 3.0 that is above several of ImageNet's.

    Args:
        names: of a model's classes; nothing is returned for others than ImageNet's.

    Returns:
        Class indexes by a word and its synonyms, with "; " between.
    """
    if tuple(names) != imagenet_names():
        return {}
    text = resources.path("class_names/imagenet_groups.txt").read_text(encoding="utf-8")
    groups = {}
    for line in text.splitlines():
        words, _, runs = line.partition("\t")
        ends = [[int(end) for end in run.split("-")] for run in runs.split(",")]
        groups[words] = frozenset(index for run in ends for index in range(run[0], run[-1] + 1))
    return groups


def placeholder_names(count: int) -> tuple[str, ...]:
    """Return "class 0", "class 1", … for a model whose names nobody has given."""
    return tuple(f"class {index}" for index in range(count))


def read(path: Path, count: int) -> tuple[str, ...]:
    """Read class names that must be as many as a model has classes.

    Args:
        path: as for ``read_any``.
        count: how many classes the model has.

    Raises:
        ClassNamesError: unreadable, or not ``count`` names.
    """
    names = read_any(path)
    if not fits(names, count):
        raise ClassNamesError(
            "{path} has {n} class names, but the model has {count} {words}; give one "
            "name a class, in the order of training.",
            path=path,
            n=len(names),
            count=count,
            words="class" if count == 1 else "classes",
        )
    return names


def read_any(path: Path) -> tuple[str, ...]:
    """Read class names from a text file (one a line) or a JSON file (list or mapping).

    Args:
        path: UTF-8 with or without BOM; lines may begin with their own index ("0 cat").

    Raises:
        ClassNamesError: unreadable, or no list of names.
    """
    try:
        with open_ordinary(path) as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ClassNamesError(
            "The class names in {path} could not be read: {reason}.",
            path=path,
            reason=os_reason(error),
        ) from error
    except UnicodeDecodeError as error:
        raise ClassNamesError(
            "{path} is not a text file in UTF-8; save the class names as UTF-8 text, one a line.",
            path=path,
        ) from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise ClassNamesError("{path} is too large to be a list of class names.", path=path)
    return _from_json(str(path), text) if path.suffix.lower() == ".json" else from_text(text)


def fits(names: Sized, count: int) -> bool:
    """Return whether there is a name for each class; one output may answer between two."""
    return len(names) == count or (count == 1 and len(names) == 2)


def from_folder(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the classes of a training folder: the names of its subfolders.

    Returns:
        As torchvision sorts them, as text ("1", "10", "2"), and as people do ("1", "2", "10").

    Raises:
        ClassNamesError: it cannot be read, or has no subfolders.
    """
    from natsort import natsorted

    try:
        names = sorted(one.name for one in folder.iterdir() if one.is_dir())
    except OSError as error:
        raise ClassNamesError(cannot_read(folder, os_reason(error))) from error
    names = [clean(name) for name in names if not name.startswith(".")]
    if not names:
        raise ClassNamesError(
            "{folder} has no subfolders; choose the folder that has one subfolder a class.",
            folder=folder,
        )
    return tuple(names), tuple(natsorted(names))


def from_text(text: str) -> tuple[str, ...]:
    """Return names from text: JSON, one a line, or one line with commas.

    Raises:
        ClassNamesError: it begins as JSON and is none.
    """
    plain = text.strip().strip("\ufeff")
    if plain[:1] in ("{", "["):
        return _from_json(tr("The text"), plain)
    lines = _from_lines(plain)
    if len(lines) == 1 and "," in plain:
        return tuple(clean(part.strip().strip("'\"")) for part in plain.split(",") if part.strip())
    return lines


def from_value(value: object, key: str = "") -> tuple[str, ...] | None:
    """Return names from a list, from index → name or from name → index; else None.

    Args:
        value: whatever stood in the file.
        key: what it stood under; decides the direction of a mapping that could be read both
            ways, such as {"1": 0, "0": 1}.
    """
    if isinstance(value, list | tuple):
        plain = value and all(_is_plain(name) for name in value)
        return tuple(clean(str(name)) for name in value) if plain else None
    if not isinstance(value, Mapping) or not value:
        return None
    ways = [list(value.items()), [(index, name) for name, index in value.items()]]
    if key in _NAME_TO_INDEX:
        ways.reverse()
    return _by_index(ways[0]) or _by_index(ways[1])


def _is_plain(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _LARGEST_NUMBER
    return isinstance(value, str)


def _by_index(pairs: list[tuple[Any, Any]]) -> tuple[str, ...] | None:
    names: dict[int, str] = {}
    for index, name in pairs:
        if not _is_plain(index) or not _is_plain(name) or not _INDEX.fullmatch(str(index)):
            return None
        if int(index) in names:  # two names for one class: which of them, nobody knows
            return None
        names[int(index)] = clean(str(name))
    if sorted(names) != list(range(len(names))):
        return None
    return tuple(names[index] for index in range(len(names)))


def _from_json(path: str, text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClassNamesError("{path} is not valid JSON.", path=path) from error
    if isinstance(found, dict):
        for key in KEYS:
            names = from_value(found.get(key), key)
            if names is not None:
                return names
    names = from_value(found)
    if names is None:
        raise ClassNamesError(
            "{path} is no list of class names; Droplens reads a JSON list of names, or a "
            "mapping between indices 0, 1, … and names.",
            path=path,
        )
    return names


def _from_lines(text: str) -> tuple[str, ...]:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    parts = [line.split(maxsplit=1) for line in lines]
    numbered = all(
        len(part) == 2 and part[0].rstrip(":,") == str(index) for index, part in enumerate(parts)
    )
    names = [part[1] for part in parts] if numbered and parts else lines
    return tuple(map(clean, names))
