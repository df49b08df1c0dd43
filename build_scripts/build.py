"""Build installers: python3 build_scripts/build.py app|deb|appdir|nsis|dmg|all.

app     the frozen program in dist/Droplens, started once with --smoke-test
deb     a package for Debian and Ubuntu, installed, started, and removed again
appdir  an archive for any Linux, unpacked and started
nsis    an installer for Windows (elsewhere compiled over a stand-in, to test the script)
dmg     a disk image for macOS
all     what this system can make

All lie in dist/, with SHA-256 sums and a bill of materials.
"""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, need_programs, prepare, say

LINUX, WINDOWS, MACOS = "linux", "win32", "darwin"
ALL = {LINUX: ("deb", "appdir", "nsis"), WINDOWS: ("nsis",), MACOS: ("dmg",)}
WHERE = {"deb": LINUX, "appdir": LINUX, "dmg": MACOS}


def main() -> int:
    """Build what is asked for; 1 where something of it failed."""
    wanted = sys.argv[1:] or ["app"]
    known = {"app", "deb", "appdir", "nsis", "dmg", "all"}
    if not known.issuperset(wanted):
        raise SystemExit(__doc__)
    if "all" in wanted:
        wanted = list(ALL[sys.platform])
    for name in wanted:
        if WHERE.get(name, sys.platform) != sys.platform:
            raise SystemExit(f"{name} can be made on {WHERE[name]} alone; this is {sys.platform}.")
    if sys.platform == LINUX:
        need_programs({"Xvfb": "xvfb", "objdump": "binutils"})
    python = prepare("build")
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH") or _date_of_last_change(),
        "PYTHONHASHSEED": "1",
        "PYTHONUTF8": "1",
    }
    frozen = "app" in wanted or any(name != "nsis" for name in wanted) or sys.platform == WINDOWS
    for name in ["frozen"] * frozen + [one for one in wanted if one != "app"] + ["bill"] * frozen:
        say(f"build {name}")
        script = [str(python), str(ROOT / "build_scripts" / f"make_{name}.py")]
        if subprocess.run(script, cwd=ROOT, env=environment, check=False).returncode != 0:
            say(f"{name} failed")
            return 1
    say("all built and tried; see dist/")
    return 0


def _date_of_last_change() -> str:
    """Return when the sources were changed last, in seconds since 1970."""
    command = ["git", "log", "-1", "--format=%ct"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "1700000000"


if __name__ == "__main__":
    sys.exit(main())
