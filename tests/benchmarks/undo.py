"""How long the window stands still while one step of 20,000 labels is undone, and the whole time.

.venv/bin/python tests/benchmarks/undo.py [--photos 20000]
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

from PySide6.QtCore import QEventLoop, QItemSelection, QItemSelectionModel
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from core.settings import Settings  # noqa: E402
from gui.labels.room import LabelsRoom  # noqa: E402
from tests.benchmarks.gallery import make_folder  # noqa: E402
from tests.benchmarks.windows import open_window, room_of  # noqa: E402

GOALS = {"longest_gap_ms": 300}


def gaps_until(application: QApplication, is_done: Callable[[], bool]) -> list[float]:
    """Run the event loop until something holds; return the seconds between its turns."""
    turns = [time.perf_counter()]
    while not is_done():
        application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        turns.append(time.perf_counter())
    return [after - before for before, after in itertools.pairwise(turns)]


def measure(count: int) -> dict[str, Any]:
    """Return the figures as JSON values."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        make_folder(folder, count)
        settings = Settings(project=str(Path(scratch) / "labels.droplens"))
        application, droplens = open_window(Path(scratch), settings)
        session, actions = droplens.session, droplens.window.actions_table
        labels = room_of(droplens, LabelsRoom)
        labels.start()
        gaps_until(application, lambda: labels.project.path is not None)
        session.give([folder])
        gaps_until(application, lambda: session.photos.rowCount() == count)
        first, last = session.photos.index(0), session.photos.index(count - 1)
        session.selection.select(
            QItemSelection(first, last), QItemSelectionModel.SelectionFlag.Select
        )
        rows = list(session.photos.rows())
        actions["label_reject"].trigger()
        gaps_until(application, lambda: all(row.label for row in rows))
        begun = time.perf_counter()
        actions["undo"].trigger()
        gaps = gaps_until(application, lambda: not any(row.label for row in rows[-3:]))
        gaps += gaps_until(application, lambda: len(session.selected()) == count)
        seconds = time.perf_counter() - begun
        droplens.window.close()
    longest = round(max(gaps) * 1000, 1)
    return {"photos": count, "longest_gap_ms": longest, "all_s": round(seconds, 2), "goals": GOALS}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=20_000)
    print(json.dumps(measure(parser.parse_args().photos), indent=1))


if __name__ == "__main__":
    main()
