"""Which photos are being opened: one that ends the program is left out at the next start."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from core.files import make_private_folder, write_atomically

log = logging.getLogger(__name__)

_SLOTS = 32
_SLOT_BYTES = 4096
_MOST_KEPT = 1000
_PATIENCE_S = 120
_OPENING, _LEFT_OUT = "opening", "left-out.json"


class Journal:
    """Notes each photo before it is decoded, and takes the note away after.

    Notes that are left are of a program that ended in the midst. Each of those photos is first
    opened in a process of its own; where that ends too, the photo is left out until it changes.

    Args:
        folder: of the notes; one program at a time uses it.
    """

    def __init__(self, folder: Path) -> None:
        self._lock, self._trying = threading.Lock(), threading.Lock()
        self._free = list(range(_SLOTS))
        self._kept = folder / _LEFT_OUT
        self._file: BinaryIO | None = None
        self._suspects: set[str] = set()
        self._left_out: dict[str, list[int]] = {}
        try:
            make_private_folder(folder)
            self._left_out = _read(self._kept)
            self._suspects = _left_over(folder / _OPENING)
            self._file = (folder / _OPENING).open("wb", buffering=0)
        except OSError as error:
            log.info("photos that are opened are not noted: %s", error)

    @contextlib.contextmanager
    def noting(self, path: Path) -> Iterator[None]:
        """Note a photo while it is decoded.

        Raises:
            EndsProgramError: it ended the program before.
        """
        self._refuse_known(path)
        note = os.fsencode(path)[:_SLOT_BYTES]
        slot = self._take_slot()
        if slot is None:
            yield
            return
        try:
            self._write(slot, note)
            yield
        finally:
            self._write(slot, b"")
            with self._lock:
                self._free.append(slot)

    def end(self) -> None:
        """End as a program should: nothing was being opened."""
        global _current
        if _current is self:
            _current = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _refuse_known(self, path: Path) -> None:
        name = os.fspath(path)
        if name in self._suspects:
            with self._trying:
                if name in self._suspects:
                    self._try_apart(path)
                    self._suspects.discard(name)
        if name in self._left_out and self._left_out[name] == _identity(path):
            raise EndsProgramError

    def _try_apart(self, path: Path) -> None:
        """Open a photo in a process of its own, and leave it out where that ends."""
        import multiprocessing  # only after a crash

        process = multiprocessing.get_context("spawn").Process(target=_decode, args=(path,))
        process.start()
        process.join(_PATIENCE_S)
        if process.exitcode == 0:
            return
        process.kill()
        process.join()
        log.warning("opening %s ended its process: %s", path, process.exitcode)
        self._left_out[os.fspath(path)] = _identity(path)
        kept = dict(list(self._left_out.items())[-_MOST_KEPT:])
        with contextlib.suppress(OSError):
            write_atomically(self._kept, json.dumps(kept).encode("ascii"), is_private=True)

    def _take_slot(self) -> int | None:
        with self._lock:
            return self._free.pop() if self._free and self._file is not None else None

    def _write(self, slot: int, note: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._file is not None:
                self._file.seek(slot * _SLOT_BYTES)
                self._file.write(note.ljust(_SLOT_BYTES, b"\0") if note else b"\0")


_current: Journal | None = None


def begin(folder: Path) -> Journal:
    """Note from now on, in this process, which photos are being opened.

    Args:
        folder: of the notes.

    Returns:
        The journal, which the caller ends.
    """
    global _current
    _current = Journal(folder)
    return _current


def noting(path: Path) -> contextlib.AbstractContextManager[None]:
    """Note a photo while it is decoded, where a journal is kept.

    Raises:
        EndsProgramError: it ended the program before.
    """
    return _current.noting(path) if _current is not None else contextlib.nullcontext()


class EndsProgramError(Exception):
    """A photo whose decoding ended the program."""


def _decode(path: Path) -> None:
    """Do with a photo what the program does; in a process of its own."""
    from core.errors import UnreadableImageError
    from core.images.decoding import read_photo

    with contextlib.suppress(UnreadableImageError):
        read_photo(path)


def _left_over(file: Path) -> set[str]:
    """Return the photos that an earlier program was opening as it ended."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_SLOTS * _SLOT_BYTES)
    except FileNotFoundError:
        return set()
    notes = (content[at : at + _SLOT_BYTES] for at in range(0, len(content), _SLOT_BYTES))
    return {os.fsdecode(note.split(b"\0", 1)[0]) for note in notes if note[:1] not in (b"", b"\0")}


def _read(kept: Path) -> dict[str, list[int]]:
    try:
        found: object = json.loads(kept.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {
        str(name): identity
        for name, identity in (found.items() if isinstance(found, dict) else ())
        if isinstance(identity, list)
    }


def _identity(path: Path) -> list[int]:
    """Return what changes when a file is written anew."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return []
    return [status.st_size, status.st_mtime_ns]
