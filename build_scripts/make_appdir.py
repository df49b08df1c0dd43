"""Make an archive for any Linux that runs where it is unpacked, and try it so."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import need_programs
from shared import DIST, FROZEN, pack, try_program, version


def main() -> int:
    """Pack, unpack elsewhere, start."""
    need_programs({"zstd": "zstd"})
    name = f"droplens-{version()}-linux-{platform.machine()}"
    target = DIST / f"{name}.tar.zst"
    archive = DIST / f"{name}.tar"
    pack(FROZEN, archive, name)
    command = ["zstd", "--quiet", "--force", "--rm", "-10", "-T0", str(archive), "-o", str(target)]
    subprocess.run(command, check=True)
    print(f"{target}: {target.stat().st_size / 1e6:,.0f} MB")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "Jörg 张伟"
        place.mkdir()
        subprocess.run(["tar", "--zstd", "-xf", str(target), "-C", str(place)], check=True)
        try_program(place / name / "droplens")
    return 0


if __name__ == "__main__":
    sys.exit(main())
