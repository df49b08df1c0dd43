"""Freeze the program with PyInstaller into dist/Droplens, and start it once."""

from __future__ import annotations

import shutil
import subprocess
import sys

from shared import DIST, FROZEN, ROOT, try_program

WORK = ROOT / "build" / "pyinstaller"


def main() -> int:
    """Freeze, try, and say how large it is."""
    shutil.rmtree(FROZEN, ignore_errors=True)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(DIST), "--workpath", str(WORK)]
    command.append(str(ROOT / "build_scripts" / "droplens.spec"))
    subprocess.run(command, cwd=ROOT, check=True)
    shutil.rmtree(DIST / "droplens", ignore_errors=True)
    if sys.platform != "win32":
        command_line = FROZEN / "droplens-cli"
        command_line.unlink(missing_ok=True)
        command_line.symlink_to("droplens")
    ending = ".exe" if sys.platform == "win32" else ""
    try_program(FROZEN / f"droplens{ending}")
    said = subprocess.run(
        [FROZEN / f"droplens-cli{ending}", "inspect", "--help"], capture_output=True, check=True
    )
    if b"usage: droplens-cli" not in said.stdout:
        raise SystemExit("droplens-cli does not answer as the command line does")
    size = sum(one.stat().st_size for one in FROZEN.rglob("*") if not one.is_symlink())
    print(f"{FROZEN}: {size / 1e6:,.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
