"""How soon the frozen program's window stands, over the unfrozen one's; and how large it is.

    .venv/bin/python build_scripts/build.py app
    .venv/bin/python tests/benchmarks/frozen.py [--runs 10]

Both are started in turn, with an empty home, until xdotool sees the window. Needs an X server.
The size is set beside what torch, torchvision, Pillow and Qt take where they are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FROZEN = ROOT / "dist" / "Droplens"
GOALS = {"window_ratio": 1.5, "size_ratio": 1.1}
PARTS = ("torch", "torchvision", "PIL", "pillow.libs")
QT_LOADED = ("Core", "DBus", "Gui", "Network", "OpenGL", "Svg", "Widgets", "XcbQpa")


def start(command: list[str]) -> float:
    """Return how long it takes until the window is seen, in seconds."""
    with tempfile.TemporaryDirectory() as home:
        places = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), home)
        environment = {**os.environ, **places, "HOME": home}
        started = time.perf_counter()
        program = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(program.pid)]
        while subprocess.run(search, capture_output=True, check=False).returncode != 0:
            time.sleep(0.002)  # with --sync it would look twice a second
        seconds = time.perf_counter() - started
        time.sleep(1)  # not in the middle of its imports
        program.send_signal(signal.SIGTERM)
        program.wait(timeout=60)
    return seconds


def size_of(folder: Path, pattern: str = "*") -> int:
    """Return the bytes of all files below a folder."""
    return sum(one.stat().st_size for one in folder.rglob(pattern) if not one.is_symlink())


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    commands = {"unfrozen": [sys.executable, "-m", "gui"], "frozen": [str(FROZEN / "droplens")]}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            seconds = start(command)
            if turn:  # the first one warms the disk's cache
                found[name].append(seconds)
    seconds = {name: round(statistics.median(each), 3) for name, each in found.items()}
    packages = Path(__import__("torch").__file__).parents[1]
    parts = sum(size_of(packages / name) for name in PARTS)
    qt = packages / "PySide6" / "Qt" / "lib"
    parts += sum(size_of(qt, f"libQt6{name}.so*") for name in QT_LOADED)
    size = size_of(FROZEN)
    told = {
        "benchmark": "frozen",
        "runs": runs,
        "seconds": seconds,
        "window_ratio": round(seconds["frozen"] / seconds["unfrozen"], 2),
        "size_mb": round(size / 1e6),
        "parts_mb": round(parts / 1e6),
        "size_ratio": round(size / parts, 2),
        "goals": GOALS,
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
