"""The one loader: every photo, for people and for the network, is decoded here."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableImageError, os_reason
from core.files import open_ordinary
from core.images.budget import ByteBudget, bytes_to_decode
from core.images.costs import CostlyError, check_scans, check_start
from core.images.journal import EndsProgramError, noting

Size = tuple[int, int]

PIXEL_LIMIT = 178_956_970
"""Photos with more pixels are refused; Pillow's own limit for decompression bombs."""

FORMATS = (
    *("AVIF", "BMP", "CUR", "DDS", "DIB", "FITS", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000"),
    *("PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "SUN", "TGA", "TIFF", "WEBP", "XBM", "XPM"),
)
"""Decoders that read photos, whatever the file is called. Not among them is what starts another
program (PostScript), asks for one, or was never a photo."""

budget = ByteBudget()
"""What all decoding may take at once."""

_STRIP_PIXELS = 2**21
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK = {**_TURNS, 6: _TURNS[8], 8: _TURNS[6]}
"""Each turn undone: all but the quarter turns are their own inverse."""

_TURNS_OF_ARRAYS: dict[int, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels.swapaxes(0, 1), 2),
    8: np.rot90,
}
"""The same for pixels; these are views, so that nothing is copied twice."""

_ON_THEIR_SIDE = (5, 6, 7, 8)

_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_BIT_DEPTHS = (8, 10, 12, 14, 16)

pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT
# Pillow speaks to programmers about odd metadata in people's files.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Pillow only warns up to twice its limit: a frame inside a file that lies about its size
# must not get through.
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Photo:
    """A decoded photo as people see it.

    Attributes:
        pixels: RGB, uint8, shape (H, W, 3), upright.
        orientation: the EXIF value that stood in the file, 1 to 8; 1 is "as stored".
    """

    pixels: npt.NDArray[np.uint8]
    orientation: int


def read_photo(path: Path) -> Photo:
    """Decode a photo for people: always upright.

    Raises:
        UnreadableImageError: with the reason.
    """
    stored, orientation = _stored_pixels(path)
    if orientation not in _TURNS_OF_ARRAYS:
        return Photo(stored, orientation)
    return Photo(np.ascontiguousarray(_TURNS_OF_ARRAYS[orientation](stored)), orientation)


def load_rgb(
    path: Path, *, upright: bool, least_size: Callable[[Size], Size] | None = None
) -> Image.Image:
    """Decode a photo to RGB, as ``rgb_image`` does; its memory counts no more in the budget.

    Raises:
        UnreadableImageError: with the reason.
    """
    with rgb_image(path, upright=upright, least_size=least_size) as (image, _):
        return image


@contextlib.contextmanager
def rgb_image(
    path: Path, *, upright: bool, least_size: Callable[[Size], Size] | None = None
) -> Iterator[tuple[Image.Image, int]]:
    """Give a photo as RGB, and its orientation; within the memory that all decoders share.

    Palettes are resolved, transparency is laid over white, animations give their first frame,
    16-bit and float values are scaled to their range.

    Args:
        path: any file; its content decides, not its ending.
        upright: whether the EXIF orientation is applied.
        least_size: lets the JPEG decoder shrink while it decodes; given (width, height) of the
            photo as it will be returned, says to no less than what. The pixels differ from
            those of a full decode.

    Raises:
        UnreadableImageError: with the reason.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(noting(path))
            decoded = _decode(path, stack, upright=upright, least_size=least_size)
        except UnreadableImageError:
            raise
        except Exception as error:  # decoders raise whatever a broken file provokes
            raise UnreadableImageError(path, _reason(path, error)) from error
        yield decoded


def _decode(
    path: Path,
    stack: contextlib.ExitStack,
    *,
    upright: bool,
    least_size: Callable[[Size], Size] | None,
) -> tuple[Image.Image, int]:
    """Decode and turn a photo; what it was made from is gone when this returns.

    Args:
        path: any file.
        stack: holds the memory for as long as the image is used.
        upright: as for ``rgb_image``.
        least_size: as for ``rgb_image``.
    """
    with open_ordinary(path) as file:
        check_start(file)
        with Image.open(file, formats=FORMATS) as image:
            if image.info.get("progressive"):
                check_scans(file, image.width * image.height)
            stack.enter_context(_memory(image, upright=upright, least_size=least_size))
            orientation = _orientation_before(image)  # Pillow turns TIFFs as it loads them
            image.load()
            if orientation is None:
                orientation = _orientation(image)
            turned_by_pillow = image.format == "TIFF"
            rgb = _to_rgb(image)
    del image
    if turned_by_pillow:
        return (rgb if upright else as_stored(rgb, orientation)), orientation
    if upright and orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
    return rgb, orientation


def _memory(
    image: Image.Image, *, upright: bool, least_size: Callable[[Size], Size] | None
) -> contextlib.AbstractContextManager[None]:
    """Shrink a photo that may be shrunk, and wait for the memory that decoding it takes."""
    full_size = image.size
    if full_size[0] * full_size[1] > PIXEL_LIMIT:
        raise Image.DecompressionBombError
    orientation = _orientation_before(image)
    if least_size is not None:
        lies = upright and orientation in _ON_THEIR_SIDE
        least = least_size(image.size[::-1] if lies else image.size)
        image.draft("RGB", least[::-1] if lies else least)
    may_be_turned = orientation is None or orientation in _TURNS
    turned = may_be_turned and (upright or image.format == "TIFF")
    needed = bytes_to_decode(image, full_size, turned=turned)
    if needed > budget.limit_bytes:
        raise _TooMuchMemoryError(needed)
    return budget.holding(needed)


class _TooMuchMemoryError(Exception):
    """Decoding a photo takes more than all decoders may have."""


def _stored_pixels(path: Path) -> tuple[npt.NDArray[np.uint8], int]:
    """Return a photo's pixels as its file stores them, and its orientation."""
    with rgb_image(path, upright=False) as (image, orientation):
        return _pixels(image), orientation


def _pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return an RGB image's pixels; in strips, since Pillow copies twice what it hands over."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        pixels[top : top + strip.height] = np.asarray(strip)
    return pixels


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield an image in pieces of its full width, with the row at which each begins."""
    rows = max(1, _STRIP_PIXELS // max(1, image.width))
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    """Turn an upright photo back to how its file stores it."""
    return upright.transpose(_BACK[orientation]) if orientation in _BACK else upright


def _orientation_before(image: Image.Image) -> int | None:
    """Return the orientation of a photo that is not loaded yet; None where only loading tells.

    A PNG may tell it behind its pixels. Looking for it would load them unseen, and an error in
    them would then be nobody's.
    """
    return None if image.format == "PNG" else _orientation(image)


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken EXIF is no reason to refuse the photo
        return 1
    return found if found in _TURNS else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    has_alpha = image.mode in _WITH_ALPHA or "transparency" in image.info
    if image.mode == "RGB" and not has_alpha:
        return image
    if image.mode.startswith(("I", "F")):
        return _scaled(image).convert("RGB")
    if not has_alpha:
        return image.convert("RGB")
    made = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        strip.info = image.info  # a transparent colour stands there
        seen = strip.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        made.paste(Image.alpha_composite(white, seen).convert("RGB"), (0, top))
    return made


def _scaled(image: Image.Image) -> Image.Image:
    """Scale grey values of more than 8 bits to 0..255.

    Whole numbers count as the smallest usual bit depth that holds them (a 12-bit camera
    stores 0..4095 in 16 bits); floats as 0..1 or 0..255 where they lie within, and
    everything else from its least to its greatest value.
    """
    low, high, is_whole = math.inf, -math.inf, True
    for _, strip in _strips(image):
        values = np.asarray(strip)
        is_whole = np.issubdtype(values.dtype, np.integer)
        grey = _finite(values)
        low, high = min(low, float(grey.min())), max(high, float(grey.max()))
    tops = [float(2**bits - 1) for bits in _BIT_DEPTHS] if is_whole else [1.0, 255.0]
    fitting = [top for top in tops if high <= top]
    if low >= 0 and fitting:
        low, high = 0.0, fitting[0]
    made = Image.new("L", image.size)
    if high <= low:
        return made
    for top, strip in _strips(image):
        grey = (_finite(np.asarray(strip)) - low) * (255 / (high - low))
        made.paste(Image.fromarray(np.rint(grey).astype(np.uint8)), (0, top))
    return made


def _finite(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels"
    if isinstance(error, (MemoryError, _TooMuchMemoryError)):
        return "it does not fit in the memory that photos may take"
    if isinstance(error, CostlyError):
        return "decoding it would take minutes; it is damaged, or was made to do so"
    if isinstance(error, EndsProgramError):
        return "Droplens ended while opening it last time, so it is left out until it changes"
    if isinstance(error, OSError) and error.errno is not None:
        return os_reason(error)
    try:
        size = path.stat().st_size
    except OSError as gone:
        return os_reason(gone)
    if size == 0:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "it is not a picture of a known format"
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "the file is incomplete; copy or download it again"
    return "the file is damaged; copy or download it again"
