"""Where the units of a data flow stand, and the ways between them.

Classifiers are chains whose parts fork and join again. So a flow is cut wherever everything goes
through one unit; what lies between two cuts is a region of branches, each a row of its own, with
the longest below, and over it the ways that pass units by, as arcs. Units and regions then stand
one after the other, in lines like those of a text, as many as fit the room best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

WAY_IN, WAY_OUT = -1, -2
"""Stand among the units of a flow for what comes from outside, and what leaves it."""

GAP = 34.0
LINE_GAP = 26.0
_ROW_GAP = 12.0
_ARC = 26.0
_ARC_A_COLUMN = 5.0
_HIGHEST_ARC = 150.0
_MAIN_SHARE = 0.6
"""Of a region's units in one row: then the others pass it by."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """What a unit takes: its box, and below it a line of text.

    Attributes:
        width: of the box.
        height: of the box.
        below: under the box.
        is_sign: whether it is a small sign, into which arcs go from above.
    """

    width: float
    height: float
    below: float = 0.0
    is_sign: bool = False


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
    parts = _parts(sizes, edges)
    best: _Lines | None = None
    for count in range(1, len(parts) + 1):
        lines = _Lines(parts, count)
        if best is None or lines.scale(aspect) > best.scale(aspect) * 1.02:
            best = lines
        elif lines.height > 4 * best.height:
            break
    if best is None:
        ways = tuple(Way(*edge, ((0.0, 0.0), (GAP, 0.0))) for edge in edges)
        return Layout((), ways, GAP, 1.0, 0.5)
    return best.layout(len(sizes), edges)


@dataclass
class _Part:
    """A unit that everything goes through, or a region of branches and the unit that joins them.

    Attributes:
        boxes: left, and middle above or below the axis, of each unit.
        sizes: of the same units.
        width: of all.
        above: how far it reaches over the axis.
        under: how far under it.
        ways: inside; those from the unit before begin at its entry.
        join: the last unit, which the next part begins from; None where the ways go on.
    """

    boxes: dict[int, Point]
    sizes: dict[int, Size]
    width: float
    above: float
    under: float
    inner: list[tuple[int, int]] = field(default_factory=list)
    rows: dict[int, int] = field(default_factory=dict)
    columns: dict[int, int] = field(default_factory=dict)
    highest: float = 0.0
    joins: int | None = None


def _parts(sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> list[_Part]:
    """Return what stands one after the other."""
    count = len(sizes)
    numbered = [(a, count if b == WAY_OUT else b) for a, b in edges]
    reach = [0] * (count + 2)
    for a, b in numbered:  # how many edges pass a unit by
        if b - a > 1:
            reach[a + 1] += 1
            reach[b] -= 1
    passing, cuts = 0, []
    for unit in range(count):
        passing += reach[unit]
        if passing == 0:
            cuts.append(unit)
    parts: list[_Part] = []
    before = -1
    for cut in [*cuts, count]:
        inside = list(range(before + 1, cut))
        if inside:
            own = [(a, b) for a, b in numbered if a >= before and before < b <= cut]
            parts.append(_region(sizes, inside, own, before, cut, count))
        elif cut < count:
            parts.append(_single(sizes[cut], cut))
        before = cut
    return parts


def _single(size: Size, unit: int) -> _Part:
    half = size.height / 2
    part = _Part({unit: (0.0, 0.0)}, {unit: size}, size.width, half, half + size.below)
    part.joins = unit
    return part


def _region(
    sizes: Sequence[Size],
    inside: list[int],
    edges: list[tuple[int, int]],
    entry: int,
    join: int,
    count: int,
) -> _Part:
    """Return branches in rows, and the unit that they join in, if it is one."""
    columns = _columns(inside, edges, entry)
    rows = _rows(inside, edges, columns)
    last = max(columns.values()) + 1
    columns[join] = last
    has_join = join < count
    units = [*inside, join] if has_join else inside
    widths = [0.0] * (last + 1)
    for unit in units:
        widths[columns[unit]] = max(widths[columns[unit]], sizes[unit].width)
    lefts, x = [0.0] * (last + 1), 0.0
    for column in range(1, last + 1):
        lefts[column] = x
        x += widths[column] + GAP
    width = x - GAP if has_join else lefts[last] - GAP
    middles, above, under = _row_middles(sizes, inside, rows)
    boxes = {
        unit: (lefts[columns[unit]] + (widths[columns[unit]] - sizes[unit].width) / 2, middle)
        for unit in inside
        for middle in (middles[rows[unit]],)
    }
    if has_join:
        boxes[join] = (lefts[last], 0.0)
        under = max(under, sizes[join].height / 2 + sizes[join].below)
        above = max(above, sizes[join].height / 2)
    part = _Part(boxes, {unit: sizes[unit] for unit in units}, width, above, under)
    part.inner, part.rows, part.columns = edges, rows, columns
    part.highest = above
    part.above += _arcs_height(part)
    part.joins = join if has_join else None
    return part


def _columns(inside: list[int], edges: list[tuple[int, int]], entry: int) -> dict[int, int]:
    """Return how many units lie on the longest way to each, branches in the middle of theirs."""
    columns = {entry: 0}
    for unit in inside:
        columns[unit] = 1 + max((columns[a] for a, b in edges if b == unit), default=0)
    after: dict[int, int] = {}
    end = max(columns.values(), default=0) + 1
    for unit in reversed(inside):
        after[unit] = min((after.get(b, end) for a, b in edges if a == unit), default=end) - 1
    moved = dict(columns)
    for unit in inside:
        before = [moved[a] for a, b in edges if b == unit]
        only = [a for a, b in edges if b == unit and a != entry]
        slack = after[unit] - columns[unit]
        if slack > 0 and not only:
            moved[unit] = columns[unit] + slack // 2
        else:
            moved[unit] = 1 + max(before, default=0)
    return moved


def _rows(
    inside: list[int], edges: list[tuple[int, int]], columns: dict[int, int]
) -> dict[int, int]:
    """Return a row for each unit: 0 for the longest branch, and others for those beside it."""
    chains: list[list[int]] = []
    ends: dict[int, int] = {}
    for unit in inside:
        before = [a for a, b in edges if b == unit and a in ends]
        if before:
            at = ends.pop(max(before))
            chains[at].append(unit)
        else:
            at = len(chains)
            chains.append([unit])
        ends[unit] = at
    taken: list[list[tuple[int, int]]] = []
    rows: dict[int, int] = {}
    for chain in sorted(chains, key=lambda one: (-len(one), one[0])):
        span = (columns[chain[0]], columns[chain[-1]])
        row = next(
            (
                at
                for at, spans in enumerate(taken)
                if all(span[1] < low or high < span[0] for low, high in spans)
            ),
            len(taken),
        )
        if row == len(taken):
            taken.append([])
        taken[row].append(span)
        rows.update(dict.fromkeys(chain, row))
    return rows


def _row_middles(
    sizes: Sequence[Size], inside: list[int], rows: dict[int, int]
) -> tuple[list[float], float, float]:
    """Return where each row's middle lies from the axis, and how far all reach over and under."""
    count = max(rows.values(), default=-1) + 1
    halves = [0.0] * count
    belows = [0.0] * count
    for unit in inside:
        halves[rows[unit]] = max(halves[rows[unit]], sizes[unit].height / 2)
        belows[rows[unit]] = max(belows[rows[unit]], sizes[unit].below)
    if not count:
        return [], 0.0, 0.0
    middles = [0.0] * count
    y = -halves[0]
    for row in range(1, count):
        middles[row] = y - _ROW_GAP - belows[row] - halves[row]
        y = middles[row] - halves[row]
    above, under = -y, halves[0] + belows[0]
    if sum(row == 0 for row in rows.values()) < _MAIN_SHARE * len(rows):
        shift = (above - halves[0]) / 2  # no branch is the main one: the axis is in their middle
        middles = [middle + shift for middle in middles]
        above, under = above - shift, under + shift
    return middles, above, under


def _arcs_height(part: _Part) -> float:
    spans = [
        part.columns.get(b, 0) - part.columns.get(a, 0)
        for a, b in part.inner
        if _is_arc(part, a, b)
    ]
    return _arc_height(max(spans)) if spans else 0.0


def _arc_height(columns: int) -> float:
    return min(_ARC + _ARC_A_COLUMN * columns, _HIGHEST_ARC)


def _is_arc(part: _Part, source: int, target: int) -> bool:
    """Return whether an edge has units before it in its row."""
    low = part.columns.get(source, 0)
    high = part.columns[target]
    rows = {part.rows[one] for one in (source, target) if one in part.rows} or {0}
    return any(
        low < part.columns[unit] < high and row in rows and row == max(rows)
        for unit, row in part.rows.items()
    )


class _Lines:
    """Parts in a number of lines.

    Args:
        parts: in their order.
        count: of lines, at most.
    """

    def __init__(self, parts: list[_Part], count: int) -> None:
        whole = sum(part.width + GAP for part in parts)
        limit = max([part.width for part in parts] + [whole / count * 1.02])
        self._lines: list[list[_Part]] = [[]]
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


def _extent(line: list[_Part]) -> float:
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

    def write(self, part: _Part) -> None:
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

    def _write_region(self, part: _Part) -> None:
        entry = self._before
        fork = self._carried[-1]
        for a, b in part.inner:
            target = WAY_OUT if b == self._count else b
            start = fork if a == entry else self._right(a)
            before = self._carried[:-1] if a == entry else ()
            end = self._end(target)
            if _is_arc(part, a, b):
                arc = self._arc(part, start, end, part.columns[b] - part.columns.get(a, 0), target)
                self._ways.append(Way(a, target, arc, is_arc=True))
                continue
            bent = _bent(start, end, bends_early=b in part.rows)
            self._ways.append(Way(a, target, (*before, *bent)))

    def _end(self, target: int) -> Point:
        if target == WAY_OUT:
            return (self._width, self._axis)
        return self._left(target)

    def _arc(
        self, part: _Part, start: Point, end: Point, columns: int, target: int
    ) -> tuple[Point, ...]:
        height = _arc_height(columns)
        top = self._axis - part.highest - height
        size = self._sizes.get(target)
        if size is not None and size.is_sign:  # into the middle of its upper edge
            end = (end[0] + size.width / 2, end[1] - size.height / 2)
        across = (end[0] - start[0]) * 0.12
        # A curve reaches three quarters of the way to its inner points.
        reach = (top - (start[1] + end[1]) / 2) / 0.75 + (start[1] + end[1]) / 2
        return (start, (start[0] + across, reach), (end[0] - across, reach), end)

    def _left(self, unit: int) -> Point:
        return self._middles[unit]

    def _right(self, unit: int) -> Point:
        x, y = self._middles[unit]
        return (x + self._sizes[unit].width, y)


def _bent(start: Point, end: Point, *, bends_early: bool) -> tuple[Point, ...]:
    """Return a line that changes its row at one of its ends: where a branch forks, or joins."""
    if abs(start[1] - end[1]) < 0.5:
        return (start, end)
    x = start[0] + GAP / 2 if bends_early else end[0] - GAP / 2
    return (start, (x, start[1]), (x, end[1]), end)
