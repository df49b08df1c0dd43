"""Label Studio: a list of tasks, and the labelling configuration that they fit."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from core.errors import LabelsError
from core.files import json_bytes
from core.labels.plans import ExportOptions, Plan, common_folder, relative_to
from core.labels.reading import ReadLabel, ReadLabels, read_json
from core.labels.records import LabelledPhoto, SaidByModel

_LOCAL = "/data/local-files/?d="
_NAMES = {"from_name": "choice", "to_name": "image", "type": "choices"}
_QUOTE = {'"': "&quot;"}
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")


def write(
    photos: Sequence[LabelledPhoto], classes: Sequence[str], target: Path, options: ExportOptions
) -> Plan:
    """Plan one task a photo, for Label Studio's local storage at the folder of all photos."""
    plan = Plan()
    common = common_folder(photos)
    tasks = [_task(one, relative_to(one, common), options) for one in photos]
    several = any(len(one.classes) > 1 for one in photos)
    plan.texts[target.name] = json_bytes(tasks, indent=1)
    plan.texts[f"{target.stem} config.xml"] = _config(classes, several).encode()
    if common is not None:
        plan.notes.append(f"In Label Studio, add a local storage whose folder is {common}.")
    return plan


def read(path: Path) -> ReadLabels:
    """Read a list of tasks, whatever its names are; cancelled annotations do not count.

    Raises:
        LabelsError: it cannot be read, or is no list of tasks.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise LabelsError(f"{path} is no list of Label Studio's tasks; export it as JSON.")
    found = ReadLabels(folders=[path.parent])
    for task in tasks:
        data = task.get("data")
        named = _file(data) if isinstance(data, dict) else _file(task)
        if not named:
            raise LabelsError(f"{path} has a task that names no photo; export it as JSON.")
        found.labels.append(ReadLabel(named, tuple(dict.fromkeys(_choices(task)))))
    return found


def _task(one: LabelledPhoto, relative: str, options: ExportOptions) -> dict[str, Any]:
    key = hashlib.sha256(str(one.path).encode("utf-8", "surrogateescape")).hexdigest()[:10]
    quoted = urllib.parse.quote(relative.encode("utf-8", "surrogateescape"))
    task: dict[str, Any] = {"data": {"image": _LOCAL + quoted}}
    if one.classes:
        task["annotations"] = [{"result": [_result(key, list(one.classes))]}]
    said = one.prediction or one.seen
    if options.with_predictions and said is not None:
        task["predictions"] = [_prediction(key, said)]
    return task


def _prediction(key: str, said: SaidByModel) -> dict[str, Any]:
    return {
        "model_version": said.version,
        "score": said.top[0][1],
        "result": [_result(f"p{key}", [said.name])],
    }


def _result(key: str, names: list[str]) -> dict[str, Any]:
    return {"id": key, **_NAMES, "value": {"choices": names}}


def _config(classes: Iterable[str], several: bool) -> str:
    choices = "\n".join(f'    <Choice value="{escape(name, _QUOTE)}"/>' for name in classes)
    choice = ' choice="multiple"' if several else ""
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="choice" toName="image"{choice}>\n{choices}\n  </Choices>\n</View>\n'
    )


def _file(data: dict[str, Any]) -> str:
    """Return the photo that a task names, in whichever of Label Studio's forms."""
    values = [data.get("image"), *data.values()]
    value = next((one for one in values if isinstance(one, str) and one), "")
    if _LOCAL in value:
        return _unquoted(value.partition(_LOCAL)[2])
    if value.startswith(("http://", "https://", "file://", "/data/", "s3://", "gs://")):
        path = _unquoted(urllib.parse.urlsplit(value).path)
        folder, _, name = path.rpartition("/")
        return path if value.startswith("file://") else _UPLOADED.sub("", name) or folder
    return value


def _unquoted(text: str) -> str:
    quoted = text.encode("utf-8", "surrogateescape")
    return urllib.parse.unquote_to_bytes(quoted).decode("utf-8", "surrogateescape")


def _choices(task: dict[str, Any]) -> list[str]:
    annotations = task.get("annotations") or task.get("completions")
    if not annotations:  # the form "JSON-MIN"
        return _strings(task.get("choice"))
    for annotation in annotations if isinstance(annotations, list) else []:
        if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
            results = annotation.get("result")
            return [
                name
                for result in (results if isinstance(results, list) else [])
                if isinstance(result, dict) and isinstance(result.get("value"), dict)
                for name in _strings(result["value"].get("choices"))
            ]
    return []


def _strings(value: Any) -> list[str]:
    """Return a text, or the texts of a list."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
