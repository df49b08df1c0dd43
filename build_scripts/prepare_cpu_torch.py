"""Make the environment with PyTorch's build for the processor, which is the normal one.

Without this, pip takes the build for NVIDIA cards on Linux, which is gigabytes larger.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv

from environment import ROOT, VENV

INDEX = "https://download.pytorch.org/whl/cpu"


def main() -> int:
    """Install torch and torchvision as pyproject.toml pins them, before everything else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = [one for one in project["dependencies"] if one.startswith("torch")]
    if not VENV.exists():
        venv.create(VENV, with_pip=True)
    python = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command = [str(python), "-m", "pip", "install", *pinned, "--index-url", INDEX]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
