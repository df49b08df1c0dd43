"""How much memory a run of 10,000 photos takes, against one of 1,000.

The program as it is, with the built-in model and one photo chosen throughout, so that what is
kept of chosen photos does not count. Each number of photos has a process of its own.

    .venv/bin/python tests/benchmarks/memory.py [--photos 1000 10000]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GOAL_MB = 20

RUN = """
import json, sys
from pathlib import Path
from tests.benchmarks.responsiveness import measure
print(json.dumps(measure(int(sys.argv[1]), Path(sys.argv[2]), steps=False)))
"""


def measure(small: int, large: int) -> dict[str, Any]:
    """Return the figures as JSON values."""
    found = {}
    for count in (small, large):
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(
                [sys.executable, "-c", RUN, str(count), cache],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
        found[count] = json.loads(done.stdout)["memory_mb"]
    return {
        "benchmark": "memory",
        "memory_mb": found,
        "growth_mb": round(found[large] - found[small], 1),
        "goal_mb": GOAL_MB,
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, nargs=2, default=[1000, 10_000])
    print(json.dumps(measure(*parser.parse_args().photos), indent=1))


if __name__ == "__main__":
    main()
