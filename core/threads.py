"""What every background thread of Droplens does first."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_BACKGROUND_NICENESS = 5


def yield_to_window() -> None:
    """Lower the calling thread's priority, so that the window's thread comes first."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a courtesy; nothing depends on it
            nicer = max(_BACKGROUND_NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
            os.setpriority(os.PRIO_PROCESS, thread, nicer)
