"""By which name the window that is open can be called; importing nothing heavy."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path


def instance_of(settings: Path) -> tuple[str, Path | None]:
    """Return the name for the window of these settings, and its socket's file.

    Args:
        settings: file of the settings, which is each user's own.

    Returns:
        None in the place of the file where sockets are no files, on Windows.
    """
    key = hashlib.sha256(os.fsencode(settings)).hexdigest()[:16]
    name = f"droplens-{key}"
    if sys.platform == "win32":
        return name, None
    place = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(), name)
    return str(place), place
