"""Time from start to the first painted window: Droplens against a bare PySide6 window.

Each run is a fresh interpreter; the two kinds alternate; medians are compared.

    .venv/bin/python tests/benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

BARE = """
import time, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        print(time.time(), flush=True)
        QTimer.singleShot(0, application.quit)
window = Window()
window.resize(1360, 860)
window.show()
application.exec()
"""

DROPLENS = """
import os, sys, time
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
import gui.start as app
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            print(time.time(), "torch" in sys.modules, flush=True)
            os._exit(0)
        return False
watch = Watch()
made = app.MainWindow.__init__
def note(self, *arguments):
    made(self, *arguments)
    self.centralWidget().installEventFilter(watch)
app.MainWindow.__init__ = note
app.main([])
"""


def seconds_to_window(program: str, environment: dict[str, str]) -> tuple[float, bool]:
    """Return the seconds from start to paint, and whether torch was imported by then."""
    started = time.time()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.split()
    return float(words[0]) - started, words[-1] == "True"


def main() -> None:
    """Print medians and their ratio as JSON."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "XDG_CONFIG_HOME": home}
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        times: dict[str, list[float]] = {"bare": [], "droplens": []}
        torch_imported = False
        for _ in range(runs):
            times["bare"].append(seconds_to_window(BARE, environment)[0])
            seconds, imported = seconds_to_window(DROPLENS, environment)
            times["droplens"].append(seconds)
            torch_imported |= imported
    medians = {name: statistics.median(values) for name, values in times.items()}
    result = {
        "benchmark": "start-up",
        "runs": runs,
        "platform": environment.get("QT_QPA_PLATFORM", "xcb"),
        "bare_seconds": round(medians["bare"], 3),
        "droplens_seconds": round(medians["droplens"], 3),
        "ratio": round(medians["droplens"] / medians["bare"], 2),
        "goal_ratio": 1.5,
        "torch_imported_before_window": torch_imported,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
