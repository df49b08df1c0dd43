"""Standard output and error where the system gives a program none.

Windows starts a program without a console with neither; then what is written to them would end it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PARENT = -1


def give_streams() -> None:
    """Write to the console of whoever started the program, if there is one, else nowhere."""
    target = Path("CONOUT$" if _has_console() else os.devnull)
    stream = target.open("w", encoding="utf-8", errors="replace")  # to the program's end
    sys.stdout = sys.stdout or stream
    sys.stderr = sys.stderr or stream


def _has_console() -> bool:
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.AttachConsole(_PARENT))
    return False
