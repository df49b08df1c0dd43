"""What is said of class names, whichever kind of file they are of."""

from __future__ import annotations

from collections.abc import Sequence

from core.language import tr

_SHOWN = 3
_SHOWN_LETTERS = 60


def listed(names: Sequence[str]) -> str:
    """Return the first names in brackets after a space, e.g. " (ant, bee, wasp, …)", or ""."""
    shown = [
        name if len(name) <= _SHOWN_LETTERS else f"{name[:_SHOWN_LETTERS]}…"
        for name in names[:_SHOWN]
    ]
    more = ", …" if len(names) > _SHOWN else ""
    return f" ({', '.join(shown)}{more})" if shown else ""


def doubts(names: Sequence[str]) -> list[str]:
    """Return a sentence about names that are all numbers, which are often in another order."""
    if len(names) < 2 or not all(name.isdecimal() for name in names):
        return []
    return [
        tr(
            "All class names are numbers. Folders are sorted as text in training (1, 10, "
            "2), so check that each name stands for the right class."
        )
    ]
