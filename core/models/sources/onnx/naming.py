"""Class names: in the metadata of an ONNX file, in its graph, beside it, or ImageNet's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from core.errors import ClassNamesError
from core.models.class_names import carried
from core.models.class_names import lists as class_names
from core.models.recognition.sidecars import lobe_names_beside, names_beside
from core.models.sources.onnx.graph import Network
from core.values.spec import NamedBy, NamesSource

_IMAGENET_CLASSES = 1000
_LONGEST_TEXT = 16 * 2**20
_OTHER_KEYS = {"names": "class_names", "labels": "labels", "class_labels": "labels"}
"""Keys of Ultralytics and others, and the one of a checkpoint that they stand for."""

_ENTRY = re.compile(
    r"""\s*(\d{1,9})\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,|$)""", re.ASCII
)
_ESCAPED = re.compile(r"\\(.)")


def metadata_names(network: Network) -> int | None:
    """Return how many classes the metadata names; None where it names none."""
    content = _content(network)
    for key in class_names.KEYS:
        names = class_names.from_value(content.get(key), key)
        if names:
            return len(names)
    return None


def names_of(
    path: Path, network: Network, count: int, keys: tuple[str, ...]
) -> tuple[tuple[str, ...], NamesSource, list[str]]:
    """Return class names, where they come from, and sentences about those that are not used.

    Args:
        path: of the file.
        network: what it says.
        count: of the classes.
        keys: names that stand at the output itself.
    """
    content = _content(network)
    if keys and class_names.fits(keys, count):
        return tuple(map(class_names.clean, keys)), NamesSource(NamedBy.CHECKPOINT), []
    found = carried.from_checkpoint(content, count)
    if found is not None:
        return found[0], NamesSource(NamedBy.CHECKPOINT), []
    unused = carried.why_unused(content, count)
    problems = [] if unused is None else [unused]
    beside = names_beside(path, count, None) or lobe_names_beside(path, count)
    if beside is not None:
        return beside[0], NamesSource(NamedBy.SIDECAR, beside[1]), problems
    if count == _IMAGENET_CLASSES:
        return class_names.imagenet_names(), NamesSource(NamedBy.IMAGENET), problems
    return class_names.placeholder_names(count), NamesSource(NamedBy.NOBODY), problems


def _content(network: Network) -> Mapping[object, object]:
    return {
        _OTHER_KEYS.get(key, key): _value(text)
        for key, text in network.metadata.items()
        if len(text) <= _LONGEST_TEXT
    }


def _value(text: str) -> object:
    """Return what a text stands for: JSON, Python's way to write a dictionary, or a list."""
    plain = text.strip()
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        pass
    if plain.startswith("{") and plain.endswith("}"):
        return _pairs(plain[1:-1])
    if "\n" not in plain and "," not in plain:
        return plain
    try:
        return list(class_names.from_text(plain))
    except ClassNamesError:
        return plain


def _pairs(text: str) -> dict[int, str]:
    """Return the pairs of a dictionary as Python writes it: "0: 'cat', 1: 'dog'"."""
    found: dict[int, str] = {}
    at = 0
    while at < len(text):
        entry = _ENTRY.match(text, at)
        if entry is None:
            return {}
        name = entry[2] if entry[2] is not None else entry[3]
        found[int(entry[1])] = _ESCAPED.sub(r"\1", name)
        at = entry.end()
    return found
