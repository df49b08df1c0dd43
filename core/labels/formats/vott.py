"""Microsoft's VoTT: an export, a project with its assets beside it, or the form of version 1."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

from core.errors import LabelsError
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json, unreadable
from core.language import tr


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read an export, a project, one asset or a folder of assets; all their tags are of boxes.

    Raises:
        LabelsError: it cannot be read, or is not VoTT's.
    """
    found = ReadLabels(folders=[path if path.is_dir() else path.parent, path.parent])
    if path.is_dir():
        exports = sorted([*path.rglob("*-export.json"), *path.glob("*.vott")])
        assets = exports[:1] or sorted(path.glob("*-asset.json"))
        for file in assets:
            found.labels += read(file, options).labels
        if not found.labels:
            raise unreadable(path, tr("it holds no project of VoTT"))
        return found
    content = read_json(path, options)
    if not isinstance(content, dict):
        raise unreadable(path, tr("it is not a project of VoTT"))
    if isinstance(content.get("frames"), dict):
        for name, regions in content["frames"].items():
            found.labels.append(_label(name, regions))
        return found
    assets_by_id = content.get("assets")
    if isinstance(content.get("asset"), dict):
        assets_by_id = {"": content}
    if not isinstance(assets_by_id, dict):
        raise unreadable(path, tr("it has no “assets”; it is not a project of VoTT"))
    for number, asset in assets_by_id.items():
        whole = asset
        if "asset" not in asset:  # a project keeps the regions in a file a photo
            whole = {"asset": asset, "regions": _regions_beside(path, number, options)}
        name = urllib.parse.unquote(str(whole["asset"].get("name") or ""))
        found.labels.append(_label(name, whole.get("regions") or []))
    return found


def _label(name: str, regions: list[Any]) -> ReadLabel:
    tags = [str(tag) for region in regions for tag in region.get("tags") or ()]
    return ReadLabel(name, (), "", tuple(dict.fromkeys(tags)))


def _regions_beside(project: Path, number: str, options: ReadOptions) -> list[Any]:
    for file in (
        project.parent / f"{number}-asset.json",
        *project.parent.glob(f"*/{number}-asset.json"),
    ):
        if file.is_file():
            try:
                content = read_json(file, options)
            except LabelsError:
                return []
            return content.get("regions") or [] if isinstance(content, dict) else []
    return []
