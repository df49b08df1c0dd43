"""CSV for spreadsheets, and CSV and JSON Lines for programs; they take no photos along."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.csv_cells import Writer
from core.files import json_bytes
from core.labels.plans import ExportOptions, Plan, common_folder, relative_to
from core.labels.records import LabelledPhoto

RELATIVE, PLAIN_RELATIVE = "relative path", "relative_path"
MARK = "mark"
_TOP_K = 5


def write_csv(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan one row a photo, UTF-8 with BOM; several classes stand with | between them."""
    text = io.StringIO(newline="")
    writer = Writer(text)
    header = ["file", RELATIVE, "label", MARK, "set by", "when"]
    if options.with_predictions:
        header += _prediction_header()
    writer.write([*header, "sha256"])
    common = common_folder(photos)
    for one in photos:
        cells = [str(one.path), relative_to(one, common), joined(one.classes), one.mark]
        cells += [one.who, one.at]
        if options.with_predictions:
            cells += _prediction_cells(one)
        writer.write([*cells, one.sha256])
    return Plan(texts={target.name: text.getvalue().encode("utf-8-sig", "surrogateescape")})


def write_plain_csv(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan one row a photo and class, letter by letter as they are, as programs read tables."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    header = ["file", PLAIN_RELATIVE, "label", MARK, "set_by", "when"]
    if options.with_predictions:
        header += [title.replace(" ", "_") for title in _prediction_header()]
    writer.writerow([*header, "sha256"])
    common = common_folder(photos)
    for one in photos:
        said = _prediction_cells(one) if options.with_predictions else []
        for name in one.classes or [""]:
            cells = [str(one.path), relative_to(one, common), name, one.mark, one.who, one.at]
            writer.writerow([*cells, *said, one.sha256])
    return Plan(texts={target.name: text.getvalue().encode("utf-8", "surrogateescape")})


def write_json_lines(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan one JSON object a line, with all that is known."""
    common = common_folder(photos)
    lines = [_object(one, relative_to(one, common), options) for one in photos]
    return Plan(texts={target.name: b"".join(json_bytes(line) + b"\n" for line in lines)})


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


def _prediction_header() -> list[str]:
    ranks = range(1, _TOP_K + 1)
    header = [title for rank in ranks for title in (f"prediction {rank}", f"probability {rank}")]
    return [*header, "model", "checkpoint sha256"]


def _prediction_cells(one: LabelledPhoto) -> list[str]:
    said = one.prediction or one.seen
    if said is None:
        return [""] * (2 * _TOP_K + 2)
    cells = []
    for name, probability in said.top[:_TOP_K]:
        cells += [name, f"{probability:.6f}"]
    cells += [""] * (2 * _TOP_K - len(cells))
    return [*cells, str(said.model["architecture"]), str(said.model["sha256"])]


def _object(one: LabelledPhoto, relative: str, options: ExportOptions) -> dict[str, object]:
    fields: dict[str, object] = {
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
