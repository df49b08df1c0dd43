"""Queries, keys and values that stand apart in a file are one tensor for torchvision."""

from __future__ import annotations

from collections.abc import Mapping

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
            if parts and all(part in whole for part in parts) and _fit(file, parts, whole):
                together = file.joined([whole.pop(part) for part in parts])
                whole[_renamed(name, words[0], JOINED)] = together
    return whole


def _parts(name: str, words: tuple[str, ...]) -> list[str]:
    """Return the names of the three, where a name is that of the first; else nothing."""
    return [_renamed(name, words[0], word) for word in words] if _layer(name) == words[0] else []


def _layer(name: str) -> str:
    """Return the last part of the name of the layer that a parameter is of."""
    return name.rpartition(".")[0].rpartition(".")[2]


def _renamed(name: str, word: str, other: str) -> str:
    layer, dot, parameter = name.rpartition(".")
    return f"{layer.removesuffix(word)}{other}{dot}{parameter}"


def _fit(file: CheckpointFile, parts: list[str], tensors: Mapping[str, Tensor]) -> bool:
    first = tensors[parts[0]]
    return first.ndim > 0 and all(
        tensors[part].layout == torch.strided
        and tensors[part].shape == first.shape
        and tensors[part].dtype == first.dtype
        and file.holds(tensors[part])
        for part in parts
    )
