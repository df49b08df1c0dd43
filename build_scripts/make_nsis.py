"""Make the installer for Windows; elsewhere compile its script over a stand-in, to test it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from environment import need_programs
from file_types import nsis_macro
from shared import DIST, FROZEN, PACKAGING, try_program, version

SCRIPT = PACKAGING / "windows" / "installer.nsi"


def main() -> int:
    """Compile; on Windows also install silently, start, and uninstall."""
    if sys.platform == "win32":
        target = DIST / f"droplens-{version()}-setup.exe"
        compile_installer(FROZEN, target)
        _install_and_remove(target)
        return 0
    need_programs({"makensis": "nsis"})
    with tempfile.TemporaryDirectory() as scratch:
        stand_in, target = Path(scratch) / "Droplens", Path(scratch) / "droplens-installer.exe"
        (stand_in / "_internal" / "resources").mkdir(parents=True)
        for name in ("droplens.exe", "droplens-cli.exe", "_internal/resources/猫 é.txt"):
            (stand_in / name).write_bytes(b"a stand-in")
        compile_installer(stand_in, target)
        if not target.read_bytes().startswith(b"MZ"):
            raise SystemExit("makensis has written no program")
        print(f"the script for Windows compiles: {target.stat().st_size:,} bytes over a stand-in")
    return 0


def compile_installer(payload: Path, target: Path) -> None:
    """Compile the script; its warnings are errors."""
    endings = target.with_suffix(".nsh")
    endings.write_text(nsis_macro(), encoding="utf-8")
    defines = {
        "VERSION": version(),
        "PAYLOAD": str(payload),
        "TARGET": str(target),
        "ENDINGS": str(endings),
    }
    if sys.platform == "win32":
        options = ["/V2", "/WX", "/INPUTCHARSET", "UTF8"]
        options += [f"/D{name}={value}" for name, value in defines.items()]
    else:
        options = ["-V2", "-WX", "-INPUTCHARSET", "UTF8"]
        options += [f"-D{name}={value}" for name, value in defines.items()]
    subprocess.run(["makensis", *options, str(SCRIPT)], check=True)
    endings.unlink()


def _install_and_remove(installer: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "Droplens"
        subprocess.run([installer, "/S", "/CurrentUser", f"/D={place}"], check=True)
        try_program(place / "droplens.exe")
        subprocess.run([place / "uninstall.exe", "/S", f"_?={place}"], check=True)
        left = [one for one in place.rglob("*") if one.name != "uninstall.exe"]
        if left:
            raise SystemExit(f"left behind after its removal: {left[:5]}")


if __name__ == "__main__":
    sys.exit(main())
