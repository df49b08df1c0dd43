"""The project that is open: joins gallery, classes, keys and dialogs to the labels on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from core.labels.classes import REJECT, UNSURE
from core.labels.database import ENDING
from gui.labels.exchange import LabelExchange
from gui.labels.filter_bar import FilterBar
from gui.labels.label_bridge import LabelBridge
from gui.labels.label_panel import LabelPanel
from gui.labels.labelling import LabelGiver
from gui.labels.session import restore, session_of
from gui.message_box import ask

if TYPE_CHECKING:
    from core.labels.book import Filter
    from core.labels.keeper import OpenedProject
    from core.labels.photos import Met
    from core.labels.store import Change
    from gui.actions import Actions
    from gui.images.gallery_model import GalleryModel
    from gui.images.gallery_panel import GalleryPanel
    from gui.labels.classes_dialog import ClassesDialog

_MET_AT_ONCE = 500
_COUNT_MS = 100
_SESSION_MS = 10_000


class LabelProject(QObject):
    """Labels of the photos in the gallery."""

    files_listed = Signal(list)
    """Paths that come from the project or an import, to be shown."""
    present = Signal(list)
    """Paths, of those brought back, that are there."""
    moved = Signal(object)
    """File where a photo was → file where it is now."""
    noted = Signal(str)
    """What was done, for the bar at the bottom."""
    said = Signal(str)
    """A sentence that the user should see."""
    failed = Signal(object)
    """An exception."""
    label_changed = Signal()
    """Labels or classes are other ones now."""
    look_alikes_wanted = Signal(list)
    """Paths whose look-alikes are sought."""
    path_changed = Signal(object)
    """Path of the project that is open now."""

    def __init__(
        self, window: QWidget, gallery: GalleryPanel, model: GalleryModel, actions: Actions
    ) -> None:
        super().__init__()
        self._window, self._gallery, self._model = window, gallery, model
        self._actions = actions
        self.path: Path | None = None
        self.panel = LabelPanel()
        self.filter_bar = FilterBar()
        self.bridge = LabelBridge()
        self.giver = LabelGiver(gallery, model, self.bridge)
        self.exchange = LabelExchange(window, model, self.bridge, self.giver)
        gallery.add_bar(self.filter_bar)
        self._brought_back: set[str] = set()
        self._today = 0
        self._keys: list[QShortcut] = []
        self._kept_session: dict[str, str] = {}
        self._model_names: tuple[str, ...] = ()
        self._classes_dialog: ClassesDialog | None = None
        self._counting = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._counting.timeout.connect(self._count)
        self._session = QTimer(self, interval=_SESSION_MS)
        self._session.timeout.connect(self.keep_session)
        self._join()

    def _join(self) -> None:
        bridge, panel, giver = self.bridge, self.panel, self.giver
        bridge.opened.connect(self._take_project)
        bridge.not_opened.connect(self._refuse_project)
        bridge.met.connect(self._take_met)
        self.exchange.photos_come.connect(self._bring)
        self.exchange.moved.connect(self.moved)
        self.exchange.noted.connect(self.noted)
        self.exchange.failed.connect(self.failed)
        bridge.failed.connect(self.failed)
        giver.given.connect(self._follow_change)
        giver.refused.connect(self.failed)
        giver.noted.connect(self.noted)
        panel.class_chosen.connect(giver.give)
        panel.photos_dropped.connect(giver.give_to)
        panel.names_typed.connect(self._add_classes)
        panel.view.files_dropped.connect(self._take_files)
        panel.view.menu_wanted.connect(self._open_class_menu)
        self.filter_bar.changed.connect(self._apply_filter)
        self.filter_bar.accept_all_wanted.connect(self.accept_all)
        self._model.modelReset.connect(self._counting.start)
        self._model.rowsInserted.connect(self._counting.start)
        self._gallery.current_changed.connect(self.show_proposal)
        self._gallery.view.selectionModel().selectionChanged.connect(self.show_proposal)
        panel.left.connect(self._gallery.view.setFocus)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of the menu do, by their names."""
        giver = self.giver
        return {
            "label_accept": giver.accept,
            "label_accept_all": self.accept_all,
            "label_unsure": lambda: giver.give(UNSURE),
            "label_reject": lambda: giver.give(REJECT),
            "label_clear": giver.take_away,
            "undo": giver.undo,
            "redo": giver.redo,
            "focus_classes": self.panel.focus_classes,
            "edit_classes": self.edit_classes,
            "focus_filter": self.filter_bar.focus,
            "filter_prediction": self.filter_bar.focus_prediction,
            "look_alikes": self._want_look_alikes,
            "import_labels": self.exchange.ask_for_import,
            "import_folders": self.exchange.ask_for_folders,
            "export_labels": self.exchange.export,
            "label_statistics": self.bridge.count,
            "new_project": self._ask_new,
            "open_project": self._ask_open,
        }

    # The project

    def open(self, path: Path) -> None:
        """Open a project, or make it; the one before stays open where this one cannot be."""
        self.keep_session()
        self.giver.hold()
        self.bridge.open(path)

    @Slot(object)
    def _take_project(self, opened: OpenedProject) -> None:
        is_other = self.path is not None
        self.path = opened.path
        self.giver.release()
        self._model.forget_labels()
        if opened.notice:
            self.said.emit(opened.notice)
        self.meet([row.path for row in self._model.rows()])
        self._bring([Path(file) for file in opened.files])
        self._model.set_labels(opened.state.labels)
        self._follow_change(opened.state, labelled=False)
        restore(opened.session, self._gallery, self._model, self.filter_bar)
        self._session.start()
        self.path_changed.emit(opened.path)
        if is_other:
            self.noted.emit(self.tr("{name} is open.").format(name=opened.path.name))

    @Slot(object)
    def _refuse_project(self, error: BaseException) -> None:
        self.giver.release()
        self.failed.emit(error)

    @Slot(list)
    def _bring(self, paths: Sequence[Path]) -> None:
        """Put photos into the gallery; those that are there are classified when they were met."""
        self._brought_back.update(map(str, paths))
        self.files_listed.emit(paths)
        self.meet(paths)

    def meet(self, paths: Sequence[Path]) -> None:
        """Let the project know photos that are in the gallery."""
        if self.path is None:
            return
        for start in range(0, len(paths), _MET_AT_ONCE):
            self.bridge.meet(paths[start : start + _MET_AT_ONCE])

    def take_off(self, paths: Sequence[Path]) -> None:
        """Take photos off the project's list; their labels stay."""
        if self.path is not None:
            self.bridge.take_off([str(path) for path in paths])

    def keep_order(self) -> None:
        """Let the project's list stand as the gallery's does."""
        if self.path is not None:
            self.bridge.put_in_order([row.file for row in self._model.rows()])

    @Slot(object, object)
    def _take_met(self, met: Met, change: Change) -> None:
        self._model.set_away(met.photos.keys() - set(met.away), away=False)
        self._model.set_away(met.away, away=True)
        self._model.set_labels(change.labels)
        away = set(met.away)
        found = [file for file in met.photos if file in self._brought_back and file not in away]
        self._brought_back.difference_update(met.photos)
        if found:
            self.present.emit([Path(file) for file in found])
        gone = {
            old: new
            for old, new in met.moved.items()
            if self._model.row(Path(old)) and old not in met.photos  # else they changed places
        }
        if gone:
            self.moved.emit(gone)
        if met.changed:
            names = ", ".join(Path(file).name for file in met.changed[:3])
            self.said.emit(
                self.tr(
                    "{n} photos were changed since they were labelled ({names}); their labels "
                    "were kept. Look at them again."
                ).format(n=f"{len(met.changed):,}", names=names)
            )
        self._counting.start()

    # Changes

    @Slot(object, bool)
    def _follow_change(self, change: Change, labelled: bool) -> None:
        self._today = change.today
        classes = change.classes
        if classes != self._model.book.classes:
            self._model.set_classes(classes)
            self._make_keys()
        self.panel.show_classes(classes)
        self.filter_bar.set_classes(classes)
        if self._classes_dialog is not None:
            self._classes_dialog.show_classes(classes)
        for name, kind in (("undo", change.undo), ("redo", change.redo)):
            action = self._actions[name]
            action.setEnabled(bool(kind))
            said = self._kinds().get(kind, kind)
            action.setText(self._titles()[name].format(step=said) if kind else self._plain()[name])
        self._counting.start()
        self.show_proposal()
        self.label_changed.emit()

    def _plain(self) -> dict[str, str]:
        return {"undo": self.tr("&Undo"), "redo": self.tr("&Redo")}

    def _titles(self) -> dict[str, str]:
        return {"undo": self.tr("&Undo {step}"), "redo": self.tr("&Redo {step}")}

    def _kinds(self) -> dict[str, str]:
        return {
            "label": self.tr("labelling"),
            "accept": self.tr("accepting"),
            "import": self.tr("the import"),
            "add": self.tr("adding classes"),
            "rename": self.tr("renaming a class"),
            "merge": self.tr("merging classes"),
            "remove": self.tr("deleting a class"),
            "order": self.tr("ordering classes"),
            "colour": self.tr("changing a colour"),
            "key": self.tr("changing a key"),
            "multiple": self.tr("changing how many classes a photo has"),
        }

    def _make_keys(self) -> None:
        """Let each class's key label the selected photos, wherever in the window it is pressed."""
        for old in self._keys:
            old.setEnabled(False)
            old.deleteLater()
        self._keys = []
        for one in self._model.book.classes.classes:
            if one.key:
                made = QShortcut(QKeySequence(one.key.upper()), self._window)
                made.setAutoRepeat(False)  # a key held down labels one photo, not all
                made.activated.connect(partial(self.giver.give, one.id))
                self._keys.append(made)

    @Slot()
    def _count(self) -> None:
        self.panel.show_counts(self._model, self._today)

    @Slot()
    def show_proposal(self) -> None:
        """Offer the model's class for the photo that is shown."""
        current = self._gallery.current
        row = self._model.row(current) if current is not None else None
        book = self._model.book
        self.panel.show_current(() if row is None else book.resolve(row.label))
        selected = len(self._gallery.view.selectionModel().selectedRows())
        if selected > 1:
            text = self.tr("Enter: accept for {n} photos").format(n=f"{selected:,}")
            self.panel.show_proposal(text)
        elif (
            row is None
            or not row.class_name
            or self._model.position(row.path) < 0
            or book.proposed(row.top[0]) in book.resolve(row.label)
        ):
            self.panel.show_proposal("")
        else:
            self.panel.show_proposal(
                self.tr("Enter: {name} {probability}").format(
                    name=row.class_name, probability=row.figure(0)
                )
            )

    def use_model_names(self, names: tuple[str, ...]) -> None:
        """Follow the model in use."""
        self._model_names = names
        self._model.book.set_names(names)
        self.filter_bar.set_names(names)

    def accept_all(self) -> None:
        """Ask, then give all photos that are shown the class that the model proposes."""
        book = self._model.book
        proposing = [row for row in self._model.shown_rows() if row.class_name]
        rows = [row for row in proposing if not book.resolve(row.label)]
        if not rows:
            self.noted.emit(self.tr("No photo that is shown lacks a label and has a proposal."))
            return
        new = {row.class_name for row in rows if not book.proposed(row.top[0])}
        said = [
            self.tr("Give {n} photos the class that the model proposes?").format(n=f"{len(rows):,}")
        ]
        if len(rows) < len(proposing):
            kept = f"{len(proposing) - len(rows):,}"
            said.append(self.tr("{n} that have a label keep it.").format(n=kept))
        if new:
            names = ", ".join(sorted(new)[:5]) + (", …" if len(new) > 5 else "")
            said.append(
                self.tr("New classes: {n} ({names}).").format(n=f"{len(new):,}", names=names)
            )
        said.append(self.tr("It can be undone."))
        if ask(self._window, self.tr("Accept all"), " ".join(said)):
            self.giver.accept_all(rows)

    # Classes

    def _add_classes(self, text: str) -> None:
        from gui.labels.classes_dialog import names_in

        names = names_in(text)
        self.giver.edit_classes("add", lambda classes: classes.add(names))
        self._gallery.view.setFocus()

    def edit_classes(self) -> None:
        """Open the dialog of the classes."""
        from gui.labels.classes_dialog import ClassesDialog

        dialog = ClassesDialog(
            self._model.book.classes, self._photos_of, self._model_names, self._window
        )
        dialog.edited.connect(self.giver.edit_classes)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._forget_dialog)
        self._classes_dialog = dialog
        dialog.open()

    @Slot()
    def _forget_dialog(self) -> None:
        self._classes_dialog = None

    def _photos_of(self, class_id: int) -> int:
        resolve = self._model.book.resolve
        return sum(class_id in resolve(row.label) for row in self._model.rows())

    @Slot(int, QPoint)
    def _open_class_menu(self, class_id: int, place: QPoint) -> None:
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        name = self._model.book.by_id[class_id].name
        shown = menu.addAction(self.tr("Show only “{name}”").format(name=name))
        shown.triggered.connect(lambda: self._show_class(class_id))
        alike = menu.addAction(self.tr("Look-alikes of “{name}”").format(name=name))
        alike.triggered.connect(lambda: self._want_look_alikes_of(class_id))
        menu.addSeparator()
        menu.addAction(self._actions["edit_classes"])
        menu.popup(place)

    def _show_class(self, class_id: int) -> None:
        from core.labels.book import Filter

        self.filter_bar.set_filter(Filter("class", class_id))

    # Filters and queues

    @Slot(object)
    def _apply_filter(self, shown: Filter) -> None:
        """Show what passes; where the photo in front does not, the first that does takes over."""
        self._model.set_filter(shown)
        current = self._gallery.current
        if current is not None and self._model.position(current) < 0 and self._model.rowCount():
            self._gallery.show_photo(self._model.shown_row(0).path)

    def _want_look_alikes(self) -> None:
        selected = self._gallery.selected() or [
            path for path in [self._gallery.current] if path is not None
        ]
        if selected:
            self.look_alikes_wanted.emit(selected)

    def _want_look_alikes_of(self, class_id: int) -> None:
        resolve = self._model.book.resolve
        members = [row.path for row in self._model.rows() if class_id in resolve(row.label)]
        if members:
            self.look_alikes_wanted.emit(members[:_MET_AT_ONCE])
        else:
            self.noted.emit(self.tr("No photo has this class yet."))

    # Files from outside

    @Slot(int, list)
    def _take_files(self, class_id: int, paths: list[Path]) -> None:
        """Photos from outside become photos of the class; a folder of classes is read."""
        folders = [path for path in paths if path.is_dir()]
        if len(folders) == 1 == len(paths) and class_id == 0:
            self.exchange.take(folders[0], "class-folders")
            return
        photos = [path for path in paths if not path.is_dir()]
        if class_id and photos:
            self._bring(photos)
            self.giver.give_to(class_id, photos)
        elif folders:
            self.noted.emit(self.tr("Drop a folder of classes beside the classes, not on one."))

    def _ask_new(self) -> None:
        file, _ = QFileDialog.getSaveFileName(
            self._window,
            self.tr("New project"),
            str((self.path or Path()).parent / f"{self.tr('New labels')}{ENDING}"),
            self.tr("Projects (*{ending})").format(ending=ENDING),
        )
        if file:
            path = Path(file)
            self.open(path if path.suffix == ENDING else path.with_name(path.name + ENDING))

    def _ask_open(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Open project"),
            str((self.path or Path()).parent),
            self.tr("Projects (*{ending})").format(ending=ENDING),
        )
        if file:
            self.open(Path(file))

    # The session

    @Slot()
    def keep_session(self) -> None:
        """Keep how the window looks at the project, so that it is the same next time."""
        if self.path is None:
            return
        session = session_of(self._gallery, self._model)
        if session != self._kept_session:
            self._kept_session = session
            self.bridge.put_session(session)

    def shut_down(self) -> None:
        """Keep the session, wait for what was asked, and close the project."""
        self._session.stop()
        self._counting.stop()
        self.keep_session()
        self.bridge.shut_down()
