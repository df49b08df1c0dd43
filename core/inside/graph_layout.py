"""Where the units of a data flow stand, and the ways between them.

Classifiers are chains whose parts fork and join again. So a flow is cut wherever everything goes
through one unit; what lies between two cuts is a region of branches, each a row of its own, with
the longest below, and over it the ways that pass units by, as arcs. Units and regions then stand
one after the other, in lines like those of a text, as many as fit the room best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.inside.graph_parts import (
    GAP,
    WAY_IN,
    WAY_OUT,
    Part,
    Point,
    Size,
    arc_height,
    is_arc,
    parts_of,
)

LINE_GAP = 26.0
_LOOSENESS = (1.02, 1.15, 1.3)
"""A little longer lines leave no single unit on the last one."""


@dataclass(frozen=True)
class Way:
    """The drawn line from a unit to another.

    Attributes:
        source: a unit, or ``WAY_IN``.
        target: a unit, or ``WAY_OUT``.
        points: of a line with corners; of an arc the four of a cubic Bézier curve.
        is_arc: whether it passes units by.
    """

    source: int
    target: int
    points: tuple[Point, ...]
    is_arc: bool = False


@dataclass(frozen=True)
class Layout:
    """Units and ways, from (0, 0) to right and down.

    Attributes:
        places: left and top of each unit's box.
        ways: between them.
        width: of all.
        height: of all.
        axis: how far from the top the first line's middle is, where the data come in.
    """

    places: tuple[Point, ...]
    ways: tuple[Way, ...]
    width: float
    height: float
    axis: float


def lay_out(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], aspect: float) -> Layout:
    """Return where units stand.

    Args:
        sizes: of the units, in an order in which no edge goes back.
        edges: pairs of units, each once; the source may be ``WAY_IN``, the target ``WAY_OUT``.
        aspect: width of the room by its height, which decides how many lines there are.
    """
    parts = parts_of(sizes, edges)
    best: _Lines | None = None
    count = 0
    while count < len(parts):
        count += 1 + count // 12  # with many lines, one more makes little difference
        for looseness in _LOOSENESS:
            lines = _Lines(parts, count, looseness)
            if best is None or lines.scale(aspect) > best.scale(aspect) * 1.02:
                best = lines
        if best is not None and lines.height > 4 * best.height:
            break
    if best is None:
        ways = tuple(Way(*edge, ((0.0, 0.0), (GAP, 0.0))) for edge in edges)
        return Layout((), ways, GAP, 1.0, 0.5)
    return best.layout(len(sizes), edges)


class _Lines:
    """Parts in a number of lines.

    Args:
        parts: in their order.
        count: of lines, about.
        looseness: of the longest line, by the length that each would have if all were alike.
    """

    def __init__(self, parts: list[Part], count: int, looseness: float) -> None:
        whole = sum(part.width + GAP for part in parts)
        limit = max([part.width for part in parts] + [whole / count * looseness])
        self._lines: list[list[Part]] = [[]]
        x = 0.0
        for part in parts:
            if self._lines[-1] and x + part.width > limit:
                self._lines.append([])
                x = 0.0
            self._lines[-1].append(part)
            x += part.width + GAP
        self.width = 2 * GAP + max(
            sum(part.width for part in line) + GAP * (len(line) - 1) for line in self._lines
        )
        self.height = sum(_extent(line) for line in self._lines) + LINE_GAP * (len(self._lines) - 1)

    def scale(self, aspect: float) -> float:
        """Return how large all can be drawn in a room that is 1 high."""
        return min(aspect / self.width, 1 / self.height)

    def layout(self, count: int, edges: Sequence[tuple[int, int]]) -> Layout:
        """Return where everything stands."""
        writer = _Writer(count, self.width)
        top = 0.0
        for number, line in enumerate(self._lines):
            axis = top + max(part.above for part in line)
            writer.begin_line(axis, top - LINE_GAP / 2, is_first=number == 0)
            for part in line:
                writer.write(part)
            top += _extent(line) + LINE_GAP
        axis = max(part.above for part in self._lines[0])
        ways = tuple(writer.finished(edges))
        return Layout(tuple(writer.places), ways, self.width, self.height, axis)


def _extent(line: list[Part]) -> float:
    return max(part.above for part in line) + max(part.under for part in line)


class _Writer:
    """Sets parts one after the other, and draws the ways to each."""

    def __init__(self, count: int, width: float) -> None:
        self.places: list[Point] = [(0.0, 0.0)] * count
        self._count, self._width = count, width
        self._middles: dict[int, Point] = {}
        self._sizes: dict[int, Size] = {}
        self._ways: list[Way] = []
        self._before = WAY_IN
        self._carried: tuple[Point, ...] = ()
        self._axis = 0.0
        self._x = GAP

    def begin_line(self, axis: float, between: float, *, is_first: bool) -> None:
        """Go to the beginning of the next line.

        Args:
            axis: middle of its units.
            between: middle of the room over it.
            is_first: whether no line stands before.
        """
        if is_first:
            self._carried = ((0.0, axis),)
        else:
            x, y = self._carried[-1]
            right = min(x + GAP / 2, self._width - 2)
            left = GAP / 3
            self._carried = (
                *self._carried, (right, y), (right, between), (left, between), (left, axis),
            )  # fmt: skip
        self._axis, self._x = axis, GAP

    def write(self, part: Part) -> None:
        """Set a part, and the ways to and in it."""
        for unit, (left, middle) in part.boxes.items():
            size = part.sizes[unit]
            self.places[unit] = (self._x + left, self._axis + middle - size.height / 2)
            self._middles[unit] = (self._x + left, self._axis + middle)
            self._sizes[unit] = size
        if part.inner:
            self._write_region(part)
        else:
            (unit,) = part.boxes
            self._ways.append(Way(self._before, unit, (*self._carried, self._left(unit))))
        self._x += part.width + GAP
        if part.joins is None:
            return
        self._before = part.joins
        self._carried = (self._right(part.joins),)

    def finished(self, edges: Sequence[tuple[int, int]]) -> list[Way]:
        """Return the ways, of those that are edges."""
        known = {(way.source, way.target) for way in self._ways}
        if (self._before, WAY_OUT) not in known and self._carried:
            end = (self._width, self._carried[-1][1])
            self._ways.append(Way(self._before, WAY_OUT, (*self._carried, end)))
        wanted = set(edges)
        return [way for way in self._ways if (way.source, way.target) in wanted]

    def _write_region(self, part: Part) -> None:
        entry = self._before
        fork = self._carried[-1]
        for a, b in part.inner:
            target = WAY_OUT if b == self._count else b
            start = fork if a == entry else self._right(a)
            before = self._carried[:-1] if a == entry else ()
            end = self._end(target)
            if is_arc(part, a, b):
                arc = self._arc(part, start, end, part.columns[b] - part.columns.get(a, 0), target)
                self._ways.append(Way(a, target, arc, is_arc=True))
                continue
            bent = self._bent(part, b, start, end)
            self._ways.append(Way(a, target, (*before, *bent)))

    def _end(self, target: int) -> Point:
        if target == WAY_OUT:
            return (self._width, self._axis)
        return self._left(target)

    def _arc(
        self, part: Part, start: Point, end: Point, columns: int, target: int
    ) -> tuple[Point, ...]:
        height = arc_height(columns)
        top = self._axis - part.highest - height
        size = self._sizes.get(target)
        if size is not None and size.is_sign:  # into the middle of its upper edge
            end = (end[0] + size.height / 2, end[1] - size.height / 2)
        across = (end[0] - start[0]) * 0.06
        # A curve reaches three quarters of the way to its inner points.
        reach = (top - (start[1] + end[1]) / 2) / 0.75 + (start[1] + end[1]) / 2
        return (start, (start[0] + across, reach), (end[0] - across, reach), end)

    def _bent(self, part: Part, target: int, start: Point, end: Point) -> tuple[Point, ...]:
        """Return a line that changes its row at one of its ends: where a branch forks, or joins."""
        if abs(start[1] - end[1]) < 0.5:
            return (start, end)
        size = self._sizes.get(target)
        if size is not None and size.is_sign and start[1] < end[1]:  # into it from above
            x = end[0] + size.height / 2
            return (start, (x, start[1]), (x, end[1] - size.height / 2))
        x = start[0] + GAP / 2 if target in part.rows else end[0] - GAP / 2
        return (start, (x, start[1]), (x, end[1]), end)

    def _left(self, unit: int) -> Point:
        x, y = self._middles[unit]
        return (x + self._beside_sign(unit), y)

    def _right(self, unit: int) -> Point:
        x, y = self._middles[unit]
        return (x + self._sizes[unit].width - self._beside_sign(unit), y)

    def _beside_sign(self, unit: int) -> float:
        """Return how far a sign's edge lies within its place, which has room for what is below."""
        size = self._sizes[unit]
        return (size.width - size.height) / 2 if size.is_sign else 0.0
