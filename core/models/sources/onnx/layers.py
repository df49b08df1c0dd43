"""Which nodes of a graph are shown as layers, under which names, and how their outputs lie."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.models.sources.onnx.graph import FLOATS, Graph, Node
from core.models.sources.onnx.inputs import PhotoInput

_LONGEST_NAME = 120
_NO_LETTER = re.compile(r"[^\w/+-]+")
_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_WHOLE = frozenset(
    "Shape Size NonZero ArgMax ArgMin Equal Less Greater LessOrEqual GreaterOrEqual And Or Not Xor "
    "IsNaN IsInf QuantizeLinear DynamicQuantizeLinear ConvInteger MatMulInteger ZipMap If Loop "
    "Scan SplitToSequence SequenceConstruct SequenceInsert SequenceEmpty SequenceErase Optional "
    "LabelEncoder Unique".split()
)
"""Operators that give whole numbers, or more than one tensor."""

_REAL = frozenset({"DequantizeLinear", "DynamicQuantizeMatMul"})
_QUANTISED = "QLinear"
_CHANNELS_FIRST = frozenset(
    "Conv ConvTranspose FusedConv MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool "
    "GlobalLpPool BatchNormalization InstanceNormalization GroupNormalization LRN DepthToSpace "
    "SpaceToDepth".split()
)
_SHAPING = frozenset({"Reshape", "Unsqueeze", "Squeeze", "Flatten", "Einsum", "MatMul"})


@dataclass(frozen=True)
class LayerNode:
    """A node that is shown as a layer.

    Attributes:
        name: unique in its network, without dots.
        operator: e.g. "Conv".
        output: name of what it gives.
        inputs: names of what it takes, parameters left out.
        parameters: how many it has.
        is_last: whether its maps lie as (N, H, W, C); None where the shape must tell.
        settings: pairs of a term and its value, e.g. ("kernel", "3×3").
    """

    name: str
    operator: str
    output: str
    inputs: tuple[str, ...]
    parameters: int
    is_last: bool | None
    settings: tuple[tuple[str, str], ...] = ()


def layer_nodes(graph: Graph, photo: PhotoInput) -> tuple[LayerNode, ...]:
    """Return the nodes that compute real numbers from the photo, in order."""
    is_real = {photo.name: True}
    layouts: dict[str, bool | None] = {photo.name: photo.is_last}
    names: set[str] = set()
    found: list[LayerNode] = []
    for index, node in enumerate(graph.nodes):
        given = tuple(name for name in node.inputs if name in is_real)
        if not given:
            continue
        real = _gives_reals(node, any(is_real[name] for name in given))
        layout = _layout(node, layouts[given[0]])
        for output in node.outputs:
            is_real[output], layouts[output] = real, layout
        at = 1 if node.operator.endswith("Classifier") else 0
        if not real or len(node.outputs) <= at or not node.outputs[at]:
            continue
        name = _unique(node, index, names)
        parameters = sum(graph.tensors[one].count for one in node.inputs if one in graph.tensors)
        output = node.outputs[at]
        settings = _settings(node)
        found.append(LayerNode(name, node.operator, output, given, parameters, layout, settings))
    return tuple(found)


def channels_stand_last(is_last: bool | None, shape: tuple[int, ...]) -> bool:
    """Return whether maps of four axes lie as (N, H, W, C): as told, else by two equal sides."""
    if len(shape) != 4:
        return False
    return shape[1] == shape[2] != shape[3] if is_last is None else is_last


def _settings(node: Node) -> tuple[tuple[str, str], ...]:
    """Return the kernel of a convolution or a pool, and how it is moved."""
    names = {"kernel_shape": "kernel", "strides": "stride", "dilations": "dilation"}
    sizes = {term: node.integers(name)[:2] for name, term in names.items()}
    found = [(term, "×".join(map(str, size))) for term, size in sizes.items() if len(size) == 2]
    pads = node.integers("pads")
    if len(pads) == 4:  # before and behind each axis
        even = pads[:2] == pads[2:]
        found.append(("padding", "×".join(map(str, pads[:2] if even else pads))))
    if "group" in node.attributes:
        found.append(("groups", str(node.attributes["group"].integer)))
    return tuple(found)


def _gives_reals(node: Node, takes_reals: bool) -> bool:
    if node.operator == "Cast":
        to = node.attributes.get("to")
        return to is not None and to.integer in FLOATS
    if node.operator in _WHOLE or node.operator.startswith(_QUANTISED):
        return False
    return takes_reals or node.operator in _REAL


def _layout(node: Node, before: bool | None) -> bool | None:
    if node.operator == "Transpose":
        places: Mapping[tuple[int, ...], bool] = {_TO_LAST: True, _TO_FIRST: False}
        return places.get(node.integers("perm"))
    if node.operator.removeprefix(_QUANTISED) in _CHANNELS_FIRST:
        return False
    if node.operator.startswith("Nhwc"):
        return True
    return None if node.operator in _SHAPING else before


def _unique(node: Node, index: int, names: set[str]) -> str:
    """Return the exporter's name without dots, or the operator and its number."""
    name = _NO_LETTER.sub("_", node.name.strip("/"))[:_LONGEST_NAME].strip("_")
    if not name or name in names:
        name = f"{_NO_LETTER.sub('_', node.operator)[:_LONGEST_NAME]}_{index}"
    while name in names:
        name += "_"
    names.add(name)
    return name
