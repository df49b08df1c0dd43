"""VGG Image Annotator, versions 1 and 2: a project, or its annotations alone."""

from __future__ import annotations

from pathlib import Path

from core.labels.formats.cells import names_in
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json, unreadable
from core.language import tr

_NO_CLASSES = ("caption", "public_domain", "image_url")
"""Attributes that a new project has of itself."""


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read a project or its annotations.

    Raises:
        LabelsError: it cannot be read, or is not VIA's.
    """
    content = read_json(path, options)
    photos = content.get("_via_img_metadata", content) if isinstance(content, dict) else None
    if not isinstance(photos, dict):
        raise unreadable(path, tr("it is not a project of VIA"))
    entries = [one for one in photos.values() if isinstance(one, dict) and "filename" in one]
    if not entries:
        raise unreadable(path, tr("it names no photos; it is not a project of VIA"))
    attributes = (content.get("_via_attributes") or {}).get("file") or {}
    questions = dict.fromkeys(
        name
        for entry in entries
        for name, value in _attributes(entry, "file_attributes").items()
        if names_in(value) and name not in _NO_CLASSES
    )
    question = options.label_column or next(iter(questions), "")
    found = ReadLabels(
        folders=[path.parent],
        label_columns=list(questions),
        label_column=question,
        must_choose=len(questions) > 1,
    )
    texts = _texts(attributes.get(question))
    for entry in entries:
        given = names_in(_attributes(entry, "file_attributes").get(question))
        regions = entry.get("regions") or ()
        drawn = [
            name
            for region in (regions.values() if isinstance(regions, dict) else regions)
            for value in _attributes(region, "region_attributes").values()
            for name in names_in(value)
        ]
        classes = tuple(texts.get(name, name) for name in given)
        boxes = tuple(dict.fromkeys(drawn))
        found.labels.append(ReadLabel(str(entry["filename"]), classes, "", boxes))
    return found


def _attributes(entry: object, key: str) -> dict[str, object]:
    found = entry.get(key) if isinstance(entry, dict) else None
    return found if isinstance(found, dict) else {}


def _texts(attribute: object) -> dict[str, str]:
    """Return the texts of an attribute's options; what is stored is their key."""
    options = attribute.get("options") if isinstance(attribute, dict) else None
    return {
        str(key): text
        for key, text in (options.items() if isinstance(options, dict) else ())
        if isinstance(text, str) and text.strip()
    }
