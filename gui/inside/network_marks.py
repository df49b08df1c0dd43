"""What is marked in the drawing of a network."""

from __future__ import annotations

OPENS_AT = 0.42
"""So many pixels a unit of what lies in a group takes at least, or it stays closed."""


class Marks:
    """Places of boxes that are marked.

    Attributes:
        chosen: the box that is chosen; None of none.
        pointed: the box under the pointer.
        lit: the boxes that the data have just reached.
    """

    def __init__(self) -> None:
        self.chosen: int | None = None
        self.pointed: int | None = None
        self.lit: frozenset[int] = frozenset()
