"""How long a label key keeps a person waiting while a head learns from the labels, or none does.

A window with 1,000 classified photos and ten classes; every 300 ms the next photo is labelled, as
by a key. *Saved*: from the key until the label is on the disk and shown. *Gaps*: of the GUI's event
loop, whose timer ticks every 4 ms.

    .venv/bin/python tests/benchmarks/labelling.py [--photos 1000] [--labels 100]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QObject, QTimer, Slot  # noqa: E402

from core.settings import Settings  # noqa: E402
from gui.app import Droplens  # noqa: E402
from gui.inference.room import InferenceRoom  # noqa: E402
from gui.labels.room import LabelsRoom  # noqa: E402
from tests.benchmarks.responsiveness import Watch, make_photos  # noqa: E402
from tests.benchmarks.windows import open_window, room_of  # noqa: E402

GOALS = {"saved_p99_ms": 50, "p99_ms": 17, "largest_ms": 60}
_CLASSES = 10
_KEY_MS = 300
_SETTLE_MS = 2000


class Keys(QObject):
    """Presses a key every so often, once all photos are classified, and notes each wait.

    Args:
        droplens: the program.
        count: how many photos there will be.
        labels: how many keys are pressed.
    """

    def __init__(self, droplens: Droplens, count: int, labels: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.gaps: dict[str, float] = {}
        self._watch = Watch()
        self._droplens, self._count, self._labels = droplens, count, labels
        self._labelling = room_of(droplens, LabelsRoom)
        self._classifying = room_of(droplens, InferenceRoom).classifying
        self._begun = 0.0
        self._timer = QTimer(self, interval=_KEY_MS)
        self._timer.timeout.connect(self._press)
        self._labelling.giver.changed.connect(self._note)
        self._classifying.finished.connect(self._begin)

    @Slot()
    def _begin(self) -> None:
        if self._droplens.session.photos.total < self._count:
            return
        self._classifying.finished.disconnect(self._begin)
        self._labelling.classes.add(", ".join(f"class {number}" for number in range(_CLASSES)))
        QTimer.singleShot(_SETTLE_MS, self._timer.start)
        QTimer.singleShot(_SETTLE_MS, self._watch.begin)

    @Slot()
    def _press(self) -> None:
        pressed = len(self.waits)
        if pressed == self._labels:
            self._timer.stop()
            QTimer.singleShot(_SETTLE_MS, self._end)
            return
        classes = self._droplens.session.photos.label_index.classes.classes
        self._begun = time.perf_counter()
        self._labelling.giver.give(classes[pressed % _CLASSES].id)

    @Slot()
    def _end(self) -> None:
        self.gaps = self._watch.result()  # closing waits for a batch, which is no gap
        self._droplens.window.close()

    @Slot(object)
    def _note(self, _: object) -> None:
        if self._timer.isActive() and self._begun:
            self.waits.append((time.perf_counter() - self._begun) * 1000)


def measure(count: int, labels: int, *, learns: bool) -> dict[str, Any]:
    """Return the figures as JSON values."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch) / "photos", Path(scratch) / "cache"
        folder.mkdir()
        make_photos(folder, count)
        project = str(Path(scratch) / "labels.droplens")
        settings = Settings(project=project, learns_from_labels=learns)
        application, droplens = open_window(Path(scratch), settings, cache)
        keys = Keys(droplens, count, labels)
        droplens.session.model_changed.connect(lambda _: droplens.session.give([folder]))
        droplens.start([])
        application.exec()
    ordered = sorted(keys.waits)
    return {
        "learns": learns,
        "labels": len(ordered),
        "saved_median_ms": round(statistics.median(ordered), 1),
        "saved_p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
        "gaps": keys.gaps,
        "goals": GOALS,
    }


def main() -> None:
    """Print the figures as JSON: a process measures one way, for a window is made once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--without", action="store_true", help="while no head learns")
    options = parser.parse_args()
    found = measure(options.photos, options.labels, learns=not options.without)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
