"""Give a network another last layer, and keep everything before it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from core.errors import UnusableCheckpointError
from core.models.building import Blueprint, build, load_weights
from core.models.recognition.heads import Head, HeadLayer

_NAME = "linear"
"""Of the layer, where the head of the architecture is more than one that takes a vector."""


def features_of(plan: Blueprint) -> int:
    """Return how many numbers the last layer is given."""
    return _cut(plan)[1]


def with_linear_head(
    network: nn.Module, plan: Blueprint, weight: Tensor, bias: Tensor
) -> tuple[nn.Module, Blueprint]:
    """Return a network whose last layer is this one; the rest is shared with the network given.

    Args:
        network: built from the plan, in evaluation mode; left as it is.
        plan: what it was built from.
        weight: shape (K, D), D being ``features_of`` the plan.
        bias: shape (K,).

    Raises:
        UnusableCheckpointError: its body is not the architecture's own, so that there is no telling
            which layer would be the last.
    """
    place, features = _cut(plan)
    if weight.shape[1] != features:
        raise ValueError(f"{features} features, and a weight of shape {tuple(weight.shape)}")
    takes_maps = plan.fingerprint.takes_maps(place)
    name = _NAME if takes_maps else ""
    shape = (weight.shape[0], features)
    made_plan = replace(plan, head=Head((HeadLayer(name, "linear", shape),), place))
    made = build(made_plan)
    layer = f"{place}.{name}" if name else place
    tensors = {**network.state_dict(), f"{layer}.weight": weight, f"{layer}.bias": bias}
    try:
        load_weights(made, tensors, lambda tensor: tensor)
    except RuntimeError as error:
        raise UnusableCheckpointError(
            "The body of this model is not that of {title} alone, so it cannot be given other "
            "classes; choose another model to begin with.",
            title=plan.fingerprint.architecture.title,
        ) from error
    return made, made_plan


def _cut(plan: Blueprint) -> tuple[str, int]:
    """Return where the last layer stands, and how many numbers it is given.

    Where the architecture ends in a convolution with an activation and pooling behind it
    (SqueezeNet), that is the whole classifier.
    """
    fingerprint = plan.fingerprint
    first = fingerprint.cuts[0]
    cut = fingerprint.cuts[-1] if fingerprint.takes_maps(first.place) else first
    return cut.place, cut.features


def identity(features: int) -> tuple[Tensor, Tensor]:
    """Return the layer that gives what it is given: the network then gives its features."""
    return torch.eye(features), torch.zeros(features)
