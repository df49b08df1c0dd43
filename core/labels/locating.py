"""Finds the photos that a file of labels names, in whichever way it names them."""

from __future__ import annotations

import os
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.images.finding import IMAGE_ENDINGS, find_images, is_photo

_LONGEST = 4096
"""Letters of a path; composing accents takes time by the square of it."""

_DEEPEST = 64
"""Folders of a name that are compared with those of a photo."""

_OF_URLS = ("http://", "https://", "s3://", "gs://", "azureml://", "amldatastore://", "wasbs://")
_FILE_URL = "file:"
_INATURALIST = re.compile(r"^.*photos/(\d+)/(?:square|small|medium|large|original)(\.\w+)$")
"""How iNaturalist names all photos; people keep them by their number."""


@dataclass
class _Index:
    """The photos below one folder, by the ends of their paths.

    Attributes:
        folder: of them.
        whole: by name, with as many folders before it as are named.
        bare: the same without the endings.
        tops: by the whole path below the folder, without the ending.
    """

    folder: Path
    whole: dict[str, list[Path]] = field(default_factory=dict)
    tops: dict[str, list[Path]] = field(default_factory=dict)
    bare: dict[str, list[Path]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> _Index:
        made = cls(folder)
        for path in find_images([folder], lambda _: None):
            parts = path.relative_to(folder).parts
            stem = os.path.splitext(parts[-1])[0]  # noqa: PTH122 - for 100,000 photos
            _note(made.whole, parts, path)
            _note(made.bare, (*parts[:-1], stem), path)
            made.tops.setdefault("/".join((*parts[:-1], stem)), []).append(path)
        return made


class Locator:
    """Finds photos by their names.

    Args:
        first: folders that a person has named: what lies there wins.
        then: folders where the photos may lie, the likeliest first.
        by_stem: names come without their ending.
    """

    def __init__(
        self, first: Iterable[Path] = (), then: Iterable[Path] = (), *, by_stem: bool = False
    ) -> None:
        self._first, self._then = _folders(first), _folders(then)
        self._by_stem = by_stem
        self._indexed: dict[Path, _Index] = {}

    def find(self, file: str) -> tuple[Path | None, bool]:
        """Return the photo that is meant, and whether it lies at the very place named.

        None where there is none, or several may be meant.
        """
        name, is_url = plain_name(file)
        if not name.strip() or "\0" in name or len(name) > _LONGEST:
            return None, False
        found = self._anywhere(name, is_url=is_url)
        if found[0] is None and name != name.strip():
            found = self._anywhere(name.strip(), is_url=is_url)
        return found

    def _anywhere(self, name: str, *, is_url: bool) -> tuple[Path | None, bool]:
        for folder in self._first:
            found = self._below(folder, name, is_url=is_url)
            if found[0] is not None:
                return found
        if not is_url and os.path.isabs(name) and _is_there(Path(name)):  # noqa: PTH117
            return Path(os.path.normpath(name)), True
        for folder in self._then:
            found = self._below(folder, name, is_url=is_url)
            if found[0] is not None:
                return found
        return None, False

    def _below(self, folder: Path, name: str, *, is_url: bool) -> tuple[Path | None, bool]:
        if not is_url:
            is_absolute = os.path.isabs(name)  # noqa: PTH117
            candidate = Path(os.path.normpath(name if is_absolute else folder / name))
            if (not is_absolute or candidate.is_relative_to(folder)) and _is_there(candidate):
                return candidate, True
        found = self._named(folder, name)
        return (found[0] if len(found) == 1 else None), False

    def _named(self, folder: Path, name: str) -> list[Path]:
        """Return the photos below a folder whose path ends so; the longest match counts."""
        if folder not in self._indexed:
            self._indexed[folder] = _Index.of(folder)
        index = self._indexed[folder]
        has_ending = os.path.splitext(name)[1].lower() in IMAGE_ENDINGS  # noqa: PTH122
        tables = [index.bare, index.whole] if self._by_stem else [index.whole]
        if not self._by_stem and not has_ending:
            tables.append(index.bare)
        if index.bare in tables and len(index.tops.get(name, ())) == 1:
            return [one for one in index.tops[name] if is_photo(one)]
        for table in tables:
            for path in (PurePosixPath(name), PureWindowsPath(name)):
                found = _longest(table, path)
                if found:
                    return [one for one in found if is_photo(one)]
        return []


def plain_name(file: str) -> tuple[str, bool]:
    """Return the path in a name of a photo, and whether that is one on the web or in a cloud."""
    name = file
    start = name[:16].lstrip().lower()
    if start.startswith((_FILE_URL, *_OF_URLS)):
        name = name.strip()
    if start.startswith(_FILE_URL):
        path = urllib.parse.urlsplit(name).path if name[5:7] == "//" else name[5:]
        path = unquoted(path)
        has_drive = len(path) > 2 and path[0] == "/" and path[2] == ":"
        return path[1:] if has_drive else path, False
    if start.startswith(_OF_URLS):
        try:
            path = unquoted(urllib.parse.urlsplit(name).path).lstrip("/")
            return _INATURALIST.sub(r"\1\2", path), True
        except ValueError:
            return name, True
    return name, False


def looks_like_file(text: str) -> bool:
    """Return whether a text seems to name a photo, by its ending."""
    name = plain_name(text)[0].partition("?")[0]
    return os.path.splitext(name)[1].lower() in IMAGE_ENDINGS  # noqa: PTH122


def unquoted(text: str) -> str:
    """Return a part of an address with its %20 and the like as letters."""
    quoted = text.encode("utf-8", "surrogateescape")
    return urllib.parse.unquote_to_bytes(quoted).decode("utf-8", "surrogateescape")


def _folders(folders: Iterable[Path]) -> list[Path]:
    absolute = dict.fromkeys(Path(os.path.abspath(one)) for one in folders)  # noqa: PTH100
    return [one for one in absolute if os.path.isdir(one)]  # noqa: PTH112


def _is_there(path: Path) -> bool:
    return os.path.isfile(path) and is_photo(path)  # noqa: PTH113 - the name may be too long


def _note(table: dict[str, list[Path]], parts: Sequence[str], path: Path) -> None:
    for key in _ends(parts):
        exact, loose = table.setdefault(key, []), table.setdefault(_loose(key), [])
        exact.append(path)
        loose.append(path)


def _longest(table: dict[str, list[Path]], path: PurePosixPath | PureWindowsPath) -> list[Path]:
    parts = [part for part in path.parts if part not in (path.anchor, ".", "..")]
    for key in reversed(list(_ends(parts[-_DEEPEST:]))):
        found = table.get(key) or table.get(_loose(key))
        if found:
            return found
    return []


def _ends(parts: Sequence[str]) -> Iterator[str]:
    """Yield the ends of a path, the shortest first."""
    for length in range(1, len(parts) + 1):
        yield "/".join(parts[-length:])


def _loose(key: str) -> str:
    """Return a key under which names are alike that differ in case, or in how accents are kept."""
    return "\0" + unicodedata.normalize("NFC", key).casefold()
