"""Open Droplens from a checkout: python3 build_scripts/run.py [PATH…]."""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, prepare


def main() -> int:
    """Prepare the environment and open the window with the given photos."""
    if sys.platform == "linux" and not has_screen():
        raise SystemExit(
            "There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set); start "
            "Droplens in a desktop session, or use the command line: .venv/bin/droplens-cli"
        )
    python = prepare()
    paths = [os.path.abspath(path) for path in sys.argv[1:]]  # noqa: PTH100 - links stay links
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
