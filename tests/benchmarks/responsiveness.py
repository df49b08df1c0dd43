"""How long the window keeps a person waiting while 10,000 photos are classified.

A timer of the GUI's event loop ticks every 4 ms; the gaps between its ticks are measured from
the moment at which the photos are dropped until the last one is classified, with the built-in
model, all panels open, and the selection moving on twice a second. The gaps while torch is
imported are told apart.

    .venv/bin/python tests/benchmarks/responsiveness.py [--photos 10000]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QObject, Qt, QTimer, Slot  # noqa: E402

from core.settings import Settings  # noqa: E402
from gui.inference.room import InferenceRoom  # noqa: E402
from tests.benchmarks.measuring import resident_bytes, sample_photos  # noqa: E402
from tests.benchmarks.windows import open_window, room_of  # noqa: E402

GOALS = {"p99_ms": 17, "largest_ms": 60, "import_largest_ms": 300}
TICK_MS = 4
STEP_MS = 500


class Watch(QObject):
    """Ticks, and notes how late each tick is."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._last = 0.0
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        """Start a fresh measurement."""
        self.gaps = []
        self._last = time.perf_counter()
        self._timer.start()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._last) * 1000)
        self._last = now

    def result(self) -> dict[str, float]:
        """Return percentiles of the gaps in milliseconds."""
        ordered = sorted(self.gaps)
        return {
            "median_ms": round(statistics.median(ordered), 1),
            "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
            "largest_ms": round(ordered[-1], 1),
        }


def make_photos(folder: Path, count: int) -> None:
    """Fill a folder with links to the samples."""
    for number, photo in zip(range(count), itertools.cycle(sample_photos()), strict=False):
        (folder / f"{number:05}{photo.suffix}").symlink_to(photo)


def measure(count: int, cache: Path, *, steps: bool = True) -> dict[str, Any]:
    """Return the figures as JSON values.

    Args:
        count: how many photos.
        cache: folder for what can be made again.
        steps: whether the selection moves on.
    """
    result: dict[str, Any] = {"benchmark": "responsiveness", "photos": count}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        make_photos(folder, count)
        settings = Settings(project=str(Path(scratch) / "labels.droplens"))
        application, droplens = open_window(Path(scratch), settings, cache)
        watch = Watch()

        def drop(_: object) -> None:
            droplens.session.model_changed.disconnect(drop)
            result["while_torch_is_imported"] = watch.result()
            QTimer.singleShot(1000, begin)

        def begin() -> None:
            watch.begin()
            result["started"] = time.perf_counter()
            droplens.session.give([folder])
            if steps:
                stepping.start()

        def end() -> None:
            if droplens.session.photos.total < count:
                return
            stepping.stop()
            seconds = time.perf_counter() - float(str(result.pop("started")))
            result["while_classifying"] = watch.result()
            result["photos_per_second"] = round(count / seconds, 1)
            result["backend"] = droplens.engine.classifier().backend
            result["memory_mb"] = round(resident_bytes() / 2**20, 1)
            result["goals"] = GOALS
            droplens.window.close()
            application.quit()

        stepping = QTimer(interval=STEP_MS)
        stepping.timeout.connect(lambda: droplens.session.step(1))
        droplens.session.model_changed.connect(drop)
        room_of(droplens, InferenceRoom).classifying.finished.connect(end)
        watch.begin()
        droplens.start([])
        application.exec()
    return result


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        print(json.dumps(measure(options.photos, Path(cache)), indent=1))


if __name__ == "__main__":
    main()
