"""What every background thread of Droplens does first."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading

_BACKGROUND_NICENESS = 5
_SIGNAL_STACK_BYTES = 64 * 1024
_stacks = threading.local()


def begin_thread() -> None:
    """Let a report be written where this thread's stack overflows.

    The interpreter writes it from a signal handler, which needs a stack of its own; Python gives
    one to the main thread alone.
    """
    if sys.platform == "win32" or hasattr(_stacks, "memory"):
        return
    _stacks.memory = ctypes.create_string_buffer(_SIGNAL_STACK_BYTES)  # as long as the thread
    with contextlib.suppress(AttributeError, OSError):
        stack = _SignalStack.on(ctypes.addressof(_stacks.memory))
        ctypes.CDLL(None).sigaltstack(ctypes.byref(stack), None)


def yield_to_window() -> None:
    """Begin a thread whose priority is lower, so that the window's thread comes first."""
    begin_thread()
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a courtesy; nothing depends on it
            nicer = max(_BACKGROUND_NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
            os.setpriority(os.PRIO_PROCESS, thread, nicer)


class _SignalStack(ctypes.Structure):
    """``stack_t`` of signal.h, whose fields stand in another order on macOS."""

    _fields_ = (
        [("ss_sp", ctypes.c_void_p), ("ss_size", ctypes.c_size_t), ("ss_flags", ctypes.c_int)]
        if sys.platform == "darwin"
        else [("ss_sp", ctypes.c_void_p), ("ss_flags", ctypes.c_int), ("ss_size", ctypes.c_size_t)]
    )

    @classmethod
    def on(cls, address: int) -> _SignalStack:
        """Return the description of a stack."""
        return cls(ss_sp=address, ss_flags=0, ss_size=_SIGNAL_STACK_BYTES)
