"""Pascal VOC: an XML file a photo, with the objects on it; or lists of photos, one a class."""

from __future__ import annotations

import re
from pathlib import Path

from core.labels.formats.xml_files import read_xml, text_of
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_text, unreadable
from core.language import tr

_LISTS = Path("ImageSets") / "Main"
_OF_CLASS = re.compile(r"(?P<name>.+)_(train|val|trainval|test|default)")
_LINE = re.compile(r'"?(?P<stem>.*?)"?\s+(?P<sign>-1|0|1)\s*')


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read one XML file, or all of a folder; their objects are boxes.

    Raises:
        LabelsError: there are none.
    """
    if path.is_file():
        files, root = [path], path.parent
    else:
        root = path
        files = sorted(path.rglob("*.xml"))
    found = ReadLabels(folders=[root, root / "JPEGImages", root.parent, root.parent / "JPEGImages"])
    if path.is_dir():
        _read_lists(path, found, options)
    if not found.labels:
        _read_objects(files, found)
    if not found.labels:
        raise unreadable(path, tr("it holds no annotations in the form of Pascal VOC"))
    return found


def _read_objects(files: list[Path], found: ReadLabels) -> None:
    for file in files:
        root = read_xml(file)
        if root.tag != "annotation":
            continue
        name = text_of(root, "filename") or file.stem
        drawn = [text_of(one, "name") for one in root.findall("object") if not _is_deleted(one)]
        boxes = tuple(dict.fromkeys(filter(None, drawn)))
        is_same = Path(name).stem == file.stem
        found.labels.append(ReadLabel(name if is_same else file.stem, (), "", boxes))


def _is_deleted(element: object) -> bool:
    return text_of(element, "deleted") == "1"  # type: ignore[arg-type]


def _read_lists(path: Path, found: ReadLabels, options: ReadOptions) -> None:
    """Read ImageSets/Main: a list of photos for each class, with 1 where it is on them."""
    classes: dict[str, list[str]] = {}
    names: dict[str, None] = {}
    for file in sorted((path / _LISTS).glob("*.txt")):
        matched = _OF_CLASS.fullmatch(file.stem)
        if matched is None:
            continue
        for line in read_text(file, options).splitlines():
            parsed = _LINE.fullmatch(line)
            if parsed is None:
                continue
            held = classes.setdefault(parsed["stem"], [])
            if parsed["sign"] == "1":
                held.append(matched["name"])
                names[matched["name"]] = None
    found.labels = [ReadLabel(stem, tuple(dict.fromkeys(held))) for stem, held in classes.items()]
    found.classes = list(names)
    found.by_stem = bool(found.labels)
