"""What can be asked about photos without a model: where they are, and how they look.

Nothing heavy is imported before the first request, so that a window can stand at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.work.requests import Request, is_stopped, tell

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.facts import PhotoFacts
    from core.images.preprocessing import Preprocessing
    from core.images.viewing import ViewedPhoto

_CHUNK_SECONDS = 0.1
_CHUNK_PHOTOS = 500
_BREATH_SECONDS = 0.005
"""After each chunk, so that the window gets the interpreter to take it."""


@dataclass(frozen=True)
class FoundPhotos:
    """Photos that a search has found so far; ``problem`` is a sentence on a folder, or ""."""

    photos: list[Path]
    problem: str = ""


@dataclass(frozen=True)
class SearchResult:
    """What a search has found in all.

    Attributes:
        photos: all, in order, as text: 100,000 paths take 40 MB more.
        came_early: whether some of them were told of before their order was known.
        passed_over: a sentence on what looks like photos and is none of them; or "".
    """

    photos: list[str]
    came_early: bool
    passed_over: str = ""


@dataclass(frozen=True)
class FindPhotos(Request[None, Iterator[FoundPhotos | SearchResult]]):
    """The photos below paths, in chunks as they are found, and the whole at the end.

    The first photos of a large folder come before their order is known.
    """

    lane = "search"
    paths: tuple[Path, ...]

    def run(self, _: None) -> Iterator[FoundPhotos | SearchResult]:
        from core.images.finding import PassedOver, find_images

        passed_over = PassedOver()
        photos: list[str] = []
        early: list[Path] = []
        chunk: list[Path] = []
        sent = time.monotonic()

        def tell_early(met: list[Path]) -> None:
            early.extend(met)
            tell(FoundPhotos(met))

        def tell_problem(sentence: str) -> None:
            tell(FoundPhotos([], sentence))

        for path in find_images(self.paths, tell_problem, is_stopped, tell_early, passed_over):
            photos.append(str(path))
            chunk.append(path)
            if len(chunk) >= _CHUNK_PHOTOS or time.monotonic() - sent > _CHUNK_SECONDS:
                tell(FoundPhotos(chunk))
                time.sleep(_BREATH_SECONDS)
                chunk, sent = [], time.monotonic()
        if is_stopped():
            return iter(())
        return iter((FoundPhotos(chunk), SearchResult(photos, bool(early), passed_over.sentence())))


@dataclass(frozen=True)
class ViewPhoto(Request[None, "ViewedPhoto"]):
    """A photo for the viewer.

    Attributes:
        path: of the file.
        preprocessing: of the model, to show what it sees; None without one.
        frame: which of several pages, from 0; None for the one that models are given.
    """

    lane = "view"
    slot = "view"
    path: Path
    preprocessing: Preprocessing | None = None
    frame: int | None = None

    def run(self, _: None) -> ViewedPhoto:
        from core.images.viewing import view

        return view(self.path, self.preprocessing, self.frame)


class PreviewPhoto(ViewPhoto):
    """A photo with what a preprocessing that is being edited makes of it."""

    slot = "preview"


class ViewBeside(ViewPhoto):
    """A second photo, to be shown beside the one that is viewed."""

    slot = "view beside"


@dataclass(frozen=True)
class SavePages(Request[None, list[Path]]):
    """Photos of each page of a file, made in a folder beside it."""

    lane = "copy"
    path: Path

    def run(self, _: None) -> list[Path]:
        from core.images.pages import save_pages

        return save_pages(self.path)


@dataclass(frozen=True)
class Thumbnail(Request[None, "npt.NDArray[np.uint8]"]):
    """A small picture of a photo, RGB, uint8, shape (h, w, 3)."""

    lane = "thumbnail"
    path: Path
    size_px: int

    def run(self, _: None) -> npt.NDArray[np.uint8]:
        from core.images.thumbnails import find_or_make_thumbnail

        return find_or_make_thumbnail(self.path, self.size_px)


@dataclass(frozen=True)
class FindFacts(Request[None, "Iterator[tuple[Path, PhotoFacts | None]]"]):
    """What can be said of photos without a model; None of those that cannot be opened."""

    lane = "search"
    photos: tuple[Path, ...]

    def run(self, _: None) -> Iterator[tuple[Path, PhotoFacts | None]]:
        from core.images.facts import facts_of

        return ((photo, facts_of(photo)) for photo in self.photos)


@dataclass(frozen=True)
class PhotoDetails(Request[None, list[tuple[str, str]]]):
    """What a photo's file says of it: captions and values."""

    lane = "view"
    path: Path

    def run(self, _: None) -> list[tuple[str, str]]:
        from core.images.details import details_of

        return details_of(self.path)


@dataclass(frozen=True)
class WhichAreThere(Request[None, list[Path]]):
    """Those of some photos whose files can be found."""

    lane = "returning"  # of its own: a dead mount holds it up for long
    slot = "which are there"
    photos: tuple[Path, ...]

    def run(self, _: None) -> list[Path]:
        # Not Path.exists, which raises where a mount is dead or a folder is locked.
        return [photo for photo in self.photos if os.path.exists(photo)]  # noqa: PTH110
