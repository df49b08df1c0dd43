"""Find the state dict in a checkpoint's content and clean its names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from core.models.recognising import Recognition, recognise

WRAPPERS = ("model_state_dict", "state_dict", "model")
"""Keys under which training scripts keep the state dict, beside epoch and optimizer."""

_PREFIX_DEPTH = 4
_COMMON_SHARE = 0.5


@dataclass(frozen=True)
class StateDict:
    """The parameters as torchvision names them.

    Attributes:
        tensors: by cleaned name.
        wrapper: the key that the state dict stood under; "" for a bare one.
        key_prefix: what was taken off the front of the names, e.g. "module.".
        recognition: the architecture that the cleaned names fit best.
    """

    tensors: dict[str, Tensor]
    wrapper: str
    key_prefix: str
    recognition: Recognition


def find_state_dict(content: Mapping[Any, Any]) -> StateDict | None:
    """Return the state dict of a checkpoint, cleaned; None where there is none."""
    wrapper, tensors = _unwrap(content)
    if not tensors:
        return None
    shapes_of = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    best: tuple[str, dict[str, str], Recognition] | None = None
    for prefix in _prefixes(tensors):
        renamed = {_clean(name, prefix): name for name in tensors if name.startswith(prefix)}
        found = recognise({new: shapes_of[old] for new, old in renamed.items()})
        if best is None or found.similarity > best[2].similarity:
            best = (prefix, renamed, found)
    assert best is not None
    prefix, renamed, recognition = best
    return StateDict(
        tensors={new: tensors[old] for new, old in renamed.items()},
        wrapper=wrapper,
        key_prefix=prefix,
        recognition=recognition,
    )


def _unwrap(content: Mapping[Any, Any]) -> tuple[str, dict[str, Tensor]]:
    for key in WRAPPERS:
        inner = content.get(key)
        if isinstance(inner, Mapping):
            tensors = _tensors(inner)
            if tensors:
                return key, tensors
    return "", _tensors(content)


def _tensors(mapping: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {
        name: value
        for name, value in mapping.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def _prefixes(tensors: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield the leading segments that most names share: "", then "module.", and so on."""
    prefix = ""
    yield prefix
    for _ in range(_PREFIX_DEPTH):
        firsts = Counter(
            name[len(prefix) :].split(".", 1)[0]
            for name in tensors
            if name.startswith(prefix) and "." in name[len(prefix) :]
        )
        if not firsts:
            return
        segment, count = firsts.most_common(1)[0]
        if count < _COMMON_SHARE * len(tensors):
            return
        prefix = f"{prefix}{segment}."
        yield prefix


def _clean(name: str, prefix: str) -> str:
    """Take off the prefix, and the ``module.`` that DataParallel leaves in the middle."""
    return name[len(prefix) :].replace(".module.", ".")
