"""What is done with a photo's file outside: its folder, its path, its usual program."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from PySide6.QtCore import QMimeData, QObject, QProcess, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from core.files import readable
from core.images.requests import PhotoDetails
from core.language import tr
from gui.widgets.recent_menu import newest_first

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class PhotoFiles(QObject):
    """Serves the photos that are selected, else the one that is shown."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window

    def show_in_folder(self) -> None:
        """Let the system's file manager show the photo."""
        for path in self._photos()[:1]:
            if not reveal(path, self):
                self._refuse(path.parent)

    def open_elsewhere(self) -> None:
        """Open the photo in the program that the system opens such files with."""
        for path in self._photos()[:1]:
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
                self._refuse(path)

    def choose_program(self) -> None:
        """Open the photos in a program that the user points out, which is remembered."""
        kinds = tr("Programs (*.exe *.bat *.cmd *.lnk)") if sys.platform == "win32" else ""
        program, _ = QFileDialog.getOpenFileName(
            self._window, tr("Choose a program"), _PROGRAMS.get(sys.platform, "/usr/bin"), kinds
        )
        if program:
            self.open_with(program)

    def open_with(self, program: str) -> None:
        """Open the photos in a program."""
        photos = list(map(str, self._photos()))
        if photos and not _start(program, photos):
            said = readable(program)
            self._window.reporter.say(tr("{program} could not be started.", program=said))
            return
        settings = self._session.settings
        self._session.remember(programs=newest_first(program, settings.programs))

    def fill_programs(self, menu: QMenu) -> None:
        """Offer the programs that were used before."""
        for program in self._session.settings.programs:
            name = readable(Path(program).stem).replace("&", "&&")
            entry = menu.addAction(tr("Open with {program}", program=name))
            entry.triggered.connect(partial(self.open_with, program))

    def copy_paths(self) -> None:
        """Put paths on the clipboard, as text and as files."""
        photos = self._photos()
        data = QMimeData()
        data.setText("\n".join(map(str, photos)))
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in photos])
        QGuiApplication.clipboard().setMimeData(data)
        self._window.note(tr("Copied the path of {names}", names=", ".join(_names(photos))))

    def show_details(self) -> None:
        """Show what the photo's file says of it."""
        for path in self._photos()[:1]:
            self._tasks.ask(PhotoDetails(path), self._show, partial(self._refuse_details, path))

    def _photos(self) -> list[Path]:
        current, selected = self._session.current, self._session.selected()
        if current is not None and (not selected or current in selected):
            return [current, *(path for path in selected if path != current)]
        return selected

    def _show(self, facts: list[tuple[str, str]]) -> None:
        from gui.images.details_dialog import PhotoDetailsDialog

        dialog = PhotoDetailsDialog(facts, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _refuse_details(self, path: Path, error: BaseException) -> None:
        if isinstance(error, OSError):
            self._refuse(path)
        else:
            self._window.reporter.report(error)

    def _refuse(self, path: Path) -> None:
        said = readable(str(path))
        if path.exists():
            sentence = tr("{path} could not be opened: the system knows no program.", path=said)
        else:
            sentence = tr("{path} could not be opened: it is not there.", path=said)
        self._window.reporter.say(sentence)


_PROGRAMS = {"win32": os.environ.get("PROGRAMFILES", "C:\\"), "darwin": "/Applications"}
"""Where programs lie."""


def _start(program: str, photos: list[str]) -> bool:
    """Start a program with files; return whether it was."""
    if sys.platform == "darwin" and program.endswith(".app"):
        started = QProcess.startDetached("/usr/bin/open", ["-a", program, *photos])
    else:
        started = QProcess.startDetached(program, photos)
    return bool(started[0] if isinstance(started, tuple) else started)


def reveal(path: Path, owner: QObject) -> bool:
    """Show a file in the system's file manager; return whether that was begun.

    Args:
        path: of the file.
        owner: of what goes on meanwhile.
    """
    if not path.parent.is_dir():
        return False
    process = QProcess(owner)
    process.finished.connect(process.deleteLater)
    if sys.platform == "win32":
        # By its whole path, as a folder of photos may hold an explorer.exe; and quoted by hand,
        # as Explorer takes a comma in an unquoted path for the end of it.
        process.setProgram(str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "explorer.exe"))
        process.setNativeArguments(f'/select,"{path}"')
    elif sys.platform == "darwin":
        process.setProgram("/usr/bin/open")
        process.setArguments(["-R", str(path)])
    else:
        sender = shutil.which("dbus-send")
        if sender is None:
            return _open_folder(path)
        service, way = "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1"
        url = f"file://{quote(os.fsencode(path))}"  # with commas, which end an entry, in it as %2C
        call = ["--session", "--print-reply", f"--dest={service}", way, f"{service}.ShowItems"]
        process.setProgram(sender)
        process.setArguments([*call, f"array:string:{url}", "string:"])
        process.finished.connect(lambda code: _open_folder(path) if code else None)
    process.start()
    return True


def _open_folder(path: Path) -> bool:
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def _names(photos: Sequence[Path]) -> list[str]:
    names = [readable(path.name) for path in photos[:3]]
    return names if len(photos) <= 3 else [*names, "…"]
