"""Whole processes: Droplens's command line against the script that people write.

    .venv/bin/python tests/benchmarks/whole_runs.py [--runs 5] [--photos 1 50 200] [--only NAME…]

The script imports torch and torchvision, builds the network, loads the checkpoint, and for each
photo opens it, converts to RGB, transforms, adds a dimension, runs eagerly under no_grad and takes
torch.max. Both do all of it, imports included, in turn; medians are compared. Checkpoints have
random parameters; "built in" stands against timm's network of the same file. *Cold*: Droplens's
caches are empty and the model was never opened before. *Warm*: they are those of the run before.
The table that is printed stands in the README.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.measuring import medians, sample_photos  # noqa: E402

GOALS = {  # by the number of photos
    "resnet18": {1: 1.0, 50: 1.4, 200: 2.0, 1000: 2.0},
    "resnet50": {1: 1.0, 50: 1.4, 200: 1.7, 1000: 1.9},
    "mobilenet_v3_large": {1: 1.0, 50: 1.4, 200: 2.0, 1000: 2.5},
    "efficientnet_b0": {1: 1.0, 50: 1.4, 200: 2.0, 1000: 2.5},
    "built in": {1: 1.0, 50: 1.4, 200: 2.0, 1000: 2.5},
    "convnext_tiny": {1: 1.0, 50: 1.0, 200: 1.2, 1000: 1.2},
    "vit_b_16": {1: 1.0, 50: 1.0, 200: 1.2, 1000: 1.2},
    "swin_t": {1: 1.0, 50: 1.0, 200: 1.2, 1000: 1.2},
}
_BUILT_IN = "built in"

_BEGIN = """
import sys
import torch
try:
    import torchvision
except RuntimeError:  # a CUDA build of torchvision beside a torch for processors
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor d, Tensor s, float i) -> Tensor")
    import torchvision
from pathlib import Path
from PIL import Image
"""
_OF_TORCHVISION = """
network = torchvision.models.get_model(sys.argv[1])
network.load_state_dict(torch.load(sys.argv[2], weights_only=True))
transform = torchvision.models.get_model_weights(sys.argv[1]).DEFAULT.transforms()
"""
_OF_TIMM = """
import timm
from safetensors.torch import load_file
from torchvision import transforms
network = timm.create_model(sys.argv[1])
network.load_state_dict(load_file(sys.argv[2]))
transform = transforms.Compose([
    transforms.Resize(256, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224),
    transforms.ToTensor(), transforms.Normalize((0.498,) * 3, (0.502,) * 3)])
"""
_LOOP = """
network.eval()
for path in sorted(Path(sys.argv[3]).iterdir()):
    batch = transform(Image.open(path).convert("RGB")).unsqueeze(0)
    with torch.no_grad():
        values, indices = torch.max(network(batch), 1)
    print(path, indices.item())
"""


def folder_of(count: int, scratch: Path) -> Path:
    """Return a folder of so many photos, the samples in turn."""
    folder = scratch / f"photos_{count}"
    if not folder.exists():
        folder.mkdir()
        samples = sample_photos()
        for number in range(count):
            source = samples[number % len(samples)]
            shutil.copyfile(source, folder / f"{number:05}{source.suffix}")
    return folder


def checkpoint_of(name: str, scratch: Path) -> Path:
    """Return a file of random parameters."""
    import torch

    from core.models.torchvision_import import torchvision_models

    path = scratch / f"{name}.pth"
    if not path.exists():
        torch.manual_seed(0)
        torch.save(torchvision_models().get_model(name).state_dict(), path)
    return path


def run(command: list[str], home: Path | None = None) -> int:
    """Run a process to its end and return the most memory that it took, in MB."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if home is not None:
        environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_maxrss // 1024


def compare(name: str, count: int, scratch: Path, runs: int) -> dict[str, Any]:
    """Time all three over so many photos."""
    photos = folder_of(count, scratch)
    if name == _BUILT_IN:
        from core.models.families import BUILT_IN
        from core.models.sources.checkpoint.source import default_checkpoint

        script, model = _BEGIN + _OF_TIMM + _LOOP, [BUILT_IN.name, str(default_checkpoint())]
        given: list[str] = []
    else:
        checkpoint = str(checkpoint_of(name, scratch))
        script, model = _BEGIN + _OF_TORCHVISION + _LOOP, [name, checkpoint]
        given = ["--checkpoint", checkpoint]
    program = str(Path(sys.executable).with_name("droplens-cli"))
    memory: dict[str, int] = {}

    def plainly() -> None:
        memory["script"] = run([sys.executable, "-c", script, *model, str(photos)])

    def droplens(way: str) -> None:
        home = scratch / way
        if way == "cold":
            shutil.rmtree(home, ignore_errors=True)
        home.mkdir(exist_ok=True)
        memory[way] = run([program, "classify", str(photos), *given], home)

    ways: dict[str, Callable[[], object]] = {
        "script": plainly,
        "cold": partial(droplens, "cold"),
        "warm": partial(droplens, "warm"),
    }
    taken = medians(ways, runs)
    return {
        "architecture": name,
        "photos": count,
        "seconds": {way: round(seconds, 2) for way, seconds in taken.items()},
        "memory_mb": memory,
        "cold": round(taken["script"] / taken["cold"], 2),
        "warm": round(taken["script"] / taken["warm"], 2),
        "goal": GOALS[name].get(count),
    }


def measure(runs: int, photos: list[int], only: list[str]) -> dict[str, Any]:
    """Return all figures as JSON values."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for count in photos:
            for name in only or GOALS:
                rows.append(compare(name, count, Path(scratch), runs))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {"benchmark": "whole runs", "rows": rows}


def show(result: dict[str, Any]) -> str:
    """Return the factors as the README's table: cold, warm, and the goal of the cold ones."""
    counts = sorted({row["photos"] for row in result["rows"]})
    names = list(dict.fromkeys(row["architecture"] for row in result["rows"]))
    found = {(row["architecture"], row["photos"]): row for row in result["rows"]}
    lines = [
        f"| architecture | {' | '.join(f'{count}, cold | warm | goal' for count in counts)} |",
        f"|---|{'---|---|---|' * len(counts)}",
    ]
    for name in names:
        rows = [found[name, count] for count in counts]
        cells = " | ".join(f"{row['cold']} | {row['warm']} | {row['goal']}" for row in rows)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Print JSON and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--photos", type=int, nargs="+", default=[1, 50, 200, 1000])
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    result = measure(options.runs, options.photos, options.only)
    print(json.dumps(result, indent=1))
    print(show(result))


if __name__ == "__main__":
    main()
