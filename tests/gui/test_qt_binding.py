"""The Qt binding itself, where a version once was at fault."""

from __future__ import annotations

import sys

from PySide6.QtGui import QColor, QPainter, QPixmap
from pytestqt.qtbot import QtBot


def test_calls_that_return_nothing_lose_no_reference_of_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 on Python 3.11 lost one a call, until the interpreter aborted."""
    picture = QPixmap(8, 8)
    painter = QPainter(picture)
    before = sys.getrefcount(None)
    for _ in range(1000):
        painter.setPen(QColor("red"))
    painter.end()
    assert sys.getrefcount(None) > before - 500
