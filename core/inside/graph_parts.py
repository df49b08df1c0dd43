"""What stands one after the other in a data flow: single units, and regions of branches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

WAY_IN, WAY_OUT = -1, -2
"""Stand among the units of a flow for what comes from outside, and what leaves it."""

GAP = 34.0
_ROW_GAP = 12.0
_ARC = 26.0
_ARC_A_COLUMN = 5.0
_HIGHEST_ARC = 150.0
_MAIN_SHARE = 0.6
"""Of what lies in a region in one row: then the others pass it by."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """What a unit takes: its box, and below it a line of text.

    Attributes:
        width: of the box.
        height: of the box.
        below: under the box.
        is_sign: whether it is a small sign, into which arcs go from above.
        weight: how much lies in it; the branch with most is the main one.
    """

    width: float
    height: float
    below: float = 0.0
    is_sign: bool = False
    weight: int = 1


@dataclass
class Part:
    """A unit that everything goes through, or a region of branches and the unit that joins them.

    Attributes:
        boxes: left, and middle over or under the axis, of each unit.
        sizes: of the same units.
        width: of all.
        above: how far it reaches over the axis, arcs included.
        under: how far under it.
        inner: edges that end in it.
        rows: of the branches, 0 for the main one.
        columns: of its units, and of the units before and behind it.
        highest: how far its boxes reach over the axis.
        taken: columns in which a row has units, in order.
        joins: the last unit, which the next part begins from; None where the ways go on.
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
    taken: dict[int, list[int]] = field(default_factory=dict)
    joins: int | None = None


def parts_of(sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> list[Part]:
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
    parts: list[Part] = []
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


def _single(size: Size, unit: int) -> Part:
    half = size.height / 2
    part = Part({unit: (0.0, 0.0)}, {unit: size}, size.width, half, half + size.below)
    part.joins = unit
    return part


def _region(
    sizes: Sequence[Size],
    inside: list[int],
    edges: list[tuple[int, int]],
    entry: int,
    join: int,
    count: int,
) -> Part:
    """Return branches in rows, and the unit that they join in, if it is one."""
    columns = _columns(inside, edges, entry)
    rows = _rows(inside, edges, columns, {unit: sizes[unit].weight for unit in inside})
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
    part = Part(boxes, {unit: sizes[unit] for unit in units}, width, above, under)
    part.inner, part.rows, part.columns = edges, rows, columns
    part.highest = above
    for unit, row in rows.items():
        part.taken.setdefault(row, []).append(columns[unit])
    for taken in part.taken.values():
        taken.sort()
    part.above += _arcs_height(part)
    part.joins = join if has_join else None
    return part


def _columns(inside: list[int], edges: list[tuple[int, int]], entry: int) -> dict[int, int]:
    """Return how many units lie on the longest way to each, branches in the middle of theirs."""
    before: dict[int, list[int]] = defaultdict(list)
    behind: dict[int, list[int]] = defaultdict(list)
    for a, b in edges:
        before[b].append(a)
        behind[a].append(b)
    columns = {entry: 0}
    for unit in inside:
        columns[unit] = 1 + max((columns[one] for one in before[unit]), default=0)
    end = max(columns.values(), default=0) + 1
    latest: dict[int, int] = {}
    for unit in reversed(inside):
        latest[unit] = min((latest.get(one, end) for one in behind[unit]), default=end) - 1
    moved = dict(columns)
    for unit in inside:
        slack = latest[unit] - columns[unit]
        if slack > 0 and all(one == entry for one in before[unit]):
            moved[unit] = columns[unit] + slack // 2
        else:
            moved[unit] = 1 + max((moved[one] for one in before[unit]), default=0)
    return moved


def _rows(
    inside: list[int],
    edges: list[tuple[int, int]],
    columns: dict[int, int],
    weights: dict[int, int],
) -> dict[int, int]:
    """Return a row for each unit: 0 for the longest branch, and others for those beside it."""
    chains: list[list[int]] = []
    ends: dict[int, int] = {}
    sources: dict[int, list[int]] = defaultdict(list)
    for a, b in edges:
        sources[b].append(a)
    for unit in inside:
        before = [a for a in sources[unit] if a in ends]
        if before:
            at = ends.pop(max(before))
            chains[at].append(unit)
        else:
            at = len(chains)
            chains.append([unit])
        ends[unit] = at
    goes_on = {a for a, _ in edges}
    taken: list[list[tuple[int, int]]] = [[]]
    rows: dict[int, int] = {}
    for chain in sorted(chains, key=lambda one: (-sum(weights[unit] for unit in one), one[0])):
        span = (columns[chain[0]], columns[chain[-1]])
        least = 0 if chain[-1] in goes_on else 1  # what leads nowhere is not the main way
        row = next(
            (
                at
                for at, spans in enumerate(taken)
                if at >= least and all(span[1] < low or high < span[0] for low, high in spans)
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
    in_main = sum(sizes[unit].weight for unit, row in rows.items() if row == 0)
    if 0 < in_main < _MAIN_SHARE * sum(sizes[unit].weight for unit in rows):
        shift = (above - halves[0]) / 2  # no branch is the main one: the axis is in their middle
        middles = [middle + shift for middle in middles]
        above, under = above - shift, under + shift
    return middles, above, under


def _arcs_height(part: Part) -> float:
    spans = [
        part.columns.get(b, 0) - part.columns.get(a, 0) for a, b in part.inner if is_arc(part, a, b)
    ]
    return arc_height(max(spans)) if spans else 0.0


def arc_height(columns: int) -> float:
    """Return how far an arc rises over the boxes, by the columns that it spans."""
    return min(_ARC + _ARC_A_COLUMN * columns, _HIGHEST_ARC)


def is_arc(part: Part, source: int, target: int) -> bool:
    """Return whether an edge has units before it in its row."""
    low, high = part.columns.get(source, 0), part.columns[target]
    row = max({part.rows[one] for one in (source, target) if one in part.rows} or {0})
    taken = part.taken.get(row, [])
    return bisect_left(taken, high) > bisect_right(taken, low)
