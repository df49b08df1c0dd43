"""What has to hold of every drawing of a network."""

from __future__ import annotations

from collections import Counter

from core.inside.drawing import Box, Drawing, draw
from core.inside.summary import LayerTable

_SLACK = 1e-6


def check_drawing(table: LayerTable, aspect: float = 1.5) -> Drawing:
    """Draw a network: each call stands there once, boxes lie in boxes, arrows are its edges."""
    drawing = draw(table, aspect)
    drawn = Counter(
        call
        for box in drawing.boxes
        for call in ([(box.name, box.call)] if box.call else []) + list(box.also)
    )
    assert drawn == Counter((layer.name, layer.call) for layer in table.layers)
    for box in drawing.boxes[1:]:
        assert box.parent is not None
        assert _lies_in(box, drawing.boxes[box.parent])
    _check_arrows(table, drawing)
    return drawing


def _lies_in(box: Box, other: Box) -> bool:
    slack = _SLACK * max(1.0, other.left + other.width)
    return (
        box.left >= other.left - slack
        and box.top >= other.top - slack
        and box.left + box.width <= other.left + other.width + slack
        and box.top + box.height <= other.top + other.height + slack
    )


def _check_arrows(table: LayerTable, drawing: Drawing) -> None:
    places = {box.steps[0]: at for at, box in enumerate(drawing.boxes) if not box.children}
    expected = set()
    for edge in table.flow.edges:
        out, into = (_path(drawing, places[step]) for step in edge)
        level = 0
        while out[level] == into[level]:
            level += 1
        expected.add((out[level], into[level]))
        expected |= {(at, None) for at in out[level + 1 :]}
        expected |= {(None, at) for at in into[level + 1 :]}
    drawn = [(arrow.source, arrow.target) for box in drawing.boxes for arrow in box.arrows]
    assert Counter(drawn) == Counter(expected)
    edges = set(table.flow.edges)
    assert all(arrow.steps in edges for box in drawing.boxes for arrow in box.arrows)


def _path(drawing: Drawing, at: int) -> list[int]:
    """Return the places of a box and of all that it lies in, the outermost first."""
    parent = drawing.boxes[at].parent
    return [at] if parent is None else [*_path(drawing, parent), at]
