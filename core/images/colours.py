"""From a decoded photo to RGB: as people shall see it, or as training scripts get it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageCms

from core.images import tones

Transparency = Literal["white", "dropped"]
TRANSPARENCIES: tuple[Transparency, ...] = get_args(Transparency)

_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_INDEXED = ("1", "P", "PA")
_STRIP_PIXELS = 2**21
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""What a profile calls the colours that it is for, and the mode that holds them."""

_SRGB = ImageCms.createProfile("sRGB")


def plain_rgb(image: Image.Image, transparency: Transparency) -> Image.Image:
    """Return a photo as networks are given it: its numbers, whatever colours its profile means.

    With transparency dropped these are the pixels of Pillow's ``convert("RGB")``, but for values
    of more than 8 bits, which that cuts off at 255 and which are scaled here.

    Args:
        image: decoded, of any mode.
        transparency: laid over white, or dropped: then what the file has behind it shows.
    """
    if tones.is_deep(image):
        return _from_deep(image, transparency)
    if not has_transparency(image) or transparency == "dropped":
        return image if image.mode == "RGB" else image.convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return _palette_over_white(image).convert("RGB")
    made = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        made.paste(_over_white(strip.convert("RGBA")), (0, top))
    return made


def shown_rgb(image: Image.Image, most_pixels: int) -> Image.Image:
    """Return a photo as people shall see it: in its profile's colours, and over white.

    Args:
        image: decoded, of any mode.
        most_pixels: photos with more are shrunk to that.
    """
    if tones.is_deep(image):
        return _shrunk(_from_deep(image, "white"), most_pixels)
    if image.format == "XBM":  # in which a set bit is black; Pillow takes it for white
        image = ImageChops.invert(image)
    if needs_all_pixels(image):
        return _shrunk(_coloured(image), most_pixels)
    return _coloured(_shrunk(image, most_pixels))


def needs_all_pixels(image: Image.Image) -> bool:
    """Return whether a photo's pixels have no mean as they are stored."""
    return has_transparency(image) or image.mode in _INDEXED or tones.is_deep(image)


def _coloured(image: Image.Image) -> Image.Image:
    """Return a photo in its profile's colours and over white, as RGB."""
    transform = _transform_of(image)
    if transform is None:
        return plain_rgb(image, "white")
    mode, apply = transform
    made = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        coloured = apply.apply(strip if strip.mode == mode else strip.convert(mode))
        if has_transparency(strip):
            coloured.putalpha(strip.convert("RGBA").getchannel("A"))
            coloured = _over_white(coloured)
        made.paste(coloured, (0, top))
    return made


def _shrunk(image: Image.Image, most_pixels: int) -> Image.Image:
    scale = math.sqrt(image.width * image.height / most_pixels)
    if scale <= 1:
        return image
    if scale > 2:  # resizing would keep much of it a second time in between
        smaller = image.reduce(math.ceil(scale))
    else:
        size = (int(image.width / scale), int(image.height / scale))
        smaller = image.resize(size, Image.Resampling.BILINEAR)
    smaller.info = image.info
    return smaller


def pixels_of(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return an RGB image's pixels, shape (H, W, 3).

    In strips, since Pillow copies twice what it hands over.
    """
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        pixels[top : top + strip.height] = np.asarray(strip)
    return pixels


def has_transparency(image: Image.Image) -> bool:
    """Return whether some of a photo may be transparent."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def _from_deep(image: Image.Image, transparency: Transparency) -> Image.Image:
    made = tones.scaled(image, tones.range_of(image)).convert("RGB")
    clear = image.info.get("transparency")
    if transparency == "white" and isinstance(clear, int):
        made.paste((255, 255, 255), mask=tones.mask_of(image, clear))
    return made


def _palette_over_white(image: Image.Image) -> Image.Image:
    """Return a photo with a palette whose colours are laid over white, each once."""
    colours = np.frombuffer(bytes(image.getpalette("RGB") or b""), np.uint8).reshape(-1, 3)
    alphas = np.full((len(colours), 1), 255, np.uint8)
    clear = image.info["transparency"]
    if isinstance(clear, bytes):
        given = np.frombuffer(clear[: len(alphas)], np.uint8)
        alphas[: len(given), 0] = given
    elif clear < len(alphas):
        alphas[clear] = 0
    row = Image.fromarray(np.hstack([colours, alphas])[np.newaxis])
    copied = image.copy()
    copied.putpalette(_over_white(row).tobytes(), "RGB")
    return copied


def _over_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield a photo in pieces of its full width, each with its first row's number."""
    rows = max(1, _STRIP_PIXELS // max(1, image.width))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strip.info = image.info  # a transparent colour stands there
        yield top, strip


def _transform_of(image: Image.Image) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """Return what turns a photo's colours into sRGB, and the mode that it takes.

    None where there is no profile, or it is damaged, or for another kind of colours.
    """
    content = image.info.get("icc_profile")
    if not content:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = _SPACES.get(profile.profile.xcolor_space)
        if mode is None or mode != _mode_of_colours(image):
            return None
        return mode, ImageCms.buildTransform(
            profile,
            _SRGB,
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def _mode_of_colours(image: Image.Image) -> str:
    if image.mode in ("1", "L", "LA", "La"):
        return "L"
    return "CMYK" if image.mode == "CMYK" else "RGB"
