"""Find the state dict in a checkpoint's content and clean its names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from core.models.heads import Shape
from core.models.recognising import Recognition, recognise
from core.models.unpickling import Stub, is_module, parameters_of

_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")
_PREFIX_DEPTH = 4
_NESTING_DEPTH = 3
_NEARLY_ALL = 0.9
_COMMON_SHARE = 0.5


@dataclass(frozen=True)
class StateDict:
    """The parameters as torchvision names them.

    Attributes:
        tensors: by cleaned name.
        wrapper: the dotted keys that the state dict stood under; "" for a bare one.
        key_prefix: what was taken off the front of the names, e.g. "module.".
        recognition: the architecture that the cleaned names fit best.
    """

    tensors: dict[str, Tensor]
    wrapper: str
    key_prefix: str
    recognition: Recognition

    @property
    def shapes(self) -> dict[str, Shape]:
        """Return the shapes of the parameters by cleaned name."""
        return shapes_of(self.tensors)


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Return the shapes of tensors by name."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def find_state_dict(content: Mapping[Any, Any]) -> StateDict | None:
    """Return the state dict of a checkpoint, cleaned; None where there is none."""
    wrapper, tensors = _unwrap(content)
    if not tensors:
        return None
    shapes = shapes_of(tensors)
    best: tuple[str, dict[str, str], Recognition] | None = None
    for prefix in _prefixes(tensors):
        renamed = {_clean(name, prefix): name for name in tensors if name.startswith(prefix)}
        found = recognise({new: shapes[old] for new, old in renamed.items()})
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
    """Return the place with most tensors; of nearly equal ones the averaged, else the first."""
    places = list(_places(content, "", _NESTING_DEPTH))
    most = max(len(tensors) for _, tensors in places)
    full = [place for place in places if len(place[1]) >= _NEARLY_ALL * most]
    averaged = [place for place in full if "ema" in place[0].lower().split(".")[-1].split("_")]
    return (averaged or full)[0]


def _places(
    content: Mapping[Any, Any], path: str, depth: int
) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield every mapping and every pickled network in a checkpoint, by its dotted path."""
    yield path, _tensors(content)
    for key, value in content.items():
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(value, Stub) and is_module(value):
            yield inner, parameters_of(value)
        elif isinstance(value, Mapping) and depth > 0:
            yield from _places(value, inner, depth - 1)


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
    """Take off the prefix, and what only older versions or wrappers write into the middle.

    DataParallel leaves ``module.`` inside VGG and AlexNet; DenseNets of before torchvision 0.3,
    torchvision's own files among them, say ``norm.1`` for ``norm1``.
    """
    plain = name[len(prefix) :].replace(".module.", ".")
    return _OLD_DENSENET.sub(r"\1\2.", plain)
