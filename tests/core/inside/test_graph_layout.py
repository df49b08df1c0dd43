from __future__ import annotations

from itertools import pairwise

import pytest

from core.inside.graph_layout import Layout, lay_out
from core.inside.graph_parts import WAY_IN, WAY_OUT, Size

BOX = Size(60, 40, 20)
CHAIN = [(WAY_IN, 0), *pairwise(range(8)), (7, WAY_OUT)]
RESIDUAL = [(WAY_IN, 0), (0, 1), (1, 2), (2, 3), (WAY_IN, 3), (3, 4), (4, WAY_OUT)]
"""Three layers on the residual path, the sum, and what comes after it."""

INCEPTION = [
    (WAY_IN, 0), (0, 7), (WAY_IN, 1), (1, 2), (2, 7), (WAY_IN, 3), (3, 4), (4, 5), (5, 7),
    (WAY_IN, 6), (6, 7), (7, WAY_OUT),
]  # fmt: skip
DENSE = [(a, b) for b in range(6) for a in range(WAY_IN, b)] + [(5, WAY_OUT)]


def boxes(layout: Layout, sizes: list[Size]) -> list[tuple[float, float, float, float]]:
    return [
        (x, y, x + size.width, y + size.height)
        for (x, y), size in zip(layout.places, sizes, strict=True)
    ]


@pytest.mark.parametrize(
    ("edges", "count"), [(CHAIN, 8), (RESIDUAL, 5), (INCEPTION, 8), (DENSE, 6)]
)
@pytest.mark.parametrize("aspect", [0.3, 1.0, 4.0, 20.0])
def test_units_stand_apart_and_every_edge_is_drawn(
    edges: list[tuple[int, int]], count: int, aspect: float
) -> None:
    sizes = [BOX] * count
    layout = lay_out(sizes, edges, aspect)
    rects = boxes(layout, sizes)
    for at, (left, top, right, bottom) in enumerate(rects):
        assert left >= 0
        assert top >= -1e-6
        assert right <= layout.width + 1e-6
        assert bottom + 20 <= layout.height + 1e-6
        for other in rects[at + 1 :]:
            apart = left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom
            assert apart
    assert {(way.source, way.target) for way in layout.ways} == set(edges)
    assert len(layout.ways) == len(edges)
    for way in layout.ways:
        (x, y), (u, v) = way.points[0], way.points[-1]
        if way.target != WAY_OUT:
            left, top, right, bottom = rects[way.target]
            assert (u, v) == pytest.approx((left, (top + bottom) / 2))
        if way.source != WAY_IN and len(way.points) <= 4:
            left, top, right, bottom = rects[way.source]
            assert (x, y) == pytest.approx((right, (top + bottom) / 2))


def test_a_wide_room_has_one_line_and_a_narrow_one_many() -> None:
    sizes = [BOX] * 8
    assert len({y for _, y in lay_out(sizes, CHAIN, 20).places}) == 1
    assert len({y for _, y in lay_out(sizes, CHAIN, 1).places}) > 1
    xs = [x for x, _ in lay_out(sizes, CHAIN, 20).places]
    assert xs == sorted(xs)


def test_a_shortcut_is_an_arc_over_the_path() -> None:
    sizes = [BOX, BOX, BOX, Size(28, 28, is_sign=True), BOX]
    layout = lay_out(sizes, RESIDUAL, 20)
    (arc,) = [way for way in layout.ways if way.is_arc]
    assert (arc.source, arc.target) == (WAY_IN, 3)
    top = min(y for _, y in layout.places)
    middle = sum(
        share * y for share, (_, y) in zip((0.125, 0.375, 0.375, 0.125), arc.points, strict=True)
    )
    assert middle < top
    x, y = layout.places[3]
    assert arc.points[-1] == pytest.approx((x + 14, y))  # into the sum from above


def test_branches_stand_in_rows_and_join() -> None:
    layout = lay_out([BOX] * 8, INCEPTION, 20)
    assert len({round(y) for _, y in layout.places[:7]}) == 4
    longest = [layout.places[at][1] for at in (3, 4, 5)]
    assert len(set(longest)) == 1
    assert not any(way.is_arc for way in layout.ways)
    assert layout.places[7][0] > max(x for x, _ in layout.places[:7])


def test_a_dense_block_is_one_row_under_its_arcs() -> None:
    layout = lay_out([BOX] * 6, DENSE, 20)
    assert len({y for _, y in layout.places}) == 1
    assert sum(way.is_arc for way in layout.ways) == len(DENSE) - 7


def test_nothing_at_all_has_room_too() -> None:
    layout = lay_out([], [(WAY_IN, WAY_OUT)], 1)
    assert layout.places == ()
    assert layout.width > 0
