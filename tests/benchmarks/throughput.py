"""Whole runs over photos: Droplens against the plain loop, a DataLoader, and the limit.

    .venv/bin/python tests/benchmarks/throughput.py [--runs 5] [--only NAME…] [--device cpu]

- *loop*: open, convert to RGB, torchvision's transform, unsqueeze, eager forward under no_grad,
  torch.max; one photo at a time;
- *loader*: a torchvision DataLoader with 2 workers and batches of 32, eager forward;
- *limit*: what decoding and preprocessing take on one thread over the number of cores, plus what
  the fastest backend takes for the same batches, nothing else going on.

All are timed in turn on the same photos, scripts and Droplens each in a process of its own, for
torch computes slower in a process where two threads use it. Medians are compared. Checkpoints have
random parameters; processes have begun, and sessions stand, before the clock runs.
The 12-megapixel photos are the samples enlarged; "fast" lets the JPEG decoder shrink them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from PIL import Image

from core.inference.classifying import Classify
from core.inference.conversion import Conversion, ConversionError, Conversions
from core.inference.engine import Engine
from core.inference.speed import EXACT, Speed
from core.models.torchvision_import import torchvision_models
from core.values.spec import ModelChoice
from tests.benchmarks.measuring import make_large_photos, medians, sample_photos, table

GOALS = {  # times the loop, times the loader
    "squeezenet1_1": (2.5, None),
    "mobilenet_v3_large": (2.5, None),
    "resnet18": (2.0, 1.7),
    "resnet50": (2.0, 1.7),
    "efficientnet_b0": (2.5, None),
    "convnext_tiny": (1.2, None),
    "vit_b_16": (1.2, None),
    "swin_t": (1.2, None),
}
SHARE_OF_LIMIT = 0.85
LARGE_GOALS = {"exact": 1.8, "fast": 4.0}
LARGE_TIMED = 24
FAST = Speed(decoding="fast")


class Photos(torch.utils.data.Dataset[Any]):
    """What a script feeds a DataLoader with."""

    def __init__(self, paths: list[Path], transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self._paths, self._transform = paths, transform

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self._transform(Image.open(self._paths[index]).convert("RGB"))


class Scripts:
    """What people write instead: the network as torchvision builds it, in eager mode."""

    def __init__(self, name: str, device: str, checkpoint: Path) -> None:
        warnings.simplefilter("ignore")
        models = torchvision_models()
        torch.manual_seed(0)
        self._network = models.get_model(name).eval().to(device)
        self._transform = models.get_model_weights(name).DEFAULT.transforms()
        self._device = torch.device(device)
        torch.save(self._network.state_dict(), checkpoint)

    def loop(self, paths: list[Path]) -> None:
        for path in paths:
            batch = self._transform(Image.open(path).convert("RGB")).unsqueeze(0).to(self._device)
            with torch.no_grad():
                torch.max(self._network(batch), 1)[1].item()

    def loader(self, paths: list[Path]) -> None:
        loader = torch.utils.data.DataLoader(
            Photos(paths, self._transform),
            batch_size=32,
            num_workers=2,
            multiprocessing_context="fork" if sys.platform == "linux" else None,
        )
        with torch.no_grad():
            for batch in loader:
                torch.max(self._network(batch.to(self._device)), 1)[1].tolist()


class Droplens:
    """The engine with a model that fills its graph, or was converted before."""

    def __init__(self, device: str, checkpoint: Path | None, cache: Path) -> None:
        self._engine = Engine(cache=cache)
        self._ready = self._engine.open(ModelChoice(checkpoint=checkpoint), device)
        self._pixels: list[np.ndarray] = []
        classifier = self._engine.classifier()
        settled = self._engine._hastening
        settled._classifier, settled._is_settled = classifier, True
        if self._ready.device.name == "cpu" and not classifier.fill_template():
            conversions = Conversions(cache / "converted")
            wanted = Conversion(self._ready.choice, self._ready.spec)
            with contextlib.suppress(ConversionError):
                classifier.adopt(conversions.start(wanted).result())
            conversions.shut_down()

    @property
    def names(self) -> tuple[str, str]:
        return self._engine.classifier().backend, self._ready.device.title

    def run(self, paths: list[Path], speed: Speed = EXACT) -> list[int]:
        batches = Classify(paths, speed=speed).run(self._engine)
        return [one.top[0].class_index for batch in batches for one in batch.predictions]

    def decoding(self, paths: list[Path]) -> None:
        used = self._ready.spec.preprocessing
        decoding = [self._engine.decode(path, used, is_exact=True) for path in paths]
        made = [future.result() for future in decoding]
        self._pixels = [one for one in made if not isinstance(one, str)]

    def computing(self) -> None:
        """Compute what ``decoding`` has decoded."""
        classifier = self._engine.classifier()
        size = classifier.batch_size(None)
        for first in range(0, len(self._pixels), size):
            classifier._backend.begin(np.stack(self._pixels[first : first + size]), len)()
        if classifier.is_on_cuda:
            torch.cuda.synchronize()

    def close(self) -> None:
        self._engine.close()


class Elsewhere:
    """An object in a process of its own, so that neither side disturbs the other's threads."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self._pool.submit(_make, make, arguments).result()

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def call(self, name: str, *arguments: object) -> Any:
        return self._pool.submit(_call, name, arguments).result()


def _make(make: Callable[..., object], arguments: tuple[object, ...]) -> None:
    globals()["_made"] = make(*arguments)


def _call(name: str, arguments: tuple[object, ...]) -> object:
    found = getattr(globals()["_made"], name)
    return found(*arguments) if callable(found) else found


def ordinary(name: str, folder: Path, device: str, runs: int) -> dict[str, Any]:
    """Time a hundred photos of ordinary size."""
    paths = sample_photos()
    checkpoint = folder / f"{name}.pth"
    with (
        Elsewhere(Scripts, name, device, checkpoint) as scripts,
        Elsewhere(Droplens, device, checkpoint, folder / "cache") as droplens,
    ):
        taken = medians(
            {
                "loop": lambda: scripts.call("loop", paths),
                "loader": lambda: scripts.call("loader", paths),
                "droplens": lambda: droplens.call("run", paths),
                "decoding": lambda: droplens.call("decoding", paths),
                "computing": lambda: droplens.call("computing"),
            },
            runs,
        )
        backend, title = droplens.call("names")
        droplens.call("close")
    limit = taken["decoding"] / cores() + taken["computing"]
    return {
        "architecture": name,
        "backend": backend,
        "device": title,
        "photos_per_second": round(len(paths) / taken["droplens"], 1),
        "milliseconds": {way: round(1e3 * t / len(paths), 2) for way, t in taken.items()},
        "times_loop": round(taken["loop"] / taken["droplens"], 2),
        "times_loader": round(taken["loader"] / taken["droplens"], 2),
        "share_of_limit": round(limit / taken["droplens"], 2),
        "share_of_raw": round(taken["computing"] / taken["droplens"], 2),
    }


def large(folder: Path, device: str, runs: int) -> dict[str, Any]:
    """Time 12-megapixel photos with the built-in model, whose answers mean something."""
    (folder / "large").mkdir()
    paths = list(make_large_photos(folder / "large"))
    timed, samples = paths[:LARGE_TIMED], sample_photos()
    with (
        Elsewhere(Scripts, "squeezenet1_1", device, folder / "unused.pth") as scripts,
        Elsewhere(Droplens, device, None, folder / "cache") as droplens,
    ):
        agreement = {
            kind: np.equal(droplens.call("run", photos), droplens.call("run", photos, FAST)).mean()
            for kind, photos in (("12_megapixels", paths), ("samples", samples))
        }
        taken = medians(
            {
                "loop": lambda: scripts.call("loop", timed),
                "exact": lambda: droplens.call("run", timed),
                "fast": lambda: droplens.call("run", timed, FAST),
            },
            runs,
        )
        droplens.call("close")
    return {
        "photos": len(paths),
        "milliseconds": {way: round(1e3 * t / len(timed), 1) for way, t in taken.items()},
        "exact_times_loop": round(taken["loop"] / taken["exact"], 2),
        "fast_times_loop": round(taken["loop"] / taken["fast"], 2),
        **{f"fast_agreement_{kind}": round(float(share), 3) for kind, share in agreement.items()},
    }


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(runs: int, only: list[str], device: str) -> dict[str, Any]:
    """Return all figures as JSON values."""
    with tempfile.TemporaryDirectory() as scratch:
        rows = []
        for name in only or GOALS:
            if name != "large":
                rows.append(ordinary(name, Path(scratch), device, runs))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        photos = large(Path(scratch), device, runs) if not only or "large" in only else None
    return {"benchmark": "throughput", "cores": cores(), "ordinary": rows, "large": photos}


def show(result: dict[str, Any]) -> str:
    """Return the figures as a table beside their goals."""
    rows: list[tuple[object, ...]] = []
    for one in result["ordinary"]:
        loop, loader = GOALS[one["architecture"]]
        rows.append(
            (
                one["architecture"],
                one["backend"],
                one["photos_per_second"],
                f"{one['times_loop']} (goal {loop})",
                f"{one['times_loader']}" + (f" (goal {loader})" if loader else ""),
                f"{one['share_of_limit']} (goal {SHARE_OF_LIMIT})",
            )
        )
    header = ("architecture", "backend", "photos/s", "times loop", "times loader", "of limit")
    text = table(header, rows)
    found = result["large"]
    if found is not None:
        text += (
            f"\n12 megapixels: exact {found['exact_times_loop']} times the loop "
            f"(goal {LARGE_GOALS['exact']}), fast {found['fast_times_loop']} "
            f"(goal {LARGE_GOALS['fast']}), which names the same class for "
            f"{found['fast_agreement_12_megapixels']:.0%} of them and "
            f"{found['fast_agreement_samples']:.0%} of the samples as they are (goal 99%)"
        )
    return text


def main() -> None:
    """Print JSON and a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args()
    result = measure(options.runs, options.only, options.device)
    print(json.dumps(result, indent=1))
    print(show(result))


if __name__ == "__main__":
    main()
