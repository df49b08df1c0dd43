"""Read an ONNX file: its graph and what it says of itself, within bounds and without copies."""

from __future__ import annotations

from collections.abc import Sequence

from core.models.sources.onnx.graph import (
    ELEMENT_BITS,
    FLOAT,
    STRING,
    Attribute,
    Dimension,
    Graph,
    Network,
    Node,
    Port,
    StoredTensor,
)
from core.models.sources.onnx.wire import (
    DamagedError,
    TooManyPartsError,
    Wire,
    content,
    integer,
    integers,
    remark,
    text,
)

MOST_NODES = 15_000
"""The largest of torchvision's networks have some 5,000; ONNX Runtime takes 6 s for these."""

MOST_PORTS = 30_000
"""Inputs of a graph, or outputs; old files name each tensor of parameters as an input."""

DEEPEST = 8
"""Graphs in graphs."""

_MOST_DIMS = 16
_LISTED = 4_096
_MOST_TEXTS = 200_000
_IS_EXTERNAL = 1
_OPERATORS_OF_ONNX = ("", "ai.onnx")


class SparseError(Exception):
    """It holds sparse parameters, of which few bytes can stand for any number of values."""


class UnheldError(Exception):
    """A tensor declares other numbers than the file holds.

    Attributes:
        name: of the tensor.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_network(file: memoryview) -> Network:
    """Return what an ONNX file says.

    Args:
        file: all of it; the tensors that are returned are views of it.

    Raises:
        DamagedError: it is none, or cut off.
        TooManyPartsError: it has more parts than any network.
        SparseError: it holds sparse parameters.
        UnheldError: a tensor has other numbers than it says.
    """
    return _Reader().network(file)


class _Reader:
    def __init__(self) -> None:
        self._wire = Wire()
        self._nodes = 0
        self._external: list[StoredTensor] = []

    def network(self, file: memoryview) -> Network:
        producer, graphs, metadata = "", [], {}
        functions: dict[tuple[str, str], tuple[Node, ...]] = {}
        for number, value in self._wire.fields(file):
            if number == 2:
                producer = remark(value)
            elif number == 7:
                graphs.append(self.graph(content(value), 0))
            elif number == 14:
                key, said = self._pair(content(value))
                metadata[key] = said
            elif number == 25:
                name, nodes = self._function(content(value))
                functions[name] = nodes
        if len(graphs) != 1:
            raise DamagedError
        return Network(producer, metadata, graphs[0], functions, tuple(self._external))

    def graph(self, message: memoryview, depth: int) -> Graph:
        if depth > DEEPEST:
            raise TooManyPartsError
        nodes: list[Node] = []
        inputs: list[Port] = []
        outputs: list[Port] = []
        tensors: dict[str, StoredTensor] = {}
        for number, value in self._wire.fields(message):
            if number == 1:
                nodes.append(self._node(content(value), depth))
            elif number == 5:
                tensor = self._tensor(content(value))
                tensors[tensor.name] = tensor
            elif number in (11, 12):
                ports = inputs if number == 11 else outputs
                ports.append(self._port(content(value)))
                if len(ports) > MOST_PORTS:
                    raise TooManyPartsError
            elif number == 15:
                raise SparseError
        given = tuple(port for port in inputs if port.name not in tensors)
        return Graph(tuple(nodes), given, tuple(outputs), tensors)

    def _node(self, message: memoryview, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise TooManyPartsError
        texts = {3: "", 4: "", 7: ""}
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: dict[str, Attribute] = {}
        for number, value in self._wire.fields(message):
            if number == 1:
                inputs.append(text(value))
            elif number == 2:
                outputs.append(text(value))
            elif number == 5:
                name, attribute = self._attribute(content(value), depth)
                attributes[name] = attribute
            elif number in texts:
                texts[number] = remark(value) if number == 3 else text(value)
        domain = "" if texts[7] in _OPERATORS_OF_ONNX else texts[7]
        return Node(texts[3], texts[4], domain, tuple(inputs), tuple(outputs), attributes)

    def _attribute(self, message: memoryview, depth: int) -> tuple[str, Attribute]:
        name, whole, said, tensor = "", 0, "", None
        numbers: list[int] = []
        texts: list[str] = []
        graphs: list[Graph] = []
        for number, value in self._wire.fields(message):
            if number == 1:
                name = text(value)
            elif number == 3:
                whole = integer(value)
            elif number == 4:
                said = remark(value)
            elif number in (5, 10):
                tensor = self._tensor(content(value))
            elif number in (6, 11):
                graphs.append(self.graph(content(value), depth + 1))
            elif number == 8 and len(numbers) < _LISTED:
                numbers += integers(value, MOST_NODES)[:_LISTED]
            elif number == 9 and len(texts) < _MOST_TEXTS:
                texts.append(remark(value))
            elif number in (22, 23):
                raise SparseError
        found = Attribute(whole, said, tuple(numbers), tuple(texts), tensor, tuple(graphs))
        return name, found

    def _function(self, message: memoryview) -> tuple[tuple[str, str], tuple[Node, ...]]:
        name, domain = "", ""
        nodes: list[Node] = []
        for number, value in self._wire.fields(message):
            if number == 1:
                name = text(value)
            elif number == 7:
                nodes.append(self._node(content(value), 1))
            elif number == 10:
                domain = text(value)
        return (domain, name), tuple(nodes)

    def _tensor(self, message: memoryview) -> StoredTensor:
        dims: list[int] = []
        name, kind, place, texts, typed = "", 0, 0, 0, 0
        raw: memoryview | None = None
        floats: list[memoryview] = []
        external: dict[str, str] = {}
        for number, value in self._wire.fields(message):
            if number == 1:
                dims += integers(value, _MOST_DIMS)
            elif number == 2:
                kind = integer(value)
            elif number in (4, 5, 7, 10, 11):
                typed += 1 if isinstance(value, int) else len(value)
                floats += [content(value)] if number == 4 else []
            elif number == 6:
                texts += 1
            elif number == 8:
                name = text(value)
            elif number == 9:
                raw = content(value)
            elif number == 13:
                key, said = self._pair(content(value))
                external[key] = said
            elif number == 14:
                place = integer(value)
        if len(dims) > _MOST_DIMS or any(one < 0 for one in dims):
            raise UnheldError(name)
        lies_elsewhere = place == _IS_EXTERNAL or bool(external)
        held = floats[0] if raw is None and kind == FLOAT and len(floats) == 1 else raw
        found = StoredTensor(
            name, tuple(dims), kind, held, {"location": "", **external} if lies_elsewhere else {}
        )
        if lies_elsewhere:
            self._external.append(found)
        else:
            _check_held(found, raw, typed, texts)
        return found

    def _port(self, message: memoryview) -> Port:
        name, kind = "", None
        shape: tuple[Dimension, ...] | None = None
        for number, value in self._wire.fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                for inner, tensor in self._wire.fields(content(value)):
                    if inner == 1:
                        kind, shape = self._tensor_type(content(tensor))
        return Port(name, kind, shape)

    def _tensor_type(self, message: memoryview) -> tuple[int, tuple[Dimension, ...] | None]:
        kind, shape = 0, None
        for number, value in self._wire.fields(message):
            if number == 1:
                kind = integer(value)
            elif number == 2:
                dims = [content(dim) for inner, dim in self._wire.fields(content(value))]
                if len(dims) > _MOST_DIMS:
                    raise DamagedError
                shape = tuple(self._dimension(dim) for dim in dims)
        return kind, shape

    def _dimension(self, message: memoryview) -> Dimension:
        found: Dimension = ""
        for number, value in self._wire.fields(message):
            if number == 1:
                size = integer(value)
                found = size if size > 0 else ""
            elif number == 2:
                found = text(value)
        return found

    def _pair(self, message: memoryview) -> tuple[str, str]:
        pair = {1: "", 2: ""}
        for number, value in self._wire.fields(message):
            if number in pair:
                pair[number] = remark(value)
        return pair[1], pair[2]


def _check_held(tensor: StoredTensor, raw: Sequence[int] | None, typed: int, texts: int) -> None:
    """Refuse a tensor of more or fewer numbers than lie in the file.

    Numbers of variable length take at least a byte each.

    Raises:
        UnheldError: it is one.
    """
    if tensor.type == STRING:
        fits = tensor.count == texts
    elif tensor.type not in ELEMENT_BITS:
        fits = tensor.count == 0
    elif raw is not None:
        fits = len(raw) == tensor.size_bytes
    elif tensor.raw is not None:
        fits = len(tensor.raw) == tensor.size_bytes
    else:
        fits = tensor.count <= 2 * typed
    if not fits:
        raise UnheldError(tensor.name)
