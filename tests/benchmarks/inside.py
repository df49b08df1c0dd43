"""Measure the look inside: the layer table with all maps, and changing the layer.

    .venv/bin/python tests/benchmarks/inside.py [--runs 15]

The goal for the table is a ratio of medians of interleaved runs: at most 1.5 times a plain
forward pass plus copying the maps' bytes. Changing the layer is measured from the request to the
first screen of thumbnails painted off the screen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

LIMIT_BYTES = 512 * 2**20


def main() -> None:
    """Time the table of ResNet-50, then the change between its layers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    import torch

    from core.inside.layers import record
    from core.models.torchvision_import import torchvision_models
    from tests.benchmarks.measuring import medians

    network = torchvision_models().resnet50(weights=None).eval().requires_grad_(False)
    image = torch.randn(1, 3, 224, 224)
    recording = record(network, image, limit_bytes=LIMIT_BYTES)
    size = recording.kept_bytes
    source = torch.randn(size // 4)

    def forward() -> None:
        with torch.no_grad():
            network(image)

    taken = medians(
        {
            "plain": forward,
            "copied": source.clone,
            "whole": lambda: record(network, image, limit_bytes=LIMIT_BYTES),
        },
        options.runs,
    )
    plain, copied, whole = taken.values()
    print(
        f"resnet50: forward {plain * 1e3:.0f} ms, copying {size / 1e6:.0f} MB "
        f"{copied * 1e3:.0f} ms, table with all maps {whole * 1e3:.0f} ms: "
        f"{whole / (plain + copied):.2f} times both (goal 1.5)"
    )
    _changing_the_layer(network)


def _changing_the_layer(network: object) -> None:
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QApplication

    import resources
    from core.images.preprocessing import Preprocessing
    from core.inside.lens import Lens
    from gui.inside.maps_view import MapsView

    application = QApplication.instance() or QApplication([])
    lens = Lens(network, Preprocessing())  # type: ignore[arg-type]
    photo = resources.path("samples/coffee.png")
    view = MapsView()
    view.resize(540, 450)
    view.show()
    lens.feature_maps(photo, "conv1", 1)
    for layer in ("conv1", "layer1", "layer4", "layer3.5.conv2"):
        times = []
        for _ in range(5):
            started = time.perf_counter()
            view.show_maps(lens.feature_maps(photo, layer, 1))
            canvas = QPixmap(view.size())
            view.render(canvas)
            times.append(time.perf_counter() - started)
        print(f"  {layer}: first screen after {statistics.median(times) * 1e3:.0f} ms (goal 100)")
    del application


if __name__ == "__main__":
    main()
