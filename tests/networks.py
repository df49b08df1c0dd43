"""Checkpoints of torchvision's networks with random weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from core.models.families import BY_NAME
from core.models.torchvision_import import torchvision_models


def trained(architecture: str, classes: int) -> nn.Module:
    """Return torchvision's network with its head replaced as its documentation says.

    Weights are random, and the running statistics of batch norm are not those of a fresh
    network, so that a mix-up of entries shows in the outputs.
    """
    options: dict[str, Any] = {}
    if architecture in ("inception_v3", "googlenet"):
        options["init_weights"] = False
    network: nn.Module = torchvision_models().get_model(architecture, weights=None, **options)
    head = BY_NAME[architecture].head
    old = network.get_submodule(head)
    parent, _, name = head.rpartition(".")
    new: nn.Module
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, classes, kernel_size=1)
    else:
        assert isinstance(old, nn.Linear)
        new = nn.Linear(old.in_features, classes)
    setattr(network.get_submodule(parent), name, new)
    return spread(network)


def spread(network: nn.Module) -> nn.Module:
    """Give batch norm other statistics than a fresh network's; end in evaluation mode."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 2.0)
    return network.eval()
