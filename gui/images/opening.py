"""Every way in which photos come: drop, dialogs, samples, clipboard, command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

import resources
from gui.images.drop import paths_in, save_pasted, sort_paths

if TYPE_CHECKING:
    from core.images.loader import SearchResult
    from core.settings import Settings
    from gui.engine_bridge import EngineBridge

_SAMPLES = ("chelsea.png", "coffee.png", "china.jpg", "rocket.jpg", "flower.jpg")


class Opening(QObject):
    """Sends folders to be searched and checkpoints to the model picker."""

    found = Signal(list)
    """Paths of photos, in chunks."""
    checkpoint_given = Signal(object)
    """Path of a checkpoint that came among the photos."""
    noted = Signal(str)
    """What is going on, for the bar at the bottom."""
    refused = Signal(str)
    """A sentence that says what came of it, where that was not all."""

    def __init__(self, window: QWidget, bridge: EngineBridge, settings: Settings) -> None:
        super().__init__()
        self._window, self._bridge, self._settings = window, bridge, settings
        bridge.photos_found.connect(self.found)
        bridge.search_finished.connect(self._end_search)

    @Slot(list)
    def add_paths(self, paths: list[Path]) -> None:
        """Take photos, folders and checkpoints."""
        if not paths:
            self.refused.emit(
                self.tr("Nothing there is a file on this computer. Save it first, then drop it.")
            )
            return
        dropped = sort_paths(paths)
        if dropped.checkpoints:
            self.checkpoint_given.emit(dropped.checkpoints[-1])
        if dropped.images:
            self.noted.emit(self.tr("Looking for photos…"))
            self._bridge.search(dropped.images)

    def ask_for_photos(self) -> None:
        """Let the user look for photos."""
        files, _ = QFileDialog.getOpenFileNames(
            self._window, self.tr("Open photos"), self._settings.last_folder
        )
        if files:
            self._settings.last_folder = str(Path(files[0]).parent)
            self.add_paths([Path(file) for file in files])

    def ask_for_folder(self) -> None:
        """Let the user look for a folder of photos."""
        folder = QFileDialog.getExistingDirectory(
            self._window, self.tr("Open a folder of photos"), self._settings.last_folder
        )
        if folder:
            self._settings.last_folder = folder
            self.add_paths([Path(folder)])

    def open_samples(self) -> None:
        """Open the photos that Droplens ships."""
        self.add_paths([resources.path(f"samples/{name}") for name in _SAMPLES])

    def paste(self) -> None:
        """Take files, paths or a picture from the clipboard."""
        data = QGuiApplication.clipboard().mimeData()
        paths = paths_in(data)
        if not paths:
            from platformdirs import user_data_path

            folder = user_data_path("Droplens", appauthor=False) / "Pasted photos"
            try:
                pasted = save_pasted(data, folder)
            except OSError as error:
                self.refused.emit(
                    self.tr("The pasted picture could not be kept in {folder}: {reason}.").format(
                        folder=folder, reason=error.strerror
                    )
                )
                return
            paths = [pasted] if pasted is not None else []
        if paths:
            self.add_paths(paths)
        else:
            self.noted.emit(self.tr("The clipboard holds no photos."))

    @Slot(object, list)
    def _end_search(self, found: SearchResult, searched: list[Path]) -> None:
        self.noted.emit("")
        if not found.photos:
            names = ", ".join(str(path) for path in searched)
            said = self.tr("No photos were found in {names}.").format(names=names)
            self.refused.emit(f"{said} {found.passed_over}".strip())
        elif found.passed_over:
            self.refused.emit(found.passed_over)
