"""What an import reads, and how it may be told to read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import LabelsError, os_reason
from core.files import open_ordinary
from core.labels.encodings import Decoded, decode
from core.language import lazy, tr

_LARGEST_BYTES = 2**28
MOST_ROWS = 1_000_000
_LOOKED_AT = 2**16
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1a\x7f\x80-\x84\x86-\x9f]")
"""Signs that no text holds."""


@dataclass(frozen=True)
class ReadOptions:
    """How a person wants a file of labels to be read.

    Attributes:
        encoding: Python's name of it; "" finds it out.
        file_column: the column that names the photos; "" finds it out.
        label_column: the column, question or field that holds the classes; "" finds it out.
        takes_boxes: whether a photo gets the classes of the boxes drawn on it.
        known: names of the project's classes.
        decoded: how the texts that were read with these options were decoded.
        is_there: whether a photo of a name is known to exist; guides the choice of columns.
    """

    encoding: str = ""
    file_column: str = ""
    label_column: str = ""
    takes_boxes: bool = False
    known: frozenset[str] = frozenset()
    decoded: list[Decoded] = field(default_factory=list, compare=False)
    is_there: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class ReadLabel:
    """A label as a file has it.

    Attributes:
        file: the photo as it is named there, or its path.
        classes: names.
        mark: "unsure", "reject" or "".
        boxes: classes of what is marked on the photo, not of the photo.
    """

    file: str
    classes: tuple[str, ...]
    mark: str = ""
    boxes: tuple[str, ...] = ()


@dataclass
class ReadLabels:
    """What a file or folder of labels holds.

    Attributes:
        labels: of photos, unlabelled ones included.
        classes: names in the order that the file gives them.
        folders: where the photos may lie, the likeliest first.
        by_stem: photos are named without their ending.
        notes: what a person should know, in sentences.
        file_columns: that may name the photos.
        file_column: the one that does.
        label_columns: columns, questions or fields that may hold the classes.
        label_column: the one that does; "" where several do.
        must_choose: whether it was one of several without a reason to prefer it.
    """

    labels: list[ReadLabel] = field(default_factory=list)
    classes: Sequence[str] = ()
    folders: Sequence[Path] = ()
    by_stem: bool = False
    notes: list[str] = field(default_factory=list)
    file_columns: Sequence[str] = ()
    file_column: str = ""
    label_columns: Sequence[str] = ()
    label_column: str = ""
    must_choose: bool = False


def unreadable(path: Path, reason: str) -> LabelsError:
    """Return the refusal of a file of labels."""
    return LabelsError(
        "The labels in {path} could not be read: {reason}.", path=path, reason=reason
    )


def read_bytes(path: Path) -> bytes:
    """Read a file of labels.

    Raises:
        LabelsError: it cannot be read, or is too large for one.
    """
    try:
        with open_ordinary(path) as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise unreadable(path, os_reason(error)) from error
    if len(content) > _LARGEST_BYTES:
        raise LabelsError(
            "{path} has over {largest_bytes} bytes; no file of labels is so large.",
            path=path,
            largest_bytes=_LARGEST_BYTES,
        )
    return content


def read_text(path: Path, options: ReadOptions) -> str:
    """Read a text in whichever encoding; how is noted in the options.

    Raises:
        LabelsError: it cannot be read, or is no text.
    """
    content = read_bytes(path)
    refuse_other_kinds(path, content)
    encoding = options.encoding
    try:
        found = decode(content, encoding)
    except UnicodeDecodeError as error:
        reason = (
            tr("it is not in the encoding {encoding}", encoding=encoding)
            if encoding
            else tr("it is not a text")
        )
        raise unreadable(path, reason) from error
    except LookupError as error:
        raise LabelsError("There is no encoding “{encoding}”.", encoding=encoding) from error
    if _UNPRINTABLE.search(found.text[:_LOOKED_AT]):
        raise unreadable(path, tr("it is not a text"))
    options.decoded.append(found)
    return found.text


_OTHER_KINDS = (
    (b"PK\x03\x04", lazy("it is an archive or a document; unpack it, or save it as CSV")),
    (b"\xd0\xcf\x11\xe0", lazy("it is an old workbook; save it as .xlsx or CSV")),
    (b"%PDF", lazy("it is a PDF document")),
    (b"SQLite format 3", lazy("it is a database")),
    (b"\x1f\x8b", lazy("it is a compressed file; unpack it")),
    (b"Rar!", lazy("it is an archive; unpack it")),
    (b"7z\xbc\xaf", lazy("it is an archive; unpack it")),
    (b"\x89PNG", lazy("it is a picture")),
    (b"\xff\xd8\xff", lazy("it is a picture")),
    (b"GIF8", lazy("it is a picture")),
    (b"<!doctype html", lazy("it is a web page; download the file itself")),
    (b"<html", lazy("it is a web page; download the file itself")),
    (b"ARROW1", lazy("it is an Arrow file; save it as CSV")),
    (b"PAR1", lazy("it is a Parquet file; save it as CSV")),
)


def refuse_other_kinds(path: Path, content: bytes) -> None:
    """Say what a file is that holds no labels.

    Raises:
        LabelsError: it is something else.
    """
    start = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t")
    for beginning, reason in _OTHER_KINDS:
        is_html = beginning.startswith(b"<") and start.lower().startswith(beginning)
        if is_html or content.startswith(beginning):
            raise unreadable(path, reason)
    if not content.strip():
        raise unreadable(path, tr("it is empty"))


def read_json(path: Path, options: ReadOptions) -> Any:
    """Read JSON.

    Raises:
        LabelsError: it cannot be read, or is none.
    """
    try:
        return json.loads(read_text(path, options))
    except (ValueError, RecursionError) as error:
        raise unreadable(path, tr("it is no JSON")) from error


def read_lines(path: Path, options: ReadOptions) -> list[object]:
    """Read a file of one JSON value a line.

    Raises:
        LabelsError: it cannot be read, or a line is no JSON; the sentence says which.
    """
    found = []
    text = read_text(path, options)
    refuse_many(path, text.count("\n"))
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise unreadable(path, tr("line {number} is no JSON", number=number)) from error
    return found


def refuse_many(path: Path, count: int) -> None:
    """Refuse a file with more rows than are read.

    Raises:
        LabelsError: there are too many.
    """
    if count > MOST_ROWS:
        raise LabelsError(
            "{path} has over {most_rows} lines; share them out among several files of labels.",
            path=path,
            most_rows=MOST_ROWS,
        )
