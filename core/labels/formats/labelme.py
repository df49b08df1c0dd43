"""labelme: one JSON file a photo, beside it, with a yes or no for each class, and shapes."""

from __future__ import annotations

from pathlib import Path

from core.errors import LabelsError
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read all JSON files of a folder and below it that have flags or shapes, or one of them.

    Raises:
        LabelsError: there are none.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    found = ReadLabels(folders=[path if path.is_dir() else path.parent])
    classes: dict[str, None] = {}
    for file in files:
        content = read_json(file, options)
        flags = content.get("flags") if isinstance(content, dict) else None
        image = content.get("imagePath") if isinstance(content, dict) else None
        if not isinstance(flags, dict | None) or not isinstance(image, str):
            continue
        shapes = content.get("shapes")
        drawn = [str(one.get("label")) for one in shapes or () if isinstance(one, dict)]
        classes.update(dict.fromkeys(map(str, flags or ())))
        named = tuple(str(name) for name, is_set in (flags or {}).items() if is_set is True)
        place = str(file.parent / image.replace("\\", "/"))
        found.labels.append(ReadLabel(place, named, "", tuple(dict.fromkeys(drawn))))
    if not found.labels:
        raise LabelsError(
            "{path} holds no files of labelme with flags; choose their folder.", path=path
        )
    found.classes = list(classes)
    return found
