"""Class names: from a file, from what a checkpoint carries, or ImageNet's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import resources
from core.errors import ClassNamesError, os_reason
from core.files import open_ordinary

KEYS = (
    "class_to_idx",
    "idx_to_class",
    "classes",
    "class_names",
    "labels",
    "label_map",
    "id2label",
)
"""Where training scripts keep class names in a checkpoint, most telling first."""

_NAME_TO_INDEX = ("class_to_idx", "label_map")
_NESTED_KEYS = ("hyper_parameters", "args")
_LARGEST_FILE_BYTES = 16 * 2**20


def imagenet_names() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes, as torchvision writes them."""
    text = resources.path("class_names/imagenet.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def placeholder_names(count: int) -> tuple[str, ...]:
    """Return "class 0", "class 1", … for a model whose names nobody has given."""
    return tuple(f"class {index}" for index in range(count))


def read(path: Path, count: int) -> tuple[str, ...]:
    """Read class names from a text file (one a line) or a JSON file (list or mapping).

    Args:
        path: UTF-8 with or without BOM; lines may begin with their own index ("0 cat").
        count: how many classes the model has.

    Raises:
        ClassNamesError: unreadable, or not ``count`` names.
    """
    try:
        with open_ordinary(path) as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ClassNamesError(
            f"The class names in {path} could not be read: {os_reason(error)}."
        ) from error
    except UnicodeDecodeError as error:
        raise ClassNamesError(
            f"{path} is not a text file in UTF-8; save the class names as UTF-8 text, one a line."
        ) from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise ClassNamesError(f"{path} is too large to be a list of class names.")
    names = _from_json_file(path, text) if path.suffix.lower() == ".json" else _from_lines(text)
    if len(names) != count:
        raise ClassNamesError(
            f"{path} has {len(names):,} class names, but the model has {count:,} "
            f"{'class' if count == 1 else 'classes'}; give one name a class, in the order of "
            "training."
        )
    return names


def from_checkpoint(content: Mapping[Any, Any], count: int) -> tuple[tuple[str, ...], str] | None:
    """Find class names beside the parameters of a checkpoint.

    Returns:
        The names and the key they stood under, or None where nothing fits ``count``.
    """
    for key in KEYS:
        names = from_value(content.get(key), key)
        if names is not None and len(names) == count:
            return names, key
    for key in _NESTED_KEYS:
        nested = content.get(key)
        if isinstance(nested, Mapping):
            found = from_checkpoint(nested, count)
            if found is not None:
                return found[0], f"{key}.{found[1]}"
    return None


def unfitting(content: Mapping[Any, Any], count: int) -> int | None:
    """Return how many class names a checkpoint carries where that is another number."""
    for key in KEYS:
        names = from_value(content.get(key), key)
        if names is not None and len(names) != count:
            return len(names)
    return None


def from_value(value: Any, key: str = "") -> tuple[str, ...] | None:
    """Return names from a list, from index → name or from name → index; else None.

    Args:
        value: whatever stood in the file.
        key: what it stood under; decides the direction of a mapping that could be read both
            ways, such as {"1": 0, "0": 1}.
    """
    if isinstance(value, list | tuple):
        plain = value and all(_is_plain(name) for name in value)
        return tuple(str(name) for name in value) if plain else None
    if not isinstance(value, Mapping) or not value:
        return None
    ways = [list(value.items()), [(index, name) for name, index in value.items()]]
    if key in _NAME_TO_INDEX:
        ways.reverse()
    return _by_index(ways[0]) or _by_index(ways[1])


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _by_index(pairs: list[tuple[Any, Any]]) -> tuple[str, ...] | None:
    names: dict[int, str] = {}
    for index, name in pairs:
        if not _is_plain(index) or not _is_plain(name) or not str(index).isdecimal():
            return None
        names[int(index)] = str(name)
    if sorted(names) != list(range(len(names))):
        return None
    return tuple(names[index] for index in range(len(names)))


def _from_json_file(path: Path, text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClassNamesError(f"{path} is not valid JSON.") from error
    if isinstance(found, dict):
        for key in KEYS:
            names = from_value(found.get(key), key)
            if names is not None:
                return names
    names = from_value(found)
    if names is None:
        raise ClassNamesError(
            f"{path} is no list of class names; Droplens reads a JSON list of names, or a "
            "mapping between indices 0, 1, … and names."
        )
    return names


def _from_lines(text: str) -> tuple[str, ...]:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    parts = [line.split(maxsplit=1) for line in lines]
    numbered = all(
        len(part) == 2 and part[0].rstrip(":,") == str(index) for index, part in enumerate(parts)
    )
    return tuple(part[1] for part in parts) if numbered and parts else tuple(lines)
