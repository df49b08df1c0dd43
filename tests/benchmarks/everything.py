"""All figures about speed, in one go: a table, and JSON in a file if one is named.

    .venv/bin/python tests/benchmarks/everything.py [--json FILE] [--device cpu|cuda]

Takes a quarter of an hour on two cores. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.measuring import table  # noqa: E402
from tests.benchmarks.throughput import show  # noqa: E402


def carry_out(script: str, *arguments: str) -> dict[str, Any]:
    """Run one benchmark in a process of its own and return its figures."""
    print(f"> {script}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, f"tests/benchmarks/{script}.py", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout)[0]
    return found


def main() -> None:
    """Print a table of all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    found = {
        "machine": {
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "startup": carry_out("startup"),
        "gallery": carry_out("gallery"),
        "responsiveness": carry_out("responsiveness"),
        "memory": carry_out("memory"),
        "labels": carry_out("labels"),
        "throughput": carry_out("throughput", "--device", options.device),
    }
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(show(found["throughput"]))
    print()
    print(table(("what", "goal", "found"), rows(found)))


def rows(found: dict[str, Any]) -> list[tuple[object, ...]]:
    """Return what, goal and figure of everything but the throughput."""
    startup, gallery = found["startup"], found["gallery"]
    responsiveness, memory = found["responsiveness"], found["memory"]
    classifying = responsiveness["while_classifying"]
    labels = found["labels"]
    slowest = max(*gallery["order_ms"].values(), *gallery["search_ms"].values())
    return [
        ("window, times a bare one", 1.5, startup["window_ratio"]),
        ("first prediction, times a script's imports", 1.2, startup["prediction_ratio"]),
        ("first rows of 100,000, s", 0.2, gallery["first_rows_s"]),
        ("all rows of 100,000, s", 5, gallery["all_rows_s"]),
        ("slowest order or search, ms", 100, slowest),
        ("bytes a row", 1024, gallery["row_bytes"]),
        ("project of 1,000,000 events opens, s", 2, labels["open_s"]),
        ("one label to disk, p99, ms", 10, labels["label_p99_ms"]),
        ("slowest filter or queue, ms", 200, labels["filter_or_queue_ms"]),
        ("gaps while classifying, p99, ms", 17, classifying["p99_ms"]),
        ("gaps while classifying, largest, ms", 60, classifying["largest_ms"]),
        (
            "largest gap while torch is imported, ms",
            300,
            responsiveness["while_torch_is_imported"]["largest_ms"],
        ),
        ("memory from 1,000 to 10,000 photos, MB", 20, memory["growth_mb"]),
    ]


if __name__ == "__main__":
    main()
