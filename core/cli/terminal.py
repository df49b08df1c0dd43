"""What every command of the command line needs: options, what is said, what is written."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from core.files import json_bytes, readable, refuse_unwritable, write_result
from core.language import number, tr

ALL_DONE, SOME_FAILED, NOT_CARRIED_OUT, INTERRUPTED = 0, 1, 2, 130
STANDARD_OUTPUT = Path("-")


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the options in one line."""

    def error(self, message: str) -> NoReturn:
        """Say it and end."""
        self.exit(
            NOT_CARRIED_OUT,
            tr(
                "{prog}: {message}; see {prog_2} --help\n",
                prog=self.prog,
                message=message,
                prog_2=self.prog,
            ),
        )


def require_writable(*targets: Path | None) -> None:
    """Make sure, before anything is computed, that what was asked for can be written.

    Args:
        targets: files; standard output and None are.

    Raises:
        DroplensError: one cannot.
    """
    for target in targets:
        if target not in (None, STANDARD_OUTPUT):
            refuse_unwritable(target)


class ProgressLine:
    """A line on standard error that counts, where that is a terminal."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown, self._width = False, 0

    def show(self, done: int) -> None:
        """Say how many photos are done, and how fast."""
        rate = done / max(1e-3, time.monotonic() - self._started)
        self.say(tr("{n} photos, {rate} a second", n=done, rate=number(rate, 1)))

    def say(self, text: str) -> None:
        """Say how far it is."""
        if sys.stderr.isatty():
            spaces = " " * max(0, self._width - len(text))
            print(f"\r{text}{spaces} ", end="", file=sys.stderr)  # noqa: T201
            self._shown, self._width = True, len(text)

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            print(file=sys.stderr)  # noqa: T201


def write_json(value: object, target: Path) -> None:
    """Write JSON to a file, or to standard output."""
    content = json_bytes(value, indent=1) + b"\n"
    if target == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    else:
        write_result(target, content)


def say_result(text: str) -> None:
    """Print a line on standard output."""
    shown = readable(text) if sys.stdout.isatty() else text
    sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape") + b"\n")
    sys.stdout.flush()


def say(sentence: str) -> None:
    """Print a line on standard error."""
    print(readable(sentence), file=sys.stderr)  # noqa: T201


def forget_output() -> None:
    """Let the interpreter end without a second try at what cannot be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def path_option(text: str) -> Path:
    """Return an option's value as a path."""
    if not text:
        raise argparse.ArgumentTypeError(tr("the path is empty"))
    return Path(text)


def positive_option(text: str) -> int:
    """Return an option's value as a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(tr("{text!r} is not a whole number above 0", text=text))
    return int(text)
