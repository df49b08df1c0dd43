"""Start the program: the window first, everything else after it has been painted."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

gc.disable()  # until the first paint: looking for garbage among imports takes 12 ms of it

from PySide6.QtCore import Qt  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from core import settings as settings_file  # noqa: E402
from gui import theme  # noqa: E402
from gui.instance_name import instance_of  # noqa: E402
from gui.main_window import MainWindow  # noqa: E402

_SWITCH_SECONDS = 0.001
"""How soon Python's interpreter changes threads, so that the window is not kept waiting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window with the photos, folders and checkpoints given; return the exit status.

    A window that is open already takes the paths. ``--smoke-test`` tries the installation,
    ``--version`` says which one it is; what else begins with two dashes is none of ours.
    """
    started = time.perf_counter()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        from importlib.metadata import version

        sys.stdout.write(f"droplens {version('droplens')}\n")
        return 0
    smoke_test = given == ["--smoke-test"]
    paths = [Path(path).absolute() for path in given]  # a remembered checkpoint outlives the folder
    sys.setswitchinterval(_SWITCH_SECONDS)
    # As an argument the style costs 10 ms less than by setStyle, which builds a Python type.
    application = QApplication.instance() or QApplication(["droplens", "-style", "Fusion"])
    assert isinstance(application, QApplication)
    application.setApplicationName("Droplens")
    application.setDesktopFileName("droplens")
    settings_path = settings_file.default_path()
    if smoke_test:
        from gui.smoke_test import run

        gc.enable()
        theme.apply(application)
        return run(started)
    if hand_over(settings_path, paths):
        return 0
    settings = settings_file.load(settings_path)
    theme.set_appearance(settings.appearance)
    theme.apply(application)
    window = MainWindow(settings.window_geometry, settings.window_state)
    made: list[Any] = []

    def furnish() -> None:
        gc.enable()
        from core.crash_reports import CrashReports, default_folder
        from core.images import journal
        from gui.app import Droplens
        from gui.single_instance import SingleInstance
        from gui.termination import catch_termination

        droplens = Droplens(window, settings, settings_path, settings_file.cache_path())
        instance = SingleInstance(instance_of(settings_path)[0])
        instance.called.connect(droplens.take_call)
        if sys.platform == "darwin":  # elsewhere every event would be looked at for nothing
            application.installEventFilter(instance)
        reports = CrashReports(default_folder(), lambda: droplens.device)
        reports.begin()
        made.extend((droplens, instance, reports))
        if instance.is_listening:  # two windows would take each other's notes away
            made.append(journal.begin(settings_file.cache_path() / "opening"))
        catch_termination(window)
        sys.excepthook = lambda _, error, __: droplens.report_crash(error, reports)
        droplens.start(paths)
        droplens.offer_report(reports)

    window.empty_view.first_painted.connect(furnish, Qt.ConnectionType.QueuedConnection)
    window.show()
    hook = sys.excepthook
    try:
        return application.exec()
    finally:
        sys.excepthook = hook
        for one in made[1:]:
            one.end()


def hand_over(settings_path: Path, paths: Sequence[Path]) -> bool:
    """Give the paths to the window that is open; return whether there is one."""
    name, place = instance_of(settings_path)
    if not name or (place is not None and not place.exists()):
        return False  # most starts: nothing of Qt's network is loaded
    from gui.single_instance import call

    return call(name, paths)
