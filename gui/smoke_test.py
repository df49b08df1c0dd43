"""The program's own test of an installation: ``droplens --smoke-test``."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QEventLoop, QLibraryInfo
from PySide6.QtGui import QImageReader
from PySide6.QtWidgets import QApplication

import resources
from core.crash_reports import versions
from core.errors import DroplensError
from core.installation_check import FOLDER_NAME, Check, carried_out, run_checks
from core.settings import Settings
from gui import theme
from gui.app import Droplens
from gui.inside.map_grid import MapGrid
from gui.main_window import MainWindow

_PATIENCE_MS = 120_000
_SAMPLES = 5


def run(started: float) -> int:
    """Use the program as a person would, print one line of JSON, and return the exit status.

    The user's own settings and labels are not touched.

    Args:
        started: when the program was started, as ``time.perf_counter()`` counts.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / FOLDER_NAME
        folder.mkdir()
        checks = [*_in_window(folder), *run_checks()]
    failed = [check for check in checks if check.error]
    told = {
        "ok": not failed,
        "seconds": round(time.perf_counter() - started, 2),
        "versions": {**versions(), "Qt": QLibraryInfo.version().toString()},
        "checks": [check.to_json() for check in checks],
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    return 1 if failed else 0


def _in_window(folder: Path) -> list[Check]:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    window = MainWindow()
    checks = [carried_out("the window opens", lambda: _show(window))]
    settings_path = folder / "settings.json"
    settings = Settings(project=str(folder / "p.droplens"))
    droplens = Droplens(window, settings, settings_path, cache=folder / "cache")
    checks += [
        carried_out("icons and style load", lambda: _look_at_icons(window)),
        carried_out("the samples are classified", lambda: _classify(droplens)),
        carried_out("feature maps are shown", lambda: _see_maps(droplens)),
        carried_out("the window closes", window.close),
    ]
    return checks


def _show(window: MainWindow) -> None:
    window.show()
    _wait(window.isVisible, "it is not visible")
    picture = window.grab().toImage()
    places = product(range(0, picture.width(), 3), range(0, picture.height(), 7))
    _expect(len({picture.pixel(x, y) for x, y in places}) > 1, "nothing is painted")


def _look_at_icons(window: MainWindow) -> None:
    icons = [action for action in window.actions_table.all() if not action.icon().isNull()]
    _expect(len(icons) > 20, "icons are missing")
    _expect(not theme.app_icon().pixmap(32, 32).isNull(), "the program's own icon is missing")
    formats = {bytes(one.data()).decode() for one in QImageReader.supportedImageFormats()}
    _expect({"png", "svg"} <= formats, f"Qt reads only {sorted(formats)}")


def _classify(droplens: Droplens) -> None:
    droplens.start([resources.path("samples")])
    rows = droplens.session.photos
    _wait(
        lambda: rows.total == _SAMPLES and all(row.is_classified for row in rows.rows()),
        "they were not classified",
    )
    named = {row.name: row.class_name for row in rows.rows()}
    _expect(named.get("coffee.png") == "espresso", f"they are taken for {named}")
    _expect(droplens.window.reporter.shown_text == "", droplens.window.reporter.shown_text)


def _see_maps(droplens: Droplens) -> None:
    droplens.window.workspaces.choose("inside")
    (grid,) = droplens.window.findChildren(MapGrid)
    model = grid.model()
    _wait(lambda: model.rowCount() > 0, "there are none")


def _wait(is_so: Callable[[], object], otherwise: str) -> None:
    clock = QElapsedTimer()
    clock.start()
    while not is_so():
        if clock.elapsed() > _PATIENCE_MS:
            raise DroplensError(otherwise)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise DroplensError(otherwise)
