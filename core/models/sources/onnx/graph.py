"""What an ONNX file says of its network, as far as Droplens asks.

The numbers of the fields are those of onnx.proto. Parameters stay where they lie in the file.
Source: github.com/onnx/onnx, onnx/onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

FLOAT, UINT8, INT64, STRING, FLOAT16, DOUBLE = 1, 2, 7, 8, 10, 11
"""Types of numbers, as onnx.proto counts them."""

FLOATS = (FLOAT, FLOAT16, DOUBLE)
ELEMENT_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64,
    15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8,
}  # fmt: skip
_NUMPY = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 10: "<f2", 11: "<f8"}

Dimension = int | str
"""A number, or the name of a size that is free; "" where it has none."""


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """Parameters, or a constant.

    Attributes:
        name: "" for a constant.
        dims: its shape.
        type: of its numbers.
        raw: its bytes, where they lie together in the file.
        external: where they lie outside of it, by the keys "location", "offset" and "length".
    """

    name: str
    dims: tuple[int, ...]
    type: int
    raw: memoryview | None = None
    external: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many numbers it has."""
        return math.prod(self.dims)

    @property
    def size_bytes(self) -> int:
        """Return what its numbers take."""
        return (self.count * ELEMENT_BITS.get(self.type, 8) + 7) // 8

    def values(self) -> list[float] | None:
        """Return its numbers, flat; None where they are of a rare type or lie elsewhere."""
        import numpy as np

        if self.raw is None or self.type not in _NUMPY:
            return None
        return [float(value) for value in np.frombuffer(self.raw, _NUMPY[self.type])]


@dataclass(frozen=True, eq=False)
class Attribute:
    """What a node is told beside its inputs.

    Attributes:
        integer: where it is a whole number.
        text: where it is a text.
        integers: the first of a list of whole numbers.
        texts: a list of texts.
        tensor: a constant.
        graphs: parts of the network, of which the node chooses or which it repeats.
    """

    integer: int = 0
    text: str = ""
    integers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    tensor: StoredTensor | None = None
    graphs: tuple[Graph, ...] = ()


@dataclass(frozen=True, eq=False)
class Node:
    """One step of a network.

    Attributes:
        name: the exporter's; often "".
        operator: e.g. "Conv".
        domain: who defines the operator; "" is ONNX itself.
        inputs: names of what it takes; "" where one is left out.
        outputs: names of what it gives.
        attributes: by name.
    """

    name: str
    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers; () where there is none."""
        return self.attributes[name].integers if name in self.attributes else ()


@dataclass(frozen=True, eq=False)
class Port:
    """What a network takes or gives.

    Attributes:
        name: its name.
        type: of its numbers; None where it is no tensor.
        shape: None where the file does not say it.
    """

    name: str
    type: int | None
    shape: tuple[Dimension, ...] | None


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps, and what they take and give.

    Attributes:
        nodes: in order.
        inputs: what is given from outside, parameters left out.
        outputs: in order.
        tensors: parameters by name.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    tensors: Mapping[str, StoredTensor]

    def producers(self) -> dict[str, Node]:
        """Return the node that gives each name."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    def constant(self, name: str) -> StoredTensor | None:
        """Return parameters or a constant by name."""
        if name in self.tensors:
            return self.tensors[name]
        node = next((one for one in self.nodes if name in one.outputs), None)
        if node is None or node.operator != "Constant" or "value" not in node.attributes:
            return None
        return node.attributes["value"].tensor

    def all_nodes(self) -> Iterator[Node]:
        """Yield the nodes of this graph and of all its parts."""
        return with_parts(self.nodes)


@dataclass(frozen=True, eq=False)
class Network:
    """An ONNX file.

    Attributes:
        producer: the library that wrote it, e.g. "pytorch"; "" where it does not say.
        metadata: pairs of text.
        graph: the network.
        functions: nodes of each operator that the file itself defines, by domain and name.
        external: all tensors that lie in files beside it.
    """

    producer: str
    metadata: Mapping[str, str]
    graph: Graph
    functions: Mapping[tuple[str, str], tuple[Node, ...]]
    external: tuple[StoredTensor, ...]


def with_parts(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield nodes and all in the graphs that they hold."""
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            yield node
            waiting += [graph.nodes for one in node.attributes.values() for graph in one.graphs]
