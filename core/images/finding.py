"""List the photos below the paths that a user dropped, lazily and in natural order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from core.errors import os_reason
from core.files import open_ordinary
from core.images import raw
from core.images.naming import natural_key
from core.language import number, tr

IMAGE_ENDINGS = frozenset(
    ".apng .avif .avifs .bmp .bw .cur .dds .dib .fits .gif .heic .heics .heif .heifs .hif "
    ".icns .ico .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .jxl .pbm .pcx .pgm .png .pnm "
    ".ppm .psd .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .webp .xbm .xpm".split()
).union(raw.RAW_ENDINGS)

JPEG_XL_MAGIC = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")

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
    *JPEG_XL_MAGIC,
    *raw.MAGIC,
)
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"crx ")

_OWN = ".droplens"
"""In the names of Droplens' own files."""

NO_FOLDERS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN")
"""What packing on a Mac, network drives and Windows leave beside the folders."""

_TOLD_OF = frozenset(
    ".ai .djvu .dcm .emf .eps .exr .hdr .hdp .jxr .pdf .psb .svg .svgz .wdp .wmf .xcf "
    ".3gp .avi .m4v .mkv .mov .mp4 .mpg .mpeg .mts .webm .wmv .zip".split()
)
"""Kinds of pictures, films and albums that are not read; people are told how many there are."""

_DEVELOPED = (".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif")
"""What cameras write beside a RAW photo."""

_RAW_TWIN = "RAW twin"

_EARLY = 200
"""Entries of a folder after which its first photos are told of, before all are known."""


class PassedOver(Counter[str]):
    """Counts files that look like photos and are passed over, by their kind."""

    def sentence(self) -> str:
        """Return what was passed over and why; "" where nothing was."""
        kinds = dict(self)
        pairs = kinds.pop(_RAW_TWIN, 0)
        said = []
        if kinds:
            listed = ", ".join(f"{number(count)} {kind}" for kind, count in sorted(kinds.items()))
            said.append(
                tr("Passed over, since Droplens does not read them: {listed}.", listed=listed)
            )
        if pairs:
            said.append(tr("RAW photos that share a row with the JPEG beside them: {n}.", n=pairs))
        return " ".join(said)

    def note(self, name: str) -> None:
        """Count a file that is not taken, if its kind is one of those that are told of."""
        kind = os.path.splitext(name)[1].lower()  # noqa: PTH122 - the hot path
        if kind in _TOLD_OF:
            self[kind[1:].upper()] += 1


def find_images(
    paths: Iterable[Path],
    on_problem: Callable[[str], None],
    is_stopped: Callable[[], bool] = lambda: False,
    on_early: Callable[[list[Path]], None] = lambda _: None,
    passed_over: PassedOver | None = None,
) -> Iterator[Path]:
    """Yield the photos that the paths name, folders searched to their bottom.

    A path that is no folder is yielded whatever it is: it was asked for by name, and what is
    wrong with it is said when it is decoded. Inside folders a file counts by its ending or,
    failing that, by its first bytes; hidden files do not. A folder is entered once,
    however many links lead to it. A RAW photo beside its JPEG is the same photo, and not yielded.

    Args:
        paths: in the order in which they shall appear.
        on_problem: called with a sentence for a folder that cannot be read.
        is_stopped: asked at every entry; ends the search.
        on_early: called with photos of a large folder as soon as they are met, while their
            order is not known yet; they are yielded all the same.
        passed_over: counts what is not yielded.
    """
    paths = list(paths)
    if passed_over is None:
        passed_over = PassedOver()
    search = _Search(on_problem, is_stopped, on_early, passed_over)
    named: dict[Path, list[str]] = {}
    for path in paths:
        named.setdefault(path.parent, []).append(path.name)
    taken = {folder: set(search.without_twins(names)) for folder, names in named.items()}
    for path in paths:
        if path.is_dir():
            yield from search.walk(path)
        elif path.name in taken[path.parent]:
            yield path


class _Search:
    """One search, through all its folders."""

    def __init__(
        self,
        on_problem: Callable[[str], None],
        is_stopped: Callable[[], bool],
        on_early: Callable[[list[Path]], None],
        passed_over: PassedOver,
    ) -> None:
        self._on_problem, self._is_stopped = on_problem, is_stopped
        self._on_early, self._passed_over = on_early, passed_over
        self._entered: set[tuple[int, int]] = set()

    def walk(self, folder: Path) -> Iterator[Path]:
        waiting = [str(folder)]
        while waiting:
            here = waiting.pop()
            try:
                status = Path(here).stat()
                if (status.st_dev, status.st_ino) in self._entered:
                    continue
                self._entered.add((status.st_dev, status.st_ino))
                with os.scandir(here) as found:
                    images, subfolders = self._sorted_out(found)
            except OSError as error:
                self._on_problem(
                    tr(
                        "The folder {here} could not be opened: {reason}.",
                        here=here,
                        reason=os_reason(error),
                    )
                )
                continue
            for name in images:
                if self._is_stopped():
                    return
                yield Path(here, name)
            waiting.extend(os.path.join(here, name) for name in reversed(subfolders))  # noqa: PTH118

    def _sorted_out(self, found: Iterable[os.DirEntry[str]]) -> tuple[list[str], list[str]]:
        """Return the names of photos and of subfolders, each in natural order."""
        images: list[str] = []
        subfolders: list[str] = []
        for entry in found:
            if self._is_stopped():
                break
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                if entry.name not in NO_FOLDERS:
                    subfolders.append(entry.name)
            elif _is_image(entry):
                images.append(entry.name)
                if len(images) == _EARLY:
                    folder = os.path.dirname(entry.path)  # noqa: PTH120 - the hot path
                    early = [name for name in images if not _is_raw(name)]  # may have a twin
                    self._on_early([Path(folder, name) for name in sorted(early, key=natural_key)])
            else:
                self._passed_over.note(entry.name)
        images = self.without_twins(images)
        return sorted(images, key=natural_key), sorted(subfolders, key=natural_key)

    def without_twins(self, names: list[str]) -> list[str]:
        """Return the names of a folder without RAW photos that have a JPEG of the same name."""
        developed = {
            os.path.splitext(name)[0].casefold()  # noqa: PTH122 - the hot path
            for name in names
            if name.lower().endswith(_DEVELOPED)
        }
        kept = [
            name
            for name in names
            if not _is_raw(name) or os.path.splitext(name)[0].casefold() not in developed  # noqa: PTH122
        ]
        if len(kept) < len(names):
            self._passed_over[_RAW_TWIN] += len(names) - len(kept)
        return kept


def _is_raw(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in raw.RAW_ENDINGS  # noqa: PTH122 - the hot path


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
