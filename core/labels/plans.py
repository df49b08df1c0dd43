"""What an export would write: worked out before anything is touched."""

from __future__ import annotations

import filecmp
import hashlib
import os
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal, get_args

from core.labels.photos import content_of
from core.labels.records import LabelledPhoto
from core.language import tr

Transfer = Literal["copy", "move", "link"]
TRANSFERS: tuple[Transfer, ...] = get_args(Transfer)
Split = tuple[float, float, float]
"""Shares of train, val and test."""
SPLIT_NAMES = ("train", "val", "test")
USUAL_SPLIT: Split = (0.8, 0.1, 0.1)

_LONGEST_BYTES = 255
_SUFFIX_BYTES = 8
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class ExportOptions:
    """What a person chooses for an export.

    Attributes:
        transfer: how photos come to their new place.
        keep_folders: keep the subfolders in which photos lie, below those of the classes.
        split: shares of train, val and test; None for one set.
        seed: of the split.
        with_predictions: write what the model says, too.
        template: a sample submission, for Kaggle.
        taken: files that are photos of the project, over which nothing is put.
    """

    transfer: Transfer = "copy"
    keep_folders: bool = False
    split: Split | None = None
    seed: int = 0
    with_predictions: bool = False
    template: Path | None = None
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A photo and where it goes: with forward slashes, below the target folder."""

    photo: LabelledPhoto
    target: str


@dataclass
class Plan:
    """What an export would write.

    Attributes:
        files: photos, in order.
        texts: names of files with labels, and their content.
        notes: what a person should know, in sentences.
    """

    files: list[PlannedFile] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def folder_name(name: str) -> str:
    """Return a class name as a folder that any system can make and that leads nowhere else."""
    safe = _FORBIDDEN.sub("_", name).rstrip(". ")
    if not safe or safe.startswith(".") or _DEVICES.match(safe):
        safe = "_" + safe
    return shortened(safe, _LONGEST_BYTES - _SUFFIX_BYTES)


def plain_name(name: str) -> str:
    """Return a file's name as any disk and tool can take it: visible, and of plain letters."""
    plain = _FORBIDDEN.sub("_", name)
    return f"_{plain}" if plain.startswith(".") else plain


def shortened(name: str, longest_bytes: int) -> str:
    """Return the start of a name that takes at most so many bytes."""
    content = name.encode("utf-8", "surrogateescape")
    return (
        name if len(content) <= longest_bytes else content[:longest_bytes].decode(errors="ignore")
    )


def folders_of(classes: Iterable[str]) -> dict[str, str]:
    """Return a folder for each class, unlike all others also where case does not count."""
    taken: set[str] = {"classes.txt"}
    folders = {}
    for name in classes:
        folder = wanted = folder_name(name)
        number = 1
        while folder.casefold() in taken:
            number += 1
            folder = f"{wanted}-{number}"
        taken.add(folder.casefold())
        folders[name] = folder
    return folders


class Targets:
    """Gives every photo a place of its own below a folder.

    What is there already is never given again, unless it is this very photo: so an export that
    was interrupted goes on where it stopped.

    Args:
        root: the folder.
        taken: files that are photos of the project.
        unique_names: no file name twice, whatever the folder.
        unique_stems: no name twice that differs in its ending alone.
    """

    def __init__(
        self,
        root: Path,
        taken: frozenset[str],
        *,
        unique_names: bool = False,
        unique_stems: bool = False,
    ) -> None:
        self._root, self._photos = root, taken
        self._unique_names, self._unique_stems = unique_names, unique_stems
        self._taken: set[str] = set()

    def place(self, photo: LabelledPhoto, folder: str, name: str = "") -> PlannedFile:
        """Return where a photo goes.

        Args:
            photo: it.
            folder: below the root, with forward slashes; "" for the root itself.
            name: of the file; by default the one it has.
        """
        stem, ending = os.path.splitext(name or plain_name(photo.path.name))  # noqa: PTH122
        number = 1
        while True:
            suffix = f"-{number}" if number > 1 else ""
            room = _LONGEST_BYTES - len(os.fsencode(ending)) - len(suffix)
            candidate = shortened(stem, room) + suffix + ending
            target = f"{folder}/{candidate}" if folder else candidate
            key = self._key(target)
            if key not in self._taken and self._is_free(target, photo):
                self._taken.add(key)
                return PlannedFile(photo, target)
            number += 1

    def _key(self, target: str) -> str:
        key = target.casefold()
        if self._unique_names:
            key = key.rpartition("/")[2]
        return os.path.splitext(key)[0] if self._unique_stems else key  # noqa: PTH122

    def _is_free(self, target: str, photo: LabelledPhoto) -> bool:
        there = self._root / target
        if there == photo.path:
            return True
        if str(there) in self._photos:
            return False  # another photo of the project, though it may look the same
        return not os.path.lexists(there) or is_same(there, photo)


def is_same(file: Path, photo: LabelledPhoto) -> bool:
    """Return whether a file holds what a photo holds, also where the photo is gone."""
    try:
        if not file.is_file():
            return False
        if photo.path.exists():
            return file.samefile(photo.path) or filecmp.cmp(file, photo.path, shallow=False)
        if photo.size >= 0 and file.stat().st_size != photo.size:
            return False
        return bool(photo.sha256) and content_of(file).sha256.hex() == photo.sha256
    except OSError:
        return False


def common_folder(photos: Sequence[LabelledPhoto]) -> Path | None:
    """Return the folder that all photos lie below, None where there is none."""
    try:
        return Path(os.path.commonpath([one.path.parent for one in photos]))
    except ValueError:  # no photos, or several drives
        return None


def relative_to(photo: LabelledPhoto, folder: Path | None) -> str:
    """Return a photo's path below a folder with forward slashes, else its name alone."""
    if folder is None:
        return photo.path.name
    try:
        return PurePath(photo.path).relative_to(folder).as_posix()
    except ValueError:
        return photo.path.name


def subfolder(photo: LabelledPhoto, folder: Path | None) -> str:
    """Return the folders between ``folder`` and a photo."""
    return relative_to(photo, folder).rpartition("/")[0]


def split_of(photos: Sequence[LabelledPhoto], split: Split | None, seed: int) -> dict[Path, str]:
    """Share photos out among train, val and test, class by class.

    The same photos, shares and seed give the same sets, whatever the order of the photos. Of
    each class at least one photo is for training.

    Returns:
        The set of each photo; "" for all without a split.
    """
    if split is None:
        return dict.fromkeys((one.path for one in photos), "")
    whole = sum(split)
    common = common_folder(photos)
    by_class: dict[str, list[LabelledPhoto]] = {}
    for one in photos:
        by_class.setdefault(one.classes[0] if one.classes else "", []).append(one)
    sets = {}
    for name, members in by_class.items():
        members.sort(key=lambda one: relative_to(one, common))
        digest = hashlib.sha256(f"{seed} {name}".encode("utf-8", "surrogateescape")).digest()
        random.Random(digest).shuffle(members)
        count = len(members)
        held = [int(count * share / whole + 0.5) for share in split[1:]]
        while sum(held) > max(0, count - 1):
            held[held.index(max(held))] -= 1
        for number, one in enumerate(members):
            which = 1 if number < held[0] else 2 if number < sum(held) else 0
            sets[one.path] = SPLIT_NAMES[which]
    return sets


def note_empty_sets(sets: Iterable[str], split: Split | None, plan: Plan) -> None:
    """Say which sets get no photos, for some tools want all three."""
    found = set(sets)
    shares = zip(SPLIT_NAMES, split or (), strict=False)
    empty = [name for name, share in shares if share > 0 and name not in found]
    if empty:
        plan.notes.append(
            tr(
                "There are too few photos of each class for {names}; label more, or make "
                "their share larger.",
                names=" and ".join(empty),
            )
        )


def labelled_only(photos: Iterable[LabelledPhoto], plan: Plan) -> list[LabelledPhoto]:
    """Return the photos with classes, and note how many others are left out."""
    found = list(photos)
    kept = [one for one in found if one.is_labelled]
    if len(kept) < len(found):
        plan.notes.append(
            tr(
                "{n} of {n_2} photos have no class and are left out.",
                n=len(found) - len(kept),
                n_2=len(found),
            )
        )
    return kept


def used_classes(photos: Iterable[LabelledPhoto], classes: Sequence[str]) -> list[str]:
    """Return the classes that some of the photos have, in the order of the list."""
    used = {name for one in photos for name in one.classes}
    return [name for name in classes if name in used]


Writer = Callable[[Sequence[LabelledPhoto], Sequence[str], Path, ExportOptions], Plan]
"""Photos, all classes of the project, the target, and the options."""
