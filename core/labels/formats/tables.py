"""CSV for people and their spreadsheets, and JSON Lines for programs; they take no photos along."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.csv_cells import Writer, unguarded
from core.errors import LabelsError
from core.files import json_bytes
from core.labels.classes import MARKS
from core.labels.plans import ExportOptions, Plan, common_folder, relative_to
from core.labels.reading import ReadLabel, ReadLabels, read_lines, read_table
from core.labels.records import LabelledPhoto

_FILE_COLUMNS = ("filename", "file", "file_name", "image", "image_id", "filepath", "path", "id")
_LABEL_COLUMNS = ("label", "class", "category", "target", "labels", "species")
_RELATIVE = "relative path"
_TOP_K = 5


def write_csv(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan one row a photo, UTF-8 with BOM; several classes stand with | between them."""
    text = io.StringIO(newline="")
    writer = Writer(text)
    header = ["file", _RELATIVE, "label", "mark", "set by", "when"]
    if options.with_predictions:
        for rank in range(1, _TOP_K + 1):
            header += [f"prediction {rank}", f"probability {rank}"]
        header += ["model", "checkpoint sha256"]
    writer.write([*header, "sha256"])
    common = common_folder(photos)
    for one in photos:
        cells = [str(one.path), relative_to(one, common), joined(one.classes), one.mark]
        cells += [one.who, one.at]
        if options.with_predictions:
            cells += _prediction_cells(one)
        writer.write([*cells, one.sha256])
    return Plan(texts={target.name: text.getvalue().encode("utf-8-sig", "surrogateescape")})


def write_json_lines(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan one JSON object a line, with all that is known."""
    common = common_folder(photos)
    lines = [_object(one, relative_to(one, common), options) for one in photos]
    return Plan(texts={target.name: b"".join(json_bytes(line) + b"\n" for line in lines)})


def read_csv(path: Path) -> ReadLabels:
    """Read a table with a column of files and a column of labels, by the names they often have.

    Raises:
        LabelsError: it cannot be read, or has no such columns.
    """
    header, *rows = read_table(path)
    titles = [title.strip().casefold() for title in header]
    file, label = _column(titles, _FILE_COLUMNS), _column(titles, _LABEL_COLUMNS)
    if file is None or label is None:
        wanted, names = ("photos", _FILE_COLUMNS) if file is None else ("labels", _LABEL_COLUMNS)
        raise LabelsError(
            f"{path} has no column of {wanted}; name one of its columns “{names[0]}” "
            f"(its columns are {', '.join(header)})."
        )
    ours = _RELATIVE in titles and "mark" in titles
    mark = titles.index("mark") if ours else None
    found = ReadLabels(folders=[path.parent], by_stem=titles[file] in ("id", "image_id"))
    for row in rows:
        classes = separated(_cell(row, label)) if ours else _one(_cell(row, label))
        marked = _mark(_cell(row, mark)) if mark is not None else ""
        found.labels.append(ReadLabel(_cell(row, file), classes, marked))
    if found.by_stem and any("." in one.file for one in found.labels):
        found.by_stem = False
    return found


def read_json_lines(path: Path) -> ReadLabels:
    """Read JSON Lines, ours or others' with a file and a label in each.

    Raises:
        LabelsError: it cannot be read.
    """
    found = ReadLabels(folders=[path.parent])
    for number, line in enumerate(read_lines(path), 1):
        fields = line if isinstance(line, dict) else {}
        file = next((fields[name] for name in _FILE_COLUMNS if name in fields), None)
        if not isinstance(file, str):
            raise LabelsError(
                f"The labels in {path} could not be read: line {number} names no file."
            )
        value = next((fields[name] for name in _LABEL_COLUMNS if name in fields), None)
        found.labels.append(ReadLabel(file, names_in(value), _mark(fields.get("mark"))))
    return found


def names_in(value: Any) -> tuple[str, ...]:
    """Return the class names of a JSON value: none, one, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if isinstance(one, str | int) and str(one).strip())


def joined(names: Iterable[str]) -> str:
    """Return names with | between them; a | or a backslash of their own is escaped."""
    return "|".join(name.replace("\\", "\\\\").replace("|", "\\|") for name in names)


def separated(text: str) -> tuple[str, ...]:
    """Return the names that ``joined`` was given."""
    names, name = [], ""
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            name += next(letters, "")
        elif letter == "|":
            names.append(name)
            name = ""
        else:
            name += letter
    return tuple(one for one in (*names, name) if one)


def _prediction_cells(one: LabelledPhoto) -> list[str]:
    said = one.prediction or one.seen
    if said is None:
        return [""] * (2 * _TOP_K + 2)
    cells = []
    for name, probability in said.top[:_TOP_K]:
        cells += [name, f"{probability:.6f}"]
    cells += [""] * (2 * _TOP_K - len(cells))
    return [*cells, str(said.model["architecture"]), str(said.model["sha256"])]


def _object(one: LabelledPhoto, relative: str, options: ExportOptions) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "file": str(one.path),
        "relative_path": relative,
        "labels": list(one.classes),
        "mark": one.mark or None,
        "set_by": one.who or None,
        "when": one.at or None,
        "sha256": one.sha256 or None,
    }
    said = one.prediction or one.seen
    if options.with_predictions and said is not None:
        fields["predictions"] = [
            {"class_name": name, "probability": probability} for name, probability in said.top
        ]
        fields["model"] = {
            name: value for name, value in said.model.items() if name != "class_names"
        }
    return fields


def _cell(row: Sequence[str], column: int) -> str:
    return unguarded(row[column]) if column < len(row) else ""


def _column(titles: Sequence[str], names: Sequence[str]) -> int | None:
    return next((titles.index(name) for name in names if name in titles), None)


def _one(cell: str) -> tuple[str, ...]:
    return (cell.strip(),) if cell.strip() else ()


def _mark(value: object) -> str:
    return str(value) if value in MARKS.values() else ""
