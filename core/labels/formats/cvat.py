"""CVAT for images 1.1: tags of whole photos, and shapes drawn on them."""

from __future__ import annotations

from pathlib import Path

from core.labels.formats.xml_files import read_xml, text_of
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, unreadable
from core.language import tr

_FILE = "annotations.xml"
_SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid")


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read annotations.xml.

    Raises:
        LabelsError: it cannot be read, or is of a video.
    """
    file = path / _FILE if path.is_dir() else path
    root = read_xml(file)
    if root.tag != "annotations":
        raise unreadable(file, tr("it is not CVAT's XML"))
    images = list(root.iter("image"))
    if not images and root.find("track") is not None:
        raise unreadable(file, tr("it is of a video; export it from CVAT as “CVAT for images”"))
    found = ReadLabels(folders=[file.parent / "images", file.parent])
    found.classes = [text_of(label, "name") for label in root.findall("meta//labels/label")]
    for image in images:
        tags = [str(one.get("label")) for one in image.findall("tag")]
        drawn = [str(one.get("label")) for kind in _SHAPES for one in image.findall(kind)]
        found.labels.append(
            ReadLabel(
                str(image.get("name") or ""),
                tuple(dict.fromkeys(tags)),
                "",
                tuple(dict.fromkeys(drawn)),
            )
        )
    used = {name for label in found.labels for name in (*label.classes, *label.boxes)}
    found.classes = [name for name in found.classes if name in used]
    return found
