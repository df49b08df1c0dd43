"""Compare recognising a checkpoint with what a plain ``torch.load`` of the file costs.

    .venv/bin/python tests/benchmarks/recognising.py [--runs 7] [--memory]

The ratio of medians of interleaved runs in one process; files lie in the page cache, as just
downloaded ones do. ``--memory`` opens the largest in a process of its own and says its peak.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.models.torchvision_import import torchvision_models
from tests.benchmarks.measuring import medians

ARCHITECTURES = ("resnet18", "vit_b_16", "vit_h_14")
GOAL = 1.2
_OPEN = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice
from core.models.torchvision_import import torchvision_models

def peak():
    # Not ru_maxrss, which a process inherits from the one that started it.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

torchvision_models()
before = peak()
opened = open_model(ModelChoice(checkpoint=Path(sys.argv[2])))
print(peak() - before)
"""


def main() -> None:
    """Write the files, time both ways in turn, and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    import torch

    from core.models.recognition.examining import examine
    from core.models.sources.checkpoint.source import inspect_checkpoint
    from core.models.sources.checkpoint.stored import CheckpointFile

    def recognise(path: Path) -> None:
        with CheckpointFile(path) as file:
            examine(file, None)

    with tempfile.TemporaryDirectory() as folder:
        for name in ARCHITECTURES:
            path = Path(folder) / f"{name}.pth"
            with torch.device("cpu"):
                network = torchvision_models().get_model(name, weights=None)
            torch.save(network.state_dict(), path)
            del network
            taken = medians(
                {
                    "plain": partial(torch.load, path, map_location="cpu", weights_only=True),
                    "shape": partial(recognise, path),
                    "whole": partial(inspect_checkpoint, path),
                },
                options.runs,
            )
            plain, shape, whole = taken.values()
            print(
                f"{name}, {path.stat().st_size / 1e6:,.0f} MB: torch.load {plain:.3f} s, "
                f"recognising {shape:.3f} s, inspecting with its hash {whole:.3f} s: "
                f"{shape / plain:.2f} and {whole / plain:.2f} times torch.load (goal {GOAL})"
            )
        if options.memory:
            size = path.stat().st_size
            root = str(Path(__file__).resolve().parents[2])
            done = subprocess.run(
                [sys.executable, "-c", _OPEN, root, str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
            peak = int(done.stdout) * 1024
            print(f"opening {path.name} takes {peak / 1e6:,.0f} MB, {peak / size:.2f} of its size")


if __name__ == "__main__":
    main()
