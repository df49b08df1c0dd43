"""Find residual blocks in a graph: two paths that leave one tensor, and meet where they are added.

What goes on between must not lead anywhere else: a path that takes something from before the block
is none, nor are two paths of which neither is plainly the shortcut.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass

from core.models.additions import Addition, WeightedStep
from core.models.sources.onnx.graph import Graph, Node, StoredTensor

_ADDS = ("Add", "Sum")
_SIZES = ("Shape", "Size")
"""Operators whose outputs say nothing of what the photo shows."""

_SAME = frozenset("Identity Cast Dropout QuantizeLinear DequantizeLinear".split())
"""Operators that pass on what they are given."""

_LINEAR = _SAME | frozenset(
    "Conv BatchNormalization AveragePool MaxPool Pad Slice Concat Mul Div Add Sub".split()
)
"""Operators of a shortcut that changes sizes or channels."""

_CONVOLUTIONS = frozenset({"Conv", "FusedConv"})
_PRODUCTS = frozenset({"MatMul", "Gemm", "FusedMatMul"})
_ACTIVATIONS = frozenset(
    "Relu LeakyRelu PRelu Clip Sigmoid HardSigmoid HardSwish Elu Celu Selu Gelu Mish Softplus "
    "Tanh".split()
)
_LONGEST_PATHS = 500
"""Steps of both paths together; a transformer's block has about a hundred."""

_MOST_STEPS = 300_000
"""That are looked at in one file."""

_FURTHEST_WEIGHT = 4
_PHOTO = -1


@dataclass(frozen=True, eq=False)
class _Paths:
    """Two paths, each from its end to the tensor that both leave."""

    fork: str
    ends: tuple[str, str]
    nodes: tuple[list[Node], list[Node]]

    def turned(self) -> _Paths:
        return _Paths(self.fork, self.ends[::-1], self.nodes[::-1])


class _Flow:
    """Which tensors hold what becomes of the photo, and which node gives each.

    Args:
        graph: of the network, its nodes in order.
        photo: name of its input.
    """

    def __init__(self, graph: Graph, photo: str) -> None:
        self.nodes = graph.nodes
        self.makers = {photo: _PHOTO}
        self._left = _MOST_STEPS
        for index, node in enumerate(graph.nodes):
            takes_photo = any(name in self.makers for name in node.inputs)
            if takes_photo and node.operator not in _SIZES:
                self.makers.update((name, index) for name in node.outputs if name)

    def paths(self, ends: tuple[str, str]) -> _Paths | None:
        """Return the paths from two tensors back to the one that both come from, and nothing else.

        Tensors are taken from the last to the first, so that the one that both paths leave is the
        only one that waits when it comes.
        """
        first, second = ends
        sides = {first: 1}
        sides[second] = sides.get(second, 0) | 2
        waiting = [(-self.makers[name], name) for name in sides]
        heapq.heapify(waiting)
        nodes: tuple[list[Node], list[Node]] = ([], [])
        for _ in range(min(_LONGEST_PATHS, self._left)):
            self._left -= 1
            _, name = heapq.heappop(waiting)
            side = sides.pop(name)
            if side == 3:
                return None if waiting else _Paths(name, ends, nodes)
            if self.makers[name] == _PHOTO:
                return None
            node = self.nodes[self.makers[name]]
            if any(one.graphs for one in node.attributes.values()):
                return None  # these take tensors without naming them as inputs
            nodes[side - 1].append(node)
            for given in node.inputs:
                if given not in self.makers:
                    continue
                if given not in sides:
                    heapq.heappush(waiting, (-self.makers[given], given))
                sides[given] = sides.get(given, 0) | side
        return None


def find_additions(
    graph: Graph, photo: str, layers: Mapping[str, str], unsure: Container[str] = ()
) -> tuple[Addition, ...]:
    """Return the additions that close residual blocks, in order.

    Args:
        graph: of the network.
        photo: name of its input.
        layers: names of the layers, by that of the tensor that each gives.
        unsure: tensors of which nothing but the shape says where their channels stand.
    """
    if not _is_in_order(graph):
        return ()
    flow = _Flow(graph, photo)
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    uses.update(port.name for port in graph.outputs)
    next_nodes = {name: node for node in graph.nodes for name in node.inputs}
    producers = graph.producers()
    found = []
    for node in graph.nodes:
        paths = _of_block(flow, node)
        if paths is None:
            continue
        total, (residual, shortcut) = node.outputs[0], paths.ends
        given = _input(paths, layers)
        if not {total, residual, shortcut, given} <= layers.keys():
            continue
        after = next_nodes.get(total)
        is_last = after is None or uses[total] > 1 or after.operator not in _ACTIVATIONS
        output = total if is_last or after is None else after.outputs[0]
        steps = (_step(graph, producers, one, layers) for one in reversed(paths.nodes[0]))
        found.append(
            Addition(
                layer=layers[total],
                kind=node.operator,
                input=layers[given],
                residual=layers[residual],
                shortcut=layers[shortcut],
                output=layers.get(output, layers[total]),
                is_projection=not _passes_on(paths.nodes[1]),
                is_of_square_maps=any(one in unsure for one in (total, *paths.ends)),
                steps=tuple(step for step in steps if step is not None),
            )
        )
    return tuple(found)


def _is_in_order(graph: Graph) -> bool:
    """Return whether each node comes behind those whose outputs it takes."""
    waiting = {name for node in graph.nodes for name in node.outputs if name}
    for node in graph.nodes:
        if not waiting.isdisjoint(node.inputs):
            return False
        waiting.difference_update(node.outputs)
    return True


def _of_block(flow: _Flow, node: Node) -> _Paths | None:
    """Return the paths of a block, the residual one first; None of another step."""
    if node.operator not in _ADDS or node.domain or len(node.inputs) != 2:
        return None
    first, second = node.inputs
    if first not in flow.makers or second not in flow.makers or first == second:
        return None
    paths = flow.paths((first, second))
    if paths is None:
        return None
    for one in (paths, paths.turned()):
        residual, shortcut = one.nodes
        if not any(step.operator in _CONVOLUTIONS | _PRODUCTS for step in residual):
            continue
        if _passes_on(shortcut) or (_is_projection(flow, shortcut) and not _is_linear(residual)):
            return one
    return None


def _passes_on(path: list[Node]) -> bool:
    return all(node.operator in _SAME for node in path)


def _is_linear(path: list[Node]) -> bool:
    return all(node.operator in _LINEAR for node in path)


def _is_projection(flow: _Flow, path: list[Node]) -> bool:
    """Return whether a path is a line of steps with one convolution at most."""
    is_line = all(sum(name in flow.makers for name in node.inputs) == 1 for node in path)
    return is_line and _is_linear(path) and sum(one.operator == "Conv" for one in path) <= 1


def _input(paths: _Paths, layers: Mapping[str, str]) -> str:
    """Return the tensor that goes in; behind quantisation, as the residual path takes it up."""
    if paths.fork in layers:
        return paths.fork
    first = paths.nodes[0][-1]
    return first.outputs[0] if first.operator == "DequantizeLinear" else ""


def _step(
    graph: Graph, producers: Mapping[str, Node], node: Node, layers: Mapping[str, str]
) -> WeightedStep | None:
    """Return a step with weights; None of another, and of weights that cannot be found."""
    layer = layers.get(node.outputs[0])
    if layer is None or len(node.inputs) < 2:
        return None
    weight = _weight(graph, producers, node.inputs[1])
    if weight is None:
        return None
    if node.operator in _CONVOLUTIONS and len(weight.dims) == 4:
        outputs, inputs, high, wide = weight.dims
        groups = node.attributes["group"].integer if "group" in node.attributes else 1
        stride = (*node.integers("strides"), 1)[0]
        return WeightedStep(layer, (high, wide), inputs * groups, outputs, groups, stride)
    if node.operator in _PRODUCTS and len(weight.dims) == 2:
        is_turned = "transB" in node.attributes and node.attributes["transB"].integer
        inputs, outputs = weight.dims[::-1] if is_turned else weight.dims
        return WeightedStep(layer, None, inputs, outputs)
    return None


def _weight(graph: Graph, producers: Mapping[str, Node], name: str) -> StoredTensor | None:
    """Return parameters, also behind steps that pass them on."""
    for _ in range(_FURTHEST_WEIGHT):
        if name in graph.tensors:
            return graph.tensors[name]
        node = producers.get(name)
        if node is None:
            return None
        if node.operator == "Constant":
            return node.attributes["value"].tensor if "value" in node.attributes else None
        if node.operator not in _SAME or not node.inputs:
            return None
        name = node.inputs[0]
    return None
