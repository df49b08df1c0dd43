"""The input that takes the photo: where its channels stand, its size, the type of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UnusableCheckpointError
from core.images.preprocessing import LARGEST_SIDE_PX
from core.images.turning import Size
from core.language import tr
from core.models.sources.onnx.graph import FLOAT, FLOAT16, UINT8, Dimension, Graph, Node, Port
from core.models.sources.onnx.refusing import shown

CHANNELS = (1, 3, 4)
_TYPES = {FLOAT: "float32", FLOAT16: "float16", UINT8: "uint8"}
_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_CONVOLUTIONS = ("Conv", "QLinearConv", "ConvInteger", "FusedConv")
_BETWEEN = (
    "Cast", "Identity", "Sub", "Add", "Mul", "Div", "BatchNormalization", "QuantizeLinear",
    "DequantizeLinear", "Pad", "Clip",
)  # fmt: skip
"""What may come before the first convolution without moving the channels."""

_MOST_NUMBERS = 2**26
"""Of an input: the largest photo has these; a batch that is fixed has as many smaller ones."""

_FURTHEST = 20


@dataclass(frozen=True)
class PhotoInput:
    """How a network takes a photo.

    Attributes:
        name: of the input.
        type: numpy's name of its numbers: "float32", "float16" or "uint8".
        is_last: whether the channels stand last, (N, H, W, C).
        channels: 1, 3 or 4.
        size: (height, width); None where any will do.
        batch: how many photos it takes at a time; None where that is free.
        free: names of its free axes, in the order N, H, W; "" where an axis is fixed.
    """

    name: str
    type: str
    is_last: bool
    channels: int
    size: Size | None
    batch: int | None
    free: tuple[str, str, str]


def photo_input(path: Path, graph: Graph) -> PhotoInput:
    """Find the input that takes the photo.

    Raises:
        UnusableCheckpointError: the network takes something else, or more.
    """
    for port in graph.inputs:
        if port.type is None or port.shape is None or len(port.shape) != 4:
            raise UnusableCheckpointError(
                "{path} takes {name!r}{shape}, which is not a photo; Droplens opens classifiers "
                "of photos.",
                path=path,
                name=shown(port.name),
                shape=_in_words(port),
            )
    if len(graph.inputs) != 1:
        names = ", ".join(repr(shown(port.name)) for port in graph.inputs[:3])
        raise UnusableCheckpointError(
            "{path} takes {n} inputs ({names}), not one photo; Droplens opens classifiers of "
            "photos.",
            path=path,
            n=len(graph.inputs),
            names=names,
        )
    return _of(path, graph, graph.inputs[0])


def _of(path: Path, graph: Graph, port: Port) -> PhotoInput:
    if port.type not in _TYPES:
        raise UnusableCheckpointError(
            "{path} takes {name!r} as numbers of a rare type; Droplens gives it float32, float16 "
            "or uint8.",
            path=path,
            name=shown(port.name),
        )
    assert port.shape is not None
    assert port.type is not None
    shape = port.shape
    is_last = _is_last(shape)
    channels = shape[3 if is_last else 1] if is_last is not None else ""
    if is_last is None:
        is_last, channels = _by_convolution(graph, port.name)
    if channels not in CHANNELS:
        raise UnusableCheckpointError(
            "{path} takes {name!r}{shape}, which has no axis of one, three or four channels as a "
            "photo has.",
            path=path,
            name=shown(port.name),
            shape=_in_words(port),
        )
    high, wide = shape[1:3] if is_last else shape[2:4]
    assert isinstance(channels, int)
    batch, size = shape[0] if isinstance(shape[0], int) else None, _size(high, wide)
    sides = size or (1, 1)
    if (
        max(sides) > LARGEST_SIDE_PX
        or (batch or 1) * channels * sides[0] * sides[1] > _MOST_NUMBERS
    ):
        raise UnusableCheckpointError(
            "{path} takes {name!r}{shape}, more than any classifier takes.",
            path=path,
            name=shown(port.name),
            shape=_in_words(port),
        )
    free = [side if isinstance(side, str) else "" for side in (shape[0], high, wide)]
    names = (free[0], free[1], free[2])
    return PhotoInput(port.name, _TYPES[port.type], is_last, channels, size, batch, names)


def _is_last(shape: Sequence[Dimension]) -> bool | None:
    """Return whether channels stand last, by the axis that is 1, 3 or 4; None where none is."""
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first and last:  # a photo of few pixels: then its sides are more likely equal
        return shape[1] == shape[2] and shape[2] != shape[3]
    return last if first or last else None


def _size(high: Dimension, wide: Dimension) -> Size | None:
    if isinstance(high, int) or isinstance(wide, int):
        high = high if isinstance(high, int) else wide
        wide = wide if isinstance(wide, int) else high
        assert isinstance(high, int)
        assert isinstance(wide, int)
        return high, wide
    return None


def _by_convolution(graph: Graph, name: str) -> tuple[bool, int]:
    """Return whether channels stand last, and how many, by the first convolution; 0 is unknown."""
    is_last = False
    for _ in range(_FURTHEST):
        node = next((one for one in graph.nodes if name in one.inputs), None)
        if node is None or not node.outputs:
            break
        if node.operator in _CONVOLUTIONS:
            return is_last, _channels_of(graph, node)
        if node.operator == "Transpose":
            is_last = node.integers("perm") == _TO_FIRST
        elif node.operator not in _BETWEEN:
            break
        name = node.outputs[0]
    return False, 0


def _channels_of(graph: Graph, node: Node) -> int:
    at = 3 if node.operator == "QLinearConv" else 1
    name = node.inputs[at] if len(node.inputs) > at else ""
    weight = graph.constant(name)
    if weight is None:  # between quantising and the convolution
        producer = graph.producers().get(name)
        weight = graph.constant(producer.inputs[0]) if producer and producer.inputs else None
    if weight is None or len(weight.dims) != 4:
        return 0
    groups = node.attributes["group"].integer if "group" in node.attributes else 1
    return weight.dims[1] * groups


def _in_words(port: Port) -> str:
    if port.shape is None:
        return ""
    if not port.shape:
        return tr(" (one number)")
    sides = "×".join(shown(str(side)) or "?" for side in port.shape)
    return tr(" of shape {sides}", sides=sides)
