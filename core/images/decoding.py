"""The one loader: every photo, for people and for the network, is decoded here."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableImageError, os_reason
from core.files import open_ordinary

Size = tuple[int, int]

PIXEL_LIMIT = 178_956_970
"""Photos with more pixels are refused; Pillow's own limit for decompression bombs."""

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
    image, orientation = _load(path, upright=True, least_size=None)
    return Photo(np.asarray(image), orientation)


def load_rgb(
    path: Path, *, upright: bool, least_size: Callable[[Size], Size] | None = None
) -> Image.Image:
    """Decode a photo to RGB.

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
    return _load(path, upright=upright, least_size=least_size)[0]


def as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    """Turn an upright photo back to how its file stores it."""
    return upright.transpose(_BACK[orientation]) if orientation in _BACK else upright


def _load(
    path: Path, *, upright: bool, least_size: Callable[[Size], Size] | None
) -> tuple[Image.Image, int]:
    try:
        with open_ordinary(path) as file, Image.open(file) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise Image.DecompressionBombError
            orientation = _orientation(image)
            if least_size is not None:
                lies = upright and orientation in _ON_THEIR_SIDE
                least = least_size(image.size[::-1] if lies else image.size)
                image.draft("RGB", least[::-1] if lies else least)
            image.load()
            rgb = _to_rgb(image)
            turned_by_pillow = image.format == "TIFF"
    except UnreadableImageError:
        raise
    except Exception as error:  # decoders raise whatever a broken file provokes
        raise UnreadableImageError(path, _reason(path, error)) from error
    if turned_by_pillow:
        return (rgb if upright else as_stored(rgb, orientation)), orientation
    if upright and orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
    return rgb, orientation


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken EXIF is no reason to refuse the photo
        return 1
    return found if found in _TURNS else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert("RGB")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        seen = image.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Scale grey values of more than 8 bits to 0..255.

    Whole numbers count as the smallest usual bit depth that holds them (a 12-bit camera
    stores 0..4095 in 16 bits); floats as 0..1 or 0..255 where they lie within, and
    everything else from its least to its greatest value.
    """
    grey = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if np.issubdtype(values.dtype, np.integer):
        tops = [float(2**bits - 1) for bits in _BIT_DEPTHS]
    else:
        tops = [1.0, 255.0]
    fitting = [top for top in tops if high <= top]
    if low >= 0 and fitting:
        low, high = 0.0, fitting[0]
    if high <= low:
        return np.zeros(grey.shape, np.uint8)
    return np.rint((grey - low) * (255 / (high - low))).astype(np.uint8)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels"
    if isinstance(error, MemoryError):
        return "it does not fit in memory"
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
