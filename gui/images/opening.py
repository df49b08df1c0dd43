"""Every way in which photos come: drop, dialogs, samples, clipboard, command line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

import resources
from core.images.requests import FindPhotos, FoundPhotos, SearchResult
from core.language import tr
from gui.dropping import paths_in
from gui.widgets.recent_menu import newest_first, open_recent

if TYPE_CHECKING:
    from core.work.handles import Handle
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_SAMPLES = ("chelsea.png", "coffee.png", "china.jpg", "rocket.jpg", "flower.jpg")


_MOST_FOLDERS = 50
"""Of what is given at once; of more nobody would look for one among those opened last."""


class Opening(QObject):
    """Searches what is given for photos and puts them into the list."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__()
        self._session, self._tasks, self._window = session, tasks, window
        self._searches: list[Handle[None]] = []
        self._shown: dict[tuple[Path, ...], Path | None] = {}
        """Where each search has led: nobody who has gone on since is brought back."""

    def stop(self) -> None:
        """Look for no more photos."""
        for search in self._searches:
            search.drop()
        self._searches.clear()
        self._shown.clear()

    def ask_for_photos(self) -> None:
        """Let the user look for photos."""
        files, _ = QFileDialog.getOpenFileNames(
            self._window, tr("Open photos"), self._session.settings.last_folder
        )
        if files:
            self._session.remember(last_folder=str(Path(files[0]).parent))
            self._session.give([Path(file) for file in files])

    def ask_for_folder(self) -> None:
        """Let the user look for a folder of photos."""
        folder = QFileDialog.getExistingDirectory(
            self._window, tr("Open a folder of photos"), self._session.settings.last_folder
        )
        if folder:
            self._session.remember(last_folder=folder)
            self._session.give([Path(folder)])

    def ask_for_recent(self) -> None:
        """Let the user choose a folder that was opened before."""
        open_recent(
            self._window,
            self._session.settings.recent_folders,
            lambda folder: self._session.give([Path(folder)]),
        )

    def open_samples(self) -> None:
        """Open the photos that Droplens ships."""
        self._session.give([resources.path(f"samples/{name}") for name in _SAMPLES])

    def paste(self) -> None:
        """Take files, paths or a picture from the clipboard."""
        paths = paths_in(QGuiApplication.clipboard().mimeData()) or self._save_pasted()
        if paths is None:
            return
        if paths:
            self._session.give(paths)
        else:
            self._window.note(tr("The clipboard holds no photos."))

    def _save_pasted(self) -> list[Path] | None:
        """Return the file of a pasted picture, if there is one; None where that failed."""
        from platformdirs import user_data_path

        from gui.images.pasting import save_pasted

        folder = user_data_path("Droplens", appauthor=False) / "Pasted photos"
        try:
            pasted = save_pasted(QGuiApplication.clipboard().mimeData(), folder)
        except OSError as error:
            self._window.reporter.say(
                tr(
                    "The pasted picture could not be kept in {folder}: {reason}.",
                    folder=folder,
                    reason=error.strerror,
                )
            )
            return None
        return [pasted] if pasted is not None else []

    def search(self, paths: Sequence[Path]) -> None:
        """Look for photos below paths; a file is one, whatever it is."""
        searched = tuple(paths)
        self._window.note(tr("Looking for photos…"))
        search = self._tasks.stream(FindPhotos(searched), partial(self._add, searched))
        self._searches.append(search)

    def _add(self, searched: tuple[Path, ...], items: list[FoundPhotos | SearchResult]) -> None:
        for item in items:
            if isinstance(item, SearchResult):
                self._end(searched, item)
                continue
            if item.problem:
                self._window.reporter.say(item.problem)
            if item.photos:
                self._session.add_photos(item.photos)
                if searched not in self._shown:
                    self._shown[searched] = self._show(searched, list(map(str, item.photos)))

    def _end(self, searched: tuple[Path, ...], result: SearchResult) -> None:
        self._searches = [search for search in self._searches if not search.future.done()]
        led_to = self._shown.pop(searched, None)
        photos = self._session.photos
        if result.came_early:
            photos.put_in_order(result.photos)
            self._session.order_changed.emit()
        elif photos.is_sorted:
            photos.arrange()
        self._window.note("")
        if result.photos and len(searched) <= _MOST_FOLDERS:
            self._remember_folders(searched, set(result.photos))
        if led_to is None or led_to == self._session.current:
            self._show(searched, result.photos)  # which are in their order now
        if not result.photos:
            sentence = tr("No photos were found in {names}.", names=", ".join(map(str, searched)))
            self._window.reporter.say(f"{sentence} {result.passed_over}".strip())
        elif result.passed_over:
            self._window.reporter.say(result.passed_over)

    def _remember_folders(self, searched: tuple[Path, ...], photos: set[str]) -> None:
        for path in searched:
            if str(path) not in photos and path.is_dir():
                kept = self._session.settings.recent_folders
                self._session.remember(recent_folders=newest_first(str(path), kept))

    def _show(self, searched: tuple[Path, ...], photos: list[str]) -> Path | None:
        """Go to the first photo of what was given, and select those that were named.

        Returns:
            The first photo; None where search and filter hide all.
        """
        shown = self._session.photos.positions(photos)
        first = next((Path(file) for file in photos if file in shown), None)
        if first is not None:
            self._session.is_led = True
            named = {str(path) for path in searched}
            chosen = [file for file in photos if file in named]
            if len(chosen) == self._session.photos.total:
                chosen = [str(first)]  # all are told from no others: Enter shall not mean them all
            self._session.select(chosen, first)
        elif photos:
            self._window.note(tr("Search or filter hide the photos that were added."))
        return first
