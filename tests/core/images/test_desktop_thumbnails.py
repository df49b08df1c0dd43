from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.images import desktop_thumbnails, thumbnails
from core.images.thumbnails import find_or_make_thumbnail

pytestmark = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="a standard of free desktops"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "thumbnails" / "large"


@pytest.fixture
def large(make_photo: Callable[..., Path]) -> Path:
    path = make_photo("Jörg 张伟/猫 (1).png", (900, 600), compress_level=0)
    assert path.stat().st_size > 256 * 1024
    return path


def test_a_thumbnail_is_made_once(
    cache: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = find_or_make_thumbnail(large, 256)
    (kept,) = cache.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(thumbnails, "_made", pytest.fail)
    assert np.array_equal(find_or_make_thumbnail(large, 256), made)


def test_its_name_and_notes_are_those_of_the_standard(cache: Path) -> None:
    address = desktop_thumbnails._address(Path("/home/jens/photos/me (1).png"))
    assert address == "file:///home/jens/photos/me%20(1).png"
    place = desktop_thumbnails._place(Path("/home/jens/photos/me.png"), 128)
    assert place is not None
    assert place.name == "c6ee772d9e49320e97ec29a7eb5b1697.png"  # the standard's own example
    assert place.parent.name == "normal"


def test_another_file_under_the_name_gets_another(cache: Path, large: Path) -> None:
    find_or_make_thumbnail(large, 256)
    Image.new("RGB", (700, 700), "red").save(large, "BMP")
    os.utime(large, (1_000_000_000, 1_000_000_000))
    assert find_or_make_thumbnail(large, 256).shape == (256, 256, 3)
    (kept,) = cache.iterdir()
    with Image.open(kept) as image:
        assert image.info["Thumb::MTime"] == "1000000000"
        assert image.info["Thumb::URI"].endswith("%E7%8C%AB%20(1).png")


def test_a_damaged_one_is_made_anew(cache: Path, large: Path) -> None:
    made = find_or_make_thumbnail(large, 256)
    (kept,) = cache.iterdir()
    kept.write_bytes(b"no picture")
    assert np.array_equal(find_or_make_thumbnail(large, 256), made)


def test_small_photos_and_thumbnails_leave_nothing(
    cache: Path, make_photo: Callable[..., Path], large: Path
) -> None:
    find_or_make_thumbnail(make_photo("small.png"), 256)
    find_or_make_thumbnail(large, 100)
    assert not cache.exists()
    find_or_make_thumbnail(large, 256)
    (kept,) = cache.iterdir()
    assert desktop_thumbnails._place(kept, 256) is None


def test_a_cache_that_cannot_be_written_does_not_matter(cache: Path, large: Path) -> None:
    cache.parent.parent.mkdir()
    cache.parent.write_text("a file where the folder should be")
    assert find_or_make_thumbnail(large, 256).shape == (171, 256, 3)


def test_what_lies_in_its_place_is_looked_at_first(cache: Path, large: Path) -> None:
    made = find_or_make_thumbnail(large, 256)
    (kept,) = cache.iterdir()
    notes = PngImagePlugin.PngInfo()
    with Image.open(kept) as image:
        for name, text in image.text.items():
            notes.add_text(name, text)
    Image.new("L", (13_000, 13_000)).save(kept, pnginfo=notes)  # 160 MB, and none of it wanted
    assert np.array_equal(find_or_make_thumbnail(large, 256), made)
    kept.unlink()
    os.mkfifo(kept)  # opening it would wait for ever
    assert np.array_equal(find_or_make_thumbnail(large, 256), made)
    kept.unlink(missing_ok=True)
    kept.mkdir()
    assert np.array_equal(find_or_make_thumbnail(large, 256), made)


def test_another_photo_with_the_times_of_the_first_gets_its_own(
    cache: Path, large: Path, make_photo: Callable[..., Path]
) -> None:
    before = find_or_make_thumbnail(large, 256)
    status = large.stat()
    other = make_photo("other.png", (900, 600), compress_level=0)
    content = other.read_bytes()
    large.write_bytes(content[: status.st_size].ljust(status.st_size, b"\0"))
    os.utime(large, ns=(status.st_atime_ns, status.st_mtime_ns))
    (kept,) = cache.iterdir()
    os.utime(kept, (0, 0))  # made long before, as clocks have no finer steps than the test
    assert not np.array_equal(find_or_make_thumbnail(large, 256), before)
