"""A folder of 100,000 photos in the window: rows, sorting, searching, memory.

    .venv/bin/python tests/benchmarks/gallery.py [--photos 100000]

The files are links to two small JPEGs. Sorting and searching are measured from the wish to the
view laid out anew and painted; memory is what the process grows by, over the number of rows,
with a prediction of five classes in each.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PIL import Image  # noqa: E402
from PySide6.QtCore import QEventLoop  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from core.values.predictions import ClassProbability, Prediction  # noqa: E402
from core.values.spec import ModelSpec  # noqa: E402
from gui.app import Droplens  # noqa: E402
from gui.gallery_model import ORDERS, GalleryModel  # noqa: E402
from gui.inference.room import InferenceRoom  # noqa: E402
from tests.benchmarks.measuring import resident_bytes  # noqa: E402
from tests.benchmarks.windows import open_window, room_of  # noqa: E402
from tests.specs import make_spec  # noqa: E402

GOALS = {"first_rows_s": 0.2, "all_rows_s": 5.0, "order_or_search_ms": 100, "row_bytes": 1024}
_LINKS = 50_000  # ext4 allows 65,000 to a file


def make_folder(folder: Path, count: int) -> None:
    """Fill a folder with links to two photos."""
    for number in range(count):
        source = folder.parent / f"source {number // _LINKS}.jpg"
        if not source.exists():
            Image.new("RGB", (64, 48), (number % 255, 80, 90)).save(source)
        os.link(source, folder / f"IMG_{(number * 7919) % count:06}.jpg")


def milliseconds(
    application: QApplication, wish: Callable[[], object], before: Callable[[], object]
) -> float:
    """Return how long a wish takes until the window is painted anew.

    Args:
        application: paints.
        wish: changes what is shown.
        before: makes that another state was there.
    """
    times = []
    for _ in range(3):
        before()
        application.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        begun = time.perf_counter()
        wish()
        application.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        times.append((time.perf_counter() - begun) * 1000)
    return round(sorted(times)[1], 1)


def predictions(paths: list[Path], spec: ModelSpec) -> list[Prediction]:
    """Return made-up predictions of five classes."""
    made = []
    for number, path in enumerate(paths):
        first = number * 31 % len(spec.class_names)
        top = tuple(
            ClassProbability(
                (first + rank) % len(spec.class_names),
                spec.class_names[(first + rank) % len(spec.class_names)],
                (number * 7 % 1000 / 1000) / (rank + 1),
            )
            for rank in range(5)
        )
        made.append(Prediction(path, top, None, spec))
    return made


def measure(count: int) -> dict[str, Any]:
    """Return all figures as JSON values."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        make_folder(folder, count)
        application, droplens = open_window(Path(scratch))
        application.processEvents()
        before = resident_bytes()
        found = {"benchmark": "gallery", **listed(application, droplens, folder)}
        predict_all(droplens)
        total = max(1, droplens.session.photos.total)
        found["row_bytes"] = round((resident_bytes() - before) / total)
        found |= arranged(application, droplens.session.photos)
        droplens.window.close()
    found["goals"] = GOALS
    return found


def listed(application: QApplication, droplens: Droplens, folder: Path) -> dict[str, Any]:
    """Drop a folder; return how long its first rows take, all of them, and the longest gap."""
    model = droplens.session.photos
    begun = time.perf_counter()
    droplens.session.give([folder])
    first, gaps, ended = 0.0, [begun], [False]
    droplens.session.order_changed.connect(lambda *_: ended.__setitem__(0, True))
    while not ended[0]:
        application.processEvents()
        gaps.append(time.perf_counter())
        if not first and model.rowCount():
            first = gaps[-1] - begun
    longest = max(b - a for a, b in itertools.pairwise(gaps))
    return {
        "photos": model.total,
        "first_rows_s": round(first, 3),
        "all_rows_s": round(gaps[-1] - begun, 2),
        "longest_gap_ms": round(longest * 1000, 1),
    }


def predict_all(droplens: Droplens) -> None:
    """Let a made-up model have said something of every photo; nothing waits any more."""
    model = droplens.session.photos
    spec = make_spec(names=tuple(f"class {number:03}" for number in range(1000)))
    paths = [row.path for row in model.rows()]
    for start in range(0, len(paths), 1000):
        model.set_predictions(predictions(paths[start : start + 1000], spec))
    room_of(droplens, InferenceRoom).classifying.clear()


def arranged(application: QApplication, model: GalleryModel) -> dict[str, Any]:
    """Return how long each order and some searches take."""
    return {
        "order_ms": {
            order: milliseconds(
                application,
                lambda order=order: model.set_order(order),
                lambda order=order: model.set_order("name" if order == "added" else "added"),
            )
            for order in (*ORDERS, "added")
        },
        "search_ms": {
            text: milliseconds(
                application,
                lambda text=text: model.set_search(text),
                lambda text=text: model.set_search("1" if text == "" else ""),
            )
            for text in ("99", "class 5", "nothing at all", "")
        },
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=100_000)
    print(json.dumps(measure(parser.parse_args().photos), indent=1))


if __name__ == "__main__":
    main()
