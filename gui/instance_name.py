"""By which name the window that is open can be called; importing nothing that takes time."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from zlib import crc32

_MOST_PATHS = 100_000


def instance_of(settings: Path) -> tuple[str, Path | None]:
    """Return the name for the window of these settings, and its socket's file.

    Args:
        settings: file of the settings, which is each user's own.

    Returns:
        None in the place of the file where sockets are no files, on Windows; and no name either
        where no folder is this user's alone, so that others could listen in it.
    """
    name = f"droplens-{crc32(os.fsencode(settings)):08x}"
    if sys.platform == "win32":
        return name, None
    folder = _private_folder()
    if folder is None:
        return "", None
    return str(folder / name), folder / name


def paths_in(message: bytes) -> list[Path] | None:
    """Return the paths that another start sends; None where the message is something else."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) > _MOST_PATHS:
        return None
    if not all(isinstance(path, str) and "\0" not in path for path in found):
        return None
    try:
        for path in found:
            os.fsencode(path)
    except UnicodeEncodeError:  # half a character, which no file's name has
        return None
    return [Path(path) for path in found]


def _private_folder() -> Path | None:
    """Return a folder that only this user can enter, made where there is none."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    parent = Path(runtime or os.environ.get("TMPDIR") or "/tmp")
    folder = parent / (f"droplens-{os.getuid()}" if not runtime else "droplens")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return folder if is_ours and not status.st_mode & 0o077 else None
