"""What the build steps have in common: places, version, and trying what was built."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
FROZEN = DIST / "Droplens"
PACKAGING = ROOT / "build_scripts" / "packaging"
EXPLAINED = (
    "Qt depends on a UTF-8 locale",
    "Detected locale",
    "If this causes problems",
    "for more",
)
"""Beginnings of lines that a program without a locale may say."""

_PATIENCE_S = 240


def version() -> str:
    """Return the version, which stands in pyproject.toml alone."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def date() -> str:
    """Return the day that the build is of."""
    return time.strftime("%Y-%m-%d", time.gmtime(epoch()))


def epoch() -> int:
    """Return the time that files of the build carry."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", "1700000000"))


def filled(path: Path, **values: str) -> str:
    """Return a template with its @NAMES@ filled in."""
    text = path.read_text(encoding="utf-8")
    for name, value in {"VERSION": version(), "DATE": date(), **values}.items():
        text = text.replace(f"@{name}@", value)
    return text


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """Give a screen for a window: the one there is, else a virtual one."""
    if sys.platform != "linux":
        yield ""
        return
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def try_program(program: Path | str) -> dict[str, Any]:
    """Start a program with --smoke-test in an empty home and return what it found.

    It gets neither Python nor anything else of this environment. Whatever it says that nothing
    explains ends the build.
    """
    with screen() as display, tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        if sys.platform == "linux":
            environment["DISPLAY"] = display
        else:
            environment = {**os.environ, "HOME": home, "USERPROFILE": home}
        done = subprocess.run(
            [str(program), "--smoke-test"],
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE_S,
            check=False,
            cwd=home,
        )
        kept = [str(path) for path in Path(home).rglob("*onnxruntime*")]
    if kept:
        raise SystemExit(f"{program}: ONNX Runtime keeps a record of its use: {', '.join(kept)}")
    lines = [line for line in done.stdout.splitlines() if line]
    said = [line for line in done.stderr.splitlines() if not line.startswith(EXPLAINED)]
    if done.returncode != 0 or len(lines) != 1 or any(said):
        raise SystemExit(
            f"{program} --smoke-test ended with {done.returncode} and said:\n{done.stdout}\n"
            + "\n".join(said)
        )
    found: dict[str, Any] = json.loads(lines[0])
    print(f"{program}: {len(found['checks'])} checks in {found['seconds']} s")
    return found


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def pack(folder: Path, target: Path, name: str) -> None:
    """Write a tar archive whose bytes depend on the folder's content alone, for a compressor.

    Args:
        folder: what goes in.
        target: the archive.
        name: of the folder inside.
    """

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = epoch()
        return entry

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in [folder, *sorted(folder.rglob("*"))]:
            inside = Path(name) / path.relative_to(folder)
            archive.add(path, str(inside), recursive=False, filter=plain)
