"""Make the program's environment: a virtual environment with what pyproject.toml pins.

Uses the standard library alone; run.py and test.py stand on it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "build_scripts" / "constraints.txt"
OLDEST_PYTHON = (3, 11)

QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""What Qt loads from the system on Linux → the package that holds it on Debian and Ubuntu."""


def prepare(extra: str = "") -> Path:
    """Make sure that the environment stands and return its Python.

    Args:
        extra: group of optional dependencies in pyproject.toml, e.g. "test".
    """
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit("Droplens needs Python 3.11 or newer; this is " + sys.version.split()[0])
    install_qt_libraries()
    stamp = VENV / f"installed-{extra or 'program'}"
    pins = (ROOT / "pyproject.toml").read_bytes() + CONSTRAINTS.read_bytes()
    wanted = hashlib.sha256(pins).hexdigest()
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamps = [stamp] if extra else list(VENV.glob("installed-*"))
    stands = any(one.exists() and one.read_text() == wanted for one in stamps)
    if python.exists() and stands:
        return python
    if not python.exists():
        say(f"Making the environment in {VENV}")
        try:
            venv.create(VENV, with_pip=True, clear=VENV.exists())
        except subprocess.CalledProcessError as error:
            shutil.rmtree(VENV, ignore_errors=True)
            raise SystemExit(
                "Python cannot make virtual environments here; on Debian and Ubuntu: "
                "apt-get install python3-venv"
            ) from error
    say("Installing what pyproject.toml pins; the first time this takes minutes")
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--constraint", str(_versions_alone()), "--editable", target]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit("The installation failed; the reason stands above. Run this again.")
    stamp.write_text(wanted)
    return python


def _versions_alone() -> Path:
    """Write the constraints without their hashes, beside which pip installs no folder."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    kept = [line.rstrip(" \\") for line in lines if not line.startswith(" ")]
    path = VENV / CONSTRAINTS.name
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return path


def install_qt_libraries() -> None:
    """Install the system libraries that Qt needs and that are missing, on Debian and Ubuntu.

    Without the rights to do so, print the one line that does and stop.
    """
    if not is_debian():
        return
    missing = missing_qt_packages()
    if missing:
        install_packages(missing, "Qt needs system libraries")


def install_packages(packages: list[str], why: str) -> None:
    """Install packages of Debian or Ubuntu.

    Without the rights to do so, print the one line that does and stop.
    """
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0:
        raise SystemExit(f"{why} that are missing:\n  sudo {' '.join(install)}")
    say(f"Installing {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet"], env=environment, check=False)
    if subprocess.run(install, env=environment, check=False).returncode != 0:
        raise SystemExit(f"{why}, which could not be installed:\n  {' '.join(install)}")


def need_programs(programs: dict[str, str]) -> None:
    """Make sure that programs are there.

    Args:
        programs: name → the package of Debian and Ubuntu that holds it.
    """
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    if not missing:
        return
    if not is_debian():
        raise SystemExit(f"These programs are needed: {', '.join(programs)}")
    install_packages(sorted(set(missing)), "The build needs programs")


def missing_qt_packages() -> list[str]:
    """Return the packages whose library the system's loader does not find."""
    missing = []
    for library, package in QT_LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def is_debian() -> bool:
    """Return whether this is Debian, Ubuntu or one of their children."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    ids = [
        word
        for line in text.splitlines()
        if line.startswith(("ID=", "ID_LIKE="))
        for word in line.split("=", 1)[1].strip('"').split()
    ]
    return "debian" in ids or "ubuntu" in ids


def say(sentence: str) -> None:
    """Print at once, so that it stands before what the next command prints."""
    print(f"> {sentence}", flush=True)
