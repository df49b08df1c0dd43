"""Tell what tools and losses keep beside the parameters of a network."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_COUNTERS = re.compile(r"(?:^|\.)(?:n_averaged|total_ops|total_params|best_\w+|epoch|global_step)$")
_LOSS_WORDS = ("loss", "criterion", "metric", "accuracy", "confmat")
_ACCURACIES = ("train_acc", "val_acc", "test_acc")


def without_tools(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what tools and losses keep beside parameters; classifiers are no losses."""
    kept = {
        name: one
        for name, one in tensors.items()
        if not _COUNTERS.search(name) and not (_is_of_loss(name) and _is_no_layer(name, one))
    }
    return kept if len(kept) > len(tensors) / 2 else dict(tensors)


def _is_no_layer(name: str, tensor: Tensor) -> bool:
    """Return whether a tensor is no layer's weight, as counts and centres of classes are not."""
    return tensor.ndim < 2 or name.rpartition(".")[2] != "weight"


def _is_of_loss(name: str) -> bool:
    """Return whether a name is that of a loss or a metric, by the module it stands in."""
    module = name.split(".", 1)[0]
    named = any(word in module for word in _LOSS_WORDS) or module.startswith(_ACCURACIES)
    return named and module.replace("_", "a").isalnum()
