"""What a graphics card makes of whole runs, and what decoding on it would bring.

    .venv/bin/python tests/benchmarks/gpu.py [--photos 1000] [--only NAME…] [--device cuda]

For each network: photos a second from file to answer, in full and in mixed precision; the share of
what the network alone computes with batches that lie on the card; how often both precisions name
the same class, and their largest difference; memory of the card. Then decoding: the processor's
pool, which gives the pixels that Droplens takes, beside torchvision's nvJPEG, which does not
resize. The samples in turn, so the disk does not count. ``--device cpu`` tries the script.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from core.inference.classifying import Classify  # noqa: E402
from core.inference.engine import Engine  # noqa: E402
from core.models.torchvision_import import torchvision_models  # noqa: E402
from core.values.predictions import Prediction  # noqa: E402
from core.values.spec import ModelChoice  # noqa: E402
from tests.benchmarks.measuring import sample_photos, table  # noqa: E402

NETWORKS = ("built in", "resnet50", "vit_b_16")
_BATCH, _RAW_BATCHES, _JPEG_BATCH = 64, 20, 32


def photos_a_second(count: int, do: Callable[[], object], device: str) -> float:
    """Return the pace of something that handles so many photos."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    begun = time.perf_counter()
    do()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return count / (time.perf_counter() - begun)


def run(choice: ModelChoice, photos: list[Path], device: str, *, mixed: bool) -> dict[str, Any]:
    """Classify all photos; the first hundred warm up and do not count."""
    engine = Engine()
    engine.open(choice, device, mixed_precision=mixed)
    predictions: list[Prediction] = []

    def classify(paths: list[Path]) -> None:
        for batch in Classify(paths).run(engine):
            predictions.extend(batch.predictions)

    classify(photos[:100])
    predictions.clear()
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    pace = photos_a_second(len(photos), lambda: classify(photos), device)
    memory = torch.cuda.max_memory_allocated() if device.startswith("cuda") else 0
    network, used = engine.classifier().network, engine.classifier().spec.preprocessing
    inputs = torch.rand(_BATCH, used.channels, *used.input_size, device=device)

    batches = _RAW_BATCHES if device.startswith("cuda") else 1

    def compute() -> None:
        kind = device.split(":", 1)[0]
        with torch.inference_mode(), torch.autocast(kind, torch.float16, enabled=mixed):
            for _ in range(batches):
                network(inputs)

    compute()
    raw = photos_a_second(_BATCH * batches, compute, device)
    engine.close()
    return {"pace": pace, "raw": raw, "memory": memory, "predictions": predictions}


def compare(name: str, photos: list[Path], device: str, folder: Path) -> dict[str, Any]:
    """Return the figures of one network."""
    choice = ModelChoice()
    if name != "built in":
        torch.manual_seed(0)
        torch.save(torchvision_models().get_model(name).state_dict(), folder / f"{name}.pth")
        choice = ModelChoice(checkpoint=folder / f"{name}.pth")
    full = run(choice, photos, device, mixed=False)
    half = run(choice, photos, device, mixed=device.startswith("cuda"))
    pairs = [
        (one.top[0], other.top[0])
        for one, other in zip(full["predictions"], half["predictions"], strict=True)
        if one.error is None and other.error is None
    ]
    return {
        "network": name,
        "photos_per_second": round(full["pace"]),
        "share_of_raw": round(full["pace"] / full["raw"], 2),
        "mixed_photos_per_second": round(half["pace"]),
        "mixed_share_of_raw": round(half["pace"] / half["raw"], 2),
        "same_class": sum(a.class_index == b.class_index for a, b in pairs) / max(1, len(pairs)),
        "largest_difference": max(abs(a.probability - b.probability) for a, b in pairs),
        "memory_mb": round(full["memory"] / 2**20),
    }


def decoding(photos: list[Path], device: str) -> dict[str, Any]:
    """Return the pace of decoding, by the processor and by the card."""
    engine = Engine()
    used = engine.open(ModelChoice(), "cpu").spec.preprocessing

    def by_processor() -> None:
        for future in [engine.decode(path, used, is_exact=True) for path in photos]:
            future.result()

    found: dict[str, Any] = {"processor": round(photos_a_second(len(photos), by_processor, "cpu"))}
    engine.close()
    try:
        from torchvision.io import ImageReadMode, decode_jpeg, read_file

        files = [
            read_file(str(path)) for path in photos if path.suffix.lower() in (".jpeg", ".jpg")
        ]

        def by_card() -> None:
            for start in range(0, len(files), _JPEG_BATCH):
                decode_jpeg(files[start : start + _JPEG_BATCH], ImageReadMode.RGB, device=device)

        by_card()
        found["card"] = round(photos_a_second(len(files), by_card, device))
    except (ImportError, RuntimeError, ValueError) as error:
        found["card"] = f"not tried: {str(error).splitlines()[0]}"
    return found


def main() -> None:
    """Print JSON and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("There is no NVIDIA GPU that torch can use.")
    photos = list(itertools.islice(itertools.cycle(sample_photos()), options.photos))
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            compare(name, photos, options.device, Path(folder)) for name in options.only or NETWORKS
        ]
    found = {"benchmark": "gpu", "networks": rows, "decoding": decoding(photos, options.device)}
    print(json.dumps(found, indent=1))
    print(table(tuple(rows[0]), [tuple(row.values()) for row in rows]))


if __name__ == "__main__":
    main()
