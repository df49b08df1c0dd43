"""Open ordinary files only, and write files so that the last good state survives."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from core.errors import DroplensError, cannot_write


def open_ordinary(path: Path) -> BufferedReader:
    """Open a file for reading; pipes and devices, which could block for ever, are refused.

    Raises:
        OSError: with ENOTSUP where the path is no ordinary file.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(path))
    return path.open("rb")


def readable(name: str) -> str:
    """Return a file name for people; bytes that are no text become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def json_bytes(value: Any, *, indent: int | None = None) -> bytes:
    """Return JSON as UTF-8; file names that are no text are escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a temporary file beside it, then a rename.

    A link is followed, and what is no ordinary file (a pipe, a device) is written to directly.

    Raises:
        OSError: nothing was written; what stood there before still stands.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as special:
            special.write(content)
        return
    with replacing(path) as temporary:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _copy_mode(path, temporary)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give an empty file beside ``path``, of mode 0600, that takes its place at the end.

    Where that fails the file is gone, and what stood there before still stands.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".droplens-")
    temporary = Path(name)
    try:
        os.close(handle)
        yield temporary
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_result(path: Path, content: bytes) -> None:
    """Write a file that the user asked for.

    Raises:
        DroplensError: it cannot be written; what stood there before still stands.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise DroplensError(cannot_write(path, error)) from error


def _copy_mode(path: Path, temporary: Path) -> None:
    """Give the temporary file the mode that a file written plainly would have."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    with contextlib.suppress(OSError):
        temporary.chmod(mode)
