"""How long the window keeps a person waiting while 1,000 photos are classified.

A timer of the GUI's event loop ticks every 4 ms; the gaps between its ticks are measured from
the moment at which the photos are dropped until the last one is classified, with the default
model, all panels open, and the selection moving on twice a second. The gaps while torch is
imported are told apart.

    .venv/bin/python tests/benchmarks/responsiveness.py [PHOTOS] [FOLDER]
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QObject, Qt, QTimer, Slot  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

import resources  # noqa: E402
from core.settings import Settings  # noqa: E402
from gui import theme  # noqa: E402
from gui.app import Droplens  # noqa: E402
from gui.main_window import MainWindow  # noqa: E402

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


def make_photos(folder: Path, count: int, source: Path) -> None:
    """Fill a folder with copies of the photos of another."""
    photos = [
        path
        for path in sorted(source.iterdir())
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    ]
    for number, photo in zip(range(count), itertools.cycle(photos), strict=False):
        shutil.copy(photo, folder / f"{number:05}{photo.suffix}")


def main() -> None:
    """Print the gaps as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    source = Path(sys.argv[2]) if len(sys.argv) > 2 else resources.path("samples")
    sys.setswitchinterval(0.001)
    application = QApplication([])
    application.setStyle("Fusion")
    theme.apply(application)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        make_photos(folder, count, source)
        window = MainWindow()
        window.show()
        droplens = Droplens(window, Settings(), Path(scratch) / "settings.json")
        watch = Watch()
        result: dict[str, object] = {"benchmark": "responsiveness", "photos": count}

        def drop(_: object) -> None:
            droplens.picker.opened.disconnect(drop)
            result["while_torch_is_imported"] = watch.result()
            QTimer.singleShot(1000, begin)

        def begin() -> None:
            watch.begin()
            result["started"] = time.perf_counter()
            droplens.opening.add_paths([folder])
            stepping.start()

        def end() -> None:
            if droplens.gallery_model.total < count:
                return
            stepping.stop()
            seconds = time.perf_counter() - float(str(result.pop("started")))
            result["while_classifying"] = watch.result()
            result["photos_per_second"] = round(count / seconds, 1)
            result["goal"] = {"p99_ms": 17, "largest_ms": 100}
            print(json.dumps(result, indent=1))
            window.close()
            application.quit()

        stepping = QTimer(interval=STEP_MS)
        stepping.timeout.connect(lambda: droplens.gallery.step(1))
        droplens.picker.opened.connect(drop)
        droplens.classifying.finished.connect(end)
        watch.begin()
        droplens.start([])
        application.exec()


if __name__ == "__main__":
    main()
