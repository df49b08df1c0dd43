"""Class names that a checkpoint carries beside its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.models import class_names
from core.models.inert import PickledArray, Stub

_NESTED_KEYS = ("hyper_parameters", "hparams", "args", "config", "meta", "data", "extra")
_SPOKEN_NAMES = ("cat_to_name", "class_to_name", "idx_to_name")
_NESTING_DEPTH = 3


def from_checkpoint(
    content: Mapping[Any, Any], count: int, depth: int = _NESTING_DEPTH
) -> tuple[tuple[str, ...], str] | None:
    """Find class names beside the parameters of a checkpoint.

    Args:
        content: a mapping of the file.
        count: outputs of the head.
        depth: how many mappings further in to look.

    Returns:
        The names and the key they stood under, or None where nothing fits ``count``.
    """
    for key in class_names.KEYS:
        names = _value(content, key)
        if names is not None and class_names.fits(names, count):
            return _spoken(content, names), key
    for key in _NESTED_KEYS:
        nested = content.get(key)
        nested = nested.state if isinstance(nested, Stub) else nested
        if isinstance(nested, Mapping) and depth > 0:
            found = from_checkpoint(nested, count, depth - 1)
            if found is not None:
                return found[0], f"{key}.{found[1]}"
    return None


def unfitting(content: Mapping[Any, Any], count: int) -> int | None:
    """Return how many class names a checkpoint carries where that is another number."""
    for key in class_names.KEYS:
        names = _value(content, key)
        if names is not None and not class_names.fits(names, count):
            return len(names)
    return None


def _value(content: Mapping[Any, Any], key: str) -> tuple[str, ...] | None:
    value = content.get(key)
    return class_names.from_value(value.values if isinstance(value, PickledArray) else value, key)


def _spoken(content: Mapping[Any, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what folder names stand for ("21" is "fire lily"), where the file tells it."""
    for key in _SPOKEN_NAMES:
        table = content.get(key)
        if isinstance(table, Mapping):
            spoken = {str(folder): name for folder, name in table.items()}
            if all(isinstance(spoken.get(name), str) for name in names):
                return tuple(spoken[name] for name in names)
    return names
