"""Queries, keys and values that stand apart in a file are one tensor for torchvision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from core.models.families.base import JOINED
from core.models.sources.checkpoint.stored import CheckpointFile

_APART = (("query", "key", "value"), ("q_proj", "k_proj", "v_proj"))
"""Names of their layers, in torchvision's order."""


def joined(file: CheckpointFile, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors by name, each three that belong together as one.

    Args:
        file: where their values lie.
        tensors: by the names of the file; "….query.weight" with its key and its value becomes
            "….qkv.weight".
    """
    whole = dict(tensors)
    for name in tensors:
        for words in _APART:
            parts = _parts(name, words)
            found = [_tensor(part, words[1], tensors) for part in parts]
            pieces = [piece for piece in found if piece is not None]
            if found and len(pieces) == len(found) and _fit(file, pieces):
                for part in parts:
                    whole.pop(part, None)
                whole[_renamed(name, words[0], JOINED)] = file.joined(pieces)
    return whole


def _tensor(name: str, key: str, tensors: Mapping[str, Tensor]) -> Tensor | None:
    """Return a tensor by its name; zeros for the bias of a key that has none, as in Swin V2."""
    layer, _, parameter = name.rpartition(".")
    if name in tensors or parameter != "bias" or _layer(name) != key:
        return tensors.get(name)
    weight = tensors.get(f"{layer}.weight")
    if weight is None or weight.ndim != 2:
        return None
    return torch.zeros((), dtype=weight.dtype).expand(weight.shape[0])


def _parts(name: str, words: tuple[str, ...]) -> list[str]:
    """Return the names of the three, where a name is that of the first; else nothing."""
    return [_renamed(name, words[0], word) for word in words] if _layer(name) == words[0] else []


def _layer(name: str) -> str:
    """Return the last part of the name of the layer that a parameter is of."""
    return name.rpartition(".")[0].rpartition(".")[2]


def _renamed(name: str, word: str, other: str) -> str:
    layer, dot, parameter = name.rpartition(".")
    return f"{layer.removesuffix(word)}{other}{dot}{parameter}"


def _fit(file: CheckpointFile, tensors: Sequence[Tensor]) -> bool:
    first = tensors[0]
    return first.ndim > 0 and all(
        tensor.layout == torch.strided
        and tensor.shape == first.shape
        and tensor.dtype == first.dtype
        and file.holds(tensor)
        for tensor in tensors
    )
