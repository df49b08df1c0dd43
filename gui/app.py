"""Makes the session and the tasks, and attaches the rooms to them and to the window."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot

from core.inference.engine import Engine
from core.labels.service import LabelService
from core.language import tr
from core.models.overrides import SavedOverrides
from core.work.lane import Lanes
from gui.checks.room import ChecksRoom
from gui.images.room import ImagesRoom
from gui.inference.room import InferenceRoom
from gui.inside.room import InsideRoom
from gui.labels.room import LabelsRoom
from gui.models.room import ModelsRoom
from gui.session import Session
from gui.shell import Shell
from gui.tasks import Tasks
from gui.training.room import TrainingRoom

if TYPE_CHECKING:
    from core.crash_reports import CrashReports
    from core.settings import Settings
    from gui.main_window import MainWindow

ROOMS = (
    Shell, ImagesRoom, InferenceRoom, InsideRoom, LabelsRoom, TrainingRoom, ChecksRoom, ModelsRoom
)  # fmt: skip
"""In the order of their panels, and in which Escape asks them whether there is something to end."""


class Droplens(QObject):
    """The program."""

    def __init__(
        self, window: MainWindow, settings: Settings, settings_path: Path, cache: Path | None = None
    ) -> None:
        """Make and join everything.

        Args:
            window: it stands already.
            settings: of last time.
            settings_path: where they are written.
            cache: folder for what can be made again.
        """
        super().__init__()
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
        lanes = Lanes()
        self.tasks = Tasks(lanes)
        self.engine = Engine(
            self.tasks.notice,
            saved_overrides=SavedOverrides(settings_path.with_name("models")),
            memory_bytes=max(0, settings.inside_megabytes) * 2**20,
            cache=cache,
        )
        lanes.provide("engine", self.engine)
        LabelService.in_lanes(lanes)
        self.session = Session(self.tasks, settings, settings_path)
        self.window = window
        self.rooms = [room(self.session, self.tasks, window) for room in ROOMS]
        window.actions_table.fill([one for room in self.rooms for one in room.actions()])
        window.furnish([panel for room in self.rooms for panel in room.panels()])
        for room in self.rooms:
            room.furnish()
        window.actions_table.refresh()
        window.escaped.connect(self._stop)
        self.session.files_given.connect(self._give)
        window.closing.connect(self._close)

    def start(self, paths: Sequence[Path]) -> None:
        """Let the rooms begin, and take the paths."""
        if not paths:
            self.window.rehearse()
        for room in self.rooms:
            room.start()
        if paths:
            self.session.give(paths)

    @Slot(list)
    def take_call(self, paths: list[Path]) -> None:
        """Come to the front with the paths of another start."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.raise_()
        window.activateWindow()
        if paths:
            self.session.give(paths)

    @property
    def device(self) -> str:
        """Return what the network runs on, "" where no model is open."""
        model = self.session.model
        return "" if model is None else f"{model.device.title}, {model.device.reason}"

    def report_crash(self, error: BaseException, reports: CrashReports) -> None:
        """Show an error that nobody expected, and keep a report of it."""
        reports.write(error)
        self.window.reporter.report(error)

    def offer_report(self, reports: CrashReports) -> None:
        """Say that there is a report of last time."""
        path = reports.left_over
        if path is not None:
            reports.note_seen()
            self.window.reporter.offer(
                tr(
                    "Droplens ended unexpectedly last time; no label is lost. A report of it, with "
                    "names of your files, is in {folder}.",
                    folder=path.parent,
                ),
                tr("Begin with an empty list"),
                self.window.actions_table["remove_all"].trigger,
            )

    @Slot(list)
    def _give(self, paths: list[Path]) -> None:
        """Let each room take the files that are its own; the photos' takes what is left."""
        if not paths:
            self.window.reporter.say(
                tr("Nothing there is a file on this computer. Save it first, then drop it.")
            )
        for room in reversed(self.rooms):
            taken = set(room.take(paths)) if paths else set()
            paths = [path for path in paths if path not in taken]

    @Slot()
    def _stop(self) -> None:
        """Let the first room that has something to end do so."""
        for room in self.rooms:
            if room.stop():
                return

    @Slot()
    def _close(self) -> None:
        """Remember, stop, wait for one batch at most; then the window may go."""
        self.session.remember(**self.window.left_as())
        self.window.hide()
        for room in self.rooms:
            room.close()
        self.session.save_settings()
        self.tasks.shut_down()
