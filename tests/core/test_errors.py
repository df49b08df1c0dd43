from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.errors import cannot_write, os_reason


def failure(number: int, windows: int | None = None) -> OSError:
    error = OSError(number, "as the system says it")
    if windows is not None:
        error.winerror = windows  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize("windows", [32, 33, 1224])
def test_a_file_in_use_is_no_lack_of_permission(windows: int) -> None:
    """Windows gives POSIX's number for that, and the true one beside it."""
    error = failure(errno.EACCES, windows)
    assert os_reason(error) == "another program has it open"
    assert "another program has it open" in cannot_write(Path("a.csv"), error)


def test_what_may_be_either_is_said_as_either() -> None:
    said = cannot_write(Path("a.csv"), failure(errno.EACCES, 5))
    assert "no permission to write there, or another program has it open" in said
    assert "another program" not in cannot_write(Path("a.csv"), failure(errno.EACCES))
    assert "name is too long" in os_reason(failure(errno.ENOENT, 206))
