"""Open Droplens from a checkout: python3 build_scripts/run.py [PATH…]."""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, prepare

USAGE = """usage: python3 build_scripts/run.py [PATH…]

Opens the window with photos, folders of photos, a checkpoint or a project. The first start makes
an environment in .venv, which takes minutes; --version says which Droplens this is."""


def main() -> int:
    """Prepare the environment and open the window with the given photos."""
    if any(argument in ("--help", "-h") for argument in sys.argv[1:]):
        print(USAGE)
        return 0
    opens_window = sys.argv[1:] != ["--version"]
    if opens_window and sys.platform == "linux" and not has_screen():
        raise SystemExit(
            "There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set); start "
            "Droplens in a desktop session, or use the command line: .venv/bin/droplens-cli"
        )
    python = prepare()
    paths = [
        path if path.startswith("--") else os.path.abspath(path)  # noqa: PTH100 - links stay links
        for path in sys.argv[1:]
    ]
    command = [str(python), "-m", "gui", *paths]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def has_screen() -> bool:
    """Return whether a window can open, on this system or off it for a test."""
    wanted = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in wanted)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
