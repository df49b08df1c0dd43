"""Photos of kinds that few programs read: each opens rightly, or is refused by its name."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pylibjxl
import pytest
from PIL import Image

from core.errors import UnreadableImageError
from core.images import decoding
from core.images.decoding import load_rgb, read_photo
from core.images.preprocessing import Preprocessing
from core.images.thumbnails import find_or_make_thumbnail
from tests.raw_files import MAKERS
from tests.tiff_files import write_tiff

SIZE = (1200, 800)


def gradient(size: tuple[int, int] = SIZE) -> Image.Image:
    across = np.linspace(0, 255, size[0])[None, :].repeat(size[1], 0)
    down = np.linspace(0, 255, size[1])[:, None].repeat(size[0], 1)
    return Image.fromarray(np.stack([across, down, 255 - across], axis=2).astype(np.uint8))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def reason_of(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError) as caught:
        read_photo(path)
    with pytest.raises(UnreadableImageError) as again:
        Preprocessing().see_file(path)
    assert caught.value.reason == again.value.reason
    return caught.value.reason


# RAW


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_raw_photos_open_by_their_largest_preview(
    tmp_path: Path, maker: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    own = {"exif": exif} if maker == "raf" else {}  # nothing else there says how it lies
    jpeg = saved(gradient(), "JPEG", quality=95, **own)
    if maker == "raf":  # as cameras write it: Exif comes first
        jpeg = jpeg[:2] + jpeg[20:]
    path = tmp_path / f"photo.{maker.upper()}"
    path.write_bytes(MAKERS[maker](jpeg, SIZE, orientation))
    photo = read_photo(path)
    assert photo.size == (SIZE if orientation == 1 else SIZE[::-1])
    stored = np.asarray(load_rgb(path, upright=False)).astype(int)
    assert np.abs(stored - gradient()).max() < 20


@pytest.mark.parametrize("maker", ["nef", "dng", "srw"])
def test_a_raw_photo_is_not_taken_for_its_thumbnail(tmp_path: Path, maker: str) -> None:
    content = bytearray(MAKERS[maker](saved(gradient(), "JPEG"), SIZE, 1))
    start = content.index(b"\xff\xd8\xff")
    content[start : start + 4] = b"\0" * 4
    (tmp_path / "photo.tif").write_bytes(content)
    with contextlib.suppress(UnreadableImageError):  # LibRaw mends some of them
        assert read_photo(tmp_path / "photo.tif").size == SIZE


def test_other_photos_called_raw_open_as_what_they_are(tmp_path: Path) -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        path = tmp_path / f"{form}.nef"
        path.write_bytes(saved(gradient(), form))
        assert read_photo(path).size == SIZE


# JPEG XL


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_jpeg_xl_opens(tmp_path: Path, mode: str) -> None:
    image = gradient((64, 48)).convert(mode)
    pixels = np.asarray(image) if mode != "L" else np.asarray(image)[:, :, None]
    (tmp_path / "photo.jxl").write_bytes(pylibjxl.encode(np.ascontiguousarray(pixels)))
    found = read_photo(tmp_path / "photo.jxl").pixels.astype(int)
    assert np.abs(found - np.asarray(image.convert("RGB"))).mean() < 4


def test_damaged_jpeg_xl_is_a_sentence(tmp_path: Path) -> None:
    content = pylibjxl.encode(np.asarray(gradient((64, 48))))
    for odd in (content[:40], b"\xff\x0a" + b"x" * 100):
        assert "copy or download" in reason_of(tmp_path / "photo.jxl", odd)


# PNG


def chunk(kind: bytes, data: bytes, *, damaged: bool = False) -> bytes:
    checksum = zlib.crc32(kind + data) ^ damaged
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt", b"zTXt", b"iCCP", b"tIME", b"eXIf"])
@pytest.mark.parametrize("behind", [True, False])
def test_a_png_with_a_damaged_note_opens(tmp_path: Path, kind: bytes, behind: bool) -> None:
    content = saved(gradient((40, 30)), "PNG")
    at = content.index(b"IEND" if behind else b"IDAT") - 4
    note = chunk(kind, b"Comment\0hello", damaged=True)
    (tmp_path / "photo.png").write_bytes(content[:at] + note + content[at:])
    assert np.array_equal(read_photo(tmp_path / "photo.png").pixels, gradient((40, 30)))
    assert np.array_equal(load_rgb(tmp_path / "photo.png", upright=True), gradient((40, 30)))


@pytest.mark.parametrize("kind", [b"tRNS", b"PLTE"])
def test_a_png_with_damaged_colours_is_refused(tmp_path: Path, kind: bytes) -> None:
    content = saved(gradient((40, 30)).quantize(16), "PNG", transparency=3)
    place = content.index(kind) + 5
    damaged = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    assert "damaged" in reason_of(tmp_path / "photo.png", damaged)


def test_a_png_as_apps_for_iphones_have_it(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[:, :, :] = (200, 100, 50, 255)
    pixels[1, 2] = (100, 50, 25, 128)  # darkened by its alpha
    stored = pixels[:, :, [2, 1, 0, 3]]
    rows = b"".join(b"\0" + row.tobytes() for row in stored)
    packed = zlib.compressobj(wbits=-15)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"CgBI", b"\x50\0\x20\x02")
    content += chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 6, 0, 0, 0))
    content += chunk(b"IDAT", packed.compress(rows) + packed.flush()) + chunk(b"IEND", b"")
    (tmp_path / "icon.png").write_bytes(content)
    dropped = np.asarray(load_rgb(tmp_path / "icon.png", upright=True, transparency="dropped"))
    assert np.abs(dropped.astype(int) - (200, 100, 50)).max() <= 1
    assert np.abs(read_photo(tmp_path / "icon.png").pixels[0, 0].astype(int) - 0).tolist() == [
        *(200, 100, 50)
    ]
    assert "copy or download" in reason_of(tmp_path / "cut.png", content[:60])


# What is cut off


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("jpg", {}),
        ("jpg", {"progressive": True}),
        ("png", {}),
        ("bmp", {}),
        ("gif", {"interlace": 0}),
        ("tif", {}),
        ("tga", {}),
    ],
)
def test_what_is_cut_off_shows_as_far_as_it_goes_and_no_model_is_given_it(
    tmp_path: Path, ending: str, options: dict[str, object]
) -> None:
    path = tmp_path / f"photo.{ending}"
    gradient().save(path, **options)
    if ending == "tif":  # Pillow puts its tags first
        assert path.read_bytes()[4:8] == b"\x08\0\0\0"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    photo = read_photo(path)
    assert photo.damage
    assert "incomplete" in photo.damage
    whole = np.asarray(gradient())
    rows = slice(-100, None) if ending in ("bmp", "tga") else slice(100)
    assert np.abs(photo.pixels[rows].astype(int) - whole[rows]).mean() < 12
    with pytest.raises(UnreadableImageError) as caught:
        Preprocessing().see_file(path)
    assert caught.value.reason == photo.damage


def test_a_tiff_whose_tags_are_cut_off_is_incomplete(tmp_path: Path) -> None:
    content = saved(gradient((60, 40)), "TIFF", compression="tiff_lzw")
    assert "incomplete" in reason_of(tmp_path / "photo.tif", content[: len(content) // 2])


# What is sound and not read


def named_jpeg(marker: int, bits: int) -> bytes:
    content = bytearray(saved(gradient((60, 40)), "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = marker, bits
    return bytes(content)


def bmp_of(bits: int, compression: int) -> bytes:
    content = bytearray(saved(gradient((16, 16)), "BMP"))
    struct.pack_into("<HI", content, 28, bits, compression)
    return bytes(content).ljust(5_000, b"\0")


def tiff_of(values: np.ndarray, compression: int = 1) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        content = bytearray(write_tiff(folder / "made.tif", values).read_bytes())
        at = content.index(struct.pack("<HHI", 259, 3, 1))
        struct.pack_into("<H", content, at + 8, compression)
        return bytes(content)

    return make


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (named_jpeg(0xC1, 12), "a 12-bit JPEG"),
        (named_jpeg(0xC3, 8), "a lossless JPEG"),
        (named_jpeg(0xF7, 8), "a JPEG-LS"),
        (bmp_of(16, 3), "a 16-bit BMP with bit fields"),
        (bmp_of(32, 6), "a 32-bit BMP with bit fields"),
        (bmp_of(24, 4), "a BMP with a JPEG inside"),
        (bmp_of(2, 0), "a 2-bit BMP"),
        (tiff_of(np.zeros((4, 4, 8), np.uint16)), "a TIFF of 8 bands"),
        (tiff_of(np.zeros((4, 4, 12), np.uint8)), "a TIFF of 12 bands"),
        (tiff_of(np.zeros((4, 4, 3), np.float32)), "a TIFF with 32-bit floating-point values"),
        (tiff_of(np.zeros((4, 4), np.float64)), "a TIFF with 64-bit floating-point values"),
        (tiff_of(np.zeros((4, 4, 3), np.uint8), 34887), "a TIFF with LERC compression"),
        (tiff_of(np.zeros((4, 4, 3), np.uint8), 34712), "a TIFF with JPEG 2000 compression"),
        (b"8BPS\0\2" + b"\0" * 40, "a large Photoshop document (PSB)"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing (SVG)"),
        (b"gimp xcf v011\0" + b"\0" * 90, "a GIMP project"),
        (b"\x76\x2f\x31\x01" + b"\0" * 90, "an OpenEXR picture"),
        (b"\0\0\0\x20ftypisom" + b"\0" * 90, "a video"),
        (b"PK\x03\x04" + b"\0" * 90, "an archive or a document"),
        (b"\0" * 128 + b"DICM" + b"\0" * 90, "a DICOM picture"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(
    tmp_path: Path, content: bytes | Callable[[Path], bytes], name: str
) -> None:
    made = content if isinstance(content, bytes) else content(tmp_path)
    reason = reason_of(tmp_path / "photo.jpg", made)
    assert reason.startswith(f"it is {name}")
    assert "damaged" not in reason
    assert "copy" not in reason


def test_a_tiff_of_impossible_numbers_is_damaged(tmp_path: Path) -> None:
    content = bytearray(write_tiff(tmp_path / "made.tif", np.zeros((4, 4), np.uint8)).read_bytes())
    at = content.index(struct.pack("<HHI", 277, 3, 1))
    struct.pack_into("<H", content, at + 8, 65_535)
    assert "damaged" in reason_of(tmp_path / "photo.tif", bytes(content))


# Libraries


def test_no_library_writes_to_standard_error(tmp_path: Path) -> None:
    """In a process of its own: libtiff and others write below Python."""
    rng = np.random.default_rng(0)
    for number in range(30):
        for form, options in (("TIFF", {"compression": "tiff_lzw"}), ("JPEG2000", {}), ("PNG", {})):
            content = bytearray(saved(gradient((60, 40)), form, **options))
            for place in rng.integers(4, len(content), 20):
                content[place] = int(rng.integers(256))
            (tmp_path / f"{number}.{form}").write_bytes(content)
    content = bytearray(MAKERS["nef"](saved(gradient(), "JPEG"), SIZE, 1))
    (tmp_path / "cut.nef").write_bytes(content[: len(content) // 2])
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from core.images.decoding import UnreadableImageError, read_photo\n"
        f"for path in sorted(Path({str(tmp_path)!r}).iterdir()):\n"
        "    try:\n        read_photo(path)\n"
        "    except UnreadableImageError:\n        pass\n"
        "print('told', file=sys.stderr)\n"
    )
    root = Path(decoding.__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stderr == "told\n"


def test_python_and_others_write_to_standard_error_afterwards(
    make_photo: Callable[..., Path],
) -> None:
    path = make_photo("photo.tif")
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from core.images.decoding import read_photo\n"
        f"read_photo(Path({str(path)!r}))\n"
        "print('from Python', file=sys.stderr, flush=True)\nos.write(2, b'from below')\n"
    )
    root = Path(decoding.__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stderr == "from Python\nfrom below"


# Pages


@pytest.mark.parametrize("ending", ["tif", "gif", "png", "webp", "mpo", "avif"])
def test_pages_and_pictures_of_animations_are_counted_and_shown(
    tmp_path: Path, ending: str
) -> None:
    colours = ["red", "lime", "blue"]
    frames = [Image.new("RGB", (64, 48), colour) for colour in colours]
    path = tmp_path / f"photo.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read_photo(path).frames == 3
    for number, colour in enumerate(colours):
        pixel = read_photo(path, number).pixels[20, 20].astype(int)
        expected = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
        assert np.abs(pixel - expected).max() < 30
    assert np.abs(np.asarray(load_rgb(path, upright=True))[20, 20] - (254, 0, 0)).max() < 30


def test_layers_and_sizes_are_no_pages(tmp_path: Path) -> None:
    gradient((64, 64)).save(tmp_path / "photo.ico", sizes=[(16, 16), (32, 32), (64, 64)])
    assert read_photo(tmp_path / "photo.ico").frames == 1


def test_a_tiff_whose_pages_run_in_a_circle(tmp_path: Path) -> None:
    content = bytearray(write_tiff(tmp_path / "photo.tif", np.zeros((4, 4), np.uint8)).read_bytes())
    (count,) = struct.unpack_from("<H", content, 8)
    struct.pack_into("<I", content, 10 + 12 * count, 8)
    (tmp_path / "photo.tif").write_bytes(content)
    assert read_photo(tmp_path / "photo.tif").frames == 1


def test_an_odd_call_of_the_system_is_no_reason(tmp_path: Path) -> None:
    content = bytearray(write_tiff(tmp_path / "photo.tif", np.zeros((4, 4), np.uint8)).read_bytes())
    at = content.index(struct.pack("<HHI", 273, 4, 1))
    for place in (0xFFFFFFFF, 0x80000000, len(content) + 10):
        struct.pack_into("<I", content, at + 8, place)
        reason = reason_of(tmp_path / "odd.tif", bytes(content))
        assert "rgument" not in reason
        assert os.strerror(22) not in reason


# Parts that are missing without a word of the decoder


def without_strips(path: Path, kept: list[int]) -> bytes:
    content = bytearray(write_tiff(path, np.full((64, 64), 200, np.uint8)).read_bytes())
    at = content.index(struct.pack("<HHI", 278, 4, 1))
    struct.pack_into("<I", content, at + 8, 64 // len(kept))
    for number in (273, 279):
        place = content.index(struct.pack("<HHI", number, 4, 1))
        (value,) = struct.unpack_from("<I", content, place + 8)
        share = 64 * 64 // len(kept)
        values = [(value + one * share if number == 273 else share) * bool(is_there)
                  for one, is_there in enumerate(kept)]  # fmt: skip
        struct.pack_into("<II", content, place + 4, len(kept), len(content))
        content += struct.pack(f"<{len(kept)}I", *values)
    return bytes(content)


def test_a_tiff_without_some_strips_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    path.write_bytes(without_strips(tmp_path / "made.tif", [1, 1, 1, 1]))
    assert Preprocessing().see_file(path).pixels.min() == 200
    path.write_bytes(without_strips(tmp_path / "made.tif", [1, 1, 0, 0]))
    with pytest.raises(UnreadableImageError, match="incomplete"):
        Preprocessing().see_file(path)
    assert read_photo(path).damage


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_whose_rest_is_zeros_is_not_whole(
    tmp_path: Path, options: dict[str, object]
) -> None:
    content = saved(gradient(), "JPEG", **options)
    path = tmp_path / "photo.jpg"
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(len(content) - half))
    with pytest.raises(UnreadableImageError, match="incomplete"):
        Preprocessing().see_file(path)
    assert read_photo(path).damage


@pytest.mark.parametrize("form", ["WEBP", "AVIF", "JPEG2000"])
def test_a_download_that_was_not_ended_is_not_whole(tmp_path: Path, form: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    content = saved(Image.fromarray(noise), form)
    half = len(content) // 2
    assert half > 5_000
    (tmp_path / "photo").write_bytes(content[:half] + bytes(len(content) - half))
    with pytest.raises(UnreadableImageError, match="copy or download it again"):
        Preprocessing().see_file(tmp_path / "photo")


def test_values_of_16_bits_in_separate_planes_are_not_misread(tmp_path: Path) -> None:
    content = bytearray(
        write_tiff(tmp_path / "made.tif", np.zeros((4, 4, 3), np.uint16)).read_bytes()
    )
    at = content.index(struct.pack("<HHI", 259, 3, 1))
    struct.pack_into("<HHIHH", content, at, 284, 3, 1, 2, 0)
    assert "separate planes" in reason_of(tmp_path / "photo.tif", bytes(content))


def test_white_is_zero_in_every_depth(tmp_path: Path) -> None:
    for kind, top in ((np.uint8, 255), (np.uint16, 65_535)):
        values = np.array([[0, top // 2, top]], kind)
        content = bytearray(write_tiff(tmp_path / "made.tif", values).read_bytes())
        at = content.index(struct.pack("<HHI", 262, 3, 1))
        struct.pack_into("<H", content, at + 8, 0)
        (tmp_path / "photo.tif").write_bytes(content)
        grey = read_photo(tmp_path / "photo.tif").pixels[0, :, 0].astype(int)
        assert np.abs(grey - (255, 128, 0)).max() <= 1


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.webp", b"RIFF\x24\0\0\0AVI LIST" + b"\0" * 90, "a sound or a video"),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 90, "a sound or a video"),
        (
            "a.tif",
            b"II*\0\x08\0\0\0\x01\0\x06\x01\x03\0\x01\0\0\0\x04\0\0\0\0\0\0\0",
            "kind of TIFF",
        ),
    ],
)
def test_containers_of_other_things(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    reason = reason_of(tmp_path / name, content)
    assert word in reason
    assert "damaged" not in reason


@pytest.mark.parametrize("form", ["AVIF", "ICNS"])
def test_a_file_that_is_cut_off_is_of_a_known_kind(tmp_path: Path, form: str) -> None:
    content = saved(gradient((64, 64)), form)
    reason = reason_of(tmp_path / "photo", content[: len(content) // 3])
    assert "copy or download it again" in reason


def test_a_thumbnail_of_a_damaged_photo_is_not_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:600_000])
    assert find_or_make_thumbnail(path, 256).shape == (256, 256, 3)
    assert not list((tmp_path / "cache").rglob("*.png"))


@pytest.mark.skipif(os.name != "posix", reason="needs a shell of POSIX")
def test_without_standard_error_no_file_loses_what_is_written(
    make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_photo("photo.jpg")
    code = (
        "from pathlib import Path\nfrom core.images.decoding import read_photo\n"
        f"kept = open({str(tmp_path / 'kept')!r}, 'w')\n"
        f"read_photo(Path({str(path)!r}))\n"
        "kept.write('all')\nkept.close()\n"
    )
    root = Path(decoding.__file__).parent.parent.parent
    command = f'"{sys.executable}" -c "$CODE" 2>&-'
    environment = {**os.environ, "CODE": code}
    subprocess.run(["sh", "-c", command], cwd=root, env=environment, check=True)
    assert (tmp_path / "kept").read_text() == "all"
