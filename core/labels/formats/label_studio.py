"""Label Studio: a list of tasks, and the labelling configuration that they fit."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from core.errors import LabelsError
from core.files import json_bytes
from core.labels.formats.columns import LABELS, bare
from core.labels.formats.votes import Votes
from core.labels.locating import looks_like_file, unquoted
from core.labels.plans import ExportOptions, Plan, common_folder, relative_to
from core.labels.reading import ReadLabel, ReadLabels, ReadOptions, read_json
from core.labels.records import LabelledPhoto, SaidByModel
from core.language import tr

_LOCAL = "/data/local-files/?d="
_NAMES = {"from_name": "choice", "to_name": "image", "type": "choices"}
_QUOTE = {'"': "&quot;"}
_UPLOADS = "/data/upload/"
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
        plan.notes.append(
            tr("In Label Studio, add a local storage whose folder is {folder}.", folder=common)
        )
    return plan


def read(path: Path, options: ReadOptions) -> ReadLabels:
    """Read a list of tasks, whatever its names are; cancelled annotations do not count.

    Where several people have answered, the most votes count; where there are several questions,
    one of them is chosen.

    Raises:
        LabelsError: it cannot be read, or is no list of tasks.
    """
    tasks = read_json(path, options)
    if isinstance(tasks, dict):
        tasks = [tasks]
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise LabelsError(
            "{path} is not a list of Label Studio's tasks; export it as JSON.", path=path
        )
    answers: dict[str, list[Answers]] = {}
    is_flat = False
    for task in tasks:
        data = task.get("data")
        is_flat = not isinstance(data, dict)
        named = file_of(task if is_flat else data)
        if not named:
            raise LabelsError(
                "{path} has a task that names no photo; export it as JSON.", path=path
            )
        given = [_flat(task, named)] if is_flat else _annotated(task)
        answers.setdefault(named, []).extend(given)
    return chosen_answers(path, answers, options, is_flat=is_flat)


Answers = dict[str, tuple[str, ...]]
"""One person's answers: question → classes; under "" those of boxes."""

_OWN = frozenset(
    "id annotator annotation_id created_at updated_at lead_time agreement inner_id".split()
)


def chosen_answers(
    path: Path, answers: dict[str, list[Answers]], options: ReadOptions, *, is_flat: bool = False
) -> ReadLabels:
    """Return the answers to one question; where several people have answered, by votes.

    Args:
        path: where they are from.
        answers: of each person, by the photo.
        options: which question, and whether boxes count.
        is_flat: whether questions stand beside other facts, so that their names decide.

    Raises:
        LabelsError: the question that is wanted is not asked.
    """
    questions = list(
        dict.fromkeys(name for given in answers.values() for one in given for name in one if name)
    )
    question = same_name(options.label_column, questions) or next(iter(questions), "")
    if options.label_column and not same_name(options.label_column, questions):
        listed = ", ".join(f"“{name}”" for name in questions)
        raise LabelsError(
            "{path} asks no question “{question}”; it asks {listed}.",
            path=path,
            question=options.label_column,
            listed=listed,
        )
    found = ReadLabels(
        folders=[path.parent],
        label_columns=questions,
        label_column=question,
        must_choose=len(questions) > 1 or (is_flat and bare(question) not in LABELS),
    )
    votes = Votes()
    names = Counter(without_digits(named) for named in answers)
    for named, given in answers.items():
        classes = votes.override([one.get(question, ()) for one in given if question])
        boxes = dict.fromkeys(name for one in given for name in one.get("", ()))
        # Two uploads of one name are two photos; nothing tells which of them is at hand.
        file = without_digits(named) if names[without_digits(named)] == 1 else named
        found.labels.append(ReadLabel(file, classes, "", tuple(boxes)))
    found.notes += votes.notes
    return found


def _annotated(task: dict[str, object]) -> list[Answers]:
    """Return the answers of each person who has annotated a task."""
    given = task.get("annotations") or task.get("completions")
    found = []
    for annotation in given if isinstance(given, list) else []:
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        answers: dict[str, list[str]] = {}
        results = annotation.get("result")
        drawn = _regions(results)
        for result in results if isinstance(results, list) else []:
            value = result.get("value") if isinstance(result, dict) else None
            if not isinstance(value, dict):
                continue
            for kind, names in value.items():
                if kind == "choices" and result.get("id") not in drawn and _is_whole(value):
                    question = str(result.get("from_name") or "choice")
                    answers.setdefault(question, []).extend(_strings(names))
                elif kind.endswith("labels"):
                    answers.setdefault("", []).extend(_strings(names))
        found.append({name: tuple(dict.fromkeys(names)) for name, names in answers.items()})
    return found


def _regions(results: object) -> set[object]:
    """Return the ids of what is drawn on a photo."""
    return {
        result.get("id")
        for result in (results if isinstance(results, list) else [])
        if isinstance(result, dict)
        and isinstance(result.get("value"), dict)
        and not _is_whole(result["value"])
    } - {None}


def _is_whole(value: dict[str, object]) -> bool:
    """Return whether an answer is about a whole photo, not something drawn on it."""
    return not {"x", "points", "rle", "vertices"} & set(value)


def _flat(task: dict[str, object], file: str) -> Answers:
    """Return the answers of the form "JSON-MIN", in which every question is a key."""
    found: Answers = {}
    for key, value in task.items():
        if (
            key in _OWN
            or value in (None, "")
            or (isinstance(value, str) and file_of({"": value}) == file)
        ):
            continue
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            drawn = [
                name
                for one in value
                if isinstance(one, dict)
                for kind, names in one.items()
                if kind.endswith("labels")
                for name in _strings(names)
            ]
            found[""] = (*found.get("", ()), *drawn)
        elif isinstance(value, dict):
            found[key] = tuple(_strings(value.get("choices")))
        elif isinstance(value, str | list):
            found[key] = tuple(_strings(value))
    return {key: names for key, names in found.items() if names}


def _task(one: LabelledPhoto, relative: str, options: ExportOptions) -> dict[str, object]:
    key = hashlib.sha256(str(one.path).encode("utf-8", "surrogateescape")).hexdigest()[:10]
    quoted = urllib.parse.quote(relative.encode("utf-8", "surrogateescape"))
    task: dict[str, object] = {"data": {"image": _LOCAL + quoted}}
    if one.classes:
        task["annotations"] = [{"result": [_result(key, list(one.classes))]}]
    said = one.prediction or one.seen
    if options.with_predictions and said is not None:
        task["predictions"] = [_prediction(key, said)]
    return task


def _prediction(key: str, said: SaidByModel) -> dict[str, object]:
    return {
        "model_version": said.version,
        "score": said.top[0][1],
        "result": [_result(f"p{key}", [said.name])],
    }


def _result(key: str, names: list[str]) -> dict[str, object]:
    return {"id": key, **_NAMES, "value": {"choices": names}}


def _config(classes: Iterable[str], several: bool) -> str:
    choices = "\n".join(f'    <Choice value="{escape(name, _QUOTE)}"/>' for name in classes)
    choice = ' choice="multiple"' if several else ""
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="choice" toName="image"{choice}>\n{choices}\n  </Choices>\n</View>\n'
    )


def file_of(data: dict[str, object]) -> str:
    """Return the photo that a task names, in whichever of Label Studio's forms.

    To what is uploaded it gives eight digits before the name (see ``without_digits``); in other
    places such digits are the photo's own.
    """
    values = [data.get("image"), *data.values()]
    texts = [one for one in values if isinstance(one, str) and one]
    files = [one for one in texts if _LOCAL in one or looks_like_file(one)]
    value = (files or texts or [""])[0]
    if _LOCAL in value:
        return unquoted(value.partition(_LOCAL)[2])
    if value.startswith(_UPLOADS) or (value.startswith("http") and _UPLOADS in value):
        return _UPLOADS + unquoted(urllib.parse.urlsplit(value).path).rpartition("/")[2]
    return value


def without_digits(file: str) -> str:
    """Return the name that an uploaded photo had before."""
    if not file.startswith(_UPLOADS):
        return file
    return _UPLOADED.sub("", file.removeprefix(_UPLOADS))


def same_name(wanted: str, names: Sequence[str]) -> str:
    """Return the name that is meant, capitals or not; "" where there is none."""
    if wanted in names:
        return wanted
    return next((name for name in names if wanted and bare(name) == bare(wanted)), "")


def _strings(value: object) -> list[str]:
    """Return a text, or the texts of a list."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
