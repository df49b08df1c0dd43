"""Where the frozen program begins: the window, or the command line by the name it is called by."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path


def main() -> int:
    """Run what the executable is named after."""
    multiprocessing.freeze_support()  # what a photo that ended the program does is tried apart
    if sys.argv[1:2] == ["--convert"]:  # as core.inference.conversion begins it
        from core.inference.converting import main as convert

        return convert(sys.argv[2])
    if Path(sys.argv[0]).stem.endswith("-cli"):
        from core.cli.main import main as command_line

        return command_line()
    from gui.start import main as window

    return window()


if __name__ == "__main__":
    sys.exit(main())
