"""Keeps the libraries of decoders from writing to standard error, which is for people."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator

_STANDARD_ERROR = 2
_has_error_output = sys.__stderr__ is not None
"""Without it the number is any other file's, which nothing must be done to."""

_lock = threading.Lock()
_inside = 0
_own: int | None = None
"""Where standard error leads for Python, once libraries have been silent."""


@contextlib.contextmanager
def silent_libraries() -> Iterator[None]:
    """Let nothing that a library writes reach standard error; what Python writes still does."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _own
    with _lock:
        _inside += 1
        if _inside > 1 or not _has_error_output:
            return
        try:
            if _own is None:
                _own = os.dup(_STANDARD_ERROR)
                _move_python(_own)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STANDARD_ERROR)
            os.close(nowhere)
        except OSError:  # a windowed program on Windows has none
            return


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if _inside == 0 and _own is not None:
            os.dup2(_own, _STANDARD_ERROR)


def _move_python(handle: int) -> None:
    """Let Python write to another handle of the same place."""
    for name in ("stderr", "__stderr__"):
        stream = getattr(sys, name)
        try:
            is_standard = stream is not None and stream.fileno() == _STANDARD_ERROR
        except (OSError, ValueError, io.UnsupportedOperation):
            continue
        if is_standard:
            stream.flush()
            moved = open(  # noqa: SIM115 - it lives as long as the program
                handle,
                "w",
                encoding=stream.encoding,
                errors="backslashreplace",
                buffering=1,
                closefd=False,
            )
            setattr(sys, name, moved)
