from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from core.errors import UnreadableImageError
from core.images.decoding import load_rgb, read_photo


def pixels_of(path: Path, *, upright: bool = True) -> np.ndarray:
    image = load_rgb(path, upright=upright)
    assert image.mode == "RGB"
    return np.asarray(image)


def with_orientation(path: Path, orientation: int) -> Path:
    image = Image.new("RGB", (4, 2), "black")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    ("orientation", "red_at", "size"),
    [
        (1, (0, 0), (4, 2)),
        (2, (3, 0), (4, 2)),
        (3, (3, 1), (4, 2)),
        (4, (0, 1), (4, 2)),
        (5, (0, 0), (2, 4)),
        (6, (1, 0), (2, 4)),
        (7, (1, 3), (2, 4)),
        (8, (0, 3), (2, 4)),
    ],
)
def test_orientation_is_applied_for_people(
    tmp_path: Path, orientation: int, red_at: tuple[int, int], size: tuple[int, int]
) -> None:
    path = with_orientation(tmp_path / "turned.png", orientation)
    upright = load_rgb(path, upright=True)
    assert upright.size == size
    assert upright.getpixel(red_at) == (255, 0, 0)
    assert read_photo(path).pixels.shape[1::-1] == read_photo(path).size == size


def test_an_orientation_out_of_range_counts_as_none(tmp_path: Path) -> None:
    assert read_photo(with_orientation(tmp_path / "odd.png", 99)).size == (4, 2)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    image.save(tmp_path / "clear.png")
    assert pixels_of(tmp_path / "clear.png").tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "palette.png", transparency=1)
    assert pixels_of(tmp_path / "palette.png").tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr", "LAB"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tif"
    Image.new("RGB", (3, 2), "white").convert("L" if mode == "LAB" else mode).save(path)
    assert pixels_of(path).shape == (2, 3, 3)
    assert pixels_of(path).min() >= 250


def test_animations_give_their_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert pixels_of(tmp_path / "moving.gif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("ending", ["webp", "avif", "bmp", "tif", "jp2", "ico", "ppm", "tga"])
def test_formats_open_by_content(tmp_path: Path, ending: str) -> None:
    Image.new("RGB", (16, 16), (200, 30, 30)).save(tmp_path / f"picture.{ending}")
    path = (tmp_path / f"picture.{ending}").rename(tmp_path / "no ending")
    assert abs(int(pixels_of(path)[8, 8, 0]) - 200) < 12


def test_heic_opens(tmp_path: Path) -> None:
    path = tmp_path / "phone.heic"
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(path)
    assert pixels_of(path).shape == (48, 64, 3)


def test_other_alphabets_in_the_path(make_photo: Callable[..., Path]) -> None:
    path = make_photo("Jörg 张伟/猫 é.jpg")
    assert pixels_of(path).shape == (240, 320, 3)


def test_thumbnails_may_decode_smaller(make_photo: Callable[..., Path]) -> None:
    path = make_photo("large.jpg", (1600, 1200))
    assert max(load_rgb(path, upright=True, least_size=lambda _: (200, 200)).size) < 1600


def reason_of(path: Path) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        load_rgb(path, upright=True)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(f"{caught.value.reason}.")
    return caught.value.reason


def test_a_missing_file_is_no_longer_there(tmp_path: Path) -> None:
    assert reason_of(tmp_path / "gone.jpg") == "it is not there"


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert reason_of(tmp_path / "empty.png") == "the file is empty"


def test_a_web_page_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("<html>not found</html>")
    assert reason_of(tmp_path / "page.jpg") == "it is a web page, not a photo"


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "gif", "bmp"])
def test_a_truncated_file_says_so(make_photo: Callable[..., Path], ending: str) -> None:
    path = make_photo(f"half.{ending}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "copy or download it again" in reason_of(path)


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert reason_of(tmp_path) == "it is a folder"


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(content)
    assert reason_of(tmp_path / "bomb.png") == "it has more than 225 million pixels"


def test_broken_exif_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "exif.jpg"
    Image.new("RGB", (8, 8), "red").save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40)
    assert pixels_of(path).shape == (8, 8, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("upright", [True, False])
def test_every_format_turns_alike(
    tmp_path: Path, ending: str, orientation: int, upright: bool
) -> None:
    path = with_orientation(tmp_path / f"turned.{ending}", orientation)
    is_turned = upright or ending == "tif"  # as Pillow turns it, in training scripts too
    lies = is_turned and orientation > 4
    assert load_rgb(path, upright=upright).size == ((2, 4) if lies else (4, 2))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason_of(tmp_path / "pipe.jpg") == "it is not an ordinary file"


def damaged_png(kind: str) -> bytes:
    """Return a PNG whose pixels are not all there."""
    written = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(written, "PNG")
    content = bytearray(written.getvalue())
    data = content.index(b"IDAT")
    if kind == "bad checksum":
        content[data + 4000] ^= 1
    elif kind == "cut off":
        del content[data + 5000 :]
    elif kind == "missing rows":
        end = content.index(b"IEND") - 4
        header, rest = content[: data - 4], content[end:]
        packed = zlib.compress(zlib.decompress(bytes(content[data + 4 : end - 4]))[:5000])
        chunk = b"IDAT" + packed
        content = header + struct.pack(">I", len(packed)) + chunk
        content += struct.pack(">I", zlib.crc32(chunk)) + rest
    return bytes(content)


@pytest.mark.parametrize("kind", ["bad checksum", "cut off", "missing rows"])
@pytest.mark.parametrize("upright", [True, False])
def test_a_png_with_missing_pixels_is_never_taken_for_whole(
    kind: str, upright: bool, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(damaged_png(kind))
    with pytest.raises(UnreadableImageError):
        load_rgb(path, upright=upright)
    assert read_photo(path).damage
    path.write_bytes(damaged_png("none"))
    assert read_photo(path).damage is None
    assert load_rgb(path, upright=upright).size == (64, 64)


def test_photos_with_much_beside_their_pixels_open(tmp_path: Path) -> None:
    written = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    Image.fromarray(noise).save(written, "JPEG", progressive=True)
    content = written.getvalue()
    depth = b"\xff\xe1\xff\xfdhttp://ns.adobe.com/xmp/extension/\0".ljust(65_535, b"x")
    film = b"\xff\xda" * 100_000  # what follows a photo that moves is no part of it
    path = tmp_path / "photo.jpg"
    path.write_bytes(content[:2] + depth * 150 + b"\xff\xff" + content[2:] + film)
    assert load_rgb(path, upright=True).size == (512, 512)
