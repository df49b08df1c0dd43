"""List the photos below the paths that a user dropped, lazily and in natural order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from core.errors import os_reason
from core.files import open_ordinary
from core.images.naming import natural_key

IMAGE_ENDINGS = frozenset(
    ".apng .avif .avifs .bmp .bw .cur .dds .dib .fit .fits .gif .heic .heics .heif .heifs .hif "
    ".icns .ico .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .pbm .pcx .pgm .png .pnm "
    ".ppm .psd .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .webp .xbm .xpm".split()
)

_MAGIC = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",  # TIFF
    b"MM\0*",
    b"8BPS",  # Photoshop
    b"qoif",
    b"\0\0\0\x0cjP  \r\n\x87\n",  # JPEG 2000
    b"\xff\x4f\xff\x51",
    b"DDS ",
)
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

_OWN = ".droplens"
"""In the names of Droplens' own files."""

_EARLY = 200
"""Entries of a folder after which its first photos are told of, before all are known."""


def find_images(
    paths: Iterable[Path],
    on_problem: Callable[[str], None],
    is_stopped: Callable[[], bool] = lambda: False,
    on_early: Callable[[list[Path]], None] = lambda _: None,
) -> Iterator[Path]:
    """Yield the photos that the paths name, folders searched to their bottom.

    A path that is no folder is yielded whatever it is: it was asked for by name, and what is
    wrong with it is said when it is decoded. Inside folders a file counts by its ending or,
    failing that, by its first bytes; hidden files do not. A folder is entered once,
    however many links lead to it.

    Args:
        paths: in the order in which they shall appear.
        on_problem: called with a sentence for a folder that cannot be read.
        is_stopped: asked at every entry; ends the search.
        on_early: called with photos of a large folder as soon as they are met, while their
            order is not known yet; they are yielded all the same.
    """
    entered: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            yield from _walk(path, entered, on_problem, is_stopped, on_early)
        else:
            yield path


def _walk(
    folder: Path,
    entered: set[tuple[int, int]],
    on_problem: Callable[[str], None],
    is_stopped: Callable[[], bool],
    on_early: Callable[[list[Path]], None],
) -> Iterator[Path]:
    waiting = [str(folder)]
    while waiting:
        here = waiting.pop()
        try:
            status = Path(here).stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(here) as found:
                images, subfolders = _sorted_out(found, is_stopped, on_early)
        except OSError as error:
            on_problem(f"The folder {here} could not be opened: {os_reason(error)}.")
            continue
        for name in images:
            if is_stopped():
                return
            yield Path(here, name)
        waiting.extend(os.path.join(here, name) for name in reversed(subfolders))  # noqa: PTH118


def _sorted_out(
    found: Iterable[os.DirEntry[str]],
    is_stopped: Callable[[], bool],
    on_early: Callable[[list[Path]], None],
) -> tuple[list[str], list[str]]:
    """Return the names of photos and of subfolders, each in natural order."""
    images: list[str] = []
    subfolders: list[str] = []
    for entry in found:
        if is_stopped():
            break
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            subfolders.append(entry.name)
        elif _is_image(entry):
            images.append(entry.name)
            if len(images) == _EARLY:
                folder = os.path.dirname(entry.path)  # noqa: PTH120 - the hot path
                on_early([Path(folder, name) for name in sorted(images, key=natural_key)])
    return sorted(images, key=natural_key), sorted(subfolders, key=natural_key)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() in IMAGE_ENDINGS:  # noqa: PTH122 - the hot path
        return True
    if _OWN in entry.name:
        return False  # opening and closing a database would end its locks
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123 - the hot path
            return looks_like_image(file.read(32))
    except OSError:
        return False


def is_photo(path: Path) -> bool:
    """Return whether a file is a photo, by its ending or its first bytes.

    What a file of labels names need not be one. A link is what it leads to.
    """
    try:
        real = path.resolve()
        if real.suffix.lower() in IMAGE_ENDINGS:
            return True
        with open_ordinary(real) as file:
            return looks_like_image(file.read(32))
    except (OSError, RuntimeError):  # links that run in a circle
        return False


def looks_like_image(start: bytes) -> bool:
    """Return whether a file with these first bytes (32 are enough) is a photo."""
    if start.startswith(_MAGIC):
        return True
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return True
    return start[4:8] == b"ftyp" and start[8:12] in _BRANDS
