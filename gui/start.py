"""Start the program: the window first, everything else after it has been painted."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

gc.disable()  # until the first paint: looking for garbage among imports takes 12 ms of it

from gui import imports  # noqa: E402

imports.hasten()

from PySide6.QtCore import QObject, Qt, Slot  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from core import settings as settings_file  # noqa: E402
from core.language import catalogues  # noqa: E402
from gui import theme  # noqa: E402
from gui.instance_name import instance_of  # noqa: E402
from gui.main_window import MainWindow  # noqa: E402

if TYPE_CHECKING:
    from gui.app import Droplens

    class Ends(Protocol):
        """What is to be ended with the program."""

        def end(self) -> None:
            """End it."""


_USAGE = """usage: droplens [PATH…]
       droplens --version | --smoke-test | --help

Opens the window with photos, folders of photos, a checkpoint or a project; a window that is open
already takes them. --smoke-test tries the installation and prints one line of JSON.
Without a window: droplens-cli --help
"""
_SWITCH_SECONDS = 0.001
"""How soon Python's interpreter changes threads, so that the window is not kept waiting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window with the photos, folders and checkpoints given; return the exit status.

    A window that is open already takes the paths.
    """
    started = time.perf_counter()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None or sys.stderr is None:  # costs start-up time, so only there
        from gui.streams import give_streams

        give_streams()
    if _answer(given):
        return 0
    paths = [Path(path).absolute() for path in given]  # a remembered checkpoint outlives the folder
    spoken = catalogues.begin()
    sys.setswitchinterval(_SWITCH_SECONDS)
    # As an argument the style costs 10 ms less than by setStyle, which builds a Python type.
    application = QApplication.instance() or QApplication(["droplens", "-style", "Fusion"])
    assert isinstance(application, QApplication)
    _speak(application, spoken)
    application.setApplicationName("Droplens")
    application.setDesktopFileName("droplens")
    settings_path = settings_file.default_path()
    if given == ["--smoke-test"]:
        from gui.smoke_test import run

        gc.enable()
        theme.apply(application)
        return run(started)
    if hand_over(settings_path, paths):
        return 0
    settings = settings_file.load(settings_path)
    theme.set_appearance(settings.appearance)
    theme.apply(application)
    window = MainWindow(settings.window_geometry, settings.workspace, settings.layouts)
    furnishing = _Furnishing(application, window, settings, settings_path, paths)
    window.empty_view.first_painted.connect(furnishing.furnish, Qt.ConnectionType.QueuedConnection)
    window.show()
    hook = sys.excepthook
    try:
        return application.exec()
    finally:
        sys.excepthook = hook
        furnishing.end()


def _speak(application: QApplication, code: str) -> None:
    """Let Qt's own dialogs speak the program's language."""
    if code != catalogues.ENGLISH:
        from PySide6.QtCore import QLibraryInfo, QTranslator

        translator = QTranslator(application)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if translator.load(f"qtbase_{code}", folder):
            application.installTranslator(translator)


def _answer(given: list[str]) -> bool:
    """Answer what needs no window; return whether that was all that was asked."""
    if given == ["--version"]:
        from importlib.metadata import version

        sys.stdout.write(f"droplens {version('droplens')}\n")
    elif given in (["--help"], ["-h"]):
        sys.stdout.write(_USAGE)
    else:
        return False
    return True


class _Furnishing(QObject):
    """Makes what an empty window does not show, after its first paint."""

    def __init__(
        self,
        application: QApplication,
        window: MainWindow,
        settings: settings_file.Settings,
        settings_path: Path,
        paths: Sequence[Path],
    ) -> None:
        super().__init__()
        self._application, self._window = application, window
        self._settings, self._settings_path, self._paths = settings, settings_path, paths
        self._droplens: Droplens | None = None
        self._ending: list[Ends] = []

    @Slot()
    def furnish(self) -> None:
        """Make the rooms and begin."""
        gc.enable()
        from core.crash_reports import CrashReports, default_folder
        from core.images import journal
        from gui.app import Droplens
        from gui.single_instance import SingleInstance
        from gui.termination import catch_termination

        cache = settings_file.cache_path()
        droplens = Droplens(self._window, self._settings, self._settings_path, cache)
        self._droplens = droplens
        instance = SingleInstance(instance_of(self._settings_path)[0])
        instance.called.connect(droplens.take_call)
        if sys.platform == "darwin":  # elsewhere every event would be looked at for nothing
            self._application.installEventFilter(instance)
        reports = CrashReports(default_folder(), lambda: droplens.device)
        reports.begin()
        self._ending += [instance, reports]
        if instance.is_listening:  # two windows would take each other's notes away
            self._ending.append(journal.begin(cache / "opening"))
        catch_termination(self._window)
        sys.excepthook = lambda _, error, __: droplens.report_crash(error, reports)
        droplens.start(self._paths)
        droplens.offer_report(reports)

    def end(self) -> None:
        """End what runs beside the window."""
        for one in self._ending:
            one.end()


def hand_over(settings_path: Path, paths: Sequence[Path]) -> bool:
    """Give the paths to the window that is open; return whether there is one."""
    name, place = instance_of(settings_path)
    if not name or (place is not None and not place.exists()):
        return False  # most starts: nothing of Qt's network is loaded
    from gui.single_instance import call

    return call(name, paths)
