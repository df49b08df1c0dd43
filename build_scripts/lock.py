"""Write constraints.txt: every package that an installation may take, with its hashes.

Run it after the pins of pyproject.toml were changed; it needs uv (pip install uv):
    python3 build_scripts/lock.py
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build_scripts" / "constraints.txt"
_FROM_ELSEWHERE = ("torch", "torchvision")
"""Their builds for processors alone come from an index of their own, with other hashes."""
_COMMAND = "uv pip compile --universal --python-version 3.11 --generate-hashes --no-header".split()
_BEGINNING = """\
# Every package that an installation may take, with its hashes. uv checks them:
#     uv pip install --constraint build_scripts/constraints.txt --editable .
# pip installs no folder beside hashes, so build_scripts/environment.py hands it the versions.
# torch and torchvision have no hashes here, as their builds for processors alone come from an index
# of their own. Written by build_scripts/lock.py.
"""


def main() -> None:
    """Resolve all groups for all systems, and write what came out."""
    groups = ["--extra", "test", "--extra", "build", "--no-annotate"]
    done = subprocess.run(
        [*_COMMAND, *groups, "pyproject.toml"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    text = without_hashes(done.stdout, _FROM_ELSEWHERE)
    TARGET.write_text(_BEGINNING + text, encoding="utf-8")


def without_hashes(text: str, names: tuple[str, ...]) -> str:
    """Return a list of packages in which some have no hashes."""
    for name in names:
        text = re.sub(rf"(?m)^({name}==[^\\\n]*?) *\\\n( +--hash=\S+(?: \\)?\n)+", r"\1\n", text)
    return text


if __name__ == "__main__":
    main()
