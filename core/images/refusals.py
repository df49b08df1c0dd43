"""Why a photo could not be decoded, in words that end a sentence: its kind, or its fault."""

from __future__ import annotations

import struct
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from core.errors import os_reason
from core.files import open_ordinary
from core.images.costs import CostlyError
from core.images.finding import looks_like_image
from core.images.journal import EndsProgramError

PIXEL_LIMIT = 225_000_000
"""Photos with more pixels are refused, before they are decoded."""

_START_BYTES = 4096
_DAMAGED = "the file is damaged; copy or download it again"
_INCOMPLETE = "the file is incomplete; copy or download it again"
_UNKNOWN = "it is not a picture of a known format"

_PICTURES = (
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"gimp xcf", "a GIMP project"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"FLIF", "a FLIF picture"),
    (b"BPG\xfb", "a BPG picture"),
    (b"II\xbc", "a JPEG XR picture"),
    (b"II+\0", "a BigTIFF with several parts"),
    (b"AT&TFORM", "a DjVu document"),
)
"""Beginnings of pictures that Droplens does not read."""

_NO_PICTURES = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"PK\x03\x04", "an archive or a document"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"OggS", "a sound or a video"),
    (b"ID3", "a sound"),
)
"""Beginnings of files that are something else."""

_SEARCHED_FOR_MARKUP = 512

_JPEG_FRAMES = {
    0xC3: "lossless JPEG",
    0xC5: "differential JPEG",
    0xC6: "differential JPEG",
    0xC7: "lossless JPEG",
    0xCB: "lossless JPEG",
    0xF7: "JPEG-LS",
}
_PSD_MODES = {0: "bitmap", 2: "indexed", 7: "multichannel", 8: "duotone"}
_TIFF_COMPRESSIONS = {6: "old-style JPEG", 34712: "JPEG 2000", 34887: "LERC", 50002: "JPEG XL"}
_TIFF_FORMS = {2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}


class TooMuchMemoryError(Exception):
    """Decoding a photo takes more than all decoders may have."""


def reason_of(path: Path, error: Exception) -> str:
    """Return why a photo could not be decoded.

    Args:
        path: the photo.
        error: what its decoder raised, or the system.
    """
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels"
    if isinstance(error, (MemoryError, TooMuchMemoryError)):
        return "it does not fit in the memory that photos may take"
    if isinstance(error, CostlyError):
        return "decoding it would take minutes; it is damaged, or was made to do so"
    if isinstance(error, EndsProgramError):
        return "Droplens ended while opening it last time, so it is left out until it changes"
    if isinstance(error, OSError) and error.filename is not None:
        return os_reason(error)
    try:
        with open_ordinary(path) as file:
            start = file.read(_START_BYTES)
    except OSError as gone:
        return os_reason(gone)
    if not start:
        return "the file is empty"
    unsupported = _unsupported(start)
    if unsupported:
        return unsupported
    if isinstance(error, UnidentifiedImageError) and not _has_known_start(start):
        return _UNKNOWN
    is_cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
    return _INCOMPLETE if is_cut else _DAMAGED


def _unsupported(start: bytes) -> str:
    """Return why a file of this beginning is not read, if its kind is sound; else ""."""
    for is_kind, describe in _BY_START:
        if start.startswith(is_kind):
            try:
                return _as_reason(describe(start))
            except struct.error:
                return ""
    bare = start[:_SEARCHED_FOR_MARKUP].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if b"<svg" in start[:_SEARCHED_FOR_MARKUP]:
        return _as_reason("a drawing (SVG)")
    if start[128:132] == b"DICM":
        return _as_reason("a DICOM picture")
    for beginning, name in _PICTURES:
        if bare.startswith(beginning.lower()):
            return _as_reason(name)
    for beginning, name in _NO_PICTURES:
        if bare.startswith(beginning.lower()):
            return f"it is {name}, not a photo"
    is_film = start[4:8] == b"ftyp" and not looks_like_image(start)
    return "it is a video, not a photo" if is_film else ""


def _as_reason(kind: str) -> str:
    if not kind:
        return ""
    return f"it is {kind}, which Droplens does not read; save it as JPEG, PNG or TIFF"


def _has_known_start(start: bytes) -> bool:
    return any(start.startswith(is_kind) for is_kind, _ in _BY_START)


def _jpeg(start: bytes) -> str:
    """Name a JPEG by its frame. Source: ITU-T T.81, annex B."""
    at = 2
    while at + 9 < len(start) and start[at] == 0xFF:
        marker = start[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _JPEG_FRAMES:
            return f"a {_JPEG_FRAMES[marker]}"
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits = start[at + 4]
            return "" if bits == 8 else f"a {bits}-bit JPEG"
        at += 2 + int.from_bytes(start[at + 2 : at + 4], "big")
    return ""


def _bmp(start: bytes) -> str:
    """Name a bitmap by its header. Source: Microsoft's BITMAPV5HEADER."""
    size = struct.unpack_from("<I", start, 14)[0]
    if size < 40:
        return ""
    bits, compression = struct.unpack_from("<HI", start, 28)
    if compression in (3, 6):
        return f"a {bits}-bit BMP with bit fields"
    names = {1: "run lengths", 2: "run lengths", 4: "a JPEG inside", 5: "a PNG inside"}
    if compression in names:
        return f"a {bits}-bit BMP with {names[compression]}"
    return f"a {bits}-bit BMP" if bits not in (1, 4, 8, 16, 24, 32) else ""


def _tiff(start: bytes) -> str:
    """Name a TIFF by its tags. Source: TIFF 6.0, sections 2 and 8."""
    order = "<" if start[:2] == b"II" else ">"
    tags = _tiff_tags(start, order)
    samples, bits = tags.get(277, 1), tags.get(258, 1)
    compression = tags.get(259, 1)
    if compression in _TIFF_COMPRESSIONS:
        return f"a TIFF with {_TIFF_COMPRESSIONS[compression]} compression"
    form = _TIFF_FORMS.get(tags.get(339, 1), "")
    if samples > 4:
        return f"a TIFF of {samples} bands ({bits}-bit {form}values)"
    if tags.get(284, 1) == 2 and samples > 1 and bits > 8:
        return f"a TIFF with {bits}-bit {form}values in separate planes"
    is_usual = bits in (1, 2, 4, 8, 12, 16, 32) and not (samples > 1 and (bits > 16 or form))
    return "" if is_usual else f"a TIFF with {bits}-bit {form}values"


def _tiff_tags(start: bytes, order: str) -> dict[int, int]:
    """Return the first number of each tag of the first picture that stands at the start."""
    (at,) = struct.unpack_from(f"{order}I", start, 4)
    tags: dict[int, int] = {}
    if at + 2 > len(start):
        return tags
    (count,) = struct.unpack_from(f"{order}H", start, at)
    for number in range(count):
        place = at + 2 + 12 * number
        if place + 12 > len(start):
            break
        tag, kind, values = struct.unpack_from(f"{order}HHI", start, place)
        letter, size = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}.get(kind, ("", 0))
        if not letter:
            continue
        here = place + 8
        if values * size > 4:
            (here,) = struct.unpack_from(f"{order}I", start, here)
        if here + size <= len(start):
            (tags[tag],) = struct.unpack_from(order + letter, start, here)
    return tags


def _psd(start: bytes) -> str:
    """Name a Photoshop file by its header. Source: Adobe's file format specification."""
    version, bits, mode = struct.unpack_from(">H16xHH", start, 4)
    if version == 2:
        return "a large Photoshop document (PSB)"
    if mode in _PSD_MODES and mode != 2:
        return f"a Photoshop file in {_PSD_MODES[mode]} mode"
    return f"a {bits}-bit Photoshop file" if bits not in (1, 8) else ""


def _dds(start: bytes) -> str:
    code = start[84:88]
    name = code.decode("ascii", "replace").strip("\0 ")
    return f"a DDS texture of the kind {name}" if name.isalnum() and name != "DX10" else ""


def _other(start: bytes) -> str:
    return ""


_BY_START = (
    (b"\xff\xd8\xff", _jpeg),
    (b"BM", _bmp),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
    (b"8BPS", _psd),
    (b"DDS ", _dds),
    (b"\x89PNG\r\n\x1a\n", _other),
    (b"GIF8", _other),
    (b"RIFF", _other),
    (b"qoif", _other),
    (b"\0\0\0\x0cjP  ", _other),
    (b"\xff\x4f\xff\x51", _other),
)
"""Kinds that Droplens reads, and what names those of their forms that it does not."""
