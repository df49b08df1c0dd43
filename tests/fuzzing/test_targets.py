"""Each reader stands ten seconds of the fuzzer; ``python -m tests.fuzzing`` does it for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzzing.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 10


@pytest.mark.skipif(sys.platform != "linux", reason="the fuzzer runs on Linux")
def test_no_input_breaks_a_reader(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzzing", "--seconds", str(SECONDS)]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("status 0") == len(TARGETS)
