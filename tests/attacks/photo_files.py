"""Photos that start programs, or that are small on the disk and large in memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

Write = Callable[[Path], object]
SIDE = 14_900
"""Of the largest square that is not refused for its number of pixels. Of most kinds, far smaller
ones are refused for the memory that they would take; they are tried as large as is not refused."""

POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n"
    b"(/tmp/droplens-was-here) (w) file closefile\n0 0 40 40 rectfill\nshowpage\n%%EOF\n"
)


def dos_postscript() -> bytes:
    head = struct.pack("<IIIIIIIH", 0xC6D3D0C5, 32, len(POSTSCRIPT), 0, 0, 0, 0, 0xFFFF)
    return head.ljust(32, b"\0") + POSTSCRIPT


PROGRAMS: dict[str, tuple[str, bytes]] = {
    "PostScript called a JPEG": ("photo.jpg", POSTSCRIPT),
    "PostScript called a PNG": ("photo.png", POSTSCRIPT),
    "PostScript without an ending": ("photo", POSTSCRIPT),
    "PostScript as DOS keeps it": ("photo.tif", dos_postscript()),
    "PostScript by its own name": ("photo.eps", POSTSCRIPT),
    "PDF called a JPEG": ("photo.jpg", b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"),
    "metafile called a JPEG": ("photo.jpg", b"\xd7\xcd\xc6\x9a" + b"\0" * 200),
    "enhanced metafile": ("photo.emf", b"\1\0\0\0" + b"\0" * 36 + b" EMF" + b"\0" * 200),
}
"""File names and contents of what other programs would be asked to draw."""


def png(path: Path, colour: int, depth: int, channels: int, side: int = SIDE) -> None:
    """Write a black square, a row at a time."""
    packed = zlib.compressobj(1)
    row = b"\0" * (1 + side * channels * depth // 8)
    content = b"".join([*(packed.compress(row) for _ in range(side)), packed.flush()])
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    parts = [(b"IHDR", header), (b"PLTE", b"\1\2\3" * 256), (b"tRNS", b"\x80")]
    kept = parts if colour == 3 else parts[:1]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(chunk(*part) for part in (*kept, (b"IDAT", content), (b"IEND", b"")))
    )


def saved(form: str, mode: str, side: int = SIDE, **options: object) -> Write:
    """Return what writes a black square by Pillow."""
    return lambda path: Image.new(mode, (side, side)).save(path, form, **options)


def animation(form: str, side: int) -> Write:
    def write(path: Path) -> None:
        frames = [Image.new("RGB", (side, side), colour) for colour in ("red", "blue", "red")]
        frames[0].save(path, form, save_all=True, append_images=frames[1:], lossless=True, method=0)

    return write


def heif(path: Path) -> None:
    pillow_heif.from_pillow(Image.new("RGB", (8_000, 8_000))).save(path, quality=10)


def photo_of_200_megapixels(path: Path) -> None:
    """Write what a phone of 200 megapixels gives, lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (16_320, 12_240), (90, 120, 60)).save(path, "JPEG", exif=exif)


def deep_photo(path: Path) -> None:
    """Write 48 megapixels of 16 bits."""
    row = np.arange(8_064, dtype=np.uint16) * 8
    Image.fromarray(np.repeat(row[None], 6_048, axis=0)).save(path, "TIFF")


SOUND: dict[str, Write] = {
    "a phone's 200 megapixels": photo_of_200_megapixels,
    "200 megapixels of grey": lambda path: Image.new("L", (16_320, 12_240), 90).save(path, "JPEG"),
    "48 megapixels of 16 bits": deep_photo,
    "48 megapixels of 16 bits, PNG": lambda path: png(path, 0, 16, 1, 6_950),
}
"""Large photos that open."""


def icon(path: Path) -> None:
    """Write an icon whose one picture is larger than it says."""
    inner = io.BytesIO()
    Image.new("RGBA", (10_000, 10_000)).save(inner, "PNG")
    content = inner.getvalue()
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(content), 22)
    path.write_bytes(struct.pack("<HHH", 0, 1, 1) + entry + content)


def noise(path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (4_000, 4_000, 3), np.uint8)
    Image.fromarray(values).save(path, "JPEG", progressive=True, subsampling=0)


def many_scans(path: Path) -> None:
    """Write a progressive JPEG that goes over its pixels again and again."""
    written = io.BytesIO()
    Image.new("L", (8_000, 8_000)).save(written, "JPEG", progressive=True)
    content = written.getvalue()
    last = content.rindex(b"\xff\xda")
    path.write_bytes(content[:-2] + content[last:-2] * 3_000 + b"\xff\xd9")


def many_strips(path: Path) -> None:
    """Write a TIFF in which each of two million rows is a strip."""
    count, side = 2_000_000, 10
    entries = [(256, 3, 1, side), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1),
               (262, 3, 1, 1), (273, 4, count, 200), (277, 3, 1, 1), (278, 3, 1, 1),
               (279, 4, count, 200 + 4 * count)]  # fmt: skip
    fields = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    directory = struct.pack("<H", len(entries)) + fields + b"\0" * 4
    head = (b"II*\0" + struct.pack("<I", 8) + directory).ljust(200, b"\0")
    path.write_bytes(head + struct.pack("<I", 8) * count + struct.pack("<I", side) * count)


def many_exif_segments(path: Path) -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "JPEG")
    segment = b"\xff\xe1\xff\xfdExif\0\0" + b"x" * 65_525
    path.write_bytes(content.getvalue()[:2] + segment * 800 + content.getvalue()[2:])


def many_notes(path: Path) -> None:
    """Write a PNG with three million short texts."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    at = content.getvalue().index(b"IDAT") - 4
    note = struct.pack(">I", 3) + b"tEXta\0b" + struct.pack(">I", zlib.crc32(b"tEXta\0b"))
    path.write_bytes(content.getvalue()[:at] + note * 3_000_000 + content.getvalue()[at:])


def of_an_app(path: Path) -> None:
    """Write a large PNG as Apple's tools pack them."""
    side = 14_000
    packed = zlib.compressobj(1, wbits=-15)
    row = b"\0" * (1 + side * 4)
    content = b"".join([*(packed.compress(row) for _ in range(side)), packed.flush()])
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    parts = [(b"CgBI", b"\x50\0\x20\x02"), (b"IHDR", header), (b"IDAT", content), (b"IEND", b"")]
    made = b"\x89PNG\r\n\x1a\n"
    for kind, data in parts:
        made += struct.pack(">I", len(data)) + kind + data
        made += struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(made)


LARGE: dict[str, Write] = {
    "3,000,000 texts": many_notes,
    "PNG of an app": of_an_app,
    "QOI": saved("QOI", "RGB", 5_000),
    "DDS": saved("DDS", "RGBA", 5_000),
    "3,000 scans": many_scans,
    "2,000,000 strips": many_strips,
    "800 segments of Exif": many_exif_segments,
    "grey of 16 bits": lambda path: png(path, 0, 16, 1, 10_900),
    "RGBA": lambda path: png(path, 6, 8, 4, 10_200),
    "RGBA of 16 bits": lambda path: png(path, 6, 16, 4, 10_200),
    "grey with alpha": lambda path: png(path, 4, 8, 2, 10_200),
    "palette with transparency": lambda path: png(path, 3, 8, 1, 12_900),
    "one bit": lambda path: png(path, 0, 1, 1, 12_896),
    "JPEG that lies on its side": photo_of_200_megapixels,
    "progressive JPEG": saved("JPEG", "RGB", 9_100, progressive=True, subsampling=0),
    "progressive JPEG of noise": noise,
    "CMYK": saved("JPEG", "CMYK", 10_000),
    "TIFF of 32 bits": saved("TIFF", "I", 8_700, compression="tiff_lzw"),
    "TIFF of floats": saved("TIFF", "F", 8_700, compression="tiff_lzw"),
    "TIFF in one strip": saved("TIFF", "RGBA", 8_700, compression="tiff_deflate", strip_size=2**30),
    "animated WebP": animation("WEBP", 6_300),
    "still WebP": saved("WEBP", "RGBA", 6_300, lossless=True, method=0),
    "animated PNG": animation("PNG", 6_000),
    "animated GIF": animation("GIF", 6_000),
    "HEIF": heif,
    "JPEG 2000": saved("JPEG2000", "RGB", 5_000),
    "icon larger than it says": icon,
    "portable bitmap": saved("PPM", "RGB", 9_000),
}
