"""RAW photos: the largest picture that the camera has put into its file, by LibRaw."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import UnreadableImageError
from core.images import tiff_tags
from core.language import tr

RAW_ENDINGS = frozenset(
    ".3fr .arw .bay .cap .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .kdc .mdc .mef .mos .mrw "
    ".nef .nrw .orf .pef .ptx .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f".split()
)

MAGIC = (
    b"FUJIFILMCCD-RAW",
    b"IIRO",  # Olympus
    b"IIRS",
    b"MMOR",
    b"IIU\0",  # Panasonic
    b"HEAPCCDR",  # Canon, of old
    b"FOVb",  # Sigma
    b"\0MRM",  # Minolta
)
_CANON_3, _CANON_2 = b"ftypcrx ", b"CR\x02"

_DNG_VERSION = 0xC612
_LEAST_SIDE_PX = 640
"""Of a preview's longer side; smaller ones are for the camera's own list."""

_ORIENTATIONS = {3: 3, 5: 8, 6: 6}
"""How LibRaw calls the turns, and how EXIF does."""


@dataclass(frozen=True)
class Preview:
    """A picture inside of a RAW photo.

    Attributes:
        content: a file of it, JPEG or PPM.
        orientation: the turn that it wants where it does not say so itself, as EXIF numbers them.
    """

    content: BinaryIO
    orientation: int


def is_raw(path: Path, file: BinaryIO) -> bool:
    """Return whether a file is a RAW photo, by its ending or its beginning.

    Args:
        path: for its ending.
        file: at its beginning, where it is left.
    """
    start = file.read(16)
    file.seek(0)
    if start.startswith(MAGIC) or start[4:12] == _CANON_3 or start[8:11] == _CANON_2:
        return True
    is_tiff = start[:4] in tiff_tags.STARTS
    if path.suffix.lower() in RAW_ENDINGS:
        return is_tiff or start[:2] in (b"II", b"MM")
    if not is_tiff:
        return False
    tags = tiff_tags.first_tags(file) or {}
    is_thumbnail = tiff_tags.SUBFILE_TYPE in tags and tags[tiff_tags.SUBFILE_TYPE].first == 1
    return _DNG_VERSION in tags or (is_thumbnail and tiff_tags.SUBFILES in tags)


def preview_of(path: Path) -> Preview:
    """Return the largest picture inside of a RAW photo.

    Raises:
        UnreadableImageError: it has none, or a small thumbnail alone.
    """
    try:
        import rawpy
    except ImportError as error:
        reason = tr(
            "it is a RAW photo, which this computer's Droplens does not read; save it as JPEG"
        )
        raise UnreadableImageError(path, reason) from error
    try:
        with _opened(path) as photo:
            thumbnail = photo.extract_thumb()
            sizes = photo.sizes
            flip, sensor = sizes.flip, max(sizes.width, sizes.height)
    except rawpy.LibRawError as error:
        reason = tr(
            "it is a RAW photo without a preview that can be read: incomplete, or of a "
            "kind that Droplens does not read; copy it again, or save it as JPEG"
        )
        raise UnreadableImageError(path, reason) from error
    orientation = _ORIENTATIONS.get(flip, 1)
    if thumbnail.format == rawpy.ThumbFormat.JPEG:
        found = Preview(io.BytesIO(thumbnail.data), orientation)
        longer = max(_jpeg_size(thumbnail.data))
    else:
        height, width = thumbnail.data.shape[:2]
        header = b"P6 %d %d 255\n" % (width, height)
        found = Preview(io.BytesIO(header + thumbnail.data.tobytes()), orientation)
        longer = max(width, height)
    if longer < min(_LEAST_SIDE_PX, sensor):
        reason = tr("it is a RAW photo whose only preview is a small thumbnail; save it as JPEG")
        raise UnreadableImageError(path, reason)
    return found


def _opened(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - rawpy has no types
    import rawpy

    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:  # LibRaw takes names as UTF-8
        return rawpy.imread(io.BytesIO(path.read_bytes()))
    return rawpy.imread(os.fspath(path))


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Return (width, height) of a JPEG; (0, 0) where it is none."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            return image.size
    except (OSError, SyntaxError, ValueError):
        return 0, 0
