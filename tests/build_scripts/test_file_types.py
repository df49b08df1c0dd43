"""Every installer speaks of the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.images.kinds import FILE_TYPES, Kind

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
sys.path.insert(0, "build_scripts")
import file_types
from make_dmg import information
print(file_types.mime_types())
print(file_types.mime_info())
print(file_types.nsis_macro())
print(information()["CFBundleDocumentTypes"])
"""


def test_every_ending_of_the_table_is_in_every_installer() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for one in FILE_TYPES:
        for ending in one.endings:
            bare = repr(ending[1:])
            is_own = one.is_associated and one.kind is not Kind.PHOTO
            assert (f'"*{ending}"' in done.stdout) == is_own, ending
            assert (bare in done.stdout) == is_own, ending
            assert (f'${{DO}} "{ending}"' in done.stdout) == one.is_associated, ending
        assert (f"{one.mime_type};" in done.stdout) or not one.is_associated
