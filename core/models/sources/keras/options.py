"""Options of Keras's layers, checked: they stand in a file that anybody may have made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

Options = Mapping[str, Any]
_LARGEST = 2**20
_MOST_CHANNELS = 2**20
_MOST_AXES = 4


def integer(options: Options, name: str, *, default: int | None = None) -> int:
    """Return a whole number of at least 1.

    Raises:
        ValueError: it is something else.
        KeyError: there is none, and no default.
    """
    value = options[name] if default is None else options.get(name, default)
    return _at_least(1, value)


def measure(options: Options, name: str, *, default: float | None = None) -> float:
    """Return a number, as ``integer`` does."""
    value = options[name] if default is None else options.get(name, default)
    if isinstance(value, dict):  # Keras 2 writes numbers of NumPy as objects
        value = value.get("value", value.get("config"))
    return _number(value)


def flag(options: Options, name: str, *, default: bool) -> bool:
    """Return a yes or no."""
    value = options.get(name, default)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ValueError(name)
    return value


def pair(value: Any) -> tuple[int, int]:
    """Return height and width, which one number may stand for."""
    if isinstance(value, list | tuple):
        first, second = value
        return _at_least(1, first), _at_least(1, second)
    return _at_least(1, value), _at_least(1, value)


def sides(value: Any) -> tuple[int, int, int, int]:
    """Return pixels left, right, above and below, as Keras's padding and cropping give them."""
    if not isinstance(value, list | tuple):
        value = (value, value)
    both = [one if isinstance(one, list | tuple) else (one, one) for one in value]
    (top, bottom), (left, right) = both
    return _at_least(0, left), _at_least(0, right), _at_least(0, top), _at_least(0, bottom)


def axes_of(options: Options) -> tuple[int, ...]:
    """Return one axis or several; the last where nothing is said."""
    value = options.get("axis", -1)
    axes = value if isinstance(value, list) else [value]
    if not 1 <= len(axes) <= _MOST_AXES or not all(type(one) is int for one in axes):
        raise ValueError(value)
    if not all(-_MOST_AXES <= one < _MOST_AXES for one in axes):
        raise ValueError(value)
    return tuple(axes)


def channel_numbers(value: Any) -> Tensor:
    """Return one number, or one for each channel, as a tensor with values."""
    if isinstance(value, dict):  # an array in Keras 3's JSON
        inner = value.get("config")
        value = inner.get("value") if isinstance(inner, dict) else value.get("value")
    flat = value
    while isinstance(flat, list) and len(flat) == 1 and isinstance(flat[0], list):
        flat = flat[0]
    numbers = flat if isinstance(flat, list) else [flat]
    if not 1 <= len(numbers) <= _MOST_CHANNELS:
        raise ValueError(len(numbers))
    return torch.tensor([_number(one) for one in numbers], dtype=torch.float32, device="cpu")


def slice_in(described: Any) -> slice | int:
    """Return what is taken of the last axis by ``values[..., what]``."""
    ellipsis, wanted = described
    if not isinstance(ellipsis, dict) or ellipsis.get("class_name") != "__ellipsis__":
        raise ValueError(described)
    if isinstance(wanted, dict):
        bounds = wanted.get("config", wanted)
        parts = [bounds.get(name) for name in ("start", "stop", "step")]
        if not all(one is None or (type(one) is int and abs(one) < _LARGEST) for one in parts):
            raise ValueError(described)
        return slice(*parts)
    if type(wanted) is not int or not 0 <= wanted < _LARGEST:
        raise ValueError(described)
    return wanted


def _at_least(least: int, value: Any) -> int:
    if type(value) is not int or not least <= value <= _LARGEST:
        raise ValueError(value)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    if not abs(value) < 1e30:  # neither infinite nor no number at all
        raise ValueError(value)
    return float(value)
