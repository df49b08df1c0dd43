"""Start the program: the window first, everything else after it has been painted."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path

gc.disable()  # until the first paint: looking for garbage among imports takes 12 ms of it

from PySide6.QtCore import Qt  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from core import settings as settings_file  # noqa: E402
from gui import theme  # noqa: E402
from gui.main_window import MainWindow  # noqa: E402

_SWITCH_SECONDS = 0.001
"""How soon Python's interpreter changes threads, so that the window is not kept waiting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window with the photos, folders and checkpoints given; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    paths = [Path(path).absolute() for path in given]  # a remembered checkpoint outlives the folder
    sys.setswitchinterval(_SWITCH_SECONDS)
    # As an argument the style costs 10 ms less than by setStyle, which builds a Python type.
    application = QApplication.instance() or QApplication(["droplens", "-style", "Fusion"])
    assert isinstance(application, QApplication)
    application.setApplicationName("Droplens")
    application.setDesktopFileName("droplens")
    settings_path = settings_file.default_path()
    settings = settings_file.load(settings_path)
    theme.set_appearance(settings.appearance)
    theme.apply(application)
    window = MainWindow(settings.window_geometry, settings.window_state)
    made: list[object] = []

    def furnish() -> None:
        gc.enable()
        from gui.app import Droplens
        from gui.termination import catch_termination

        droplens = Droplens(
            window,
            settings,
            settings_path,
            cache=settings_file.cache_path(),
            project=Path(settings.project or settings_file.project_path()),
        )
        made.append(droplens)
        catch_termination(window)
        sys.excepthook = lambda _, error, __: droplens.reporter.report(error)
        droplens.start(paths)

    window.empty_view.first_painted.connect(furnish, Qt.ConnectionType.QueuedConnection)
    window.show()
    hook = sys.excepthook
    try:
        return application.exec()
    finally:
        sys.excepthook = hook
