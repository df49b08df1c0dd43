"""JSON records: one object a photo, as lists, as lines or by the photo's name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.labels.classes import MARKS
from core.labels.formats.cells import names_in
from core.labels.formats.columns import FILES, bare
from core.labels.formats.label_studio import Answers, chosen_answers
from core.labels.formats.layouts import read_rows
from core.labels.formats.numbered import name_numbers
from core.labels.locating import looks_like_file
from core.labels.reading import (
    ReadLabel,
    ReadLabels,
    ReadOptions,
    read_json,
    read_lines,
    refuse_many,
    unreadable,
)
from core.labels.sheets import Sheet
from core.language import tr

Record = Mapping[str, Any]

_WRAPPERS = ("data", "images", "annotations", "samples", "items", "records", "labels", "photos")
_MANY_KEYS = 200
_LOOKED_AT = 100
_PARALLEL = frozenset("images files filenames paths labels classes targets names".split())


def read_json_records(path: Path, options: ReadOptions) -> ReadLabels:
    """Read a list of objects, or an object that gives each photo its class.

    Raises:
        LabelsError: it cannot be read, or names no photos and classes.
    """
    content = read_json(path, options)
    if isinstance(content, Mapping):
        wrapped = [content[key] for key in _WRAPPERS if isinstance(content.get(key), list)]
        if len(wrapped) == 1 and all(isinstance(one, Mapping) for one in wrapped[0]):
            return read_records(path, wrapped[0], options)
        return _by_name(path, content, options)
    if not isinstance(content, list):
        raise unreadable(path, tr("it is neither a list of photos nor an object of them"))
    return read_records(path, content, options)


def read_json_lines(path: Path, options: ReadOptions) -> ReadLabels:
    """Read JSON Lines whose objects name a photo and its classes.

    Raises:
        LabelsError: it cannot be read, or names no photos and classes.
    """
    return read_records(path, read_lines(path, options), options)


def read_records(path: Path, content: Sequence[Any], options: ReadOptions) -> ReadLabels:
    """Read records as the tool lays them out that their keys tell of.

    Raises:
        LabelsError: there are none, or they name no photos and classes.
    """
    records = [one for one in content if isinstance(one, Mapping)]
    if not records:
        if content and all(isinstance(one, list) and len(one) >= 2 for one in content):
            rows = [[_cell(value) for value in one] for one in content]
            return read_rows(path, Sheet(rows), options, divides=False)
        raise unreadable(path, tr("it holds no objects that name photos"))
    refuse_many(path, len(records))
    asked = next((answers for fits, answers in _QUESTIONED if fits(records[0])), None)
    if asked is not None:
        given: dict[str, list[Answers]] = {}
        for record in records:
            file, answers = asked(record)
            given.setdefault(file, []).extend(answers)
        return chosen_answers(path, given, options)
    adapt = next((adapt for fits, adapt in _ADAPTERS if fits(records[0])), None)
    if adapt is None:
        return _usual(path, records, options)
    labels = ReadLabels([adapt(record) for record in records], folders=[path.parent])
    if not any(label.file for label in labels.labels):
        raise unreadable(path, tr("its objects name no photos"))
    return labels


def _usual(path: Path, records: Sequence[Record], options: ReadOptions) -> ReadLabels:
    """Read records by their keys, as if those were columns."""
    keys = list(dict.fromkeys(str(key) for record in records for key in record))[:_MANY_KEYS]
    rows = [[_cell(record.get(key)) for key in keys] for record in records]
    return read_rows(path, Sheet([keys, *rows]), options, divides=False)


def _by_name(path: Path, content: Record, options: ReadOptions) -> ReadLabels:
    """Read an object whose keys are photos, or classes that list their photos."""
    refuse_many(path, len(content))
    labels = ReadLabels(folders=[path.parent])
    sets = [value for value in content.values() if isinstance(value, list)]
    if len(sets) == len(content) and all(
        isinstance(one, Mapping) for value in sets for one in value[:_LOOKED_AT]
    ):  # sets of records
        return read_records(path, [one for value in sets for one in value], options)
    keys = [str(key) for key in content]
    lists = [value for value in content.values() if isinstance(value, list)]
    firsts = [str(value[0]) for value in lists if value]
    if len(lists) > 1 and {key.casefold() for key in keys} & _PARALLEL:
        raise unreadable(path, tr("its lists stand side by side; save it as a table"))
    are_classes = (
        len(lists) == len(content)
        and any(looks_like_file(one) or options.is_there(one) for one in firsts)
        and not any(map(looks_like_file, keys))
    )
    if are_classes:
        for name, files in content.items():
            labels.labels += [ReadLabel(str(file), (str(name),)) for file in files]
        return labels
    told = [value for value in content.values() if isinstance(value, Mapping)]
    if len(told) == len(content) and any(_names_a_photo(value) for value in told):
        return read_records(path, told, options)
    labels.by_stem = not any(map(looks_like_file, keys))
    labels.labels = [ReadLabel(str(key), names_in(value)) for key, value in content.items()]
    if not any(label.classes for label in labels.labels):
        shown = ", ".join(f"“{key[:40]}”" for key in keys[:10])
        raise unreadable(path, tr("it gives no photo a class; its keys are {shown}", shown=shown))
    name_numbers(labels, path.parent, options)
    return labels


def _names_a_photo(record: Record) -> bool:
    return any(
        bare(str(key)) in FILES and isinstance(value, str) and looks_like_file(value)
        for key, value in record.items()
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _own(record: Record) -> ReadLabel:
    mark = str(record.get("mark") or "")
    return ReadLabel(
        str(record.get("file") or ""),
        names_in(record.get("labels")),
        mark if mark in MARKS.values() else "",
    )


def _vertex(record: Record) -> ReadLabel:
    one, several = record.get("classificationAnnotation"), record.get("classificationAnnotations")
    classes = [*_listed(one), *_listed(several)]
    boxes = _listed(record.get("boundingBoxAnnotations"))
    return ReadLabel(
        str(record["imageGcsUri"]), _of(classes, "displayName"), "", _of(boxes, "displayName")
    )


def _google(record: Record) -> ReadLabel:
    names: list[str] = []
    for annotation in _listed(record.get("annotations")):
        value = annotation.get("annotationValue") or {}
        kind = value.get("imageClassificationAnnotation") or {}
        names += _of(_listed(kind.get("annotationSpec")), "displayName")
    return ReadLabel(str((record["imagePayload"] or {}).get("imageUri") or ""), tuple(names))


def _sagemaker(record: Record) -> tuple[str, list[Answers]]:
    """Read Ground Truth's and Rekognition's manifests: a value and its metadata a job.

    Each job is a question; where each class has a job of its own, all are one.
    """
    answers: dict[str, list[str]] = {}
    for key, told in record.items():
        job = str(key).removesuffix("-metadata")
        if job == key or not isinstance(told, Mapping):
            continue
        value, by_number = record.get(job), told.get("class-map")
        name = told.get("class-name")
        if isinstance(value, Mapping):
            numbers = [box.get("class_id") for box in _listed(value.get("annotations"))]
            drawn = [str(by_number.get(str(one), one)) for one in numbers if by_number]
            answers.setdefault("", []).extend(drawn)
        elif isinstance(by_number, Mapping):
            numbers = value if isinstance(value, list) else [value]
            named = [str(by_number[str(one)]) for one in numbers if str(one) in by_number]
            answers.setdefault(job, []).extend(named)
        elif isinstance(name, str) and job == name:
            answers.setdefault("classes", []).extend([name] if value else [])
        elif isinstance(name, str):
            answers.setdefault(job, []).append(name)
    found = {name: tuple(dict.fromkeys(names)) for name, names in answers.items()}
    return str(record["source-ref"]), [found]


def _azure(record: Record) -> ReadLabel:
    label = record.get("label")
    boxes = _of(_listed(label), "label")
    return ReadLabel(str(record["image_url"]), () if boxes else names_in(label), "", boxes)


def _custom_vision(record: Record) -> ReadLabel:
    """Read Custom Vision's photos, whose own name stands in what was noted at the upload."""
    noted = record.get("metadata")
    names = [str(one) for one in noted.values()] if isinstance(noted, Mapping) else []
    file = next(filter(looks_like_file, names), "") or str(record.get("originalImageUri") or "")
    return ReadLabel(
        file, _of(_listed(record.get("tags")), "tagName"), "",
        _of(_listed(record.get("regions")), "tagName"),
    )  # fmt: skip


def _drawn(record: Record) -> ReadLabel:
    """Read CreateML's boxes, or MakeSense's classes, which have the same keys."""
    file = str(record.get("image") or record.get("imagefilename") or "")
    given = record.get("annotations", record.get("annotation"))
    boxes = _of(_listed(given), "label")
    return ReadLabel(file, () if boxes else names_in(given), "", boxes)


def _labelbox(record: Record) -> tuple[str, list[Answers]]:
    row = record.get("data_row") or {}
    file = str(row.get("external_id") or row.get("global_key") or row.get("row_data") or "")
    found: list[Answers] = []
    for project in (record.get("projects") or {}).values():
        for label in _listed(project.get("labels")):
            told = label.get("annotations") or {}
            answers = {"": _of(_listed(told.get("objects")), "name")}
            for question in _listed(told.get("classifications")):
                name = str(question.get("name") or "classification")
                given = _of(_listed(question.get("radio_answer")), "name")
                answers[name] = given + _of(_listed(question.get("checklist_answers")), "name")
            found.append(answers)
    return file, found


def _judged(record: Record) -> ReadLabel:
    """Read Prodigy's yes or no to one class."""
    is_so = record.get("answer") == "accept"
    return ReadLabel(_image_of(record), names_in(record.get("label")) if is_so else ())


def _prodigy(record: Record) -> ReadLabel:
    texts = {str(one.get("id")): str(one.get("text")) for one in _listed(record.get("options"))}
    accepted = record.get("accept") if record.get("answer", "accept") == "accept" else None
    given = accepted if isinstance(accepted, list) else []
    return ReadLabel(_image_of(record), tuple(texts.get(str(one), str(one)) for one in given))


def _image_of(record: Record) -> str:
    noted = record.get("meta")
    image = str(record.get("path") or record.get("image") or "")
    if image.startswith("data:"):
        image = str((noted if isinstance(noted, Mapping) else {}).get("file") or record.get("text"))
    return image


def _listed(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list, or the one object."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, Mapping)]


def _of(objects: Sequence[Record], key: str) -> tuple[str, ...]:
    names = [str(one[key]) for one in objects if isinstance(one.get(key), str | int)]
    return tuple(dict.fromkeys(names))


def _has(*keys: str) -> Callable[[Record], bool]:
    return lambda record: all(key in record for key in keys)


def _is_sagemaker(record: Record) -> bool:
    return "source-ref" in record and any(str(key).endswith("-metadata") for key in record)


_ADAPTERS: tuple[tuple[Callable[[Record], bool], Callable[[Record], ReadLabel]], ...] = (
    (_has("file", "relative_path", "labels", "mark"), _own),
    (_has("imageGcsUri"), _vertex),
    (_has("imagePayload"), _google),
    (_has("image_url", "label"), _azure),
    (_has("tags", "originalImageUri"), _custom_vision),
    (_has("tags", "regions"), _custom_vision),
    (_has("image", "annotations"), _drawn),
    (_has("image", "annotation"), _drawn),
    (_has("imagefilename"), _drawn),
    (_has("options", "accept"), _prodigy),
    (_has("image", "label", "answer"), _judged),
)
"""Tools by the keys that tell them."""

_QUESTIONED: tuple[
    tuple[Callable[[Record], bool], Callable[[Record], tuple[str, list[Answers]]]], ...
] = ((_is_sagemaker, _sagemaker), (_has("data_row"), _labelbox))
"""Tools that ask several questions, or several people."""
