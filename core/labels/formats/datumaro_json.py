"""Datumaro's own JSON: a file a subset, with labels and boxes by their number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json, unreadable
from core.language import tr


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read one subset, or all of a folder.

    Raises:
        LabelsError: it cannot be read, or is not Datumaro's.
    """
    files = [path] if path.is_file() else sorted(path.glob("annotations/*.json"))
    root = path if path.is_dir() else path.parent.parent
    found = ReadLabels(folders=[root / "images", root])
    for file in files:
        content = read_json(file, options)
        items = content.get("items") if isinstance(content, dict) else None
        if not isinstance(items, list):
            raise unreadable(file, tr("it has no “items”; it is not Datumaro's JSON"))
        listed = ((content.get("categories") or {}).get("label") or {}).get("labels") or ()
        names = [str(one.get("name")) for one in listed]
        found.classes = list(dict.fromkeys([*found.classes, *names]))
        found.labels += [_label(item, names) for item in items]
    if not files:
        raise unreadable(path, tr("it has no annotations/*.json"))
    used = {name for label in found.labels for name in (*label.classes, *label.boxes)}
    found.classes = [name for name in found.classes if name in used]
    return found


def _label(item: dict[str, Any], names: list[str]) -> ReadLabel:
    whole: dict[str, None] = {}
    boxes: dict[str, None] = {}
    for one in item.get("annotations") or ():
        number = one.get("label_id")
        if isinstance(number, int) and 0 <= number < len(names):
            (whole if one.get("type") == "label" else boxes)[names[number]] = None
    file = str((item.get("image") or {}).get("path") or item.get("id") or "")
    return ReadLabel(file, tuple(whole), "", tuple(boxes))
