"""What a camera noted in a photo: when, by what, how and where it was taken.

The tags are those of the Exif standard (CIPA DC-008).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

_EXIF, _GPS = 0x8769, 0x8825
_DESCRIPTION, _MAKE, _MODEL, _ARTIST, _COPYRIGHT = 0x010E, 0x010F, 0x0110, 0x013B, 0x8298
_TAKEN, _LENS = 0x9003, 0xA434
_SECONDS, _APERTURE, _ISO, _FOCAL_MM = 0x829A, 0x829D, 0x8827, 0x920A
_LATITUDE, _LONGITUDE, _ALTITUDE = (1, 2), (3, 4), (5, 6)
_LONGEST = 200
_DEGREES = (90, 180)
_LEAST = 1e-6
"""Of what is no zero: exposures are longer, and nothing noted is larger than its inverse."""


@dataclass(frozen=True)
class CameraNotes:
    """The notes, as text in printable letters; "" for what is not noted.

    Attributes:
        taken: as Exif writes it, "2024:05:01 12:30:00", in the camera's own time.
        camera: make and model.
        lens: its name.
        exposure: such as "1/250 s, f/2.8, ISO 100, 35 mm".
        place: degrees of latitude and longitude, and metres above the sea.
        description: of the photo.
        author: artist and copyright.
    """

    taken: str = ""
    camera: str = ""
    lens: str = ""
    exposure: str = ""
    place: str = ""
    description: str = ""
    author: str = ""

    @property
    def taken_at(self) -> datetime.datetime | None:
        """Return when it was taken; None where that is no date."""
        try:
            return datetime.datetime.strptime(self.taken, "%Y:%m:%d %H:%M:%S")
        except ValueError:
            return None


def camera_notes(image: Image.Image) -> CameraNotes:
    """Return the notes of a photo that is open; those of a broken one are left out."""
    try:
        return _read(image.getexif())
    except Exception:  # noqa: BLE001 - decoders raise whatever a broken file provokes
        return CameraNotes()


def _read(exif: Image.Exif) -> CameraNotes:
    inner, gps = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    make, model = _text(exif.get(_MAKE)), _text(exif.get(_MODEL))
    first = make.split(" ")[0].casefold()
    is_named = bool(first) and model.casefold().startswith(first)
    author = (_text(exif.get(_ARTIST)), _text(exif.get(_COPYRIGHT)))
    return CameraNotes(
        taken=_text(inner.get(_TAKEN)),
        camera=model if is_named else " ".join(filter(None, (make, model))),
        lens=_text(inner.get(_LENS)),
        exposure=_exposure(inner),
        place=_place(gps),
        description=_text(exif.get(_DESCRIPTION)),
        author=", ".join(dict.fromkeys(filter(None, author))),
    )


def _exposure(notes: Mapping[int, Any]) -> str:
    said = []
    seconds = _number(notes.get(_SECONDS))
    if seconds:
        said.append(f"{_g(seconds)} s" if seconds >= 0.3 else f"1/{round(1 / seconds)} s")
    for tag, form in ((_APERTURE, "f/{}"), (_ISO, "ISO {}"), (_FOCAL_MM, "{} mm")):
        value = _number(notes.get(tag))
        if value:
            said.append(form.format(_g(value)))
    return ", ".join(said)


def _place(gps: Mapping[int, Any]) -> str:
    said = []
    for (side, tag), most in zip((_LATITUDE, _LONGITUDE), _DEGREES, strict=True):
        parts = gps.get(tag)
        if not isinstance(parts, Sequence) or len(parts) != 3:
            return ""
        numbers = [_number(part) for part in parts]
        degrees = sum((part or 0.0) / 60**at for at, part in enumerate(numbers))
        if None in numbers or not 0 <= degrees <= most:
            return ""
        said.append(f"{degrees:.5f}° {_text(gps.get(side))[:1].upper()}".strip())
    metres = _number(gps.get(_ALTITUDE[1]))
    if metres is not None and abs(metres) < 10_000:
        below = gps.get(_ALTITUDE[0]) in (1, b"\1")
        said.append(f"{-metres if below else metres:.0f} m")
    return ", ".join(said)


def _number(value: object) -> float | None:
    """Return a number of a note; text, or a fraction by zero, is none."""
    if isinstance(value, tuple) and value:
        value = value[0]
    if isinstance(value, str | bytes):
        return None  # of "1e999999999" Python would make a number that takes for ever
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if found == 0 or _LEAST <= found < 1 / _LEAST else None


def _g(value: float) -> str:
    return f"{value:.4g}" if value < 10_000 else f"{value:.0f}"


def _text(value: object) -> str:
    """Return a note in printable letters."""
    if not isinstance(value, str):
        return ""
    letters = "".join(filter(str.isprintable, value.replace("\0", " ")))
    return " ".join(letters.split())[:_LONGEST]
