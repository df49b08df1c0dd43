"""Decide of which architecture a file is where several have the same parameters.

They differ in padding, blurring or normalisation, which leave no trace: what the user says decides,
then what the file says, then its name; else nobody can know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.errors import UnclearArchitectureError
from core.models.recognition.lookalikes import Groups
from core.models.recognition.sidecars import architecture_beside


@dataclass(frozen=True)
class Naming:
    """Which architecture a file is said to be of.

    Attributes:
        path: the file.
        wanted: by the user; None where he leaves it to Droplens.
        told: by the file, the surest first.
    """

    path: Path
    wanted: str | None = None
    told: tuple[str, ...] = ()


class ToldBy(Enum):
    """Who decided."""

    USER = "the user"
    FILE = "the file, or a config.json beside it of as many classes"
    FILE_NAME = "the file's name"
    NEIGHBOUR = "a config.json beside the file that does not say how many classes it has"
    NOBODY = "nobody: it is the usual one"


@dataclass(frozen=True)
class Choice:
    """One of several architectures.

    Attributes:
        architecture: which.
        others: those that have the same parameters and compute otherwise.
        by: who decided.
        alike: those that compute the same and may have been given photos otherwise.
    """

    architecture: str
    others: tuple[str, ...]
    by: ToldBy
    alike: tuple[str, ...] = ()


def choose(groups: Groups, naming: Naming, count: int, usual: str) -> Choice:
    """Return which architecture to build.

    Args:
        groups: of those with the same parameters; those in one group compute the same.
        naming: what is said of the file.
        count: outputs of its head.
        usual: the one that is far more widespread than the others; "" where there is none.

    Raises:
        UnclearArchitectureError: nobody can know.
    """
    names = [name for group in groups for name in group]
    beside = architecture_beside(naming.path, count)
    neighbour, is_sure = ("", False) if beside is None else (_plain(beside[0]), beside[1])
    told = [*map(_plain, naming.told), *([neighbour] if is_sure else [])]
    likely = {
        ToldBy.USER: naming.wanted or "",
        ToldBy.FILE: next((name for name in told if name in names), ""),
        ToldBy.FILE_NAME: _in_file_name(naming.path.stem.lower(), names),
        ToldBy.NEIGHBOUR: neighbour,
        ToldBy.NOBODY: usual if usual in names or len(groups) > 1 else names[0],
    }
    for by, name in likely.items():
        if name in names:
            (own,) = (group for group in groups if name in group)
            alike = tuple(one for one in own if one != name)
            return Choice(name, _others(groups, name), by, alike)
    raise UnclearArchitectureError(naming.path, tuple(group[0] for group in groups))


def _plain(told: str) -> str:
    """Return an architecture's name without a repository's before it and a tag behind it."""
    return told.rpartition("/")[2].partition(".")[0]


def _in_file_name(stem: str, names: Iterable[str]) -> str:
    """Return the longest name that stands in a file's name as whole words; "" for none."""
    standing = (
        name for name in names if re.search(rf"(^|[^a-z0-9]){re.escape(name)}([^a-z0-9]|$)", stem)
    )
    return max(standing, key=len, default="")


def _others(groups: Groups, chosen: str) -> tuple[str, ...]:
    return tuple(group[0] for group in groups if chosen not in group)
