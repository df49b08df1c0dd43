"""List the photos below the paths that a user dropped, lazily and in natural order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from natsort import natsort_keygen, ns

from core.errors import os_reason

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

_natural = natsort_keygen(key=lambda entry: entry.name, alg=ns.IGNORECASE)


def find_images(
    paths: Iterable[Path],
    on_problem: Callable[[str], None],
    is_stopped: Callable[[], bool] = lambda: False,
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
    """
    entered: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            yield from _walk(path, entered, on_problem, is_stopped)
        else:
            yield path


def _walk(
    folder: Path,
    entered: set[tuple[int, int]],
    on_problem: Callable[[str], None],
    is_stopped: Callable[[], bool],
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
                entries = sorted(found, key=_natural)
        except OSError as error:
            on_problem(f"The folder {here} could not be opened: {os_reason(error)}.")
            continue
        subfolders = []
        for entry in entries:
            if is_stopped():
                return
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                subfolders.append(entry.path)
            elif _is_image(entry):
                yield Path(entry.path)
        waiting.extend(reversed(subfolders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() in IMAGE_ENDINGS:  # noqa: PTH122 - the hot path
        return True
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123 - the hot path
            return looks_like_image(file.read(32))
    except OSError:
        return False


def looks_like_image(start: bytes) -> bool:
    """Return whether a file with these first bytes (32 are enough) is a photo."""
    if start.startswith(_MAGIC):
        return True
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return True
    return start[4:8] == b"ftyp" and start[8:12] in _BRANDS
