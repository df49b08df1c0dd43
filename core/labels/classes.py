"""The list of classes that a person labels with: a value; every edit gives a new one."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.errors import LabelsError

UNSURE, REJECT = -1, -2
"""Beside the classes: the person cannot say, or the photo shall not be used."""

MARKS = {UNSURE: "unsure", REJECT: "reject"}
"""How the two are written in files."""

MARK_KEYS = {"u": UNSURE, "x": REJECT}
KEYS = "123456789abcdefghijklmnopqrstvwyz"
"""Keys for classes, in the order in which they are given out."""

COLOURS = (
    "#3b82f6 #ef4444 #22a559 #eab308 #a855f7 #f97316 #14b8a6 #ec4899 #84cc16 #6366f1 "
    "#d97706 #06b6d4"
).split()
"""Given to classes in turn; each is told from its neighbours in both schemes."""

LONGEST_NAME = 200
_LONGEST_READ = 10 * LONGEST_NAME

Labels = tuple[int, ...]
"""Class numbers of a photo's label, or one of ``UNSURE`` and ``REJECT``; empty without a label."""


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class.

    Attributes:
        id: its number in this project, never given again.
        name: unlike all others.
        colour: as #rrggbb.
        key: one character of ``KEYS``, or "".
    """

    id: int
    name: str
    colour: str
    key: str = ""


@dataclass(frozen=True)
class ClassList:
    """The classes in their order.

    Attributes:
        classes: as shown.
        is_multiple: whether a photo may have several classes.
        became: of classes that are gone, the one that their labels count for now; None where
            their labels went with them.
        next_id: of the next new class.
    """

    classes: tuple[LabelClass, ...] = ()
    is_multiple: bool = False
    became: Mapping[int, int | None] = field(default_factory=dict)
    next_id: int = 1

    def __getitem__(self, class_id: int) -> LabelClass:
        return next(one for one in self.classes if one.id == class_id)

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the numbers of all classes in order."""
        return tuple(one.id for one in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all classes in order."""
        return tuple(one.name for one in self.classes)

    def id_of(self, name: str) -> int | None:
        """Return the number of the class of this name."""
        wanted = clean_name(name)
        return next((one.id for one in self.classes if one.name == wanted), None)

    def resolve(self, labels: Labels) -> Labels:
        """Return what a label of some time ago means now: classes may be merged or gone."""
        if not self.became:
            return labels
        found: dict[int, None] = {}
        for one in labels:
            now: int | None = one
            while now is not None and now in self.became:
                now = self.became[now]
            if now is not None:
                found[now] = None
        return tuple(found)

    def said(self, labels: Labels) -> str:
        """Return the names of a resolved label, for people."""
        names = {one.id: one.name for one in self.classes} | MARKS
        return ", ".join(names[one] for one in labels if one in names)

    # Edits

    def add(self, names: Iterable[str]) -> ClassList:
        """Append classes; names that are there already are passed over.

        Raises:
            LabelsError: a name is empty or too long.
        """
        there = set(self.names)
        new = [name for name in dict.fromkeys(map(checked_name, names)) if name not in there]
        used = {one.key for one in self.classes}
        free = iter([key for key in KEYS if key not in used])
        first = self.next_id
        added = tuple(
            LabelClass(number, name, COLOURS[(number - 1) % len(COLOURS)], next(free, ""))
            for number, name in enumerate(new, first)
        )
        return replace(self, classes=self.classes + added, next_id=first + len(added))

    def rename(self, class_id: int, name: str) -> ClassList:
        """Give a class another name.

        Raises:
            LabelsError: another class has this name, or it is empty or too long.
        """
        name = checked_name(name)
        if self.id_of(name) not in (None, class_id):
            raise LabelsError(
                "There is a class named “{name}” already; merge the two, or choose another name.",
                name=name,
            )
        return self._changed(replace(self[class_id], name=name))

    def recolour(self, class_id: int, colour: str) -> ClassList:
        """Give a class another colour."""
        return self._changed(replace(self[class_id], colour=colour))

    def set_key(self, class_id: int, key: str) -> ClassList:
        """Give a class a key; another class that has it loses it.

        Raises:
            LabelsError: it is none of ``KEYS``.
        """
        key = key.lower()
        if key and key not in KEYS:
            raise LabelsError(
                "“{key}” cannot be a class's key. Free for classes are {key_2} to "
                "{key_3} and the letters but U (unsure) and X (reject).",
                key=key,
                key_2=KEYS[0],
                key_3=KEYS[8],
            )
        freed = {one.id: "" if one.key == key else one.key for one in self.classes}
        freed[class_id] = key
        return replace(self, classes=tuple(replace(o, key=freed[o.id]) for o in self.classes))

    def move(self, class_id: int, position: int) -> ClassList:
        """Let a class stand elsewhere in the order."""
        rest = [one for one in self.classes if one.id != class_id]
        rest.insert(position, self[class_id])
        return replace(self, classes=tuple(rest))

    def merge(self, class_id: int, into: int) -> ClassList:
        """Take a class away; its labels count for another one."""
        return self._without(class_id, into)

    def remove(self, class_id: int) -> ClassList:
        """Take a class away with its labels."""
        return self._without(class_id, None)

    def set_multiple(self, multiple: bool) -> ClassList:
        """Say whether a photo may have several classes; labels that stand stay as they are."""
        return replace(self, is_multiple=multiple)

    def _changed(self, changed: LabelClass) -> ClassList:
        classes = tuple(changed if one.id == changed.id else one for one in self.classes)
        return replace(self, classes=classes)

    def _without(self, class_id: int, into: int | None) -> ClassList:
        if class_id == into:
            raise ValueError("a class cannot be merged into itself")
        rest = tuple(one for one in self.classes if one.id != class_id)
        return replace(self, classes=rest, became={**self.became, class_id: into})

    # As text

    def to_json(self) -> str:
        """Return the list as text."""
        return json.dumps(
            {
                "classes": [[one.id, one.name, one.colour, one.key] for one in self.classes],
                "multiple": self.is_multiple,
                "became": list(self.became.items()),
                "next": self.next_id,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ClassList:
        """Read what ``to_json`` has written.

        Raises:
            Exception: of many types, where it is something else.
        """
        found = json.loads(text)
        classes = tuple(
            LabelClass(int(number), str(name), str(colour), str(key))
            for number, name, colour, key in found["classes"]
        )
        became = {int(old): new if new is None else int(new) for old, new in found["became"]}
        return cls(classes, bool(found["multiple"]), _at_once(became), int(found["next"]))


def _at_once(became: Mapping[int, int | None]) -> dict[int, int | None]:
    """Return what classes became in the end, without the steps between.

    Raises:
        ValueError: some became each other.
    """
    ends: dict[int, int | None] = {}
    for old in became:
        way: dict[int, None] = {}
        now: int | None = old
        while now is not None and now in became and now not in ends:
            if now in way:
                raise ValueError("classes that became each other")
            way[now] = None
            now = became[now]
        end = ends.get(now, now) if now is not None else None
        ends |= dict.fromkeys(way, end)
    return ends


def clean_name(name: str) -> str:
    """Return a name as it is kept: composed letters, no line breaks, single blanks."""
    visible = "".join(
        letter if unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") else " "
        for letter in name[:_LONGEST_READ]  # composing takes time by the square of the length
    )
    return " ".join(unicodedata.normalize("NFC", visible).split())


def checked_name(name: str) -> str:
    """Return a name as it is kept.

    Raises:
        LabelsError: it is empty or too long.
    """
    kept = clean_name(name)
    if not kept:
        raise LabelsError("A class needs a name; this one is empty.")
    if len(kept) > LONGEST_NAME:
        raise LabelsError(
            "The class name “{kept}…” is too long: it has {n} letters, and "
            "{longest_name} are the most.",
            kept=kept[:40],
            n=len(kept),
            longest_name=LONGEST_NAME,
        )
    return kept
