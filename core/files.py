"""Write files so that the last good state survives."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a temporary file beside it, then a rename.

    Raises:
        OSError: nothing was written; what stood there before still stands.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".droplens-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _copy_mode(path, temporary)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _copy_mode(path: Path, temporary: str) -> None:
    """Give the temporary file the mode that a file written plainly would have."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    with contextlib.suppress(OSError):
        Path(temporary).chmod(mode)
