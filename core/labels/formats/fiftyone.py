"""FiftyOneImageClassificationDataset: photos in data/ and labels.json."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from core.errors import LabelsError
from core.files import json_bytes
from core.labels.formats.records import read_records
from core.labels.plans import ExportOptions, Plan, Targets, common_folder, labelled_only, subfolder
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json
from core.labels.records import LabelledPhoto

_DATA = "data"
_LABELS = "labels.json"
_SAMPLES = "samples.json"
_OF_PHOTOS = ("Classification", "Classifications")
_OF_BOXES = {"Detections": "detections", "Polylines": "polylines", "Keypoints": "keypoints"}


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], root: Path, options: ExportOptions
) -> Plan:
    """Plan ``data/<photo>``, no two alike without their endings, and labels.json."""
    plan = Plan()
    kept = labelled_only(photos, plan)
    common = common_folder(kept) if options.keep_folders else None
    targets = Targets(root, options.taken, unique_stems=True)
    index = {name: number for number, name in enumerate(classes)}
    several = any(len(one.classes) > 1 for one in kept)
    labels: dict[str, object] = {}
    for one in kept:
        below = subfolder(one, common) if common else ""
        file = targets.place(one, f"{_DATA}/{below}".rstrip("/"))
        plan.files.append(file)
        key = os.path.splitext(file.target.removeprefix(f"{_DATA}/"))[0]  # noqa: PTH122
        numbers = [index[name] for name in one.classes]
        labels[key] = numbers if several else _value(one, numbers[0], options)
    plan.texts[_LABELS] = json_bytes({"classes": list(classes), "labels": labels}, indent=1)
    return plan


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read labels.json with indices or names, with or without confidence; or samples.json.

    Raises:
        LabelsError: it cannot be read, or is no such file.
    """
    samples = path / _SAMPLES if path.is_dir() else path
    if samples.is_file() and (path.is_dir() or path.name == _SAMPLES):
        return _samples(samples, options)
    file = path / _LABELS if path.is_dir() else path
    content = read_json(file, options)
    if isinstance(content, dict) and isinstance(content.get("samples"), list):
        return _samples(file, options)
    labels = content.get("labels") if isinstance(content, dict) else None
    if isinstance(labels, list):  # records of somebody's own, under the same keys
        return read_records(file, labels, options)
    if not isinstance(labels, dict):
        raise LabelsError(
            "{file} has no “labels”; it is no FiftyOne classification dataset.", file=file
        )
    classes = content.get("classes")
    classes = [str(name) for name in classes] if isinstance(classes, list) else []
    found = ReadLabels(classes=classes, folders=[file.parent / _DATA, file.parent], by_stem=True)
    for name, value in labels.items():
        values = value if isinstance(value, list) else [value]
        drawn = [one for one in values if isinstance(one, dict) and "bounding_box" in one]
        boxes = [_name(one, classes) for one in drawn]
        named = [_name(one, classes) for one in values if one not in drawn]
        found.labels.append(
            ReadLabel(
                str(name),
                tuple(one for one in named if one),
                "",
                tuple(dict.fromkeys(one for one in boxes if one)),
            )
        )
    return found


def _samples(file: Path, options: ReadOptions) -> ReadLabels:
    """Read a FiftyOneDataset: any field of a sample may hold a class, several, or boxes."""
    content = read_json(file, options)
    samples = [one for one in content["samples"] if isinstance(one, dict)]
    fields = dict.fromkeys(
        name for one in samples for name, value in one.items() if _kind(value) in _OF_PHOTOS
    )
    field = options.label_column or next(
        (name for name in fields if not name.startswith("pred")), next(iter(fields), "")
    )
    found = ReadLabels(
        folders=[file.parent, file.parent / _DATA],
        label_columns=list(fields),
        label_column=field,
        must_choose=len(fields) > 1,
    )
    for one in samples:
        drawn = [
            str(box.get("label"))
            for value in one.values()
            if _kind(value) in _OF_BOXES
            for box in value.get(_OF_BOXES[_kind(value)]) or ()
        ]
        value = one.get(field)
        several = value.get("classifications") if isinstance(value, dict) else None
        given = several if isinstance(several, list) else [value]
        classes = tuple(str(each["label"]) for each in given if each and each.get("label"))
        found.labels.append(
            ReadLabel(str(one.get("filepath") or ""), classes, "", tuple(dict.fromkeys(drawn)))
        )
    return found


def _kind(value: object) -> str:
    return str(value.get("_cls") or "") if isinstance(value, dict) else ""


def _value(one: LabelledPhoto, number: int, options: ExportOptions) -> object:
    """Return the class, with what the model gives it where that is asked for."""
    said = one.prediction or one.seen
    if not options.with_predictions or said is None:
        return number
    return {"label": number, "confidence": dict(said.top).get(one.classes[0])}


def _name(value: object, classes: Sequence[str]) -> str:
    if isinstance(value, dict):
        value = value.get("label")
    if isinstance(value, str) and value.isdigit() and classes and value not in classes:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and classes:
        return classes[value] if 0 <= value < len(classes) else ""
    return str(value) if isinstance(value, str | int) else ""
