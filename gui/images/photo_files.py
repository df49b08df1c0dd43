"""What is done with a photo's file outside: its folder, its path, its usual program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from core.files import readable
from core.images.requests import PhotoDetails
from core.language import tr

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_SECONDS = 3


class PhotoFiles(QObject):
    """Serves the photos that are selected, else the one that is shown."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window

    def show_in_folder(self) -> None:
        """Let the system's file manager show the photo."""
        for path in self._photos()[:1]:
            if not reveal(path):
                self._refuse(path.parent)

    def open_elsewhere(self) -> None:
        """Open the photo in the program that the system opens such files with."""
        for path in self._photos()[:1]:
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
                self._refuse(path)

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


def reveal(path: Path) -> bool:
    """Show a file in the system's file manager; return whether something was opened."""
    if not path.parent.is_dir():
        return False
    if sys.platform == "win32":
        subprocess.Popen(["explorer", "/select,", str(path)])
        return True
    if sys.platform == "darwin":
        return _runs(["open", "-R", str(path)])
    url = QUrl.fromLocalFile(str(path)).toString(QUrl.ComponentFormattingOption.FullyEncoded)
    # In a list of dbus-send a comma would end the entry.
    listed = f"array:string:{url.replace(',', '%2C')}"
    service, way = "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1"
    sender = shutil.which("dbus-send")
    call = ["--session", "--print-reply", f"--dest={service}", way, f"{service}.ShowItems"]
    if sender is not None and _runs([sender, *call, listed, "string:"]):
        return True
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def _runs(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _names(photos: Sequence[Path]) -> list[str]:
    names = [readable(path.name) for path in photos[:3]]
    return names if len(photos) <= 3 else [*names, "…"]
