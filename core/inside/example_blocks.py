"""The two residual blocks of ResNet by themselves, to be drawn beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from core.inside.layers import record
from core.inside.residual_blocks import list_blocks
from core.inside.summary import LayerTable
from core.models.torchvision_import import torchvision_models

if TYPE_CHECKING:
    from torchvision.models.resnet import BasicBlock, Bottleneck

_SIDE = 56


def example_blocks() -> tuple[LayerTable, LayerTable]:
    """Return a BasicBlock of ResNet-18 and a Bottleneck of ResNet-50, both with identities.

    Source: He et al., CVPR 2016, arXiv:1512.03385, figure 5.
    """
    resnet = torchvision_models().resnet
    return _table(resnet.BasicBlock(64, 64), 64), _table(resnet.Bottleneck(256, 64), 256)


def _table(block: BasicBlock | Bottleneck, channels: int) -> LayerTable:
    network = nn.Sequential()
    network.add_module(type(block).__name__, block)
    recording = record(network.eval(), torch.zeros(1, channels, _SIDE, _SIDE))
    return LayerTable(
        layers=recording.layers,
        multiply_adds={},
        blocks={one.name: one for one in list_blocks(network)},
        error=recording.error,
        input_shape=(channels, _SIDE, _SIDE),
        flow=recording.flow,
    )
