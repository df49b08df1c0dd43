"""Hugging Face's imagefolder: photos with metadata.jsonl beside them.

Any metadata file makes the loader forget folder names, so the label is a column of it. Folders
named like a set anywhere in a path would confuse the loader, so subfolders are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import LabelsError
from core.files import json_bytes
from core.labels.formats import class_folders
from core.labels.formats.cells import names_in
from core.labels.formats.numbered import name_numbers
from core.labels.plans import ExportOptions, Plan, Targets, labelled_only, split_of
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_lines
from core.labels.records import LabelledPhoto
from core.labels.sheets import read_sheet

_LABELS = ("label", "labels")


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], root: Path, options: ExportOptions
) -> Plan:
    """Plan ``<set>/<photo>`` and ``<set>/metadata.jsonl``; without a split all are for training."""
    plan = Plan()
    kept = labelled_only(photos, plan)
    sets = split_of(kept, options.split, options.seed)
    targets = Targets(root, options.taken)
    several = any(len(one.classes) > 1 for one in kept)
    lines: dict[str, list[dict[str, object]]] = {}
    for one in kept:
        split = sets[one.path] or "train"
        file = targets.place(one, split)
        plan.files.append(file)
        fields: dict[str, object] = {"file_name": file.target.removeprefix(f"{split}/")}
        fields |= {"labels": list(one.classes)} if several else {"label": one.classes[0]}
        if options.with_predictions:
            said = one.prediction or one.seen
            fields["prediction"] = said.name if said is not None else None
            fields["probability"] = said.top[0][1] if said is not None else None
        lines.setdefault(split, []).append(fields)
    for split, rows in lines.items():
        plan.texts[f"{split}/metadata.jsonl"] = b"".join(json_bytes(row) + b"\n" for row in rows)
    return plan


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read metadata.jsonl or metadata.csv in a folder or below it, else the folders' names.

    Raises:
        LabelsError: it cannot be read, or a metadata file has no labels.
    """
    if path.is_file():
        path = path.parent
    files = sorted([*path.rglob("metadata.jsonl"), *path.rglob("metadata.csv")])
    if not files:
        return class_folders.read(path, options)
    rows = {file: _rows(file, options) for file in files}
    keys = dict.fromkeys(key for held in rows.values() for fields in held for key in fields)
    columns = [key for key in keys if not key.endswith(("file_name", "file_names"))]
    usual = [key for key in _LABELS if key in columns]
    column = options.label_column or next(iter((*usual, *columns)), "")
    found = ReadLabels(
        folders=[path], label_columns=columns, label_column=column, must_choose=not usual
    )
    for file, held in rows.items():
        for fields in held:
            name = fields.get("file_name")
            if not isinstance(name, str):
                raise LabelsError(
                    "{file} has no column “file_name”; it is no imagefolder's.", file=file
                )
            found.labels.append(ReadLabel(str(file.parent / name), names_in(fields.get(column))))
    name_numbers(found, path, options)
    return found


def _rows(file: Path, options: ReadOptions) -> list[dict[str, object]]:
    if file.suffix == ".jsonl":
        return [row for row in read_lines(file, options) if isinstance(row, dict)]
    header, *rows = read_sheet(file, options).rows
    return [dict(zip(header, row, strict=False)) for row in rows]
