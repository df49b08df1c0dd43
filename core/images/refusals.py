"""Why a photo could not be decoded, in words that end a sentence: its kind, or its fault."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from core.errors import os_reason
from core.files import open_ordinary
from core.images import tiff_tags
from core.images.costs import CostlyError
from core.images.finding import looks_like_image
from core.images.journal import EndsProgramError
from core.language import lazy, tr

PIXEL_LIMIT = 225_000_000
"""Photos with more pixels are refused, before they are decoded."""

_START_BYTES = 512
_HEADER_BYTES = 2**20
_DAMAGED = lazy("the file is damaged; copy or download it again")
_INCOMPLETE = lazy("the file is incomplete; copy or download it again")
_INSTEAD = lazy("save it as JPEG, PNG or TIFF")
_UNKNOWN = lazy("it is not a picture of a known format")

_PICTURES = (
    (b"\x76\x2f\x31\x01", lazy("an OpenEXR picture")),
    (b"#?RADIANCE", lazy("a Radiance HDR picture")),
    (b"gimp xcf", lazy("a GIMP project")),
    (b"\xd7\xcd\xc6\x9a", lazy("a Windows metafile")),
    (b"FLIF", lazy("a FLIF picture")),
    (b"BPG\xfb", lazy("a BPG picture")),
    (b"II\xbc", lazy("a JPEG XR picture")),
    (b"II+\0", lazy("a BigTIFF with several parts")),
    (b"AT&TFORM", lazy("a DjVu document")),
    (b"BLP1", lazy("a BLP texture")),
    (b"BLP2", lazy("a BLP texture")),
    (b"DanM", lazy("a Microsoft Paint picture of old")),
    (b"LinS", lazy("a Microsoft Paint picture of old")),
    (b"\xb1\x68\xde\x3a", lazy("a DCX picture")),
    (b"P7\nWIDTH", lazy("a PAM picture")),
    (b"\x8aMNG", lazy("an MNG animation")),
    (b"\x8bJNG", lazy("a JNG picture")),
)
"""Beginnings of pictures that Droplens does not read."""

_NO_PICTURES = (
    (b"%PDF", lazy("a PDF document")),
    (b"%!PS", lazy("a PostScript file")),
    (b"\xc5\xd0\xd3\xc6", lazy("a PostScript file")),
    (b"PK\x03\x04", lazy("an archive or a document")),
    (b"\xd0\xcf\x11\xe0", lazy("a document of Microsoft's")),
    (b"\x89HDF", lazy("an HDF5 file")),
    (b"SQLite format 3", "a database"),
    (b"Rar!", lazy("an archive")),
    (b"7z\xbc\xaf", lazy("an archive")),
    (b"\x1f\x8b", lazy("a compressed file")),
    (b"<!DOCTYPE html", lazy("a web page")),
    (b"<html", lazy("a web page")),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"OggS", lazy("a sound or a video")),
    (b"RIFF", lazy("a sound or a video")),
    (b"ID3", "a sound"),
)
"""Beginnings of files that are something else."""

_JPEG_FRAMES = {
    0xC3: lazy("lossless JPEG"),
    0xC5: lazy("differential JPEG"),
    0xC6: lazy("differential JPEG"),
    0xC7: lazy("lossless JPEG"),
    0xCB: lazy("lossless JPEG"),
    0xF7: "JPEG-LS",
}
_PSD_MODES = {0: "bitmap", 2: "indexed", 7: "multichannel", 8: "duotone"}
_USUAL_COMPRESSIONS = (1, 2, 3, 4, 5, 7, 8, 32773, 32946)
_TIFF_COMPRESSIONS = {
    6: lazy("old-style JPEG"),
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
}
_TIFF_FORMS = {2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}
_MOST_SAMPLES, _MOST_BITS = 1000, 64
"""Beyond these a number is no sound file's."""

_SAID_OF_KINDS = ("unsupported", "unimplemented", "unknown", "not supported")
"""How Pillow begins when it means that a kind is not read."""


class TooMuchMemoryError(Exception):
    """Decoding a photo takes more than all decoders may have."""


def reason_of(path: Path, error: Exception) -> str:
    """Return why a photo could not be decoded.

    Args:
        path: the photo.
        error: what its decoder raised, or the system.
    """
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return tr(
            "it has more than {pixel_limit} million pixels", pixel_limit=PIXEL_LIMIT // 1_000_000
        )
    if isinstance(error, (MemoryError, TooMuchMemoryError)):
        return tr("it does not fit in the memory that photos may take")
    if isinstance(error, CostlyError):
        return tr("decoding it would take minutes; it is damaged, or was made to do so")
    if isinstance(error, EndsProgramError):
        return tr("Droplens ended while opening it last time, so it is left out until it changes")
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return os_reason(error)  # decoders that seek to nowhere provoke an EINVAL
    try:
        with open_ordinary(path) as file:
            start = file.read(_START_BYTES)
            if not start:
                return tr("the file is empty")
            if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
                return _INCOMPLETE if _is_cut(error) else _DAMAGED
            for beginning, name, describe in _BY_START:
                if start.startswith(beginning):
                    file.seek(0)
                    return _reason_of_known(file, name, describe, error)
            is_cut = looks_like_image(start) or start[:4] == b"icns"
            if isinstance(error, UnidentifiedImageError) and not is_cut:
                return _reason_of_foreign(start)
            return _INCOMPLETE if _is_cut(error) else _DAMAGED
    except OSError as gone:
        return os_reason(gone)


def _reason_of_known(
    file: BinaryIO, name: str, describe: Callable[[BinaryIO], str], error: Exception
) -> str:
    """Return why a file of a kind that Droplens reads could not be decoded."""
    if _is_cut(error):
        return _INCOMPLETE
    try:
        kind = describe(file)
    except EOFError:
        return _INCOMPLETE
    except struct.error:
        return _DAMAGED
    said = str(error).lower()
    is_of_kind = isinstance(error, NotImplementedError) or said.startswith(_SAID_OF_KINDS)
    is_unknown = isinstance(error, UnidentifiedImageError)
    if kind and (is_of_kind or is_unknown or describe in _NAME_WHAT_FAILS):
        return _as_reason(kind)
    is_strange = is_unknown and describe is _tiff  # its tags are all there
    if is_of_kind or is_strange:
        return tr(
            "it is a kind of {name} that Droplens does not read; {instead}",
            name=name,
            instead=_INSTEAD,
        )
    return _DAMAGED


def _is_cut(error: Exception) -> bool:
    return isinstance(error, EOFError) or "truncated" in str(error).lower()


def _reason_of_foreign(start: bytes) -> str:
    """Return what a file is that is not of the kinds that Droplens reads."""
    bare = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if b"<svg" in start:
        return _as_reason(tr("a drawing (SVG)"))
    if start[128:132] == b"DICM":
        return _as_reason(tr("a DICOM picture"))
    for beginning, name in _PICTURES:
        if bare.startswith(beginning.lower()):
            return _as_reason(name)
    for beginning, other in _NO_PICTURES:
        if bare.startswith(beginning.lower()):
            return tr("it is {name}, not a photo", name=other)
    if start[4:6] in (b"\x11\xaf", b"\x12\xaf"):
        return _as_reason(tr("a FLIC animation"))
    is_film = start[4:8] == b"ftyp" and not looks_like_image(start)
    return tr("it is a video, not a photo") if is_film else _UNKNOWN


def _as_reason(kind: str) -> str:
    return tr("it is {kind}, which Droplens does not read; {instead}", kind=kind, instead=_INSTEAD)


def _jpeg(file: BinaryIO) -> str:
    """Name a JPEG by its frame. Source: ITU-T T.81, annex B."""
    start = file.read(_HEADER_BYTES)
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
            return "" if bits == 8 else tr("a {bits}-bit JPEG", bits=bits)
        at += 2 + int.from_bytes(start[at + 2 : at + 4], "big")
    return ""


def _bmp(file: BinaryIO) -> str:
    """Name a bitmap by its header. Source: Microsoft's BITMAPV5HEADER."""
    start = file.read(64)
    size = struct.unpack_from("<I", start, 14)[0]
    if size < 40:
        return ""
    bits, compression = struct.unpack_from("<HI", start, 28)
    if compression in (3, 6):
        return tr("a {bits}-bit BMP with bit fields", bits=bits)
    names = {
        1: tr("run lengths"),
        2: tr("run lengths"),
        4: tr("a JPEG inside"),
        5: tr("a PNG inside"),
    }
    if compression in names:
        return tr("a BMP with {name}", name=names[compression])
    return tr("a {bits}-bit BMP", bits=bits) if bits in (2, 48, 64) else ""


def _tiff(file: BinaryIO) -> str:
    """Name a TIFF by its tags; those of a file that is cut off lie beyond its end.

    Source: TIFF 6.0, section 8.
    """
    tags = tiff_tags.first_tags(file)
    if tags is None:
        raise EOFError

    def number(tag: int) -> int:
        return tags[tag].first if tag in tags else 1

    compression = number(tiff_tags.COMPRESSION)
    if compression not in _USUAL_COMPRESSIONS:
        name = _TIFF_COMPRESSIONS.get(compression)
        return tr("a TIFF with {name} compression", name=name) if name else ""
    samples, bits = number(tiff_tags.SAMPLES), number(tiff_tags.BITS)
    if samples > _MOST_SAMPLES or bits > _MOST_BITS:
        raise struct.error
    form = _TIFF_FORMS.get(number(tiff_tags.SAMPLE_FORMAT), "")
    if samples > 4:
        return tr(
            "a TIFF of {samples} bands ({bits}-bit {form}values)",
            samples=samples,
            bits=bits,
            form=form,
        )
    if number(tiff_tags.PLANES) == 2 and samples > 1 and bits > 8:
        return tr("a TIFF with {bits}-bit {form}values in separate planes", bits=bits, form=form)
    is_usual = bits in (1, 2, 4, 8, 12, 16, 32) and not (samples > 1 and (bits > 16 or form))
    return "" if is_usual else tr("a TIFF with {bits}-bit {form}values", bits=bits, form=form)


def _psd(file: BinaryIO) -> str:
    """Name a Photoshop file by its header. Source: Adobe's file format specification."""
    start = file.read(64)
    version, bits, mode = struct.unpack_from(">H16xHH", start, 4)
    if version == 2:
        return tr("a large Photoshop document (PSB)")
    if mode in _PSD_MODES and mode != 2:
        return tr("a Photoshop file in {psd_mode} mode", psd_mode=_PSD_MODES[mode])
    return tr("a {bits}-bit Photoshop file", bits=bits) if bits not in (1, 8) else ""


def _dds(file: BinaryIO) -> str:
    code = file.read(128)[84:88]
    name = code.decode("ascii", "replace").strip("\0 ")
    return (
        tr("a DDS texture of the kind {name}", name=name)
        if name.isalnum() and name != "DX10"
        else ""
    )


def _other(file: BinaryIO) -> str:
    return ""


_BY_START = (
    (b"\xff\xd8\xff", "JPEG", _jpeg),
    (b"BM", "BMP", _bmp),
    (b"II*\0", "TIFF", _tiff),
    (b"MM\0*", "TIFF", _tiff),
    (b"8BPS", "Photoshop file", _psd),
    (b"DDS ", "DDS texture", _dds),
    (b"\x89PNG\r\n\x1a\n", "PNG", _other),
    (b"GIF8", "GIF", _other),
    (b"qoif", "QOI", _other),
    (b"\0\0\0\x0cjP  ", "JPEG 2000", _other),
    (b"\xff\x4f\xff\x51", "JPEG 2000", _other),
    (b"\x01\xda", "SGI picture", _other),
)
"""Kinds that Droplens reads, and what names those of their forms that it does not."""

_NAME_WHAT_FAILS = (_jpeg, _tiff)
"""Their names tell that they cannot be read; others name what may be damaged, too."""
