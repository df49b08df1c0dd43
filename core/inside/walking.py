"""Walking through the drawing of a network, the way that the data take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from core.inside.drawing import Arrow, Box, Drawing

Way = Literal["on", "back", "up", "down"]
"""With the data, against them, or to the branch above or below."""

_OTHER_ROW = 0.25
"""Of its height a box lies lower than another, at least, to stand in another row."""


def walk(drawing: Drawing, at: int | None, way: Way) -> int | None:
    """Return the place of the next box; None where there is none.

    Args:
        drawing: to walk through.
        at: place of the box where one stands; None begins with the first.
        way: to go.
    """
    if at is None:
        return drawing.boxes[0].children[0] if drawing.boxes[0].children else None
    if way in ("on", "back"):
        return _along(drawing, at, is_on=way == "on")
    return _aside(drawing, at, 1 if way == "down" else -1)


def _along(drawing: Drawing, at: int, *, is_on: bool) -> int | None:
    """Follow the longest way: past no layer, as shortcuts go, and out of a box at its end."""
    while True:
        parent = drawing.boxes[at].parent
        if parent is None:
            return None
        arrows = [one for one in drawing.boxes[parent].arrows if _ends(one, is_on=is_on)[0] == at]
        arrows.sort(key=lambda one: one.is_arc)
        inside = [_ends(one, is_on=is_on)[1] for one in arrows]
        found = next((one for one in inside if one is not None), None)
        if found is not None:
            return found
        if parent == 0 or not arrows:
            return None
        at = parent


def _ends(arrow: Arrow, *, is_on: bool) -> tuple[int | None, int | None]:
    return (arrow.source, arrow.target) if is_on else (arrow.target, arrow.source)


def _aside(drawing: Drawing, at: int, sign: int) -> int | None:
    box = drawing.boxes[at]
    x, y = _middle(box)
    others = []
    for other in drawing.boxes[box.parent or 0].children:
        u, v = _middle(drawing.boxes[other])
        down = (v - y) * sign
        if other != at and down > box.height * _OTHER_ROW:
            others.append((down + abs(u - x), other))
    return min(others)[1] if others else None


def _middle(box: Box) -> tuple[float, float]:
    return box.left + box.width / 2, box.top + box.height / 2
