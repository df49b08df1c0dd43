"""Check everything: python3 build_scripts/test.py [arguments for pytest]."""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, need_programs, prepare, say

_SIDE_BY_SIDE = ("-n", str(min(4, max(2, os.cpu_count() or 2))), "--dist", "loadfile")
"""A process of tests takes up to 3 GB."""


def main() -> int:
    """Run formatter, linter, type checker, import contracts and tests; 1 if any fails."""
    python = str(prepare("test"))
    if sys.platform == "linux":  # they watch what the program asks of the system
        need_programs({"strace": "strace", "cc": "gcc"})
    lint_imports = "from importlinter.cli import lint_imports_command as main; main()"
    checks = {
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "ruff": [python, "-m", "ruff", "check", "."],
        "mypy": [python, "-m", "mypy"],
        "import-linter": [python, "-c", lint_imports],
        "pytest": [python, "-m", "pytest", *_SIDE_BY_SIDE, *sys.argv[1:]],
    }
    # Each process of tests computes on one core, else they would wait for one another's threads.
    one_core = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    environment = {**os.environ, **one_core, "PYTHONUTF8": "1"}
    failed = []
    for name, command in checks.items():
        say(name)
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
