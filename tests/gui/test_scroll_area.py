"""Areas that scroll."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import gui

ROOT = Path(str(gui.__file__)).parent
RESIZED = """
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
application = QApplication([])
from gui.inside.picture_row import Captioned, PictureRow
from gui.inside.scrolling import scrolling
from gui.widgets.plain_text import PlainLabel
row = PictureRow(5)
picture = QImage(50, 50, QImage.Format.Format_RGB888)
row.set_entries([Captioned(picture, str(number), "a line") for number in range(5)])
area = scrolling(PlainLabel("Some words about the pictures. " * 6, wordWrap=True), row, margin_px=0)
area.show()
for width in range(150, 700, 2):
    for height in range(100, 900, 20):
        area.resize(width, height)
"""


def test_pictures_that_flow_can_have_any_size() -> None:
    """In Qt's own area they end the process at 292×618: each resizing is within the one before."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", RESIZED],
        cwd=ROOT.parent, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_all_areas_of_the_window_are_such() -> None:
    users = {
        path.name
        for path in ROOT.rglob("*.py")
        if re.search(r"\bQScrollArea\b", path.read_text(encoding="utf-8"))
    }
    assert users == {"scroll_area.py", "tab_order.py"}
