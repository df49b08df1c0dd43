"""RAW photos of ten makers, each around one JPEG, as LibRaw tells them apart.

Every writer takes the bytes of a JPEG, its (width, height) and an EXIF orientation, and returns the
bytes of a file whose largest picture is that JPEG. The sensor holds one grey.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar

RAW_W, RAW_H = 200, 150  # else LibRaw takes the thumbnail of 160 x 120 for the sensor

Writer = Callable[[bytes, tuple[int, int], int], bytes]


class _Tiff:
    """Lays out a TIFF of several directories.

    A value is a number (LONG), a text, bytes (UNDEFINED), (kind, numbers), ("blob", bytes) (an
    offset to bytes in the file), ("ifd", index) or ("ifds", indices). "next" is the index of the
    directory that follows.
    """

    _KINDS: ClassVar = {"B": 1, "H": 3, "I": 4, "R": 5}

    def __init__(self, order: str, magic: int, head: bytes) -> None:
        self._order = order
        self._out = bytearray((b"II" if order == "<" else b"MM") + self._pack("HI", magic, 0))
        self._out += head
        self._patches: list[tuple[int, int | None]] = []

    def written(self, ifds: list[dict[Any, Any]]) -> bytes:
        places = [self._add(ifd) for ifd in ifds]
        for at, index in self._patches:
            place = places[index] if index is not None else 0
            self._out[at : at + 4] = self._pack("I", place)
        self._out[4:8] = self._pack("I", places[0])
        return bytes(self._out)

    def _add(self, ifd: dict[Any, Any]) -> int:
        tags = sorted(tag for tag in ifd if isinstance(tag, int))
        place = self._append(self._pack("H", len(tags)) + bytes(12 * len(tags) + 4))
        self._patches.append((place + 2 + 12 * len(tags), ifd.get("next")))
        for number, tag in enumerate(tags):
            at = place + 2 + 12 * number
            kind, count, content = self._value(ifd[tag], at + 8)
            if len(content) > 4:
                content = self._pack("I", self._append(content))
            if content:
                self._out[at + 8 : at + 12] = content.ljust(4, b"\0")
            self._out[at : at + 8] = self._pack("HHI", tag, kind, count)
        return place

    def _value(self, value: Any, field: int) -> tuple[int, int, bytes]:
        """Return kind, count and content of a value; none where it is filled in later."""
        if isinstance(value, int):
            return 4, 1, self._pack("I", value)
        if isinstance(value, str):
            return 2, len(value) + 1, value.encode() + b"\0"
        if isinstance(value, bytes):
            return 7, len(value), value
        kind, content = value
        if kind == "blob":
            return 4, 1, self._pack("I", self._append(content))
        if kind == "ifd" or (kind == "ifds" and len(content) == 1):
            self._patches.append((field, content if kind == "ifd" else content[0]))
            return 4, 1, b""
        if kind == "ifds":
            place = self._append(bytes(4 * len(content)))
            self._patches += [(place + 4 * at, index) for at, index in enumerate(content)]
            return 4, len(content), self._pack("I", place)
        count = len(content) // 2 if kind == "R" else len(content)
        return self._KINDS[kind], count, self._pack(kind.replace("R", "I") * len(content), *content)

    def _append(self, content: bytes) -> int:
        self._out += b"\0" * (len(self._out) % 2)
        place = len(self._out)
        self._out += content
        return place

    def _pack(self, letters: str, *numbers: int) -> bytes:
        return struct.pack(self._order + letters, *numbers)


def _tiff(
    ifds: list[dict[Any, Any]], order: str = "<", magic: int = 42, head: bytes = b""
) -> bytes:
    return _Tiff(order, magic, head).written(ifds)


def _frame(order: str = "<") -> bytes:
    """Sensor data: a flat grey 16-bit mosaic."""
    return struct.pack(order + "H", 2000) * (RAW_W * RAW_H)


def _preview(jpeg: bytes, size: tuple[int, int], kind: str) -> dict[Any, Any]:
    """Tags of an IFD that holds a JPEG, as strips (kind 'strip') or as a JPEG interchange."""
    w, h = size
    tags = {0x100: w, 0x101: h, 0x102: ("H", [8, 8, 8]), 0x106: ("H", [6]), 0x115: ("H", [3])}
    if kind == "strip":
        return tags | {
            0xFE: 1,
            0x103: ("H", [7]),
            0x111: ("blob", jpeg),
            0x116: h,
            0x117: len(jpeg),
        }
    return {0xFE: 1, 0x103: ("H", [6]), 0x201: ("blob", jpeg), 0x202: len(jpeg)}


def _sensor(order: str = "<", comp: int = 1, cfa: bool = True) -> dict[Any, Any]:
    data = _frame(order)
    tags = {
        0xFE: 0,
        0x100: RAW_W,
        0x101: RAW_H,
        0x102: ("H", [16]),
        0x103: ("H", [comp]),
        0x106: ("H", [32803]),
        0x111: ("blob", data),
        0x115: ("H", [1]),
        0x116: RAW_H,
        0x117: len(data),
    }
    if cfa:
        tags |= {0x828D: ("H", [2, 2]), 0x828E: ("B", [0, 1, 1, 2])}
    return tags


def _little(make: str, model: str, orient: int = 1) -> dict[Any, Any]:
    """IFD0 as cameras write it: a 160 x 120 RGB thumbnail Pillow opens as a TIFF."""
    rgb = bytes((200, 60, 60)) * (160 * 120)
    return {
        0xFE: 1,
        0x100: 160,
        0x101: 120,
        0x102: ("H", [8, 8, 8]),
        0x103: ("H", [1]),
        0x106: ("H", [2]),
        0x10F: make,
        0x110: model,
        0x111: ("blob", rgb),
        0x112: ("H", [orient]),
        0x115: ("H", [3]),
        0x116: 120,
        0x117: len(rgb),
        0x11C: ("H", [1]),
    }


def make_dng(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """DNG: IFD0 thumbnail, SubIFDs sensor + full-size JPEG (what Adobe's converter writes)."""
    matrix = [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]
    zero = _little("Droplens", "Test DNG", orient) | {
        0x14A: ("ifds", [1, 2]),
        0xC612: ("B", [1, 4, 0, 0]),
        0xC613: ("B", [1, 1, 0, 0]),
        0xC614: "Droplens Test DNG",
        0xC621: ("R", matrix),
        0xC65A: ("H", [21]),
    }
    return _tiff([zero, _sensor(), _preview(jpeg, size, "strip")])


def make_nef(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """NEF (big-endian, as Nikon's): IFD0 160 x 120 RGB; SubIFDs: JPEG interchange, sensor."""
    zero = _little("NIKON CORPORATION", "NIKON D700", orient) | {0x14A: ("ifds", [1, 2])}
    return _tiff([zero, _preview(jpeg, size, "jif"), _sensor(">")], ">")


def make_arw(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """ARW: IFD0 itself is the preview (JPEG interchange), SubIFD the sensor, Make SONY."""
    zero = {
        0xFE: 1,
        0x103: ("H", [6]),
        0x10F: "SONY",
        0x110: "ILCE-7M3",
        0x112: ("H", [orient]),
        0x14A: ("ifds", [1]),
        0x201: ("blob", jpeg),
        0x202: len(jpeg),
    }
    return _tiff([zero, _sensor()])


def make_pef(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """PEF: IFD0 sensor, IFD1 small, IFD2 full-size JPEG interchange."""
    zero = _sensor(">") | {0x10F: "PENTAX", 0x110: "PENTAX K-5", 0x112: ("H", [orient]), "next": 1}
    return _tiff([zero, _preview(jpeg, size, "jif")], ">")


def make_srw(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """SRW: IFD0 thumbnail, SubIFD sensor, and the JPEG in a second SubIFD."""
    zero = _little("SAMSUNG", "NX300", orient) | {0x14A: ("ifds", [1, 2])}
    return _tiff([zero, _sensor(), _preview(jpeg, size, "jif")])


def make_cr2(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """CR2: 'CR' mark after the header; IFD0 full-size JPEG in one strip; IFD3 the sensor."""
    zero = {
        0x100: ("H", [size[0]]),
        0x101: ("H", [size[1]]),
        0x102: ("H", [8, 8, 8]),
        0x103: ("H", [6]),
        0x10F: "Canon",
        0x110: "Canon EOS 5D Mark II",
        0x111: ("blob", jpeg),
        0x112: ("H", [orient]),
        0x117: len(jpeg),
        "next": 1,
    }
    data = _ljpeg(RAW_W, RAW_H)
    sensor = {0x103: ("H", [6]), 0x111: ("blob", data), 0x117: len(data)}
    return _tiff([zero, sensor], head=b"CR\x02\x00\0\0\0\0")


def _ljpeg(width: int, height: int) -> bytes:
    """The head of a lossless JPEG frame, two components, 14 bits (LibRaw reads only this)."""
    w = width // 2
    sof = struct.pack(">BHHB", 14, height, w, 2) + bytes((1, 0x11, 0, 2, 0x11, 0))
    dht = (
        b"\0"
        + bytes((0, 1, 4, 2, 3, 1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0))
        + bytes((6, 4, 8, 5, 7, 3, 9, 0, 10, 2, 1, 12, 11, 13, 14))
    )
    sos = bytes((2, 1, 0, 2, 0, 1, 0, 0))
    out = b"\xff\xd8"
    for mark, body in ((0xC4, dht), (0xC3, sof), (0xDA, sos)):
        out += bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body
    return out + bytes(2000)


def make_orf(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """ORF: magic 'IIRO'; IFD0 the sensor; the JPEG is named by the maker note (0x2020)."""
    zero = _sensor(cfa=False) | {
        0x106: ("H", [1]),
        0x10F: "OLYMPUS CORPORATION",
        0x110: "E-M5MarkII",
        0x112: ("H", [orient]),
        0x8769: ("ifd", 1),
    }
    # Maker note "OLYMPUS\0II\3\0": its offsets count from its own start.
    note = bytearray(b"OLYMPUS\0II\x03\0" + struct.pack("<H", 1))
    note += struct.pack("<HHII", 0x2020, 13, 1, 30) + bytes(4)
    note += struct.pack("<H", 3)
    note += struct.pack("<HHII", 0x100, 4, 1, 1)  # PreviewImageValid
    note += struct.pack("<HHII", 0x101, 4, 1, 72)  # PreviewImageStart
    note += struct.pack("<HHII", 0x102, 4, 1, len(jpeg)) + bytes(4)
    assert len(note) <= 72
    note = bytes(note).ljust(72, b"\0") + jpeg
    return _tiff([zero, {0x927C: note}], magic=0x4F52)


def make_rw2(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """RW2: magic 'IIU'; the JPEG is the tag 0x2E of IFD0, the sensor named by 0x118."""
    data = _frame()
    zero = {
        0x01: b"0310",
        0x02: ("H", [RAW_W]),
        0x03: ("H", [RAW_H]),
        0x04: ("H", [0]),
        0x05: ("H", [0]),
        0x06: ("H", [RAW_H]),
        0x07: ("H", [RAW_W]),
        0x09: ("H", [1]),
        0x0A: ("H", [12]),
        0x0B: ("H", [34316]),
        0x2D: ("H", [4]),
        0x2E: jpeg,
        0x10F: "Panasonic",
        0x110: "DMC-G3",
        0x112: ("H", [orient]),
        0x118: ("blob", data),
    }
    return _tiff([zero], magic=0x55)


def make_raf(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """RAF: a fixed header; JPEG at the offset in byte 84, CFA header at 92, CFA data at 100."""
    data = _frame()
    head = bytearray(160)
    head[0:16] = b"FUJIFILMCCD-RAW "
    head[16:28] = b"0201FF389501"
    head[28 : 28 + 6] = b"X100\0\0"
    head[60:64] = b"0100"
    cfa = struct.pack(">I", 2)
    cfa += struct.pack(">HHHH", 0x100, 4, RAW_H, RAW_W) + struct.pack(
        ">HHHH", 0x121, 4, RAW_H, RAW_W
    )
    at = len(head)
    head[84:92] = struct.pack(">II", at, len(jpeg))
    head[92:100] = struct.pack(">II", at + len(jpeg), len(cfa))
    head[100:108] = struct.pack(">II", at + len(jpeg) + len(cfa), len(data))
    return bytes(head) + jpeg + cfa + data


def make_cr3(jpeg: bytes, size: tuple[int, int], orient: int = 1) -> bytes:
    """CR3: ISO boxes; one track whose sample is the full-size JPEG, one CRX sensor track."""

    def box(name: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return struct.pack(">I4s", len(body) + 8, name) + body

    def track(entry: bytes, length: int, offset: int) -> bytes:
        table = box(b"stsd", struct.pack(">II", 0, 1), entry)
        table += box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1))
        table += box(b"stsz", struct.pack(">III", 0, length, 1))
        table += box(b"co64", struct.pack(">IIQ", 0, 1, offset))
        handler = box(b"hdlr", struct.pack(">II4s13x", 0, 0, b"vide"))
        return box(b"trak", box(b"mdia", handler, box(b"minf", box(b"stbl", table))))

    def craw(w: int, h: int, *parts: bytes) -> bytes:
        return box(b"CRAW", bytes(24), struct.pack(">HH", w, h), bytes(54), *parts)

    w, h = 0x1890, 0x0FD8  # 6288 x 4056, in two tiles: the header of a real EOS 250D file
    cmp1 = bytes.fromhex(
        "ff000030010000000000189000000fd800000c4800000fd80e400000000000d8"
        "0000000001010000010100000101000001010000"
    )
    ifd = _tiff(
        [
            {
                0x100: ("H", [6000]),
                0x101: ("H", [4000]),
                0x10F: "Canon",
                0x110: "Canon EOS 250D",
                0x112: ("H", [orient]),
            }
        ]
    )
    uuid = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    ftyp = box(b"ftyp", b"crx \0\0\0\1crx isom")

    def moov(start: int) -> bytes:
        return box(
            b"moov",
            box(b"uuid", uuid, box(b"CMT1", ifd)),
            track(craw(*size, box(b"JPEG", bytes(4))), len(jpeg), start),
            track(craw(w, h, box(b"CMP1", cmp1)), 4096, start + len(jpeg)),
        )

    start = len(ftyp) + len(moov(0)) + 8
    return ftyp + moov(start) + box(b"mdat", jpeg, bytes(4096))


MAKERS: dict[str, Writer] = {
    "dng": make_dng,
    "nef": make_nef,
    "cr2": make_cr2,
    "cr3": make_cr3,
    "arw": make_arw,
    "orf": make_orf,
    "rw2": make_rw2,
    "raf": make_raf,
    "pef": make_pef,
    "srw": make_srw,
}
