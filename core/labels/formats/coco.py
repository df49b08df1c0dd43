"""COCO's JSON: photos, categories, and annotations of whole photos or of boxes."""

from __future__ import annotations

from pathlib import Path

from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json, unreadable
from core.language import tr

_FOLDERS = ("images", "train", "val", "test", "valid", "data", "train2017", "val2017")


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read one file, or all of a folder with annotations in it.

    Raises:
        LabelsError: it cannot be read, or is not COCO's.
    """
    if path.is_file():
        return _read(path, options)
    found = ReadLabels(folders=[path])
    files = [*path.rglob("_annotations.coco.json"), *path.glob("annotations/*.json")]
    for file in sorted(files or path.glob("*.json")):
        one = _read(file, options)
        found.labels += one.labels
        found.classes = list(dict.fromkeys([*found.classes, *one.classes]))
        found.notes += one.notes
    if not found.labels:
        raise unreadable(path, tr("it has no annotations in COCO's form"))
    return found


def _read(path: Path, options: ReadOptions) -> ReadLabels:
    content = read_json(path, options)
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list):
        raise unreadable(path, tr("it has no “images”; it is not COCO's JSON"))
    names = {str(one["id"]): str(one["name"]) for one in content.get("categories") or ()}
    unknown = 0
    whole: dict[str, list[str]] = {}
    boxes: dict[str, list[str]] = {}
    for one in content.get("annotations") or ():
        name = names.get(str(one.get("category_id")))
        if name is None:
            unknown += 1
            continue
        is_box = any(one.get("bbox") or ()) or bool(one.get("segmentation"))
        (boxes if is_box else whole).setdefault(str(one["image_id"]), []).append(name)
    used = {name for held in (*whole.values(), *boxes.values()) for name in held}
    found = ReadLabels(
        classes=[name for name in names.values() if name in used],
        folders=[path.parent, path.parent.parent, *(path.parent.parent / one for one in _FOLDERS)],
    )
    if unknown:
        found.notes.append(
            tr(
                "{unknown} annotations in {path} are of categories that it does not name, "
                "and do not count.",
                unknown=unknown,
                path=path,
            )
        )
    for image in images:
        file = str(image.get("file_name") or image.get("coco_url") or "")
        classes = tuple(dict.fromkeys(whole.get(str(image["id"]), ())))
        drawn = tuple(dict.fromkeys(boxes.get(str(image["id"]), ())))
        found.labels.append(ReadLabel(file, classes, "", drawn))
    return found
