"""What every background thread of Droplens does first."""

from __future__ import annotations

import os
import sys
import threading

_BACKGROUND_NICENESS = 5


def yield_to_window() -> None:
    """Lower the calling thread's priority, so that the window's thread comes first."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BACKGROUND_NICENESS)
