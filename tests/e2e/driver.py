"""Drives the real program through its real ``main()``, as a person would."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QElapsedTimer, QEvent, QMimeData, QObject, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox

from gui.gallery_model import GalleryModel
from gui.gallery_rows import GalleryRow
from gui.images.gallery_panel import GalleryPanel
from gui.main_window import MainWindow
from gui.problem_reporter import ProblemReporter
from gui.start import main

Script = Callable[["Person"], Generator[Callable[[], object], None, None]]
_Widget = TypeVar("_Widget", bound=QObject)
_PATIENCE_MS = 300_000


class Person:
    """What a person can see and do."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def see(self, kind: type[_Widget]) -> _Widget:
        """Return the one widget of a kind."""
        found = self.window.findChildren(kind)
        assert len(found) == 1, found
        return found[0]

    def is_furnished(self) -> bool:
        return bool(self.window.findChildren(GalleryPanel))

    def choose(self, action: str) -> None:
        """Choose a menu entry."""
        self.window.actions_table[action].trigger()

    def drop(self, *paths: Path) -> None:
        """Drop files on the window as a file manager does."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        place = QPoint(200, 200)
        left = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        with warnings.catch_warnings():
            # Qt means these events to be made by itself alone; a test has no other way.
            warnings.simplefilter("ignore", DeprecationWarning)
            enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, *left)
            dropped = QDropEvent(place, Qt.DropAction.CopyAction, data, *left)
        QApplication.sendEvent(self.window, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(self.window, dropped)

    @property
    def photos(self) -> GalleryModel:
        model = self.see(GalleryPanel).view.model()
        assert isinstance(model, GalleryModel)
        return model

    @property
    def current(self) -> Path | None:
        """Return the photo whose card is the current one."""
        index = self.see(GalleryPanel).view.currentIndex()
        return self.photos.shown_row(index.row()).path if index.isValid() else None

    def show_photo(self, path: Path) -> None:
        """Go to a photo's card."""
        view = self.see(GalleryPanel).view
        view.setCurrentIndex(view.model().index(self.photos.position(path), 0))

    def sort_by(self, order: str) -> None:
        """Choose an order in the list."""
        choice = self.see(GalleryPanel).findChild(QComboBox)
        choice.setCurrentIndex(choice.findData(order))

    def rows(self) -> list[GalleryRow]:
        """Return the photos in the order shown."""
        return list(self.photos.shown_rows())

    def all_classified(self, count: int) -> bool:
        rows = self.rows()
        return len(rows) == count and all(row.is_classified for row in rows)

    @property
    def banner(self) -> str:
        return self.see(ProblemReporter).shown_text


class Drive(QObject):
    """One use of the program: looks every 20 ms whether the script can go on."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self.is_done = False
        self._script = script
        self._steps: Generator[Callable[[], object], None, None] | None = None
        self._awaited: Callable[[], object] = lambda: True
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=20)
        self._timer.timeout.connect(self._look)

    def begin(self) -> None:
        self._clock.start()
        self._timer.start()

    def _look(self) -> None:
        try:
            if self._clock.elapsed() > _PATIENCE_MS:
                raise AssertionError(f"waited in vain at {self._place()}")
            windows = self._windows()
            if windows:
                self._go_on(Person(windows[0]))
        except StopIteration:
            self.is_done = True
            self._leave()
        except BaseException as failure:  # noqa: BLE001 - raised again outside Qt's loop
            self.failure = failure
            self._leave()

    def _go_on(self, person: Person) -> None:
        if self._steps is None:
            if not person.is_furnished():
                return
            self._steps = self._script(person)
        if self._awaited():
            self._awaited = next(self._steps)
            self._clock.restart()

    def _leave(self) -> None:
        self._timer.stop()
        windows = self._windows()
        for window in windows:
            window.close()
        if not windows:  # else closing the last one ends the loop
            QApplication.quit()

    def _windows(self) -> list[MainWindow]:
        tops = QApplication.topLevelWidgets()
        return [top for top in tops if isinstance(top, MainWindow) and top.isVisible()]

    def _place(self) -> str:
        if self._steps is None or self._steps.gi_frame is None:
            return "the start"
        return f"line {self._steps.gi_frame.f_lineno}"


def drive(arguments: Sequence[str], script: Script) -> int:
    """Run the program and let a script use it; then close the window.

    Args:
        arguments: of the command line.
        script: a generator that yields what it waits for; a test fails where that takes
            longer than five minutes, as a machine may do other work.

    Returns:
        The program's exit status.
    """
    use = Drive(script)
    use.begin()
    status = main(arguments)
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow):
            window.deleteLater()  # each that is left is styled anew with those after it
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    if use.failure is not None:
        raise use.failure
    assert use.is_done
    return status
