"""The drawing of a network: time from the layer table to the first picture, and of each frame.

One moves over the drawing as a hand does: from all of it into its largest stage, into a block,
over the blocks beside it, and out again. Each frame is painted at once, and timed.

    .venv/bin/python tests/benchmarks/drawing.py [--networks resnet152 swin_b] [--size 1100x700]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

import resources
from core.images.preprocessing import Preprocessing
from core.inside.drawing import Drawing, draw
from core.inside.lens import Lens
from core.inside.summary import LayerTable
from core.models.torchvision_import import torchvision_models
from gui import theme
from gui.inside.network_canvas import NetworkCanvas
from gui.inside.network_painter import NetworkPainter
from gui.inside.network_pictures import NetworkPictures
from gui.inside.network_words import NetworkWords

_FRAMES = 60
_GOALS = {"first_ms": 300, "frame_p99_ms": 16}


def table_of(architecture: str) -> LayerTable:
    """Return the pass of a sample photo through a network of random weights."""
    network = torchvision_models().get_model(architecture, weights=None).eval()
    return Lens(network, Preprocessing()).table(resources.path("samples/chelsea.png"))


def measure(table: LayerTable, size: tuple[int, int]) -> dict[str, float]:
    """Return milliseconds to the first picture, and of the frames of a walk."""
    canvas = NetworkCanvas()
    canvas.resize(*size)
    canvas.show()
    QApplication.processEvents()
    begun = time.perf_counter()
    drawing = draw(table, canvas.aspect)
    painter = NetworkPainter(drawing, NetworkWords(table, drawing), NetworkPictures(table))
    canvas.show_drawing(painter, is_other=True)
    canvas.viewport().repaint()
    first = time.perf_counter() - begun
    frames = walk(canvas, drawing)
    canvas.close()
    return {
        "boxes": len(drawing.boxes),
        "first_ms": round(first * 1000, 1),
        "frame_median_ms": round(statistics.median(frames) * 1000, 2),
        "frame_p99_ms": round(sorted(frames)[int(len(frames) * 0.99)] * 1000, 2),
        "frame_largest_ms": round(max(frames) * 1000, 2),
        "frames": len(frames),
    }


def walk(canvas: NetworkCanvas, drawing: Drawing) -> list[float]:
    """Return the seconds that each frame took."""
    frames: list[float] = []

    def frame() -> None:
        begun = time.perf_counter()
        canvas.viewport().repaint()
        frames.append(time.perf_counter() - begun)

    stage = max(drawing.boxes[0].children, key=lambda at: len(drawing.boxes[at].steps))
    block = drawing.boxes[stage].children[len(drawing.boxes[stage].children) // 2]
    for target in (stage, block, stage, 0):
        start = canvas.seen
        canvas.show_box(target)
        end = canvas.seen
        for number in range(_FRAMES):
            share = (number + 1) / _FRAMES
            width = start.width() * (end.width() / start.width()) ** share
            spot = start.center() + (end.center() - start.center()) * share
            middle = QPointF(canvas.viewport().rect().center())
            canvas._set_view(canvas.viewport().width() / width, spot, middle)
            frame()
        for number in range(_FRAMES):  # and over what lies beside it
            way = canvas.viewport().width() / _FRAMES * (1 if number < _FRAMES // 2 else -1)
            middle = QPointF(canvas.viewport().rect().center())
            fixed = canvas._to_drawing(middle)
            canvas._set_view(canvas.scale_px, fixed, middle + QPointF(way, way / 3))
            frame()
    return frames


def main() -> None:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="*", default=["resnet152", "swin_b"])
    parser.add_argument("--size", default="1100x700")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    application = QApplication([])
    theme.apply(application)
    found = {name: measure(table_of(name), (width, height)) for name in arguments.networks}
    print(json.dumps({"benchmark": "drawing", "goals": _GOALS, **found}, indent=1))


if __name__ == "__main__":
    main()
