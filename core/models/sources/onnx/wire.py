"""Protocol Buffers as they lie in a file, read without copying and within bounds.

Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

from collections.abc import Iterator

MOST_FIELDS = 1_000_000
"""Of one file; torchvision's networks have up to 100,000."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_LOW, _MORE, _SIGN = 0x7F, 0x80, 1 << 63

Value = int | memoryview
"""A number, or the bytes of a text, of a message, or of a number that has a fixed size."""


class DamagedError(Exception):
    """A file that is no ONNX network, or is cut off."""


class TooManyPartsError(Exception):
    """A file of more parts than any network has."""


class Wire:
    """Reads the fields of messages, and counts them."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """Yield the number and the value of each field.

        Raises:
            DamagedError: it is no message.
            TooManyPartsError: there are more than ``MOST_FIELDS``, over all messages.
        """
        at, end = 0, len(message)
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise TooManyPartsError
            key = message[at]  # most are of one byte, and a call each is what takes the time
            if key < _MORE:
                at += 1
            else:
                key, at = _varint(message, at)
            number, kind = key >> 3, key & 7
            if number == 0:
                raise DamagedError
            if kind == _VARINT:
                value, at = _varint(message, at)
                yield number, value
                continue
            if kind == _BYTES:
                if at < end and message[at] < _MORE:
                    size, at = message[at], at + 1
                else:
                    size, at = _varint(message, at)
            elif kind in (_FIXED32, _FIXED64):
                size = 4 if kind == _FIXED32 else 8
            else:  # groups, which no version of ONNX has
                raise DamagedError
            if size > end - at:
                raise DamagedError
            yield number, message[at : at + size]
            at += size


def text(value: Value) -> str:
    """Return a field as text, by which something is found.

    Raises:
        DamagedError: it is a number, or not UTF-8, which ONNX Runtime would stumble over.
    """
    try:
        return bytes(content(value)).decode()
    except UnicodeDecodeError as error:
        raise DamagedError from error


def remark(value: Value) -> str:
    """Return a field as text that is for people, whatever letters it is in.

    Raises:
        DamagedError: it is a number.
    """
    return bytes(content(value)).decode("utf-8", "replace")


def content(value: Value) -> memoryview:
    """Return a field as bytes.

    Raises:
        DamagedError: it is a number.
    """
    if isinstance(value, int):
        raise DamagedError
    return value


def integer(value: Value) -> int:
    """Return a field as a signed number.

    Raises:
        DamagedError: it is not one.
    """
    if not isinstance(value, int):
        raise DamagedError
    return value - (1 << 64) if value & _SIGN else value


def integers(value: Value, most: int) -> list[int]:
    """Return a repeated number: one of a field of its own, or several that lie together.

    Raises:
        DamagedError: they are no numbers, or more than ``most``.
    """
    if isinstance(value, int):
        return [integer(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(integer(number))
        if len(found) > most:
            raise DamagedError
    return found


def field_of_bytes(number: int, value: bytes) -> bytes:
    """Return a field as it is written: a text, or a message."""
    return _as_varint(number << 3 | _BYTES) + _as_varint(len(value)) + value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    end = min(len(message), at + _LONGEST_VARINT)
    value, shift = 0, 0
    while at < end:
        byte = message[at]
        at += 1
        value |= (byte & _LOW) << shift
        if byte < _MORE:
            return value & (2 * _SIGN - 1), at
        shift += 7
    raise DamagedError


def _as_varint(value: int) -> bytes:
    written = bytearray()
    while value > _LOW:
        written.append(value & _LOW | _MORE)
        value >>= 7
    written.append(value)
    return bytes(written)
