"""What is left of a crash: a report with versions, device and the end of the log."""

from __future__ import annotations

import contextlib
import datetime
import faulthandler
import logging
import logging.handlers
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from core.files import make_private_folder, open_private

log = logging.getLogger(__name__)

_LOG_BYTES = 512 * 1024
_LOGS = 3
_TAIL_LINES = 200
_KEPT_REPORTS = 10
_SEEN = ".seen"
_LOG_HOLDS = (
    "This log names photos, checkpoints and folders; it has no pixels and no parameters. It stays "
    "on this computer unless you send it."
)
_HOLDS = (
    "This file holds: versions of the program and the system, the device, where the program was "
    "when it ended, and the end of its log. The log names photos, checkpoints and folders; it has "
    "no pixels and no parameters. Nobody gets it but from you; take out what is nobody's business."
)


def default_folder() -> Path:
    """Return where logs and reports of this user lie."""
    from platformdirs import user_log_path  # costs start-up time, so only here

    return user_log_path("Droplens", appauthor=False)


class CrashReports:
    """Logs into a folder, and writes a report there when the program breaks.

    Args:
        folder: of logs and reports; where it cannot be written, nothing is kept.
        device: says what the network runs on.
    """

    def __init__(self, folder: Path, device: Callable[[], str] = lambda: "") -> None:
        self._folder, self._device = folder, device
        self._fatal: IO[str] | None = None
        self._handler: logging.Handler | None = None
        self.left_over: Path | None = None
        """The report of a crash that ended the program last time, not seen by the user yet."""

    def begin(self) -> None:
        """Log from now on, and look what is left of last time."""
        try:
            make_private_folder(self._folder)
            _close_to_others(self._folder)
            self._handler = _PrivateLog(
                self._folder / "droplens.log",
                maxBytes=_LOG_BYTES,
                backupCount=_LOGS - 1,
                encoding="utf-8",
            )
            self._collect_fatal()
            self._fatal = open_private(self._fatal_path, "w")
        except OSError as error:
            log.info("no log is kept: %s", error)
            return
        self._handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
        )
        logging.getLogger().addHandler(self._handler)
        with contextlib.suppress(RuntimeError, ValueError):
            faulthandler.enable(self._fatal)
        threading.excepthook = self._note_thread
        self.left_over = self._unseen()

    def end(self) -> None:
        """Close the files; the program ends as it should."""
        threading.excepthook = threading.__excepthook__
        if self._fatal is not None:
            faulthandler.disable()
            self._fatal.close()
            with contextlib.suppress(OSError):
                self._fatal_path.unlink()
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()

    def write(self, error: BaseException) -> Path | None:
        """Write a report of an error that nobody expected, and return its file."""
        text = "".join(traceback.format_exception(error))
        log.error("unexpected\n%s", text)
        return self._write(text)

    def note_seen(self) -> None:
        """Offer the report of last time no more."""
        if self.left_over is not None:
            with contextlib.suppress(OSError):
                self.left_over.rename(self.left_over.with_suffix(_SEEN + self.left_over.suffix))
        self.left_over = None

    @property
    def _fatal_path(self) -> Path:
        return self._folder / "fatal.txt"

    def _collect_fatal(self) -> None:
        """Make a report of what the interpreter wrote as it broke down."""
        if self._fatal_path.exists():
            text = self._fatal_path.read_text(encoding="utf-8", errors="replace")
            if text.strip():
                self._write(text)

    def _write(self, text: str) -> Path | None:
        stamp = datetime.datetime.now().strftime("%Y-%m-%d %H.%M.%S")
        parts = [
            f"Droplens ended unexpectedly, {stamp}",
            _HOLDS,
            "",
            *(f"{name}: {value}" for name, value in versions().items()),
            f"device: {self._device() or 'not known yet'}",
            "",
            text,
            "",
            "The end of the log:",
            self._tail(),
        ]
        try:
            path = self._folder / f"crash {stamp}.txt"
            with open_private(path, "w") as file:
                file.write("\n".join(parts))
            for old in sorted(self._folder.glob("crash *.txt"))[:-_KEPT_REPORTS]:
                old.unlink()
        except OSError as error:
            log.info("no report was written: %s", error)
            return None
        return path

    def _tail(self) -> str:
        try:
            text = (self._folder / "droplens.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def _unseen(self) -> Path | None:
        reports = sorted(self._folder.glob("crash *.txt"))
        unseen = [one for one in reports if not one.stem.endswith(_SEEN)]
        return unseen[-1] if unseen else None

    def _note_thread(self, arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if error is not None:
            self.write(error)
        sys.excepthook(arguments.exc_type, error or SystemExit(), arguments.exc_traceback)


def _close_to_others(folder: Path) -> None:
    """Close what an earlier version left open to all users of the computer."""
    for file in folder.iterdir():
        with contextlib.suppress(OSError):
            if file.is_file() and not file.is_symlink():
                file.chmod(0o600)


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """A log that nobody but this user can read: it names files."""

    def _open(self) -> TextIOWrapper:
        file = open_private(Path(self.baseFilename), "a")
        if file.tell() == 0:
            file.write(f"{_LOG_HOLDS}\n")
            file.flush()
        return file


def versions() -> dict[str, str]:
    """Return what the program stands on; importing nothing heavy."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"system": platform.platform(), "Python": platform.python_version()}
    for name in ("droplens", "torch", "torchvision", "PySide6-Essentials", "onnxruntime", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not known"
    return found
