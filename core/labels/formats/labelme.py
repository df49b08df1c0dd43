"""labelme's flags: one JSON file a photo, beside it, with a yes or no for each class."""

from __future__ import annotations

from pathlib import Path

from core.errors import LabelsError
from core.labels.reading import ReadLabel, ReadLabels, read_json


def read(path: Path) -> ReadLabels:
    """Read all JSON files of a folder that have flags, or one of them.

    Raises:
        LabelsError: there are none.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    found = ReadLabels(folders=[path if path.is_dir() else path.parent])
    classes: dict[str, None] = {}
    for file in files:
        content = read_json(file)
        flags = content.get("flags") if isinstance(content, dict) else None
        image = content.get("imagePath") if isinstance(content, dict) else None
        if not isinstance(flags, dict) or not isinstance(image, str):
            continue
        classes.update(dict.fromkeys(map(str, flags)))
        named = tuple(str(name) for name, is_set in flags.items() if is_set is True)
        found.labels.append(ReadLabel(str(file.parent / image.replace("\\", "/")), named))
    if not found.labels:
        raise LabelsError(f"{path} holds no files of labelme with flags; choose their folder.")
    found.classes = list(classes)
    return found
