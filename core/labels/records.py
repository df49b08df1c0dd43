"""What a project says of each photo, for exports and statistics."""

from __future__ import annotations

import datetime
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.labels.classes import MARKS, Labels, clean_name
from core.values.class_mapping import KEPT_AS, joined, of_text
from core.values.predictions import unpack_classes

if TYPE_CHECKING:
    from core.labels.store import LabelStore

_RECORDS = """
    SELECT photos.path, photos.size, photos.sha256,
        events.classes, steps.who, steps.at, events.model, events.top,
        predictions.model, predictions.top
    FROM photos
    LEFT JOIN labels ON labels.photo = photos.id
    LEFT JOIN events ON events.id = labels.event
    LEFT JOIN steps ON steps.id = events.step
    LEFT JOIN predictions ON predictions.photo = photos.id
    WHERE photos.path IS NOT NULL AND (photos.place IS NOT NULL OR events.classes != '')
    ORDER BY photos.place IS NULL, photos.place, photos.id
"""


@dataclass(frozen=True, slots=True)
class SaidByModel:
    """What a model said of a photo.

    Attributes:
        top: names and probabilities, most likely first.
        model: architecture, checkpoint, sha256, preprocessing, outputs.
        meant: the class of the project that the likeliest means; "" for none.
    """

    top: tuple[tuple[str, float], ...]
    model: Mapping[str, Any]
    meant: str = ""

    @property
    def name(self) -> str:
        """Return the likeliest class."""
        return self.top[0][0]

    @property
    def version(self) -> str:
        """Return the model in few letters, e.g. "resnet50@ab12cd34"."""
        return f"{self.model['architecture']}@{self.model['sha256'][:8]}"


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo and its label.

    Attributes:
        path: the file.
        classes: names, in the order in which they were given; empty without a label.
        mark: "unsure", "reject" or "".
        who: "person", "proposal" or "import"; "" without a label.
        at: when, UTC in ISO 8601; "" without a label.
        size: in bytes.
        sha256: of the content, in hexadecimal; "" where it is not known yet.
        seen: what the model said when the label was given.
        prediction: what the model said last.
    """

    path: Path
    classes: tuple[str, ...] = ()
    mark: str = ""
    who: str = ""
    at: str = ""
    size: int = -1
    sha256: str = ""
    seen: SaidByModel | None = None
    prediction: SaidByModel | None = None

    @property
    def is_labelled(self) -> bool:
        """Return whether it has classes; unsure and reject are none."""
        return bool(self.classes)

    @property
    def is_corrected(self) -> bool:
        """Return whether the person said something else than the model had proposed."""
        return self.is_labelled and self.seen is not None and self.seen.meant not in self.classes

    @property
    def is_disagreeing(self) -> bool:
        """Return whether the model says something else now."""
        said = self.prediction or self.seen
        return self.is_labelled and said is not None and said.meant not in self.classes


def read_records(store: LabelStore) -> Iterator[LabelledPhoto]:
    """Yield every photo of the list and every labelled one, in the order of the list."""
    models = _Models(store)
    names = {one.id: one.name for one in store.classes.classes}
    for row in store.database.execute(_RECORDS):
        path, size, sha256, classes, who, at, seen_model, seen, model, top = row
        raw: Labels = tuple(map(int, classes.split(","))) if classes else ()
        labels = store.classes.resolve(raw)
        yield LabelledPhoto(
            path=Path(os.fsdecode(path)),
            classes=tuple(names[one] for one in labels if one in names),
            mark=next((MARKS[one] for one in labels if one in MARKS), ""),
            who=who if labels else "",
            at=_iso(at) if labels else "",
            size=size,
            sha256=sha256.hex() if sha256 else "",
            seen=models.said(seen_model, seen),
            prediction=models.said(model, top),
        )


class _Models:
    """The models that predictions stand beside, read once each."""

    def __init__(self, store: LabelStore) -> None:
        self._database = store.database
        self._classes = store.classes.names
        given = of_text(store.session().get(KEPT_AS, ""))
        self._given = {clean_name(name): meant for name, meant in given.items()}
        self._known: dict[int, tuple[dict[str, Any], Mapping[str, str]]] = {}

    def said(self, number: int | None, top: bytes | None) -> SaidByModel | None:
        if number is None or not top:
            return None
        if number not in self._known:
            row = self._database.execute("SELECT described FROM models WHERE id = ?", (number,))
            model = json.loads(row.fetchone()[0])
            names = [clean_name(name) for name in model["class_names"]]
            self._known[number] = model, joined(names, self._classes, self._given)
        model, meant = self._known[number]
        names = model["class_names"]
        said = [
            (names[at], round(share, 6)) for at, share in unpack_classes(top) if at < len(names)
        ]
        if not said:
            return None
        return SaidByModel(tuple(said), model, meant.get(clean_name(said[0][0]), ""))


@dataclass(frozen=True)
class Statistics:
    """Where a project stands.

    Attributes:
        photos: in the list, or labelled.
        labelled: with classes.
        by_class: photos of each class, in the order of the classes.
        by_mark: photos that are unsure and reject.
        today: photos labelled today.
        by_day: photos labelled on each of the days, the newest first, at most 14.
        accepted: labels that are proposals of a model.
        corrected: labels that differ from what the model had proposed.
        agreed: labels equal to what the model had proposed, accepted or not.
    """

    photos: int = 0
    labelled: int = 0
    by_class: Mapping[str, int] = field(default_factory=dict)
    by_mark: Mapping[str, int] = field(default_factory=dict)
    today: int = 0
    by_day: Mapping[str, int] = field(default_factory=dict)
    accepted: int = 0
    corrected: int = 0
    agreed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the command line's ``labels stats --json``."""
        return {
            "photos": self.photos,
            "labelled": self.labelled,
            "unlabelled": self.photos - self.labelled - sum(self.by_mark.values()),
            "by_class": dict(self.by_class),
            "unsure": self.by_mark.get("unsure", 0),
            "reject": self.by_mark.get("reject", 0),
            "today": self.today,
            "by_day": dict(self.by_day),
            "accepted": self.accepted,
            "corrected": self.corrected,
            "agreed": self.agreed,
        }


_DAYS = 14


def count(store: LabelStore) -> Statistics:
    """Count what a project holds."""
    by_class = Counter(dict.fromkeys(store.classes.names, 0))
    by_mark = Counter(dict.fromkeys(MARKS.values(), 0))
    by_day: Counter[str] = Counter()
    photos = labelled = accepted = corrected = agreed = 0
    for one in read_records(store):
        photos += 1
        by_class.update(one.classes)
        if one.mark:
            by_mark[one.mark] += 1
        if one.at:
            by_day[_local_day(one.at)] += 1
        if one.is_labelled:
            labelled += 1
            accepted += one.who == "proposal"
            corrected += one.is_corrected
            agreed += one.seen is not None and not one.is_corrected
    return Statistics(
        photos,
        labelled,
        by_class,
        by_mark,
        by_day.get(datetime.date.today().isoformat(), 0),
        dict(sorted(by_day.items(), reverse=True)[:_DAYS]),
        accepted,
        corrected,
        agreed,
    )


def _iso(at_ms: int) -> str:
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).isoformat(
        timespec="milliseconds"
    )


def _local_day(at: str) -> str:
    return datetime.datetime.fromisoformat(at).astimezone().date().isoformat()
