"""By which name the window that is open can be called; importing nothing that takes time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from zlib import crc32


def instance_of(settings: Path) -> tuple[str, Path | None]:
    """Return the name for the window of these settings, and its socket's file.

    Args:
        settings: file of the settings, which is each user's own.

    Returns:
        None in the place of the file where sockets are no files, on Windows.
    """
    name = f"droplens-{crc32(os.fsencode(settings)):08x}"
    if sys.platform == "win32":
        return name, None
    folder = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"
    place = Path(folder, f"{name}-{os.getuid()}")
    return str(place), place
