"""The licences of what Droplens bundles, out of the metadata of what is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

import resources

_TEXTS = re.compile(r"(^|/)(licen[cs]es?|copying|copyright|notice|authors|third)", re.IGNORECASE)
_REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_BYTES = 2**20
_NEVER_IMPORTED = ("huggingface-hub", "pyyaml")
"""What timm asks for and needs for no network of ours; the installed program leaves it out."""


@dataclass(frozen=True)
class Licence:
    """Of one part.

    Attributes:
        name: of the part, with its version.
        licence: in few words.
        text: whole; "" where the part brings none.
    """

    name: str
    licence: str
    text: str


def all_licences() -> list[Licence]:
    """Return the licences of what is shipped, and of everything that Droplens stands on."""
    shipped = [
        Licence(path.stem.replace("-", " "), "", path.read_text(encoding="utf-8"))
        for path in sorted(resources.path("licences").iterdir())
        if path.suffix == ".txt"
    ]
    return shipped + [_of(found) for found in bundled()]


def bundled() -> list[Distribution]:
    """Return Droplens' dependencies and theirs, as they are installed, by name."""
    found: dict[str, Distribution] = {}
    waiting = ["droplens"]
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found or key in _NEVER_IMPORTED:
            continue
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:
            continue  # of another system
        for requirement in found[key].requires or []:
            begin = _REQUIREMENT.match(requirement)
            if begin and "extra ==" not in requirement:
                waiting.append(begin[0])
    return [found[key] for key in sorted(found)]


def licence_of(found: Distribution) -> str:
    """Return a distribution's licence in few words, as its metadata name it."""
    about = found.metadata
    said = "".join((about.get_all("License-Expression") or about.get_all("License") or [])[:1])
    if not said or "\n" in said:
        classifiers = about.get_all("Classifier") or []
        named = [one.split(" :: ")[-1] for one in classifiers if one.startswith("License ::")]
        said = ", ".join(named)
    return said


def texts_of(found: Distribution) -> list[PackagePath]:
    """Return the files of a distribution that hold licences and notices."""
    return [
        file
        for file in found.files or []
        if _TEXTS.search(str(file)) and file.suffix.lower() not in (".py", ".pyc", ".so")
    ]


def _of(found: Distribution) -> Licence:
    texts = []
    for file in texts_of(found):
        path = Path(str(file.locate()))
        if path.is_file() and path.stat().st_size < _LONGEST_BYTES:
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
    name = f"{found.metadata['Name']} {found.version}"
    return Licence(name, licence_of(found), "\n\n".join(texts))
