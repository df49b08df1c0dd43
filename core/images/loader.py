"""Threads that search, shrink and decode photos for people; the network has its own.

Nothing heavy is imported before the first request, so that a window can stand at once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.threads import yield_to_window

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.decoding import Photo
    from core.images.preprocessing import Box, Preprocessing

_CHUNK_SECONDS = 0.1
_CHUNK_PHOTOS = 500
_BREATH_SECONDS = 0.005
"""After each chunk, so that the window gets the interpreter to take it."""


@dataclass(frozen=True)
class ViewedPhoto:
    """A photo as the viewer shows it.

    Attributes:
        path: the file.
        photo: its pixels, and what is odd about it.
        seen: what the model saw, uint8, shape (h, w, 3); None where no model is loaded, or
            only a part of the photo could be decoded.
        box: where ``seen`` lies on ``pixels``, (left, top, right, bottom); None where the
            model sees the photo turned otherwise than people do.
    """

    path: Path
    photo: Photo
    seen: npt.NDArray[np.uint8] | None
    box: Box | None

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """Return the photo as people see it: RGB, uint8, shape (H, W, 3), upright."""
        return self.photo.pixels


@dataclass(frozen=True)
class SearchResult:
    """What a search has found.

    Attributes:
        photos: all, in order, as text: 100,000 paths take 40 MB more.
        came_early: whether some of them were told of before their order was known.
        passed_over: a sentence on what looks like photos and is none of them; or "".
    """

    photos: list[str]
    came_early: bool
    passed_over: str = ""


class ImageLoader:
    """Answers by futures; may be called from any one thread."""

    def __init__(self) -> None:
        self._searching = ThreadPoolExecutor(1, "search", initializer=yield_to_window)
        self._viewing = ThreadPoolExecutor(1, "view", initializer=yield_to_window)
        self._shrinking = ThreadPoolExecutor(2, "thumbnail", initializer=yield_to_window)
        self._thumbnails: dict[Path, Future[npt.NDArray[np.uint8]]] = {}
        self._newest_view: Future[ViewedPhoto] | None = None
        self._newest_preview: Future[ViewedPhoto] | None = None
        self._stop_search = threading.Event()

    def search(
        self,
        paths: Iterable[Path],
        on_found: Callable[[list[Path]], None],
        on_problem: Callable[[str], None],
    ) -> Future[SearchResult]:
        """List the photos below paths, in chunks as they are found.

        Args:
            paths: files and folders.
            on_found: called in the thread with each chunk; the first photos of a large folder
                come before their order is known.
            on_problem: called in the thread with a sentence for a folder that cannot be read.
        """
        return self._searching.submit(
            _search, tuple(paths), on_found, on_problem, self._stop_search.is_set
        )

    def stop_searches(self) -> None:
        """End the search in progress and forget those that wait; later ones are new."""
        self._stop_search.set()
        self._stop_search = threading.Event()

    def view(
        self, path: Path, preprocessing: Preprocessing | None, frame: int | None = None
    ) -> Future[ViewedPhoto]:
        """Decode a photo for the viewer; the newest request wins.

        Args:
            path: of the file.
            preprocessing: of the model, to show what it sees; None without one.
            frame: which of several pages, from 0; None for the one that models are given.
        """
        if self._newest_view is not None:
            self._newest_view.cancel()
        self._newest_view = self._viewing.submit(view, path, preprocessing, frame)
        return self._newest_view

    def save_pages(self, path: Path) -> Future[list[Path]]:
        """Make a photo of each page of a file, in a folder beside it."""
        return self._viewing.submit(_save_pages, path)

    def preview(self, path: Path, preprocessing: Preprocessing) -> Future[ViewedPhoto]:
        """Return a photo with what a preprocessing that is being edited makes of it."""
        if self._newest_preview is not None:
            self._newest_preview.cancel()
        self._newest_preview = self._viewing.submit(view, path, preprocessing)
        return self._newest_preview

    def thumbnails(
        self, paths: Iterable[Path], size_px: int
    ) -> dict[Path, Future[npt.NDArray[np.uint8]]]:
        """Ask for the thumbnails that are seen now; those asked for earlier are forgotten.

        Returns:
            The futures of the paths that were not being made already.
        """
        wanted = dict.fromkeys(paths)
        for path, future in list(self._thumbnails.items()):
            if future.done() or (path not in wanted and future.cancel()):
                del self._thumbnails[path]
        new = {}
        for path in wanted:
            if path not in self._thumbnails:
                new[path] = self._shrinking.submit(_shrink, path, size_px)
        self._thumbnails.update(new)
        return new

    def shut_down(self) -> None:
        """Forget what is queued and wait for what runs."""
        self._stop_search.set()
        for pool in (self._searching, self._viewing, self._shrinking):
            pool.shutdown(wait=True, cancel_futures=True)


def _search(
    paths: tuple[Path, ...],
    on_found: Callable[[list[Path]], None],
    on_problem: Callable[[str], None],
    is_stopped: Callable[[], bool],
) -> SearchResult:
    from core.images.finding import PassedOver, find_images

    passed_over = PassedOver()
    photos: list[str] = []
    came_early = False
    chunk: list[Path] = []
    sent = time.monotonic()

    def tell_early(met: list[Path]) -> None:
        nonlocal came_early
        came_early = True
        on_found(met)

    for path in find_images(paths, on_problem, is_stopped, tell_early, passed_over):
        photos.append(str(path))
        chunk.append(path)
        if len(chunk) >= _CHUNK_PHOTOS or time.monotonic() - sent > _CHUNK_SECONDS:
            on_found(chunk)
            time.sleep(_BREATH_SECONDS)
            chunk, sent = [], time.monotonic()
    if chunk and not is_stopped():
        on_found(chunk)
    return SearchResult(photos, came_early, passed_over.sentence())


def view(path: Path, preprocessing: Preprocessing | None, frame: int | None = None) -> ViewedPhoto:
    """Decode a photo for the viewer, once for both people and the model.

    Raises:
        UnreadableImageError: with the reason.
    """
    from core.errors import PreprocessingError
    from core.images.decoding import shown, stored_photo

    seen = None
    with stored_photo(path, frame=frame, may_be_partial=True) as stored:
        if preprocessing is not None and stored.damage is None and frame is None:
            # The photo still shows where it gives no input; its prediction says why.
            with contextlib.suppress(PreprocessingError):
                seen = preprocessing.see(stored)
        photo = shown(stored)
    if seen is None:
        return ViewedPhoto(path, photo, None, None)
    return ViewedPhoto(path, photo, seen.shown, _scaled(seen.box, photo))


def _scaled(box: Box | None, photo: Photo) -> Box | None:
    """Return a box on a photo's pixels, which may have been shrunk."""
    if box is None:
        return None
    height, width = photo.pixels.shape[:2]
    across, down = width / photo.size[0], height / photo.size[1]
    left, top, right, bottom = box
    return left * across, top * down, right * across, bottom * down


def _save_pages(path: Path) -> list[Path]:
    from core.images.pages import save_pages

    return save_pages(path)


def _shrink(path: Path, size_px: int) -> npt.NDArray[np.uint8]:
    from core.images.thumbnails import find_or_make_thumbnail

    return find_or_make_thumbnail(path, size_px)
