"""The program, with its window, in a benchmark's own process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QApplication

from core.settings import Settings
from gui import imports, theme
from gui.app import Droplens
from gui.main_window import MainWindow
from gui.room import Room

_Room = TypeVar("_Room", bound=Room)


def open_window(
    scratch: Path, settings: Settings | None = None, cache: Path | None = None
) -> tuple[QApplication, Droplens]:
    """Return Qt's application and the program in it, as ``main`` makes them.

    Args:
        scratch: folder for its settings.
        settings: of last time.
        cache: folder for what can be made again.
    """
    sys.setswitchinterval(0.001)  # as the program does
    imports.hasten()
    application = QApplication.instance() or QApplication(["droplens", "-style", "Fusion"])
    assert isinstance(application, QApplication)
    theme.apply(application)
    window = MainWindow()
    window.show()
    made = Droplens(window, settings or Settings(), scratch / "settings.json", cache)
    return application, made


def room_of(droplens: Droplens, kind: type[_Room]) -> _Room:
    """Return the room of a kind."""
    (room,) = (room for room in droplens.rooms if isinstance(room, kind))
    return room
