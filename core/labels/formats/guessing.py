"""Whose form a file or folder of labels seems to have: by names, then by what stands inside."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.files import open_ordinary
from core.images.finding import IMAGE_ENDINGS
from core.labels.formats import roboflow
from core.labels.sheets import TABLES

_LOOKED_AT_BYTES = 2**28

_OF_ALL = re.compile(r"^(train|val|test|data)|images?|photos?|imgs?|pics|pictures", re.IGNORECASE)
"""In names of folders that hold all photos of a data set, or of a part of it."""

_FILES_OF_FOLDERS = (
    ("samples.json", "fiftyone"),
    ("labels.json", "fiftyone"),
    ("synsets.txt", "imagenet-text"),
    ("annotations.xml", "cvat"),
    ("metadata.jsonl", "hugging-face"),
    ("metadata.csv", "hugging-face"),
    ("*/metadata.jsonl", "hugging-face"),
    ("*/metadata.csv", "hugging-face"),
    (roboflow.FILE, "roboflow"),
    (f"*/{roboflow.FILE}", "roboflow"),
    ("_annotations.coco.json", "coco"),
    ("*/_annotations.coco.json", "coco"),
    ("image_class_labels.txt", "path-list"),
    ("*.vott", "vott"),
    ("*-asset.json", "vott"),
    ("vott-json-export/*-export.json", "vott"),
    ("ImageSets/Main", "voc"),
    ("Annotations/*.xml", "voc"),
)
"""What lies in a folder, and whose that is."""

_Told = tuple[str, Sequence[Sequence[bytes]]]

_OBJECTS: tuple[_Told, ...] = (
    ("datumaro", ([b'"items"', b'"categories"', b'"label"'], [b'"dm_format_version"'])),
    ("megadetector", ([b'"detection_categories"'], [b'"predictions"', b'"filepath"'])),
    ("via", ([b'"_via_img_metadata"'], [b'"file_attributes"', b'"regions"'])),
    ("vott", ([b'"assets"', b'"tags"'], [b'"asset"', b'"regions"'], [b'"frames"', b'"inputTags"'])),
    ("coco", ([b'"images"', b'"annotations"'], [b'"images"', b'"categories"'])),
    ("fiftyone", ([b'"samples"', b'"filepath"'], [b'"classes"', b'"labels"'])),
    ("labelme", ([b'"flags"', b'"imagePath"'], [b'"shapes"', b'"imagePath"'])),
    ("label-studio", ([b'"annotations"', b'"data"', b'"result"'],)),
)
"""Keys that an object has, in one or another version of a tool, and whose it is."""

_LISTS: tuple[_Told, ...] = (
    ("label-studio", ([b'"data"', b'"annotations"'], [b'"data"', b'"completions"'])),
    ("label-studio", ([b'"from_name"', b'"to_name"'], [b'"annotation_id"', b'"lead_time"'])),
    ("label-studio", ([b'"data"', b'"predictions"'], [b'"lead_time"', b'"annotator"'])),
)
"""The same for a list of objects."""


def guess(path: Path) -> str:
    """Return the name of the format that a file or folder seems to have.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        return _of_folder(path)
    ending = path.suffix.lower()
    if ending in TABLES:
        return "roboflow" if path.name == roboflow.FILE else "csv"
    content = _content(path)
    start = content[:512].lstrip(b"\xef\xbb\xbf \r\n\t")
    if ending in (".jsonl", ".ndjson", ".manifest"):
        return "hugging-face" if path.name == "metadata.jsonl" else "json-lines"
    if start.startswith(b"<"):
        return "cvat" if b"<annotations" in start or b"<image " in content else "voc"
    if ending in (".json", ".vott") or start[:1] in (b"{", b"["):
        return _of_json(content, start)
    if ending == ".txt" and (path.parent / "synsets.txt").is_file():
        return "imagenet-text"
    return "path-list" if ending in (".txt", ".lst", ".list") else "csv"


def _of_json(content: bytes, start: bytes) -> str:
    if start[:1] == b"[":
        return _told_by(content, _LISTS) or "records"
    first, _, rest = content.partition(b"\n")
    if first.rstrip().endswith(b"}") and rest.lstrip()[:1] == b"{":
        return "json-lines"
    return _told_by(content, _OBJECTS) or "records"


def _told_by(content: bytes, told: Iterable[_Told]) -> str:
    for name, versions in told:
        if any(all(key in content for key in keys) for keys in versions):
            return name
    return ""


def _of_folder(path: Path) -> str:
    for pattern, name in _FILES_OF_FOLDERS:
        found = next(path.glob(pattern), None)
        if found is None or (found.suffix == ".csv" and not _is_of(found, name)):
            continue
        return name
    for file in sorted(path.glob("annotations/*.json"))[:3]:
        told = _of_json(_content(file), b"{")
        if told in ("datumaro", "coco"):
            return told
    for pattern in ("*.json", "*/*.json"):
        first = [one for one in sorted(path.glob(pattern)) if one.is_file()][:1]
        if first and _of_json(_content(first[0]), b"{") == "labelme":
            return "labelme"
    files = [one for one in path.iterdir() if one.is_file()]
    if any(one.suffix.lower() in TABLES for one in files) and not _has_class_folders(path):
        return "csv"
    has_photos = any(entry.is_dir() for entry in path.iterdir())
    is_xml = any(one.suffix.lower() == ".xml" for one in files)
    return "voc" if is_xml and not has_photos else "class-folders"


def _is_of(table: Path, name: str) -> bool:
    """Return whether metadata.csv is Hugging Face's: others have such a file, too."""
    return name != "hugging-face" or b"file_name" in _content(table)[:4096]


def _has_class_folders(path: Path) -> bool:
    """Return whether photos lie in folders that are named like classes, not like all photos."""
    return any(
        entry.is_dir() and not _OF_ALL.search(entry.name) and _holds_photos(entry)
        for entry in path.iterdir()
    )


def _holds_photos(folder: Path) -> bool:
    return any(
        os.path.splitext(name)[1].lower() in IMAGE_ENDINGS  # noqa: PTH122
        for _, _, names in os.walk(folder)
        for name in names
    )


def _content(path: Path) -> bytes:
    with open_ordinary(path) as file:
        return file.read(_LOOKED_AT_BYTES)
