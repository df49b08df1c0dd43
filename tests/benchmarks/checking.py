"""How soon figures stand, and how smoothly the matrix is scrolled.

    QT_QPA_PLATFORM=offscreen .venv/bin/python tests/benchmarks/checking.py [--photos 10000]

*Figures*: seconds from known probabilities of so many photos and 1,000 classes to figures in the
panel, painted (goal 1 for 10,000). *Matrix*: milliseconds that a screenful of the matrix of 1,000
classes takes to be drawn after each of 100 steps of scrolling (goal 16.7, 60 a second).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtWidgets import QApplication  # noqa: E402

from core.checks.requests import Check  # noqa: E402
from core.settings import Settings  # noqa: E402
from core.work.lane import Lanes  # noqa: E402
from gui import theme  # noqa: E402
from gui.checks.check_panel import CheckPanel  # noqa: E402
from gui.checks.reviewing import Reviewing  # noqa: E402
from gui.session import Session  # noqa: E402
from gui.tasks import Tasks  # noqa: E402
from tests.specs import make_spec  # noqa: E402

CLASSES, STEPS = 1000, 100


def known_answers(count: int) -> Check:
    """Return a check of so many photos whose probabilities are known."""
    names = tuple(f"class {at}" for at in range(CLASSES))
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, count)
    logits = random.normal(size=(count, CLASSES)).astype(np.float32)
    logits[np.arange(count), labels] += 3
    shares = np.exp(logits)
    shares /= shares.sum(axis=1, keepdims=True)
    paths = [Path(f"/photos/{at}.jpg") for at in range(count)]
    return Check(
        tuple((path, names[at]) for path, at in zip(paths, labels.tolist(), strict=True)),
        dict(zip(paths, shares, strict=True)),
        make_spec(names=names),
    )


def main() -> None:
    """Print both figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--photos", type=int, default=10_000)
    count = options.parse_args().photos
    application = QApplication([])
    theme.apply(application)
    request = known_answers(count)
    with tempfile.TemporaryDirectory() as folder:
        tasks = Tasks(Lanes())
        session = Session(tasks, Settings(), Path(folder) / "settings.json")
        panel = CheckPanel(
            tasks,
            Path(folder),
            *(lambda *_: None for _ in range(4)),  # shows nothing in a list
            Reviewing(session, tasks),
        )
        panel.show()
        application.processEvents()
        begun = time.perf_counter()
        checked = request.run(None)
        counted = time.perf_counter()
        panel.show_checked(checked)
        application.processEvents()
        shown = time.perf_counter()
        print(
            f"{count} photos, {CLASSES} classes: figures {counted - begun:.2f} s, "
            f"shown {shown - counted:.2f} s, together {shown - begun:.2f} s"
        )
        scroll(panel, application)
        panel.close()
        tasks.shut_down()


def scroll(panel: CheckPanel, application: QApplication) -> None:
    """Scroll the matrix and print how long a step takes."""
    panel._tabs.setCurrentWidget(panel._matrix)
    panel.resize(1200, 900)
    application.processEvents()
    bar = panel._matrix.view.verticalScrollBar()
    across = panel._matrix.view.horizontalScrollBar()
    took = []
    for step in range(STEPS):
        begun = time.perf_counter()
        (bar if step % 2 else across).setValue(step * 7)
        panel._matrix.view.viewport().repaint()
        application.processEvents()
        took.append(1000 * (time.perf_counter() - begun))
    print(
        f"matrix of {panel._matrix.view.matrix.rowCount()} classes: median "
        f"{statistics.median(took):.1f} ms, worst {max(took):.1f} ms a step"
    )


if __name__ == "__main__":
    main()
