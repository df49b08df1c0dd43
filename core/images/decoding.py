"""The one loader: every photo, for people and for the network, is decoded here."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageFile, TiffImagePlugin

from core.errors import UnreadableImageError
from core.files import open_ordinary
from core.images import colours, png_files, raw, tones
from core.images.budget import ByteBudget, bytes_to_decode
from core.images.costs import check_decoder, check_scans, check_start, check_whole
from core.images.finding import JPEG_XL_MAGIC
from core.images.frames import frames_of
from core.images.journal import noting
from core.images.refusals import PIXEL_LIMIT, TooMuchMemoryError, reason_of
from core.images.silence import silent_libraries
from core.images.turning import TURNS, Size, turned, turned_pixels, turned_size
from core.language import tr

FORMATS = (
    *("AVIF", "BMP", "CUR", "DDS", "DIB", "FITS", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000"),
    *("PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "SUN", "TGA", "TIFF", "WEBP", "XBM", "XPM"),
)
"""Decoders that read photos, whatever the file is called. Not among them is what starts another
program (PostScript), asks for one, or was never a photo."""

budget = ByteBudget()
"""What all decoding may take at once."""

_END_OF_JPEG = b"\xff\xd9"
_JPEG_XL = "JXL"
_MAY_SHRINK = ("JPEG", "MPO")
_ORIENTATION_TAG = 0x0112
_SHOWN_PIXELS = 24_000_000
"""Of a photo for people; larger ones are shrunk to that, whatever a screen may show of them."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python prints what it logs
pillow_heif.register_heif_opener()
# Whole numbers of 32 bits without a sign, in the other order of bytes: Pillow leaves these out.
TiffImagePlugin.OPEN_INFO[b"MM", 1, (1,), 1, (32,), ()] = ("I", "I;32BS")
Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT
# Pillow speaks to programmers about odd metadata in people's files.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Pillow only warns up to twice its limit: a frame inside a file that lies about its size
# must not get through.
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class StoredPhoto:
    """A decoded photo as its file stores it.

    Attributes:
        image: in whichever mode Pillow keeps it.
        orientation: the turn that is still to be done, as EXIF numbers them; 1 is none. TIFFs,
            HEICs and JPEG XL are turned as they are decoded.
        frames: pages, or pictures of an animation, in the file; counted only where people are
            to be shown it.
        frame: which of them it is, from 0.
        is_preview: whether it is the picture inside of a RAW photo.
        damage: why only a part of it could be decoded; None where it is whole.
    """

    image: Image.Image
    orientation: int
    frames: int = 1
    frame: int = 0
    is_preview: bool = False
    damage: str | None = None

    @property
    def size(self) -> Size:
        """Return (width, height) of the photo upright."""
        return turned_size(self.image.size, self.orientation)


@dataclass(frozen=True)
class Photo:
    """A decoded photo as people see it.

    Attributes:
        pixels: RGB, uint8, shape (H, W, 3), upright; at most 24 million pixels.
        size: (width, height) of the photo upright, before it was shrunk to that.
        frames: pages, or pictures of an animation, in the file.
        frame: which of them it is, from 0.
        is_preview: whether it is the picture inside of a RAW photo.
        values: which of a photo's values of more than 8 bits are black and white; None for others.
        damage: why only a part of it could be decoded; None where it is whole.
    """

    pixels: npt.NDArray[np.uint8]
    size: Size
    frames: int = 1
    frame: int = 0
    is_preview: bool = False
    values: tones.Range | None = None
    damage: str | None = None


def read_photo(path: Path, frame: int | None = None) -> Photo:
    """Decode a photo for people, as far as it goes.

    Args:
        path: any file.
        frame: as for ``stored_photo``.

    Raises:
        UnreadableImageError: with the reason.
    """
    with stored_photo(path, frame=frame, may_be_partial=True) as stored:
        return shown(stored)


def shown(stored: StoredPhoto) -> Photo:
    """Return a photo as people see it: upright, in its own colours, over white."""
    image = stored.image
    values = tones.range_of(image) if tones.is_deep(image) else None
    rgb = colours.shown_rgb(image, _SHOWN_PIXELS)
    pixels = turned_pixels(colours.pixels_of(rgb), stored.orientation)
    return Photo(
        np.ascontiguousarray(pixels),
        stored.size,
        stored.frames,
        stored.frame,
        stored.is_preview,
        values,
        stored.damage,
    )


def load_rgb(
    path: Path,
    *,
    upright: bool,
    least_size: Callable[[Size], Size] | None = None,
    transparency: colours.Transparency = "white",
) -> Image.Image:
    """Decode a photo to RGB.

    Args:
        path: any file; its content decides, not its ending.
        upright: whether the EXIF orientation is applied.
        least_size: as for ``stored_photo``.
        transparency: laid over white, or dropped.

    Raises:
        UnreadableImageError: with the reason.
    """
    with stored_photo(path, least_size=least_size) as stored:
        image = colours.plain_rgb(stored.image, transparency)
        return turned(image, stored.orientation) if upright else image


@contextlib.contextmanager
def stored_photo(
    path: Path,
    *,
    least_size: Callable[[Size], Size] | None = None,
    frame: int | None = None,
    may_be_partial: bool = False,
) -> Iterator[StoredPhoto]:
    """Decode a photo, within the memory that all decoders share.

    Args:
        path: any file; its content decides, not its ending.
        least_size: lets the JPEG decoder shrink while it decodes; given (width, height) of the
            photo upright, returns how large it must stay. The pixels differ from those of a
            full decode.
        frame: which of several pages or pictures, from 0; None for the one that is shown first.
        may_be_partial: take what a damaged file has, for people to look at; no model is given
            that.

    Raises:
        UnreadableImageError: with the reason.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(noting(path))
            stored = _decode(path, stack, least_size, frame, may_be_partial=may_be_partial)
        except UnreadableImageError:
            raise
        except Exception as error:  # decoders raise whatever a broken file provokes
            raise UnreadableImageError(path, reason_of(path, error)) from error
        yield stored


def _decode(
    path: Path,
    stack: contextlib.ExitStack,
    least_size: Callable[[Size], Size] | None,
    frame: int | None,
    *,
    may_be_partial: bool,
) -> StoredPhoto:
    """Decode a photo; the stack holds its memory for as long as it is used."""
    with open_ordinary(path) as file, silent_libraries():
        content: BinaryIO = file
        preview = raw.preview_of(path) if raw.is_raw(path, file) else None
        if preview is not None:
            content = preview.content
        check_start(content)
        with _open(path, content) as image:
            frames = frames_of(image) if may_be_partial else range(1)
            if frame is not None and len(frames) > 1:
                image.seek(frames[frame])
            if image.info.get("progressive"):
                check_scans(content, image.width * image.height)
            check_decoder(image)
            stack.enter_context(_memory(image, least_size))
            loaded, damage = _load(path, image, content, may_be_partial=may_be_partial)
            turn = preview.orientation if preview is not None else 1
            orientation = 1 if image.format == _JPEG_XL else _orientation(loaded, turn)
            at = frames.index(image.tell()) if image.tell() in frames else 0
            return StoredPhoto(loaded, orientation, len(frames), at, preview is not None, damage)


def _open(path: Path, file: BinaryIO) -> Image.Image:
    """Open any photo that is not RAW, or the preview of one that is."""
    if png_files.is_of_apple(file):
        return Image.open(png_files.from_apple(file), formats=("PNG",))
    start = file.read(16)
    file.seek(0)
    if start.startswith(JPEG_XL_MAGIC):
        return _open_jpeg_xl(path, file)
    if start.startswith(png_files.SIGNATURE):
        file = png_files.without_damaged_notes(file) or file
    return Image.open(file, formats=FORMATS)


def _open_jpeg_xl(path: Path, file: BinaryIO) -> Image.Image:
    try:
        import pylibjxl
    except (ImportError, OSError) as error:
        reason = tr("it is a JPEG XL picture, which this computer's Droplens does not read")
        raise UnreadableImageError(path, tr("{reason}; save it as JPEG", reason=reason)) from error
    if _JPEG_XL not in Image.OPEN:
        pylibjxl.register_pillow()
    image = Image.open(file, formats=(_JPEG_XL,))
    if getattr(image, "is_animated", False):  # the decoder would give the last frame
        image.close()
        reason = tr("it is an animated JPEG XL picture, which Droplens does not read")
        raise UnreadableImageError(path, tr("{reason}; save it as GIF or WebP", reason=reason))
    return image


def _load(
    path: Path, image: Image.Image, content: BinaryIO, *, may_be_partial: bool
) -> tuple[Image.Image, str | None]:
    """Decode all pixels; return why some are missing, where that may be."""
    try:
        check_whole(image, content)
        image.load()
    except Exception as error:
        if not may_be_partial:
            raise
        damage = reason_of(path, error)
        if image.format in _MAY_SHRINK:
            with contextlib.suppress(Exception):  # it is damaged, not only cut off
                return _ended(content, image.size), damage
        with contextlib.suppress(Exception):
            image.load()  # where only parts of it were found missing
        if not _has_pixels(image):
            raise
        return image, damage
    return image, None


def _ended(content: BinaryIO, size: Size) -> Image.Image:
    """Return a JPEG that is cut off as far as it goes: the decoder is told that it has ended.

    Args:
        content: the file.
        size: to which it was to be decoded.
    """
    content.seek(0)
    image = Image.open(io.BytesIO(content.read() + _END_OF_JPEG), formats=("JPEG",))
    image.draft("RGB", size)
    image.load()
    return image


def _has_pixels(image: Image.Image) -> bool:
    """Return whether a decoder that failed has left any; what it did not reach is black."""
    if not isinstance(image, ImageFile.ImageFile) or getattr(image, "_im", None) is None:
        return False
    image.tile = []  # there is nothing more to load
    return image.getbbox(alpha_only=False) is not None


def _memory(
    image: Image.Image, least_size: Callable[[Size], Size] | None
) -> contextlib.AbstractContextManager[None]:
    """Shrink a photo that may be shrunk, and wait for the memory that decoding it takes."""
    full_size = image.size
    if full_size[0] * full_size[1] > PIXEL_LIMIT:
        raise Image.DecompressionBombError
    if least_size is not None and image.format in _MAY_SHRINK:
        orientation = _orientation(image)
        least = least_size(turned_size(image.size, orientation))
        image.draft("RGB", turned_size(least, orientation))
    needed = bytes_to_decode(image, full_size)
    if needed > budget.limit_bytes:
        raise TooMuchMemoryError
    return budget.holding(needed)


def _orientation(image: Image.Image, otherwise: int = 1) -> int:
    """Return the turn that a loaded photo still wants.

    A PNG may tell it behind its pixels. Looking for it before would load them unseen, and an
    error in them would then be nobody's.
    """
    try:
        found = image.getexif().get(_ORIENTATION_TAG, otherwise)
    except Exception:  # noqa: BLE001 - broken EXIF is no reason to refuse the photo
        return 1
    return found if found in TURNS else 1
