"""Class names that a checkpoint carries beside its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

from core.language import tr
from core.models.class_names import lists as class_names
from core.models.sources.checkpoint.inert import PickledArray, Stub

_NESTED_KEYS = (
    "hyper_parameters",
    "hparams",
    "args",
    "config",
    "meta",
    "dataset_meta",
    "label_encoder",
    "data",
    "extra",
)
_SPOKEN_NAMES = ("cat_to_name", "class_to_name", "idx_to_name")
_NESTING_DEPTH = 3


def from_checkpoint(
    content: Mapping[Any, object], count: int, depth: int = _NESTING_DEPTH
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
        names = _value(content, key) if _may_fit(content.get(key), count) else None
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


def _may_fit(value: object, count: int) -> bool:
    """Return whether so many entries can be names, without looking at each."""
    held = value.values if isinstance(value, PickledArray) else value
    return isinstance(held, Sized) and class_names.fits(range(len(held)), count)


def why_unused(content: Mapping[object, object], count: int) -> str | None:
    """Return why class names that a checkpoint carries are not used; None where there are none."""
    for key in class_names.KEYS:
        names = _value(content, key)
        if names is not None and not class_names.fits(names, count):
            return tr(
                "The checkpoint names {n} classes but has {count}; its names are not used.",
                n=len(names),
                count=count,
            )
        held = content.get(key)
        if names is None and isinstance(held, Mapping) and held:
            return tr(
                "The classes in the checkpoint's {key!r} do not count 0, 1, 2, …, each "
                "once; they are not used.",
                key=key,
            )
    return None


def _value(content: Mapping[object, object], key: str) -> tuple[str, ...] | None:
    value = content.get(key)
    value = value.values if isinstance(value, PickledArray) else value
    if isinstance(value, list | tuple):
        value = [_decoded(one) for one in value]
    elif isinstance(value, Mapping):
        value = {_decoded(one): _decoded(other) for one, other in value.items()}
    return class_names.from_value(value, key)


def _decoded(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _spoken(content: Mapping[object, object], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what folder names stand for ("21" is "fire lily"), where the file tells it."""
    for key in _SPOKEN_NAMES:
        table = content.get(key)
        if isinstance(table, Mapping):
            spoken = {
                str(folder): name
                for folder, name in table.items()
                if isinstance(folder, str) or (isinstance(folder, int) and abs(folder) < 10**9)
            }
            if all(isinstance(spoken.get(name), str) for name in names):
                return tuple(spoken[name] for name in names)
    return names
