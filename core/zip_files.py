"""Zip archives from elsewhere, opened without believing what they say of their sizes."""

from __future__ import annotations

import zipfile
from typing import IO

_LARGEST_EXPANSION = 8
_DIRECTORY_SIZE = 5
"""Place of the directory's size in what ends a zip archive."""

_LARGEST_DIRECTORY_BYTES = 4 * 2**20
"""Some 40,000 members; a network has two for each parameter at most."""

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_zip(stream: IO[bytes]) -> zipfile.ZipFile | None:
    """Return a file as a zip archive; None where it is none.

    Raises:
        zipfile.BadZipFile: its directory is damaged, or far longer than that of any checkpoint.
    """
    end = zipfile._EndRecData(stream)  # type: ignore[attr-defined] # what ZipFile itself goes by
    if not end:
        return None
    if end[_DIRECTORY_SIZE] > _LARGEST_DIRECTORY_BYTES:
        raise zipfile.BadZipFile
    return zipfile.ZipFile(stream)


def expands_too_much(member: zipfile.ZipInfo) -> bool:
    """Return whether it may be a bomb: parameters don't shrink much; other packings take memory."""
    largest = 2**20 + _LARGEST_EXPANSION * member.compress_size
    return member.file_size > largest or member.compress_type not in _COMPRESSIONS
