"""Time to the first painted window and to the first prediction, each from the start.

- the window: against a bare PySide6 window;
- the prediction of a photo given on the command line: against a plain script that imports torch
  and torchvision and loads the same checkpoint, without predicting anything.

Each run is a fresh interpreter; the kinds alternate; medians are compared.

    .venv/bin/python tests/benchmarks/startup.py [--runs 15]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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

SCRIPT = """
import time
import torch
try:
    import torchvision
except RuntimeError:  # a CUDA build of torchvision beside a torch for processors
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor d, Tensor s, float i) -> Tensor")
    import torchvision
from safetensors.torch import load_file
network = torchvision.models.squeezenet1_1()
network.load_state_dict(load_file("resources/checkpoints/squeezenet1_1-imagenet.safetensors"))
network.eval()
print(time.time(), flush=True)
"""

PREDICTION = """
import os, tempfile, time
from pathlib import Path
import gui.start, gui.session
from core import settings
settings.cache_path = lambda: Path(tempfile.mkdtemp())  # a photo that was never seen before
note = gui.session.Session.note_predictions
def answer(self, predictions):
    note(self, predictions)
    assert predictions[0].top, predictions
    print(time.time(), flush=True)
    os._exit(0)
gui.session.Session.note_predictions = answer
gui.start.main(["resources/samples/coffee.png"])
"""

GOALS = {"window": 1.5, "prediction": 1.2}


def seconds(program: str, environment: dict[str, str]) -> tuple[float, bool]:
    """Return the seconds from start to the time printed, and whether torch was imported then."""
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


def measure(runs: int) -> dict[str, Any]:
    """Return medians and their ratios as JSON values."""
    pairs = ({"bare": BARE, "window": DROPLENS}, {"script": SCRIPT, "prediction": PREDICTION})
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "XDG_CONFIG_HOME": home, "TMPDIR": home}
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        times: dict[str, list[float]] = {name: [] for pair in pairs for name in pair}
        torch_imported = False
        for pair, number in itertools.product(pairs, range(runs + 1)):
            for name, program in pair.items():
                took, imported = seconds(program, environment)
                torch_imported |= imported
                if number:  # the first fills the page cache
                    times[name].append(took)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "benchmark": "start-up",
        "runs": runs,
        "platform": environment.get("QT_QPA_PLATFORM", "xcb"),
        "seconds": {name: round(value, 3) for name, value in medians.items()},
        "window_ratio": round(medians["window"] / medians["bare"], 2),
        "prediction_ratio": round(medians["prediction"] / medians["script"], 2),
        "goals": GOALS,
        "torch_imported_before_window": torch_imported,
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    print(json.dumps(measure(parser.parse_args().runs), indent=1))


if __name__ == "__main__":
    main()
