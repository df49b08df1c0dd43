"""The room of the labels: the classes, the project, filters, imports and exports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu

from core.images.kinds import Kind, kind_of
from core.labels.classes import REJECT, UNSURE
from core.labels.service import OpenedProject
from core.language import tr
from core.settings import project_path
from gui.actions import Action
from gui.labels.class_editing import ClassEditing
from gui.labels.exchange import LabelExchange
from gui.labels.filter_bar import FilterBar
from gui.labels.label_panel import LabelPanel
from gui.labels.labelling import LabelGiver
from gui.labels.project import Project
from gui.labels.proposals import Proposals
from gui.labels.steps import redo_text, undo_text
from gui.room import Room
from gui.workspaces import LABEL, TEACH, Panel

if TYPE_CHECKING:
    from core.labels.changes import Change
    from core.labels.class_groups import Offer
    from core.labels.label_index import Filter
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_COUNT_MS = 100
_MOST_REFERENCES = 500
_MOST_OFFERED = 30
_TOOLS = (
    "undo",
    "redo",
    "label_statistics",
    "edit_classes",
    "export_labels",
    "teach_model",  # of another room
)
_BEGINNINGS = ("edit_classes", "import_labels", "import_folders")


class LabelsRoom(Room):
    """Labels of the photos in the list."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.panel = LabelPanel()
        self.filter_bar = FilterBar()
        self.giver = LabelGiver(session, tasks, window)
        self.project = Project(session, tasks, window, self.giver, self.filter_bar)
        self.exchange = LabelExchange(session, tasks, window, self.giver, self.project)
        self.proposals = Proposals(session, window, self.giver, self.panel)
        self.classes = ClassEditing(session, window, self.giver)
        self._undo = self._redo = ""
        self._found: Mapping[int, int] = {}
        self._today = 0
        self._keys: list[QShortcut] = []
        self._counting = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._counting.timeout.connect(self._count)
        self._join()

    def _join(self) -> None:
        session, panel = self.session, self.panel
        session.keep_in_project = self.project.keep_notes
        session.give_class = self.giver.give_named
        self.giver.changed.connect(self._follow_change)
        self.project.opened.connect(self._follow_project)
        panel.class_chosen.connect(self.giver.give)
        panel.view.dropped.connect(self.giver.give_to)
        panel.names_typed.connect(self._add_classes)
        panel.left.connect(self._leave)
        panel.view.files_dropped.connect(self._take_files)
        panel.view.menu_wanted.connect(self._open_class_menu)
        self.filter_bar.changed.connect(self._apply_filter)
        self.filter_bar.predicted.offers = self._offer_classes
        self.filter_bar.predicted.how_many = self._count_predicted
        self.filter_bar.accept_all_wanted.connect(self.proposals.accept_all)
        session.photos.modelReset.connect(self._counting.start)
        session.photos.rowsInserted.connect(self._counting.start)
        session.labels_changed.connect(self._counting.start)
        session.model_changed.connect(self._follow_names)
        session.taught_changed.connect(self._follow_names)

    def panels(self) -> list[Panel]:
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        return [Panel("labels", tr("Labels"), self.panel, bottom, {LABEL: 0.36, TEACH: 0.3}, "F9")]

    def actions(self) -> list[Action]:
        return [*self._label_actions(), *self._class_actions(), *self._file_actions()]

    def _label_actions(self) -> list[Action]:
        giver = self.giver
        return [
            Action(
                "undo", tr("&Undo"), giver.undo, "labels",
                key="Ctrl+Z", icon="undo-2", enabled=lambda: bool(self._undo),
            ),
            Action(
                "redo", tr("&Redo"), giver.redo, "labels",
                key="Ctrl+Shift+Z; Ctrl+Y", icon="redo-2", enabled=lambda: bool(self._redo),
            ),
            Action(
                "label_accept", tr("&Accept the model's class"), self.proposals.accept, "labels", 2,
                "Return; Enter", "check", enabled=self._has_photos, of_photos=True,
            ),
            Action(
                "label_accept_all", tr("Accept a&ll that are shown…"), self.proposals.accept_all,
                "labels", 2, "Ctrl+Return", "check-check", enabled=self._has_photos,
            ),
            Action(
                "label_unsure", tr("U&nsure"), partial(giver.give, UNSURE), "labels", 2,
                "U", "circle-question-mark", enabled=self._has_photos,
            ),
            Action(
                "label_reject", tr("Re&ject"), partial(giver.give, REJECT), "labels", 2,
                "X", "ban", enabled=self._has_photos,
            ),
            Action(
                "label_clear", tr("&Clear label"), giver.clear, "labels", 2,
                "0", "eraser", enabled=self._has_photos,
            ),
            Action(
                "label_advance", tr("&Go on to the next photo by itself"), self._set_advance,
                "labels", 2, "Ctrl+G", checked=self.session.settings.label_advances,
            ),
            Action(
                "label_full_screen", tr("Label in &full screen"), self._set_full_screen,
                "labels", 2, "Shift+F11", "fullscreen", checked=False, enabled=self._has_photos,
            ),
        ]  # fmt: skip

    def _class_actions(self) -> list[Action]:
        return [
            Action(
                "edit_classes", tr("Class&es…"), self.classes.open, "labels", 3,
                "Ctrl+Shift+K", "tags",
            ),
            Action(
                "focus_classes", tr("Choose a cla&ss"), self._focus_classes, "labels", 3,
                "Ctrl+J",
            ),
            Action(
                "focus_filter", tr("Filter &by label"), self.filter_bar.focus, "labels", 3,
                "Ctrl+Shift+F", enabled=self._has_photos,
            ),
            Action(
                "filter_prediction", tr("Filter by &prediction"),
                self.filter_bar.focus_prediction, "labels", 3,
                "Ctrl+Shift+G", "funnel", enabled=self._has_photos,
            ),
            Action(
                "label_statistics", tr("Stat&istics…"), self.exchange.count, "labels", 3,
                "Ctrl+Shift+T", "chart-column", enabled=self._has_photos,
            ),
        ]  # fmt: skip

    def _file_actions(self) -> list[Action]:
        exchange, project = self.exchange, self.project
        imports, projects = tr("I&mport"), tr("Pr&oject")
        return [
            Action(
                "import_labels", tr("I&mport labels…"), exchange.ask_for_import, "labels", 4,
                "Ctrl+Shift+I", "file-input", submenu=imports,
            ),
            Action(
                "import_folders", tr("Label by &folders…"), exchange.ask_for_folders, "labels", 4,
                "Ctrl+Shift+L", "folder-tree", submenu=imports,
            ),
            Action(
                "export_labels", tr("E&xport labels…"), exchange.export, "labels", 4,
                "Ctrl+Shift+X", "upload", enabled=self._has_photos,
            ),
            Action(
                "new_project", tr("Ne&w project…"), project.ask_for_new, "labels", 4,
                "Ctrl+N", submenu=projects,
            ),
            Action(
                "open_project", tr("&Open project…"), project.ask_for_one, "labels", 4,
                "Ctrl+Alt+O", submenu=projects,
            ),
            Action(
                "recent_projects", tr("Recen&t projects…"), project.ask_for_recent, "labels", 4,
                "Ctrl+Alt+J", submenu=projects,
            ),
        ]  # fmt: skip

    def furnish(self) -> None:
        actions = self.window.actions_table
        self.window.gallery_bars.addWidget(self.filter_bar)
        self.window.photo_menu.insert(0, self._fill_photo_menu)
        self.panel.add_tools(
            actions["label_accept"], actions.some(*_TOOLS), actions.some(*_BEGINNINGS)
        )

    def take(self, paths: list[Path]) -> list[Path]:
        projects = [path for path in paths if kind_of(path) is Kind.PROJECT]
        if projects:
            self.project.open(projects[-1])
        labels = [path for path in paths if kind_of(path) is Kind.LABELS and path.is_file()]
        if labels:  # a folder may hold a file for each photo
            folder = Path(os.path.commonpath([path.parent for path in labels]))
            self.exchange.take(labels[-1] if len(labels) == 1 else folder)
        return [*projects, *labels]

    def start(self) -> None:
        self.project.open(Path(self.session.settings.project or project_path()))

    def close(self) -> None:
        self.giver.finish()
        self._counting.stop()
        self.project.close()

    def _has_photos(self) -> bool:
        return self.session.has_photos

    # What is followed

    @Slot(object)
    def _follow_project(self, opened: OpenedProject) -> None:
        self._follow_change(opened.state)
        is_usual = opened.path == project_path()
        self.session.remember(project="" if is_usual else str(opened.path))
        self.window.setWindowTitle("Droplens" if is_usual else f"{opened.path.stem} – Droplens")

    @Slot(object)
    def _follow_change(self, change: Change) -> None:
        self._today, self._undo, self._redo = change.today, change.undo, change.redo
        classes, photos = change.classes, self.session.photos
        if classes != photos.label_index.classes:
            photos.set_classes(classes)
            self._make_keys()
        self.panel.show_classes(classes)
        self.filter_bar.set_classes(classes)
        self.classes.show(classes)
        actions = self.window.actions_table
        actions["undo"].setText(undo_text(change.undo))
        actions["redo"].setText(redo_text(change.redo))
        actions.refresh()
        self.proposals.show()
        self.session.labels_changed.emit()

    @Slot()
    def _follow_names(self) -> None:
        from core.models.class_names.lists import imagenet_groups  # a model is read by now

        names = self.session.class_names
        self.session.apply_mapping()
        photos = self.session.photos
        photos.label_index.set_names(names, imagenet_groups(names))
        if photos.filter.predicted:
            photos.arrange()  # the groups are others now

    @Slot()
    def _count(self) -> None:
        self.panel.show_counts(self.session.photos, self._today)

    def _make_keys(self) -> None:
        """Let each class's key label the selected photos, wherever in the window it is pressed."""
        for old in self._keys:
            old.setEnabled(False)
            old.deleteLater()
        self._keys = []
        for one in self.session.photos.label_index.classes.classes:
            if one.key:
                made = QShortcut(QKeySequence(one.key.upper()), self.window)
                made.setAutoRepeat(False)  # a key held down labels one photo, not all
                made.activated.connect(partial(self.giver.give, one.id))
                self._keys.append(made)

    # What is chosen

    def _focus_classes(self) -> None:
        self.window.workspaces.reveal("labels")
        self.panel.focus_classes()

    def _set_advance(self, advances: bool) -> None:
        self.session.remember(label_advances=advances)

    def _set_full_screen(self, full: bool) -> None:
        self.window.set_only("labels" if full else "")
        self.window.focus_photo()

    @Slot(str)
    def _add_classes(self, text: str) -> None:
        self.classes.add(text)
        self._leave()

    @Slot()
    def _leave(self) -> None:
        self.window.gallery_view.setFocus()

    @Slot(object)
    def _apply_filter(self, shown: Filter) -> None:
        """Show what passes; where the photo in front does not, the first that does takes over."""
        self.session.photos.set_filter(shown)
        if self.session.current is not None:
            self.session.leave_hidden()

    def _offer_classes(self) -> list[Offer]:
        photos = self.session.photos
        self._found = photos.found_classes()
        return photos.label_index.offers(self._found)

    def _count_predicted(self, terms: tuple[str, ...]) -> int:
        """Return how many photos terms would show, of those counted when the list was opened."""
        counts = self._found
        wanted = self.session.photos.label_index.find_classes(terms)
        return sum(n for index, n in counts.items() if not terms or index in wanted)

    @Slot(int, QPoint)
    def _open_class_menu(self, class_id: int, place: QPoint) -> None:
        menu = QMenu(self.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        name = self.session.photos.label_index.by_id[class_id].name
        shown = menu.addAction(tr("Show only “{name}”", name=name))
        shown.triggered.connect(lambda: self._show_class(class_id))
        alike = menu.addAction(tr("Look-alikes of “{name}”", name=name))
        alike.triggered.connect(lambda: self._want_look_alikes(class_id))
        menu.addSeparator()
        menu.addAction(self.window.actions_table["edit_classes"])
        menu.popup(place)

    def _fill_photo_menu(self, menu: QMenu) -> None:
        """Offer the classes and marks, and what the model proposes."""
        actions = self.window.actions_table
        below = menu.addMenu(tr("Label as"))
        for one in self.session.photos.label_index.classes.classes[:_MOST_OFFERED]:
            entry = below.addAction(one.name.replace("&", "&&"))
            entry.triggered.connect(partial(self.giver.give, one.id))
        below.addActions(actions.some("focus_classes"))
        below.addSeparator()
        below.addActions(actions.some("label_unsure", "label_reject", "label_clear"))
        menu.addActions(actions.some("label_accept", "look_alikes"))
        menu.addSeparator()

    def _show_class(self, class_id: int) -> None:
        from core.labels.label_index import Filter

        self.filter_bar.set_filter(Filter("class", class_id))

    def _want_look_alikes(self, class_id: int) -> None:
        photos = self.session.photos
        resolve = photos.label_index.resolve
        members = [row.path for row in photos.rows() if class_id in resolve(row.label)]
        if members:
            self.session.look_alikes_wanted.emit(members[:_MOST_REFERENCES])
        else:
            self.window.note(tr("No photo has this class yet."))

    @Slot(int, list)
    def _take_files(self, class_id: int, paths: list[Path]) -> None:
        """Photos from outside become photos of the class; a folder of classes is read."""
        folders = [path for path in paths if path.is_dir()]
        if len(folders) == 1 == len(paths) and class_id == 0:
            self.exchange.take(folders[0], "class-folders")
            return
        photos = [path for path in paths if not path.is_dir()]
        if class_id and photos:
            self.project.bring(photos)
            self.giver.give_to(class_id, photos)
        elif folders:
            self.window.note(tr("Drop a folder of classes beside the classes, not on one."))
