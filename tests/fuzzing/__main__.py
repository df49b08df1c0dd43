"""Let a fuzzer look for inputs that a reader does not stand.

    .venv/bin/python -m tests.fuzzing [TARGET …] [--seconds 600] [--folder DIR]

The fuzzer (atheris) sees which lines of Droplens an input reaches and goes on from there. Inputs
that broke something are left in the folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_TIMEOUT_S, _MEMORY_MB = 20, 2048


def main() -> int:
    """Run each target in a process of its own; 1 where one broke."""
    parser = argparse.ArgumentParser(description="fuzz Droplens' readers")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--folder", type=Path, help="for corpora and what broke")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="droplens-fuzzing-"))
    if options.here:
        _fuzz(options.targets[0], folder, options.seconds)
        return 0
    from tests.fuzzing.targets import TARGETS

    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    with ThreadPoolExecutor(os.cpu_count()) as at_once:  # each waits for a process of its own
        outcomes = list(
            at_once.map(
                lambda name: _run(name, folder, options.seconds), options.targets or TARGETS
            )
        )
    broken = [name for name in outcomes if name]
    print(f"broken: {', '.join(broken) or 'none'}; {folder}")
    return 1 if broken else 0


def _run(name: str, folder: Path, seconds: int) -> str:
    """Fuzz one target, say how that ended, and return its name where it broke."""
    command = [sys.executable, "-m", "tests.fuzzing", name, "--here", "--folder", str(folder)]
    started = time.monotonic()
    with (folder / f"{name}.log").open("w") as log:
        done = subprocess.run(
            [*command, "--seconds", str(seconds)], cwd=ROOT, stdout=log, stderr=log, check=False
        )
    lines = (folder / f"{name}.log").read_text(errors="replace").splitlines()
    runs = next((line for line in lines if "stat::number_of_executed_units" in line), "? 0")
    took = time.monotonic() - started
    print(
        f"{name}: status {done.returncode}, {runs.split()[-1]} inputs in {took:.0f} s", flush=True
    )
    if not done.returncode:
        return ""
    print("\n".join(lines[-40:]), flush=True)
    return name


def _fuzz(name: str, folder: Path, seconds: int) -> None:
    import logging

    import atheris

    with atheris.instrument_imports(
        include=["core", "gui.instance_name"], enable_loader_override=False
    ):
        from tests.fuzzing import targets

        target = targets.TARGETS[name]
        seeds = folder / name / "seeds"
        written = list(targets.corpus(name, seeds))
        for path in written:
            target.consume(path.read_bytes())  # which imports what it needs, now that it is seen
    logging.disable(logging.CRITICAL)
    found = folder / name / "found"
    found.mkdir(exist_ok=True)
    arguments = [
        sys.argv[0], str(found), str(seeds), f"-max_total_time={seconds}", "-print_final_stats=1",
        f"-timeout={_TIMEOUT_S}", f"-rss_limit_mb={_MEMORY_MB}", f"-max_len={target.longest_bytes}",
        f"-artifact_prefix={folder / name}/", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup(arguments, target.consume)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
