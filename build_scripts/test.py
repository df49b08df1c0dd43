"""Check everything: python3 build_scripts/test.py [arguments for pytest]."""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, need_programs, prepare, say


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
        "pytest": [python, "-m", "pytest", *sys.argv[1:]],
    }
    environment = {**os.environ, "PYTHONUTF8": "1"}
    failed = []
    for name, command in checks.items():
        say(name)
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
