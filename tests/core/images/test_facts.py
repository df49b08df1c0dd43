"""What is said of a photo without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.images.facts import facts_of
from core.images.requests import FindFacts


def _photo(path: Path, value: int = 40, **save: object) -> Path:
    Image.new("RGB", (640, 480), (value, value, value)).save(path, **save)  # type: ignore[arg-type]
    return path


def apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def test_what_a_camera_noted_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "NIKON CORPORATION", "NIKON D90", 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:00"
    found = facts_of(_photo(tmp_path / "a.jpg", exif=exif))
    assert found is not None
    assert (found.month, found.camera, found.size) == ("2024-05", "NIKON D90", (480, 640))
    assert found.brightness == pytest.approx(40 / 255, abs=0.01)


def test_notes_that_lie_are_left_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "A\0cme\n", ""
    exif.get_ifd(0x8769)[0x9003] = "unknown"
    found = facts_of(_photo(tmp_path / "a.jpg", exif=exif))
    assert found is not None
    assert found.month == ""
    assert "\n" not in found.camera


def test_a_photo_that_was_shrunk_and_compressed_has_nearly_the_same_hash(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rough = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
    photo = rough.resize((640, 480), Image.Resampling.BICUBIC)
    other = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8)).resize((640, 480))
    photo.save(tmp_path / "a.png")
    photo.resize((320, 240)).save(tmp_path / "b.jpg", quality=70)
    other.save(tmp_path / "c.png")
    first, same, different = (facts_of(tmp_path / name) for name in ("a.png", "b.jpg", "c.png"))
    assert first is not None
    assert same is not None
    assert different is not None
    assert apart(first.dhash, same.dhash) <= 20
    assert apart(first.dhash, different.dhash) > 60


def test_photos_are_grouped_by_what_is_known(tmp_path: Path) -> None:
    photos = (_photo(tmp_path / "dark.png", 10), _photo(tmp_path / "bright.png", 250))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    found = dict(FindFacts((*photos, broken)).run(None))
    assert found[broken] is None
    dark, bright = (found[path] for path in photos)
    assert dark is not None
    assert bright is not None
    assert dark.shared == {"brightness": "0 – 20", "size": "256 – 512"}
    assert bright.shared == {"brightness": "80 – 100", "size": "256 – 512"}
