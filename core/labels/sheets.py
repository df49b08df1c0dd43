"""Tables as they come: commas, semicolons or tabs between the cells, or a workbook."""

from __future__ import annotations

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import LabelsError
from core.labels.reading import (
    MOST_ROWS,
    ReadOptions,
    read_bytes,
    read_text,
    refuse_many,
    unreadable,
)
from core.language import tr

WORKBOOKS = (".xlsx", ".xlsm")
TABLES = (".csv", ".tsv", ".tab", *WORKBOOKS)
_LARGEST_UNPACKED = 2**28
_MOST_COLUMNS = 2_000
_SEPARATORS = ",;\t"
_LOOKED_AT = 20
_TOLD = re.compile("sep=([,;\t])\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        rows: of texts, the header among them where there is one; not all are of one length.
    """

    rows: Sequence[list[str]]


def read_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read a table.

    Raises:
        LabelsError: it cannot be read, or is empty.
    """
    if path.suffix.lower() in WORKBOOKS:
        return Sheet(_without_title(_workbook(path)))
    text = read_text(path, options)
    told = _TOLD.match(text)
    if told is not None:  # as Excel writes it
        text = text[told.end() :]
    delimiter = told[1] if told is not None else _separator(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in itertools.islice(reader, MOST_ROWS + 1) if any(row)]
    except csv.Error as error:
        raise unreadable(path, str(error)) from error
    if not rows:
        raise unreadable(path, tr("the table is empty"))
    refuse_many(path, len(rows))
    return Sheet(_without_title(rows))


def _without_title(rows: list[list[str]]) -> list[list[str]]:
    """Return a table without the lines above its header, which have one cell alone."""
    cells = [sum(1 for cell in row if cell.strip()) for row in rows[:_LOOKED_AT]]
    first = next((number for number, count in enumerate(cells) if count > 1), 0)
    return rows[first:]


def _separator(text: str) -> str:
    """Return what stands between cells: it divides the first lines into equally many."""
    lines = [line for line in text[: 2**16].splitlines()[:_LOOKED_AT] if line.strip()]
    first = next((line for line in lines if any(one in line for one in _SEPARATORS)), "")

    def worth(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines]
        most = max(counts, default=0)
        alike = sum(count == most > 0 for count in counts)
        return (alike if first.count(separator) else 0, first.count(separator))

    return max(_SEPARATORS, key=lambda one: (first.count(one) > 0, *worth(one)))


def _workbook(path: Path) -> list[list[str]]:
    """Return the rows of a workbook's first sheet; formulas give what they gave last."""
    content = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise unreadable(path, tr("it is not a workbook, or is damaged")) from error
    if unpacked > _LARGEST_UNPACKED:
        raise unreadable(path, tr("unpacked it is too large for labels"))
    import openpyxl

    try:
        label_index = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = label_index.worksheets[0]
        values = sheet.iter_rows(values_only=True, max_row=MOST_ROWS + 1, max_col=_MOST_COLUMNS)
        rows = [row for row in map(_texts, values) if any(row)]
        label_index.close()
    except LabelsError:
        raise
    except Exception as error:  # openpyxl raises whatever a broken workbook provokes
        raise unreadable(path, tr("it is not a workbook, or is damaged")) from error
    if not rows:
        raise unreadable(path, tr("its first sheet is empty"))
    refuse_many(path, len(rows))
    return rows


def _texts(row: Iterable[object]) -> list[str]:
    texts = [_text(value) for value in row]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
