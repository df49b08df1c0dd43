"""Tables as CSV that no spreadsheet takes for formulas, whichever separator it expects."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from typing import IO, Any

_STARTS = r"=+\-@\t\r'＝＋－＠"
"""What begins a formula, in the full width of East Asian keyboards too; and the guard itself."""

_BEFORE = r"(?:^|(?<=[;\t\n\r]))"
"""Where a cell begins: also where a semicolon or a tab separates cells, as in much of Europe."""

_UNGUARDED = re.compile(rf"{_BEFORE}(?=[{_STARTS}])")
_GUARDED = re.compile(rf"{_BEFORE}'(?=[{_STARTS}])")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def guarded(text: str) -> str:
    """Return text that a spreadsheet does not run as a formula: apostrophes stand before it."""
    return _UNGUARDED.sub("'", text)


def unguarded(text: str) -> str:
    """Return what ``guarded`` was given; other text as it is."""
    return _GUARDED.sub("", text)


def cell_of(value: Any) -> Any:
    """Return a value as it stands in a table: text is guarded, numbers are not."""
    is_text = isinstance(value, str) and not _NUMBER.fullmatch(value)
    return guarded(value) if is_text else value


class Writer:
    """Writes rows with every cell guarded.

    Args:
        file: to write to, opened without translation of line ends.
        quotes: put every cell in quotes; else those that need them, as programs write tables.
    """

    def __init__(self, file: IO[str], *, quotes: bool = True) -> None:
        self._writer = (
            csv.writer(file, quoting=csv.QUOTE_ALL)
            if quotes
            else csv.writer(file, lineterminator="\n")
        )

    def write(self, cells: Iterable[object], *, as_given: Sequence[str] = ()) -> None:
        """Write one row.

        Args:
            cells: of the row.
            as_given: cells before them that the user's own table has, letter by letter.
        """
        self._writer.writerow([*as_given, *(cell_of(cell) for cell in cells)])
