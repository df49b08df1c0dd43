"""A network as a drawing: boxes in boxes, and the ways of the data between them.

All of it lies there at once. What a call computes inside stands inside its box, made smaller so
that it fits; whoever comes nearer sees it. A box is as high as its maps and as wide as its
channels, both growing ever more slowly, as numbers from 1 to 2,048 go on one sheet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.inside.data_flow import DataFlow, Step
from core.inside.drawing_units import Unit, units_of
from core.inside.graph_layout import Layout, Way, lay_out
from core.inside.graph_parts import GAP, WAY_IN, WAY_OUT, Point, Size

if TYPE_CHECKING:
    from core.inside.summary import LayerTable

Role = Literal[
    "network", "group", "layer", "operation", "sum", "product", "join", "input", "output", "idle"
]

_SIGNS: Mapping[str, Role] = {"add": "sum", "mul": "product", "cat": "join"}
_SIGNS_OF_GRAPHS: Mapping[str, Role] = {
    "Add": "sum", "Mul": "product", "Multiply": "product", "Concat": "join", "Concatenate": "join",
}  # fmt: skip
_SIGN_SIZE = Size(28, 28, is_sign=True)
_SUM_SIZE = Size(96, 28, 46, is_sign=True)
_OPERATION_SIZE = Size(92, 30, 18)
_CAPTION = 54.0
_SLANT, _STEEPEST = 0.32, 0.35
"""How far a box's depth goes up for each step to the right, and at most by its front's height."""
_GROUP_AREA = 12_000.0
_GROUP_ASPECTS = (0.9, 3.4)
_INNER_ASPECT = 1.7
_BLOCK_ASPECT = 20.0
"""A residual block stands in one line."""

_HEADER_SHARE = 0.12
_MARGIN_SHARE = 0.025


@dataclass(frozen=True)
class Arrow:
    """The drawn way of data from one box to another inside the same box.

    Attributes:
        source: place of a box in the drawing; None where the data come from outside.
        target: likewise; None where they leave.
        points: of a line with corners; of an arc the four of a cubic Bézier curve.
        is_arc: whether it passes boxes by, as a shortcut does.
        steps: the step whose output it carries, and the one that takes it.
    """

    source: int | None
    target: int | None
    points: tuple[tuple[float, float], ...]
    is_arc: bool
    steps: tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A place in the drawing.

    Attributes:
        steps: places of the step in the flow; of a group that no call stands for, all in it.
        role: what it is.
        name: dotted name of the layer, or what the group or the operation is called.
        call: of the layer, from 1; 0 of what is none.
        calls: how often the layer runs.
        kind: class of the layer, or the operation.
        also: names and calls of the layers that stand in no box of their own, as they hold nearly
            all others, and give what this box gives.
        shape: (C, h, w) of what it gives, or what stands in its place; ().
        left: in units of the drawing, as are the next three.
        top: likewise.
        width: likewise.
        height: likewise.
        parent: place of the box that it lies in; None of the network.
        own: place of the call that it stands for; None of what is none.
        children: places of those in it, in order of execution.
        arrows: between these.
        scale: of what lies in it: how long a unit of its own layout is.
    """

    steps: tuple[int, ...]
    role: Role
    name: str
    call: int
    calls: int
    kind: str
    also: tuple[tuple[str, int], ...]
    shape: tuple[int, ...]
    left: float
    top: float
    width: float
    height: float
    parent: int | None
    own: int | None = None
    children: tuple[int, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    scale: float = 1.0

    @property
    def rect(self) -> tuple[float, float, float, float]:
        """Return left, top, width and height, with the words below where nothing lies inside."""
        below = 0.0 if self.children else self.height * 0.4
        return self.left, self.top, self.width, self.height + below

    @property
    def step(self) -> int:
        """Return the step that it stands for: of a group its call, or its last."""
        return self.steps[-1] if self.own is None else self.own


@dataclass(frozen=True)
class Drawing:
    """A network as boxes.

    Attributes:
        boxes: the first is the network itself.
        aspect: width by height of the room that it is drawn for.
    """

    boxes: tuple[Box, ...]
    aspect: float

    def is_in_line(self, at: int, other: int) -> bool:
        """Return whether two boxes stand in one row, as those of the main way do."""
        one, two = self.boxes[at], self.boxes[other]
        apart = abs(one.top + one.height / 2 - two.top - two.height / 2)
        return apart < 0.02 * max(one.height, two.height)

    def place_of(self, layer: str, call: int = 1) -> int | None:
        """Return the place of a layer's call; None where it does not stand in the drawing."""
        for at, box in enumerate(self.boxes):
            if call and ((box.name, box.call) == (layer, call) or (layer, call) in box.also):
                return at
        return None


def draw(table: LayerTable, aspect: float) -> Drawing:
    """Return the drawing of a network.

    Args:
        table: of one pass.
        aspect: width by height of the room that all of it is to fill, above 0.
    """
    return _Drawer(table).draw(aspect)


def front_size(shape: Sequence[int]) -> tuple[float, float]:
    """Return how wide and how high the front of a box is drawn whose layer gives (C, h, w)."""
    sides = shape[1:3] if len(shape) > 2 else (1, 1)
    height, width = (20 + 9.4 * math.sqrt(side) for side in sides)
    return width, height


def depth_of(shape: Sequence[int]) -> float:
    """Return how far a box of so many channels goes to the right behind its front."""
    return 3.0 * math.sqrt(shape[0]) if shape else 3.0


def rise_of(shape: Sequence[int]) -> float:
    """Return how far the back of a box lies above its front."""
    return min(_SLANT * depth_of(shape), _STEEPEST * front_size(shape)[1])


class _Drawer:
    def __init__(self, table: LayerTable) -> None:
        self._table, self._flow = table, table.flow
        self._layers = {(one.name, one.call): one for one in table.layers}
        self._top = units_of(table)
        self._boxes: list[Box | None] = []
        self._layouts: dict[int, Layout] = {}
        self._edges = _edges_by_unit(self._top, self._flow)

    def draw(self, aspect: float) -> Drawing:
        top = self._top
        layout = self._layout(top, aspect)
        margin = 12.0
        first = Box(
            steps=tuple(top.steps), role="network", name="", call=0, calls=0, kind="", also=(),
            shape=(),
            left=0.0, top=0.0, width=layout.width + 2 * margin,
            height=layout.height + 2 * margin, parent=None,
        )  # fmt: skip
        self._boxes.append(None)
        self._fill(first, 0, top, layout, (margin, margin), 1.0)
        return Drawing(tuple(box for box in self._boxes if box is not None), aspect)

    def _layout(self, unit: Unit, aspect: float) -> Layout:
        sizes = [self._size(child) for child in unit.children]
        return lay_out(sizes, list(self._edges[id(unit)]), aspect)

    def _inner(self, unit: Unit) -> Layout:
        """Return how a group's parts stand, in their own units."""
        if id(unit) not in self._layouts:
            is_block = unit.name in self._table.blocks or any(
                self._role(child) == "sum" for child in unit.children
            )
            aspect = _BLOCK_ASPECT if is_block and len(unit.children) < 24 else _INNER_ASPECT
            self._layouts[id(unit)] = self._layout(unit, aspect)
        return self._layouts[id(unit)]

    def _size(self, unit: Unit) -> Size:
        role = self._role(unit)
        if role in ("sum", "product", "join"):
            has_maps = role == "sum" and self._is_summed(unit.steps[-1])
            return _SUM_SIZE if has_maps else _SIGN_SIZE
        if role in ("operation", "idle"):
            return _OPERATION_SIZE
        if unit.children:
            inner = self._inner(unit)
            low, high = _GROUP_ASPECTS
            aspect = min(max(inner.width / inner.height, low), high)
            return Size(
                math.sqrt(_GROUP_AREA * aspect),
                math.sqrt(_GROUP_AREA / aspect),
                _CAPTION,
                weight=len(unit.steps),
            )
        shape = self._shape(unit)
        width, height = front_size(shape)
        width, height = width + depth_of(shape), height + rise_of(shape)
        return Size(width, height, _CAPTION)

    def _fill(
        self,
        box: Box,
        at: int,
        unit: Unit,
        layout: Layout,
        origin: tuple[float, float],
        scale: float,
    ) -> None:
        """Put a box in its place, and all that lies in it."""
        children: list[int] = []
        for child, (x, y) in zip(unit.children, layout.places, strict=True):
            left, top = origin[0] + x * scale, origin[1] + y * scale
            children.append(self._put(child, at, left, top, scale))
        arrows = []
        for way in layout.ways:
            points = tuple((origin[0] + x * scale, origin[1] + y * scale) for x, y in way.points)
            if box.role != "network" and not way.is_arc:
                points = _through_sides(points, box, way, scale)
            source = None if way.source == WAY_IN else children[way.source]
            target = None if way.target == WAY_OUT else children[way.target]
            steps = self._edges[id(unit)][way.source, way.target]
            arrows.append(Arrow(source, target, points, way.is_arc, steps))
        self._boxes[at] = replace(box, children=tuple(children), arrows=tuple(arrows), scale=scale)

    def _put(self, unit: Unit, parent: int, left: float, top: float, scale: float) -> int:
        at = len(self._boxes)
        self._boxes.append(None)
        size = self._size(unit)
        width, height = size.width * scale, size.height * scale
        steps = self._flow.steps
        step = None if unit.call is None else steps[unit.call]
        layer = None if step is None else self._layers.get((step.layer, step.call))
        box = Box(
            steps=tuple(unit.steps),
            role=self._role(unit),
            name=unit.name,
            call=0 if step is None else step.call,
            calls=0 if layer is None else layer.calls,
            kind=unit.kind if layer is None else layer.kind,
            also=tuple((steps[one].layer, steps[one].call) for one in unit.also),
            shape=self._shape(unit),
            left=left, top=top, width=width, height=height,
            parent=parent,
            own=unit.call,
        )  # fmt: skip
        if not unit.children:
            self._boxes[at] = box
            return at
        header, margin = height * _HEADER_SHARE, width * _MARGIN_SHARE
        room = (width - 2 * margin, height - header - margin)
        layout = self._inner(unit)
        inner = min(room[0] / layout.width, room[1] / layout.height)
        x = left + margin + (room[0] - layout.width * inner) / 2
        spare = room[1] - layout.height * inner
        middle = top + height / 2 - layout.axis * inner  # straight in, where there is room
        y = min(max(middle, top + header), top + header + spare)
        self._fill(box, at, unit, layout, (x, y), inner)
        return at

    def _role(self, unit: Unit) -> Role:
        if unit.children:
            return "group"
        if unit.source is not None:
            return "idle"
        step = self._flow.steps[unit.steps[-1]]
        if step.layer:
            return self._role_of_layer(step)
        if step.operation == "input":
            return "input"
        if step.operation == "output":
            return "output"
        return _SIGNS.get(step.operation, "operation")

    def _role_of_layer(self, step: Step) -> Role:
        """Return what a layer is: of a graph, a sum or the like may be one."""
        layer = self._layers.get((step.layer, step.call))
        if layer is None or len(step.sources) < 2:
            return "layer"
        return _SIGNS_OF_GRAPHS.get(layer.kind, "layer")

    def _is_summed(self, step: int) -> bool:
        """Return whether two paths are added whose maps can be compared."""
        sources = self._flow.steps[step].sources
        shapes = {self._flow.steps[one].shape for one in (step, *sources)}
        return len(sources) == 2 and len(shapes) == 1

    def _shape(self, unit: Unit) -> tuple[int, ...]:
        step = self._flow.steps[unit.steps[-1] if unit.call is None else unit.call]
        layer = self._layers.get((step.layer, step.call))
        if layer is not None and layer.shape is not None:
            return layer.shape[:1] if layer.layout == "vector" else layer.shape
        return step.shape[1:]


def _through_sides(
    points: tuple[Point, ...], box: Box, way: Way, scale: float
) -> tuple[Point, ...]:
    """Return a way that begins or ends at the middle of its group's side."""
    middle = box.top + box.height / 2
    if way.source == WAY_IN:
        points = (*_bend((box.left, middle), points[0], scale), *points)
    if way.target == WAY_OUT:
        end = (box.left + box.width, middle)
        points = (*points, *reversed(_bend(end, points[-1], -scale)))
    return points


def _bend(side: Point, start: Point, scale: float) -> tuple[Point, ...]:
    """Return the corners of a way from a group's side to where its parts begin."""
    if abs(side[1] - start[1]) < 6 * abs(scale):
        return (side,)
    x = start[0] - GAP * 0.3 * scale
    return (side, (x, side[1]), (x, start[1]))


Ends = dict[tuple[int, int], tuple[int, int]]
"""Edges between the children of a unit, and the first two steps that each stands for."""


def _edges_by_unit(top: Unit, flow: DataFlow) -> dict[int, Ends]:
    """Return the edges between the children of each unit, by the unit's identity."""
    found: dict[int, Ends] = {}
    paths: dict[int, list[tuple[int, int]]] = {}

    def walk(unit: Unit, path: list[tuple[int, int]]) -> None:
        found[id(unit)] = {}
        for at, child in enumerate(unit.children):
            here = [*path, (id(unit), at)]
            if child.children:
                walk(child, here)
            elif child.source is None:
                paths[child.steps[0]] = here

    walk(top, [])
    for source, target in flow.edges:
        out, into = paths[source], paths[target]
        level = 0
        while out[level] == into[level]:
            level += 1
        unit, at = out[level]
        steps = (source, target)
        found[unit].setdefault((at, into[level][1]), steps)
        for unit, at in out[level + 1 :]:
            found[unit].setdefault((at, WAY_OUT), steps)
        for unit, at in into[level + 1 :]:
            found[unit].setdefault((WAY_IN, at), steps)
    for at, child in enumerate(top.children):  # what did not run hangs at the network's top
        if child.source is not None:
            found[id(top)][paths[child.source][0][1], at] = (child.source, child.source)
    return found
