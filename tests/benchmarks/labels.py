"""How fast a large project is: 100,000 photos with 1,000,000 events.

    .venv/bin/python tests/benchmarks/labels.py [--photos 100000] [--events 1000000]

The project is made anew, as years of labelling would leave it: 20 classes, one photo a step,
predictions beside each event, one step in fifty undone for good. Opening includes comparing the
file with its checksum and reading all labels, after a crash the search of every row; labels are
timed to their return, when they are on the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication  # noqa: E402

from core.labels.changes import Labelling  # noqa: E402
from core.labels.label_index import Filter  # noqa: E402
from core.labels.records import count  # noqa: E402
from core.labels.store import LabelStore  # noqa: E402
from core.values.predictions import ClassProbability, Prediction  # noqa: E402
from gui.gallery_model import ORDERS, GalleryModel  # noqa: E402
from tests.specs import make_spec  # noqa: E402

GOALS = {"open_s": 2.0, "label_p99_ms": 10.0, "filter_or_queue_ms": 200.0}
_CLASSES = 20
_LABELS = 500
_ROUNDS = 5


def make_project(path: Path, photos: int, events: int) -> None:
    """Write a project without asking for every step to be on the disk."""
    chance = random.Random(1)
    spec = make_spec(names=tuple(f"class {number}" for number in range(_CLASSES)))
    with LabelStore(path) as store:
        store.edit_classes("add", store.classes.add(spec.class_names))
        store.label([Labelling(file_of(0), (1,), predict(file_of(0), chance, spec))])
        database = store.database
        (top,) = database.execute("SELECT top FROM events").fetchone()
        database.execute("BEGIN")
        database.execute("DELETE FROM photos")
        database.executemany(
            "INSERT INTO photos (id, path, size, mtime_ns, sha256, place) VALUES (?,?,?,?,?,?)",
            (
                (n + 1, os.fsencode(file_of(n)), n, n, chance.randbytes(32), n + 1)
                for n in range(photos)
            ),
        )
        database.executemany(
            "INSERT INTO steps (id, kind, who, at, state) VALUES (?, 'label', 'person', ?, ?)",
            ((n + 3, 1_700_000_000_000 + n * 1000, 2 * (n % 50 == 0)) for n in range(events)),
        )
        database.executemany(
            "INSERT INTO events (step, photo, classes, model, top) VALUES (?, ?, ?, 1, ?)",
            (
                (n + 3, chance.randrange(photos) + 1, str(chance.randrange(_CLASSES) + 1), top)
                for n in range(events)
            ),
        )
        database.execute("COMMIT")


def file_of(number: int) -> Path:
    """Return the path of a photo that is not there."""
    return Path(f"/photos/folder {number // 1000}/IMG_{number:06}.jpg")


def predict(path: Path, chance: random.Random, spec: Any) -> Prediction:
    """Return five classes."""
    indices = chance.sample(range(_CLASSES), 5)
    shares = sorted((chance.random() for _ in indices), reverse=True)
    top = [
        ClassProbability(index, spec.class_names[index], share)
        for index, share in zip(indices, shares, strict=True)
    ]
    return Prediction(path, tuple(top), None, spec)


def timed(job: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """Return the median of what a job takes, in seconds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        job()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def measure(photos: int, events: int) -> dict[str, Any]:
    """Return the figures as JSON values."""
    with tempfile.TemporaryDirectory(dir=ROOT.parent) as folder:  # not in memory
        path = Path(folder) / "large.droplens"
        make_project(path, photos, events)
        started = time.perf_counter()
        LabelStore(path).close()
        with_copy = time.perf_counter() - started
        opened = timed(lambda: LabelStore(path).close())
        path.with_name(f".{path.name}.sum").unlink()  # as after a crash: everything is searched
        started = time.perf_counter()
        LabelStore(path).close()
        searched = time.perf_counter() - started
        with LabelStore(path) as store:
            chance = random.Random(2)
            labelling = []
            for _ in range(_LABELS):
                one = Labelling(file_of(chance.randrange(photos)), (chance.randrange(1, 21),))
                started = time.perf_counter()
                store.label([one])
                labelling.append(time.perf_counter() - started)
            labelling.sort()
            many = [Labelling(file_of(number), (2,)) for number in range(1000)]
            thousand = timed(lambda: store.label(many), 3)
            undo = timed(store.undo, 3)
            statistic = timed(lambda: count(store), 3)
            state = store.state()
        views = gallery(photos, state)
        size = path.stat().st_size / 2**20
    return {
        "benchmark": "labels",
        "photos": photos,
        "events": events,
        "file_mb": round(size),
        "open_s": round(opened, 2),
        "open_and_copy_of_the_day_s": round(with_copy, 2),
        "open_after_a_crash_s": round(searched, 2),
        "label_median_ms": round(statistics.median(labelling) * 1000, 2),
        "label_p99_ms": round(labelling[int(0.99 * _LABELS)] * 1000, 2),
        "label_1000_photos_ms": round(thousand * 1000),
        "undo_1000_photos_ms": round(undo * 1000),
        "statistics_s": round(statistic, 2),
        "gallery_ms": views,
        "filter_or_queue_ms": max(views.values()),
        "goals": GOALS,
    }


def gallery(photos: int, state: Any) -> dict[str, float]:
    """Return what filters and queues take in the gallery, in milliseconds."""
    application = QApplication.instance() or QApplication([])
    model = GalleryModel()
    chance = random.Random(3)
    spec = make_spec(names=tuple(f"class {number}" for number in range(_CLASSES)))
    files = [file_of(number) for number in range(photos)]
    model.add(files)
    model.set_predictions(predict(file, chance, spec) for file in files)
    model.set_classes(state.classes)
    model.set_labels(state.labels)
    model.set_similarity({str(file): chance.random() for file in files})
    filters = {
        "unlabelled": Filter("none"),
        "of one class": Filter("class", 3),
        "disagreeing": Filter("disagreeing"),
        "predicted, at least 90 %": Filter(predicted=("class 3",), at_least=0.9),
    }
    found = {}
    for name, shown in filters.items():
        found[f"filter {name}"] = timed(lambda shown=shown: model.set_filter(shown))
    model.set_filter(Filter())
    for order in ORDERS:
        found[f"order {order}"] = timed(lambda order=order: model.set_order(order))
    application.processEvents()
    return {name: round(seconds * 1000, 1) for name, seconds in found.items()}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    print(json.dumps(measure(options.photos, options.events), indent=1))


if __name__ == "__main__":
    main()
