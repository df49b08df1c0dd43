"""Open ordinary files only, and write files so that the last good state survives."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Literal

from core.errors import DroplensError, StoppedError, cannot_write
from core.language import tr

_BLOCK_BYTES = 2**20
_CONTROLS = dict.fromkeys({*range(32), *range(127, 160)} - {ord("\n"), ord("\t")}, "\ufffd")
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Half characters that stand for no byte of a file's name."""


def open_ordinary(path: Path) -> BufferedReader:
    """Open a file for reading; pipes and devices, which could block for ever, are refused.

    Raises:
        OSError: with ENOTSUP where the path is not an ordinary file.
    """
    try:
        _refuse_special(path.stat().st_mode, path)
        # A pipe that takes the file's place between the two calls does not block either.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except ValueError as error:  # a zero byte in the path
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
    try:
        _refuse_special(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_special(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(path))


def hash_of(file: BinaryIO, is_stopped: Callable[[], bool] = lambda: False) -> bytes:
    """Return the SHA-256 of a file, which is read from where it stands.

    No more is read than the file had when that began: the system's own files
    (``/proc/self/pagemap``) are ordinary, empty, and never end.

    Args:
        file: open for reading.
        is_stopped: asked before each megabyte.

    Raises:
        OSError: it cannot be read.
        StoppedError: it was asked to stop.
    """
    import hashlib  # costs start-up time, so only here

    found = hashlib.sha256()
    left = os.fstat(file.fileno()).st_size - file.tell()
    while left > 0:
        if is_stopped():
            raise StoppedError
        block = file.read(min(left, _BLOCK_BYTES))
        if not block:
            break
        found.update(block)
        left -= len(block)
    return found.digest()


def make_private_folder(folder: Path) -> None:
    """Make a folder that only this user can enter; one that is there is closed to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        folder.chmod(0o700)


def open_private(path: Path, mode: Literal["w", "a"]) -> TextIOWrapper:
    """Open a text file to write that nobody but this user can read."""
    return open(
        path,
        mode,
        encoding="utf-8",
        errors="replace",
        opener=lambda name, flags: os.open(name, flags, 0o600),
    )


def readable(name: str) -> str:
    """Return a file name for people; bytes that are no text become question marks.

    So do control characters, with which a name could write all over a terminal.
    """
    text = name.encode("utf-8", "replace" if _HALVES.search(name) else "surrogateescape")
    return text.decode("utf-8", "replace").translate(_CONTROLS)


def json_bytes(value: object, *, indent: int | None = None) -> bytes:
    """Return JSON as UTF-8; file names that are no text are escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


def write_atomically(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Write a file whole or not at all: a temporary file beside it, then a rename.

    A link is followed, and what is no ordinary file (a pipe, a device) is written to directly.

    Args:
        path: of the file.
        content: all of it.
        is_private: let nobody but this user read it.

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
        if not is_private:
            _copy_mode(path, temporary)
    with contextlib.suppress(OSError):  # it is written; only a loss of power could undo that
        flush_folder(path.parent)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give an empty file beside ``path``, of mode 0600, that takes its place at the end.

    Where that fails the file is gone, and what stood there before still stands.
    """
    import tempfile  # costs start-up time, so only here

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".droplens-")
    temporary = Path(name)
    try:
        os.close(handle)
        yield temporary
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            remove(temporary)
        raise


def remove(file: Path, other_name: Path | None = None) -> None:
    """Delete a file, a write-protected one too, which Windows refuses.

    Args:
        file: the name that goes.
        other_name: of the same file, where it has one that stays: it is as protected as before.

    Raises:
        OSError: the file still stands, as it was.
    """
    try:
        file.unlink()
        return
    except PermissionError:
        mode = file.stat().st_mode
        if mode & stat.S_IWUSR:
            raise
    file.chmod(mode | stat.S_IWUSR)
    try:
        file.unlink()
    except OSError:
        file.chmod(mode)
        raise
    if other_name is not None:
        other_name.chmod(mode)


def flush_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, so that a new name in it survives a loss of power."""
    if sys.platform == "win32":
        return  # folders cannot be opened there; NTFS keeps a journal of names
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems without it
            raise
    finally:
        os.close(descriptor)


def write_result(path: Path, content: bytes) -> None:
    """Write a file that the user asked for.

    Raises:
        DroplensError: it cannot be written; what stood there before still stands.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise DroplensError(cannot_write(path, error)) from error


def refuse_unwritable(path: Path) -> None:
    """Say before a long run, not after it, that its results have no place.

    Raises:
        DroplensError: a file could not be written there.
    """
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        reason = tr("its folder is missing or write-protected")
        if path.is_dir():
            reason = tr("it is a folder")
        raise DroplensError(
            "{path} could not be written: {reason}. Choose another place.", path=path, reason=reason
        )


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
