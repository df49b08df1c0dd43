from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import linecache, sys
from PySide6.QtWidgets import QApplication
from gui import imports
if sys.argv[1] == "hastened":
    imports.hasten()
import wave
print(any(name.endswith("wave.py") for name in linecache.cache))
"""


@pytest.mark.parametrize(("how", "is_read"), [("hastened", False), ("as PySide does", True)])
def test_no_source_is_read_after_an_import(how: str, is_read: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(is_read)
