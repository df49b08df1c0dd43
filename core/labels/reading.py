"""What an import has read, and where the photos that it names are."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from core.errors import LabelsError, os_reason
from core.files import open_ordinary
from core.images.finding import find_images, is_photo

_LARGEST_BYTES = 2**28
_MOST_ROWS = 1_000_000
_CASELESS = "\0"


@dataclass(frozen=True, slots=True)
class ReadLabel:
    """A label as a file has it.

    Attributes:
        file: the photo as it is named there, or its path.
        classes: names.
        mark: "unsure", "reject" or "".
    """

    file: str
    classes: tuple[str, ...]
    mark: str = ""


@dataclass
class ReadLabels:
    """What a file or folder of labels holds.

    Attributes:
        labels: of photos, unlabelled ones included.
        classes: names in the order that the file gives them.
        folders: where the photos may lie, the likeliest first.
        by_stem: photos are named without their ending.
        notes: what a person should know, in sentences.
    """

    labels: list[ReadLabel] = field(default_factory=list)
    classes: Sequence[str] = ()
    folders: Sequence[Path] = ()
    by_stem: bool = False
    notes: list[str] = field(default_factory=list)


def read_bytes(path: Path) -> bytes:
    """Read a file of labels.

    Raises:
        LabelsError: it cannot be read, or is too large for one.
    """
    try:
        with open_ordinary(path) as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise LabelsError(f"The labels in {path} could not be read: {os_reason(error)}.") from error
    if len(content) > _LARGEST_BYTES:
        raise LabelsError(
            f"{path} has over {_LARGEST_BYTES:,} bytes; no file of labels is so large."
        )
    return content


def read_text(path: Path) -> str:
    """Read a text, UTF-8 with or without BOM, or what Windows' Excel writes.

    Raises:
        LabelsError: it cannot be read.
    """
    content = read_bytes(path)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "surrogateescape")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        LabelsError: it cannot be read, or is none.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise LabelsError(f"The labels in {path} could not be read: it is no JSON.") from error


def read_lines(path: Path) -> list[Any]:
    """Read a file of one JSON value a line.

    Raises:
        LabelsError: it cannot be read, or a line is no JSON; the sentence says which.
    """
    found = []
    lines = read_text(path).split("\n")
    _refuse_many(path, len(lines))
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise LabelsError(
                    f"The labels in {path} could not be read: line {number} is no JSON."
                ) from error
    return found


def _refuse_many(path: Path, count: int) -> None:
    if count > _MOST_ROWS:
        raise LabelsError(
            f"{path} has over {_MOST_ROWS:,} lines; share them out among several files of labels."
        )


def read_table(path: Path) -> list[list[str]]:
    """Read a table with commas, semicolons or tabs; its first row is the header.

    Raises:
        LabelsError: it cannot be read, or is empty.
    """
    text = read_text(path)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in itertools.islice(reader, _MOST_ROWS + 1) if row]
    except csv.Error as error:
        raise LabelsError(f"The labels in {path} could not be read: {error}.") from error
    if not rows:
        raise LabelsError(f"The labels in {path} could not be read: the table is empty.")
    _refuse_many(path, len(rows))
    return rows


_DEEPEST = 64
"""Folders of a name that are compared with those of a photo."""


class Locator:
    """Finds the photos that a file of labels names.

    Args:
        folders: where they may lie, the likeliest first.
        by_stem: names come without their ending.
    """

    def __init__(self, folders: Iterable[Path], *, by_stem: bool = False) -> None:
        absolute = [Path(os.path.abspath(one)) for one in folders]  # noqa: PTH100
        self._folders = [one for one in absolute if os.path.isdir(one)]  # noqa: PTH112
        self._by_stem = by_stem
        self._index: dict[str, list[Path]] | None = None

    def find(self, file: str) -> tuple[Path | None, bool]:
        """Return the photo that is meant, and whether it lies at the very place named.

        None where there is none, or several may be meant.
        """
        if not file or "\0" in file:
            return None, False
        for candidate in self._candidates(file):
            if os.path.isfile(candidate) and is_photo(candidate):  # noqa: PTH113 - too long a name
                return Path(os.path.normpath(candidate)), True
        found = [path for path in self._named(file) if is_photo(path)]
        return (found[0] if len(found) == 1 else None), False

    def _candidates(self, file: str) -> Iterator[Path]:
        if Path(file).is_absolute():
            yield Path(file)
        else:
            for folder in self._folders:
                yield folder / file

    def _named(self, file: str) -> list[Path]:
        """Return the photos below the folders whose path ends so; the longest match counts."""
        index = self._indexed()
        for path in (PurePosixPath(file), PureWindowsPath(file)):
            parts = [part for part in path.parts if part not in (path.anchor, ".", "..")]
            parts = parts[-_DEEPEST:]
            for length in range(len(parts), 0, -1):
                key = "/".join(parts[-length:])
                found = index.get(key) or index.get(_CASELESS + key.casefold())
                if found:
                    return found
        return []

    def _indexed(self) -> dict[str, list[Path]]:
        if self._index is None:
            self._index = {}
            for path in find_images(self._folders, lambda _: None):
                for folder in self._folders:
                    if path.is_relative_to(folder):
                        self._note(path, path.relative_to(folder).parts)
                        break
        return self._index

    def _note(self, path: Path, parts: Sequence[str]) -> None:
        assert self._index is not None
        if self._by_stem:
            parts = (*parts[:-1], Path(parts[-1]).stem)
        for length in range(1, len(parts) + 1):
            key = "/".join(parts[-length:])
            self._index.setdefault(key, []).append(path)
            self._index.setdefault(_CASELESS + key.casefold(), []).append(path)
