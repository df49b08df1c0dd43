"""Whether a network scales and normalises its input itself, by the constants of its first steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.models.sources.onnx.graph import Graph, Node
from core.models.sources.onnx.inputs import PhotoInput

_MOVED = ("Cast", "Transpose", "Identity", "QuantizeLinear", "DequantizeLinear")
_LEARNT = "BatchNormalization"
_FURTHEST = 16
_BYTES_FACTOR = 0.1
"""Factors below this bring 255 to some units; no data set has so large a deviation of 0..1."""

_BYTES_OFFSET = 4.0
"""What is taken off beyond this is a mean of 0..255."""


@dataclass(frozen=True)
class Norming:
    """What the first steps do.

    Attributes:
        takes_bytes: whether they want 0..255; else 0..1.
    """

    takes_bytes: bool


def own_norming(graph: Graph, photo: PhotoInput) -> Norming | None:
    """Return what a network's first steps make of a photo; None where they only compute with it.

    A subtraction, addition, product or quotient with one constant, or with one a channel, counts.
    """
    name, factor, offset = photo.name, 1.0, 0.0
    operators: list[str] = []
    for _ in range(_FURTHEST):
        users = [node for node in graph.nodes if name in node.inputs]
        if len(users) != 1 or not users[0].outputs:
            break
        node = users[0]
        if node.operator not in _MOVED:
            step = _step(graph, node, name, photo.channels)
            if step is None:
                break
            operators.append(node.operator)
            factor, offset = factor * step[0], offset * step[0] + step[1]
        name = node.outputs[0]
    if not factor or not math.isfinite(factor) or not math.isfinite(offset):
        return None
    takes_bytes = abs(factor) < _BYTES_FACTOR or abs(offset / factor) > _BYTES_OFFSET
    if not operators or (_LEARNT in operators and not takes_bytes):
        return None  # batch norm may also follow a normalisation outside of the network
    return Norming(takes_bytes)


def _step(graph: Graph, node: Node, name: str, channels: int) -> tuple[float, float] | None:
    """Return factor and offset of one step, their mean over the channels."""
    if node.operator == _LEARNT:
        return _batch_norm(graph, node, channels)
    if node.operator not in ("Sub", "Add", "Mul", "Div") or len(node.inputs) != 2:
        return None
    other = node.inputs[1 if node.inputs[0] == name else 0]
    values = _numbers(graph, other, channels)
    if values is None:
        return None
    mean, is_first = sum(values) / len(values), node.inputs[0] == name
    if node.operator == "Add":
        return 1.0, mean
    if node.operator == "Sub":
        return (1.0, -mean) if is_first else (-1.0, mean)
    if not mean or (node.operator == "Div" and not is_first):
        return None
    return (mean if node.operator == "Mul" else 1 / mean), 0.0


def _batch_norm(graph: Graph, node: Node, channels: int) -> tuple[float, float] | None:
    """Return what batch norm right behind the input does: keras writes its normalising so."""
    if len(node.inputs) < 5:
        return None
    found = [_numbers(graph, name, channels) for name in node.inputs[1:5]]
    if any(values is None or len(values) != channels for values in found):
        return None
    means = [sum(values) / len(values) for values in found if values is not None]
    scale, bias, mean, variance = means
    if variance <= 0 or scale == 0:
        return None
    factor = scale / variance**0.5
    return factor, bias - mean * factor


def _numbers(graph: Graph, name: str, channels: int) -> Sequence[float] | None:
    """Return constants: one, or one a channel."""
    tensor = graph.constant(name)
    if tensor is None or tensor.count not in (1, channels):
        return None
    return tensor.values()
