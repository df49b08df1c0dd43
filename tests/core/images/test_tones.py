from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.images.decoding import load_rgb, read_photo
from tests.tiff_files import write_tiff


def grey_of(path: Path) -> list[int]:
    """Return the grey levels of the first row, the same for people and for networks."""
    for_networks = np.asarray(load_rgb(path, upright=False))
    assert np.array_equal(read_photo(path).pixels, for_networks)
    return [int(value) for value in for_networks[0, :, 0]]


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        (np.array([[0, 32768, 65535]], np.uint16), [0, 128, 255]),
        (np.array([[0, 2048, 4095]], np.uint16), [0, 128, 255]),  # a 12-bit camera
        (np.array([[0, 100, 255]], np.uint16), [0, 100, 255]),
        (np.array([[0, 2**31, 2**32 - 1]], np.uint32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.uint32), [0, 100, 255]),
        (np.array([[-128, 0, 127]], np.int8), [0, 128, 255]),
        (np.array([[-1000, 0, 1000]], np.int16), [0, 128, 255]),
        (np.array([[-(2**31), 0, 2**31 - 1]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.0, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[float("nan"), 0.0, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[7e5, 7e5, 7e5]], np.float32), [0, 0, 0]),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_values_of_every_type_are_scaled_to_their_range(
    tmp_path: Path, values: Any, seen: list[int], order: str
) -> None:
    found = grey_of(write_tiff(tmp_path / "deep.tif", values, order=order))
    assert np.abs(np.array(found) - seen).max() <= 1


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.uint32, np.float32])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_one_hot_pixel_does_not_turn_a_photo_dark(tmp_path: Path, kind: Any, ending: str) -> None:
    if ending == "png" and kind is not np.uint16:
        pytest.skip("PNG has no such values")
    values = np.random.default_rng(0).integers(0, 4096, (40, 50)).astype(kind)
    hot = values.copy()
    hot[7, 9] = 60_000
    means = []
    for name, pixels in (("cold", values), ("hot", hot)):
        path = tmp_path / f"{name}.{ending}"
        if ending == "png":
            Image.fromarray(pixels).save(path)
        else:
            write_tiff(path, pixels)
        means.append(read_photo(path).pixels.mean())
        assert np.array_equal(read_photo(path).pixels, np.asarray(load_rgb(path, upright=True)))
    assert abs(means[0] - means[1]) < 1
    assert means[1] > 100


def test_the_range_is_told(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "deep.tif", np.array([[0, 5, 4000]], np.uint16))
    assert read_photo(path).values == (0, 4095)
    Image.new("RGB", (3, 3)).save(tmp_path / "plain.png")
    assert read_photo(tmp_path / "plain.png").values is None


def test_a_transparent_value_of_16_bits_is_white_or_dropped(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.fromarray(np.array([[0, 20_000, 65_535]], np.uint16)).save(path)
    content = path.read_bytes()
    chunk = b"tRNS" + struct.pack(">H", 20_000)
    clear = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    at = content.index(b"IDAT") - 4
    path.write_bytes(content[:at] + clear + content[at:])
    assert np.asarray(load_rgb(path, upright=True))[0, :, 0].tolist() == [0, 255, 255]
    dropped = np.asarray(load_rgb(path, upright=True, transparency="dropped"))
    assert dropped[0, :, 0].tolist() == [0, 78, 255]


@pytest.mark.parametrize("kind", ["jp2", "pgm"])
def test_formats_that_say_their_depth_are_scaled_by_it(tmp_path: Path, kind: str) -> None:
    values = np.array([[0, 300, 600] * 40] * 40, np.uint16)
    path = tmp_path / f"deep.{kind}"
    if kind == "jp2":
        Image.fromarray(values).save(path, irreversible=False)
        expected = [0, 1, 2]
    else:  # ten bits
        path.write_bytes(b"P5 120 40 1023\n" + values.astype(">u2").tobytes())
        expected = [0, 75, 150]
    assert np.abs(np.array(grey_of(path)[:3]) - expected).max() <= 1
