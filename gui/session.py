"""The one copy of what all rooms speak of: photos, the current one, the model, the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QObject,
    QTimer,
    Signal,
    Slot,
)

from core.settings import SaveSettings, Settings
from core.values.class_mapping import KEPT_AS, of_text
from gui.gallery_model import GalleryModel
from gui.tasks import ignore

if TYPE_CHECKING:
    from core.inference.devices import Device
    from core.inference.engine import ReadyModel
    from core.models.sources.base import Capability
    from core.training.live import Lesson
    from core.values.predictions import Prediction
    from gui.tasks import Tasks

_SAVE_MS = 300
_Select = QItemSelectionModel.SelectionFlag


class Session(QObject):
    """What is open. Rooms change it by its methods and follow its signals.

    Attributes:
        photos: all of them, with their predictions and labels, in the order shown.
        selection: of the photos that are shown.
        current: the photo that is shown large, which a search may hide; None without photos.
        model: the model in use; None before the first has opened.
        taught: what was learnt of the labels, while its proposals hold; None while the model's do.
        settings: of this user; changed by ``remember`` alone.
        project_notes: what the project keeps beside its labels, by name.
        keep_in_project: lets it keep more of that; of the labels' room.
        name_classes: names the classes of the model from a file; of the models' room.
        give_class: gives photos a class by its name; of the labels' room.
        is_led: whether photos were given since a project was asked for: these are looked at then,
            and not what was looked at when the project was left.
        seen_photos: returns the photos that are on the screen in the list; of the photos'.
        override_model: opens the model anew with other overrides, by their fields, and returns
            whether it does; of the models'.
    """

    current_changed = Signal(object)
    """Path of the current photo, or None."""
    photos_added = Signal(list)
    """Paths that are new in the list."""
    photos_found = Signal(list)
    """Paths of the list that are known to be there, to be classified."""
    return_wanted = Signal(list)
    """Paths of photos that were away and may be back."""
    photos_removed = Signal(list)
    """Paths that were taken off the list."""
    list_changed = Signal()
    """There are more photos than before, or fewer."""
    order_changed = Signal()
    """Photos were added in another order than theirs, and stand in theirs now."""
    files_given = Signal(list)
    """Paths that were dropped, opened or given to the program; each room takes its kinds."""
    model_opening = Signal(str)
    """Name of the model that is being opened."""
    model_changed = Signal(object)
    """ReadyModel: another one is in use."""
    model_refused = Signal()
    """The one that was being opened cannot be; the one before stays in use."""
    reopening_wanted = Signal()
    """The model is to be opened again as it is, with other settings."""
    taught_changed = Signal()
    """Proposals come from other labels than before, or from none any more."""
    device_changed = Signal(object)
    """Device: the model runs elsewhere now."""
    predicted = Signal(list)
    """Predictions that have just come in."""
    labels_changed = Signal()
    """Labels or classes are other ones now."""
    look_alikes_wanted = Signal(list)
    """Paths whose look-alikes are sought."""
    photo_shown = Signal(object)
    """Path of the photo that has just appeared in the viewer."""
    map_chosen = Signal(object, str)
    """A map to lay over the photo, uint8 of shape (h, w, 3), and its title."""
    map_removed = Signal()
    """No map lies over the photo any more."""

    def __init__(self, tasks: Tasks, settings: Settings, settings_path: Path) -> None:
        super().__init__()
        self.tasks = tasks
        self.photos = GalleryModel()
        self.selection = QItemSelectionModel(self.photos)
        self.current: Path | None = None
        self.model: ReadyModel | None = None
        self.taught: Lesson | None = None
        self.settings = settings
        self.settings_path = settings_path
        self.project_notes: Mapping[str, str] = {}
        self.keep_in_project: Callable[[Mapping[str, str]], object] = ignore
        self.name_classes: Callable[[Path], object] = ignore
        self.give_class: Callable[[Sequence[Path], str], object] = ignore
        self.is_led = False
        self.seen_photos: Callable[[], Sequence[Path]] = tuple
        self.override_model: Callable[[Mapping[str, object]], bool] = lambda _: False
        self._saving = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._saving.timeout.connect(self.save_settings)
        self.selection.currentChanged.connect(self._note_current)
        self.photos.rowsInserted.connect(self._after_insert)

    # Settings

    def remember(self, **changes: object) -> None:
        """Change settings; they are written soon after."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        self._saving.start()

    @Slot()
    def save_settings(self) -> None:
        """Write the settings as they are now."""
        self._saving.stop()
        self.tasks.ask(SaveSettings(self.settings, self.settings_path))

    # Photos

    @property
    def has_photos(self) -> bool:
        """Return whether there are photos, hidden ones included."""
        return self.photos.total > 0

    def add_photos(self, paths: Sequence[Path]) -> list[Path]:
        """Append photos to the list and return those that were not there yet."""
        new = self.list_photos(paths)
        self.photos_added.emit(new)
        return new

    def list_photos(self, paths: Sequence[Path]) -> list[Path]:
        """Append photos of which it is not known yet whether they are there; return the new."""
        new = self.photos.add(paths)
        if new:
            self.list_changed.emit()
        return new

    def remove_photos(self, paths: Sequence[Path]) -> None:
        """Take photos off the list; their files stay."""
        self.photos.remove(paths)
        self.photos_removed.emit(list(paths))
        self.list_changed.emit()

    def move_photos(self, moved: dict[str, str]) -> None:
        """Show photos where they are now: file before → file now."""
        self.photos.remove([Path(file) for file in moved])
        self.add_photos([Path(file) for file in moved.values()])

    def labelled_once(self) -> list[tuple[Path, str]]:
        """Return the photos that have one class and are there, with its name."""
        return [(path, names[0]) for path, names in self.labelled() if len(names) == 1]

    def labelled(self) -> list[tuple[Path, tuple[str, ...]]]:
        """Return the photos that have classes and are there, with their names."""
        found = []
        for path, names in self.photos.labelled():
            row = self.photos.row(path)
            if row is not None and not row.is_away:
                found.append((path, names))
        return found

    # The current photo and the selection

    def selected(self) -> list[Path]:
        """Return the selected photos in the order shown."""
        rows = {row for run in self._chosen() for row in range(run.top(), run.bottom() + 1)}
        return [self.photos.shown_row(row).path for row in sorted(rows)]

    def _chosen(self) -> list[QItemSelectionRange]:
        """Return the selection in runs; Qt's own lists of indexes cost 10 µs an index."""
        return self.selection.selection().toList()

    @property
    def selected_count(self) -> int:
        """Return how many photos are selected."""
        return sum(run.height() for run in self._chosen())

    def show_photo(self, path: Path) -> None:
        """Make a photo the current one, where search and filter do not hide it."""
        position = self.photos.position(path)
        if position >= 0:
            self._go_to(position)

    def step(self, by: int) -> None:
        """Go forward or back; the ends hold."""
        count = self.photos.rowCount()
        if count:
            here = self.selection.currentIndex().row()
            self._go_to(min(count - 1, max(0, here + by)) if here >= 0 else 0)

    def go_past(self, path: Path) -> None:
        """Make the photo after one the current one; the last stays."""
        position = self.photos.position(path)
        if position >= 0:
            self._go_to(min(position + 1, self.photos.rowCount() - 1))

    def select(self, files: Iterable[str], current: Path | None) -> None:
        """Select photos, those that are shown, and make one the current one."""
        self.selection.clearSelection()
        if current is not None:
            self.show_photo(current)
        positions = sorted(self.photos.positions(files).values())
        chosen = QItemSelection()
        for first, last in _runs(positions):
            chosen.select(self.photos.index(first), self.photos.index(last))
        self.selection.select(chosen, _Select.Select)

    def find_current_again(self) -> None:
        """Go back to the current photo after rows were laid out anew; else to the first."""
        if self.current is not None and self.photos.row(self.current) is None:
            self.current = None
            if self.photos.rowCount() == 0:
                self.current_changed.emit(None)
        if self.current is None:
            self.step(0)
            return
        self.show_photo(self.current)

    def leave_hidden(self) -> None:
        """Make the first photo that is shown the current one, where the current one is hidden."""
        if self.photos.rowCount() and (
            self.current is None or self.photos.position(self.current) < 0
        ):
            self._go_to(0)

    def _go_to(self, position: int) -> None:
        self.selection.setCurrentIndex(self.photos.index(position), _Select.ClearAndSelect)

    @Slot(QModelIndex, QModelIndex)
    def _note_current(self, index: QModelIndex, _: QModelIndex) -> None:
        if not index.isValid():
            return  # a search or a sort resets the selection; the photo stays
        path = self.photos.shown_row(index.row()).path
        if path != self.current:
            self.current = path
            self.current_changed.emit(path)

    @Slot()
    def _after_insert(self) -> None:
        if self.current is None:
            self.step(0)

    # The model

    def use_model(self, ready: ReadyModel) -> None:
        """Use another model."""
        self.model = ready
        self.model_changed.emit(ready)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes that proposals are of."""
        if self.taught is not None:
            return self.taught.spec.class_names
        return () if self.model is None else self.model.spec.class_names

    def use_lesson(self, lesson: Lesson | None) -> None:
        """Let proposals come from what was learnt of the labels; None from the model."""
        if lesson != self.taught:
            if lesson is not None and lesson.spec.class_names != self.class_names:
                self.photos.forget_predictions()  # their class indices mean other classes
            self.taught = lesson
            self.taught_changed.emit()

    @property
    def given_meanings(self) -> dict[str, str]:
        """Return what a person has said of which class of a model means which of the labels."""
        return of_text(self.project_notes.get(KEPT_AS, ""))

    def apply_mapping(self) -> None:
        """Follow what a person has said of which class of the model means which of the labels."""
        given = {} if self.taught is not None else self.given_meanings
        self.photos.label_index.set_mapping(given)  # what is taught speaks in labels

    def can(self, capability: Capability) -> bool:
        """Return whether something can be done with the model in use."""
        return self.model is not None and self.model.can(capability)

    def use_device(self, device: Device) -> None:
        """Note that the model runs elsewhere, as memory ran out for instance."""
        if self.model is not None and self.model.device != device:
            self.model = replace(self.model, device=device)
            self.device_changed.emit(device)

    def note_predictions(self, predictions: list[Prediction]) -> None:
        """Take what the model says of photos."""
        self.photos.set_predictions(predictions)
        self.predicted.emit(predictions)

    def give(self, paths: Sequence[Path]) -> None:
        """Let each room take the kinds of files that are its own."""
        self.files_given.emit(list(paths))


def _runs(positions: list[int]) -> list[tuple[int, int]]:
    """Return runs of neighbours as their first and last; a selection of few ranges is quick."""
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and runs[-1][1] + 1 == position:
            runs[-1] = (runs[-1][0], position)
        else:
            runs.append((position, position))
    return runs
