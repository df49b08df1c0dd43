"""What a photo's file says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from core.images.camera_notes import CameraNotes, camera_notes
from core.images.details import details_of
from core.images.requests import WhichAreThere


def photo(path: Path, exif: Image.Exif) -> Path:
    Image.new("RGB", (40, 30), "teal").save(path, exif=exif)
    return path


def noted() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x8298] = "Canon", "Canon EOS 5D", "CC BY\0"
    inner = exif.get_ifd(0x8769)
    inner.update(
        {0x9003: "2024:05:01 12:30:07", 0xA434: "EF 35mm f/2", 0x829A: IFDRational(1, 250)}
    )
    inner.update({0x829D: IFDRational(28, 10), 0x8827: 100, 0x920A: IFDRational(35)})
    dms = (IFDRational(48), IFDRational(51), IFDRational(3000, 100))
    west = (IFDRational(2), IFDRational(17), IFDRational(40))
    exif.get_ifd(0x8825).update({1: "N", 2: dms, 3: "W", 4: west, 5: b"\1", 6: IFDRational(12)})
    return exif


def test_what_a_camera_noted(tmp_path: Path) -> None:
    said = dict(details_of(photo(tmp_path / "a.jpg", noted())))
    assert said["File"] == "a.jpg"
    assert said["Folder"] == str(tmp_path)
    assert said["Photo"].startswith("40 × 30")
    assert said["Taken"] == "2024-05-01 12:30:07"
    assert said["Camera"] == "Canon EOS 5D"
    assert said["Lens"] == "EF 35mm f/2"
    assert said["Exposure"] == "1/250 s, f/2.8, ISO 100, 35 mm"
    assert said["Place"] == "48.85833° N, 2.29444° W, -12 m"
    assert said["By"] == "CC BY"


def test_what_is_not_noted_is_said(tmp_path: Path) -> None:
    said = dict(details_of(photo(tmp_path / "a.png", Image.Exif())))
    assert said["Taken"] == said["Camera"] == said["Place"] == "not stored in the photo"
    assert "Lens" not in said


def test_odd_notes_are_left_out() -> None:
    image = Image.new("RGB", (1, 1))
    exif = image.getexif()
    exif[0x010F] = 7
    exif.get_ifd(0x8769).update({0x9003: "yesterday", 0x829A: IFDRational(1, 0), 0x829D: "wide"})
    exif.get_ifd(0x8825).update({2: (1, 2), 4: "far"})
    found = camera_notes(image)
    assert found == CameraNotes(taken="yesterday")
    exif.get_ifd(0x8769).update({0x829A: 1e-320, 0x829D: "1e999999999", 0x920A: float("nan")})
    assert camera_notes(image).exposure == ""
    assert found.taken_at is None
    exif.get_ifd(0x8825).update(
        {2: (IFDRational(91), IFDRational(0), IFDRational(0)), 4: (1, 2, 3)}
    )
    assert camera_notes(image).place == ""


def test_which_photos_are_there(tmp_path: Path) -> None:
    there = photo(tmp_path / "a.jpg", Image.Exif())
    gone, odd = tmp_path / "b.jpg", tmp_path / ("c" * 300)  # looking for the last is an error
    assert WhichAreThere((gone, odd, there)).run(None) == [there]


def test_a_file_that_is_no_photo(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"nothing")
    said = dict(details_of(path))
    assert said["Size of the file"] == "7 bytes"
    assert "a.jpg" in said["Photo"]
    with pytest.raises(OSError, match="No such file"):
        details_of(tmp_path / "gone.jpg")
