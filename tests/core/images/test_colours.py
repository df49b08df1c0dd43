from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from core.images.colours import plain_rgb
from core.images.decoding import load_rgb, read_photo
from core.images.thumbnails import make_thumbnail
from tests.profiles import profile_of

WIDE = {  # primaries (red, green, blue) as CIE xy
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)),
    "Rec. 2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_people_see_the_colours_that_a_profile_means_and_networks_the_numbers(
    tmp_path: Path, name: str, ending: str
) -> None:
    path = tmp_path / f"wide.{ending}"
    numbers = (120, 160, 90)
    Image.new("RGB", (64, 48), numbers).save(path, icc_profile=profile_of(*WIDE[name]), quality=100)
    seen = read_photo(path).pixels[20, 20].astype(int)
    given = np.asarray(load_rgb(path, upright=True))[20, 20].astype(int)
    assert np.abs(given - numbers).max() <= 2
    assert seen[0] < given[0] - 5  # greens of a wide space lie further from red in a small one
    assert np.abs(make_thumbnail(path, 32)[10, 10].astype(int) - seen).max() <= 2


def test_a_profile_of_the_usual_colours_changes_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(noise).save(tmp_path / "usual.png", icc_profile=usual)
    assert np.abs(read_photo(tmp_path / "usual.png").pixels.astype(int) - noise).max() <= 1


@pytest.mark.parametrize("content", [b"no profile", b"\0" * 500, b""])
def test_a_damaged_profile_is_no_reason_to_refuse(tmp_path: Path, content: bytes) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "odd.png", icc_profile=content)
    assert read_photo(tmp_path / "odd.png").pixels[0, 0].tolist() == [255, 0, 0]


def test_a_profile_for_other_colours_is_passed_over(tmp_path: Path) -> None:
    wide = profile_of(*WIDE["Display P3"])
    Image.new("L", (8, 8), 100).save(tmp_path / "grey.png", icc_profile=wide)
    assert read_photo(tmp_path / "grey.png").pixels[0, 0].tolist() == [100, 100, 100]


def test_profile_and_transparency_together(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (120, 160, 90, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    image.save(tmp_path / "both.png", icc_profile=profile_of(*WIDE["Display P3"]))
    seen = read_photo(tmp_path / "both.png").pixels[0]
    assert seen[0, 0] < 115
    assert seen[1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB", "L"])
def test_dropped_transparency_is_what_training_scripts_get(tmp_path: Path, mode: str) -> None:
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 256, (20, 20, 4), np.uint8), "RGBA")
    path = tmp_path / ("clear.tif" if mode == "PA" else "clear.png")
    if mode in ("P", "RGB", "L"):
        clear = {"P": 3, "RGB": (1, 2, 3), "L": 7}[mode]
        image.convert("RGB").convert(mode).save(path, transparency=clear)
    elif mode == "PA":
        image.convert("LA").save(path)
    else:
        image.convert(mode).save(path)
    with Image.open(path) as opened:
        expected = np.asarray(opened.convert("RGB"))
    found = np.asarray(load_rgb(path, upright=False, transparency="dropped"))
    assert np.array_equal(found, expected)


def test_cmyk_with_a_profile(tmp_path: Path) -> None:
    """Without a profile at hand that is free to give away, a damaged one must not hurt."""
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    written = io.BytesIO()
    image.save(written, "JPEG", icc_profile=b"\0" * 200, quality=100)
    (tmp_path / "print.jpg").write_bytes(written.getvalue())
    red = read_photo(tmp_path / "print.jpg").pixels[4, 4]
    assert red[0] > 240
    assert red[1] < 15


@settings(max_examples=40, deadline=None)
@given(
    colours=st.integers(2, 256),
    clear=st.one_of(st.integers(0, 255), st.binary(min_size=1, max_size=256)),
)
def test_a_palette_over_white_is_its_pixels_over_white(colours: int, clear: int | bytes) -> None:
    noise = np.random.default_rng(colours).integers(0, 256, (30, 30, 3), np.uint8)
    image = Image.fromarray(noise).quantize(colours)
    image.info["transparency"] = clear
    white = Image.new("RGBA", image.size, "white")
    expected = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    assert np.array_equal(plain_rgb(image, "white"), expected)
