"""Nothing goes to the network unasked, and no library keeps a record of its use."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.attacks.tracing import traced

CONVERTING = """
import sys
from pathlib import Path
import numpy as np
from core.inference.conversion import Conversion, Conversions
from core.models.sources.checkpoint.source import open_model
from core.values.spec import ModelChoice

if __name__ == "__main__":
    spec = open_model(ModelChoice()).spec
    conversions = Conversions(Path(sys.argv[1]) / "networks")
    backend = conversions.start(Conversion(ModelChoice(), spec)).result()
    pixels = np.zeros((2, *spec.preprocessing.input_size, 3), np.uint8)
    backend.begin(pixels, lambda logits: logits)()
    backend.close()
    conversions.shut_down()
"""


def test_a_long_run_leaves_no_record_and_asks_no_network(tmp_path: Path) -> None:
    program = tmp_path / "converting.py"
    program.write_text(CONVERTING)
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    kept.pop("ORT_DISABLE_TELEMETRY", None)
    environment = {**kept, "HOME": str(home), "PYTHONPATH": os.fspath(Path.cwd())}
    command = [sys.executable, str(program), str(tmp_path)]
    calls, done = traced(command, ["socket", "connect", "sendto", "mkdir"], tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "networks").is_dir()  # the network was really converted
    asked = [line for line in calls if "AF_INET" in line or "nscd" in line]
    assert asked == []
    assert [path for path in home.rglob("*") if path.is_file()] == []
