"""Estimate how much a network multiplies for one photo, before anything of it is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.images.turning import Size
from core.models.sources.onnx.graph import Graph, Node
from core.models.sources.onnx.inputs import PhotoInput
from core.models.sources.onnx.sessions import Content, TooSlowError, make_session

_MOST_MULTIPLIED = 6e10
_MULTIPLIED_A_BYTE = 1_000
"""torchvision's networks multiply 10 to 150 times for each byte of their files."""

_LARGE_BYTES = 2**28
"""Larger files take their time in any case."""

_WEIGHT_BEHIND = 3
"""Inputs of a quantised convolution before its weight."""

Shape = tuple[int, ...]


def refuse_endless(content: Content, graph: Graph, photo: PhotoInput, size: Size) -> None:
    """Refuse a small file that multiplies more than any classifier of its size.

    What ONNX Runtime cannot say of shapes beforehand is not counted.

    Args:
        content: of the network.
        graph: of the network.
        photo: its input.
        size: (height, width) of the photo.

    Raises:
        TooSlowError: it does.
        RuntimeRefusalError: ONNX Runtime does not take it.
    """
    nodes = [node for node in graph.nodes if node.operator in _COUNTED and _is_whole(node)]
    if content.size_bytes > _LARGE_BYTES or not nodes:
        return
    made = {name for node in graph.nodes for name in node.outputs}
    own = {port.name for port in graph.outputs}
    names = [name for node in nodes for name in (*node.inputs, *node.outputs) if name in made]
    sides = zip(photo.free, (1, *size), strict=True)
    session = make_session(
        content,
        1,
        [name for name in dict.fromkeys(names) if name not in own],
        is_optimised=False,
        is_bounded=True,
        sides={name: side for name, side in sides if name},
    )
    shapes: dict[str, Shape] = {name: tensor.dims for name, tensor in graph.tensors.items()}
    for port in session.get_outputs():
        if all(isinstance(side, int) for side in port.shape):
            shapes[port.name] = tuple(port.shape)
    whole = sum(_COUNTED[node.operator](node, shapes) for node in nodes)
    if whole > _MOST_MULTIPLIED + _MULTIPLIED_A_BYTE * content.size_bytes:
        raise TooSlowError


def _is_whole(node: Node) -> bool:
    """Return whether a node has the inputs that are asked about; ONNX Runtime refuses others."""
    return len(node.inputs) > (_WEIGHT_BEHIND if _is_quantised(node) else 1) and bool(node.outputs)


def _is_quantised(node: Node) -> bool:
    return node.operator.startswith("QLinear")


def _of_convolution(node: Node, shapes: Mapping[str, Shape]) -> int:
    weight = shapes.get(node.inputs[_WEIGHT_BEHIND if _is_quantised(node) else 1], ())
    output = shapes.get(node.outputs[0], ())
    return math.prod(output) * math.prod(weight[1:]) if weight and output else 0


def _of_transposed(node: Node, shapes: Mapping[str, Shape]) -> int:
    weight, given = shapes.get(node.inputs[1], ()), shapes.get(node.inputs[0], ())
    return math.prod(given) * math.prod(weight[1:]) if weight and given else 0


def _of_product(node: Node, shapes: Mapping[str, Shape]) -> int:
    first, output = shapes.get(node.inputs[0], ()), shapes.get(node.outputs[0], ())
    turned = "transA" in node.attributes and node.attributes["transA"].integer
    return math.prod(output) * first[0 if turned else -1] if first and output else 0


_COUNTED = {
    "Conv": _of_convolution,
    "FusedConv": _of_convolution,
    "QLinearConv": _of_convolution,
    "ConvInteger": _of_convolution,
    "ConvTranspose": _of_transposed,
    "MatMul": _of_product,
    "Gemm": _of_product,
    "FusedMatMul": _of_product,
    "MatMulInteger": _of_product,
    "QLinearMatMul": _of_product,
}
