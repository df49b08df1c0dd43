from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_a_program_without_a_console_answers_to_nobody(argument: str) -> None:
    """As Windows starts it: with neither standard output nor standard error."""
    script = (
        "import sys; sys.stdout = sys.stderr = None\n"
        f"from gui.start import main; sys.exit(main([{argument!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
