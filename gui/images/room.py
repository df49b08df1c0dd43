"""The room of the photos: how they come, the gallery, and the viewer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QMenu

from core.images.requests import SavePages, Thumbnail, ViewPhoto
from core.language import tr
from gui.actions import Action
from gui.images.beside import Beside
from gui.images.gallery_panel import GalleryPanel
from gui.images.gallery_view import THUMBNAIL_PX
from gui.images.opening import Opening
from gui.images.photo_files import PhotoFiles
from gui.images.returning import Returning
from gui.images.viewer import PhotoViewer
from gui.room import Room
from gui.widgets.pictures import to_image
from gui.workspaces import CHECK, CLASSIFY, INSIDE, LABEL, TEACH, Panel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.viewing import ViewedPhoto
    from core.work.handles import Handle
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_VIEWER_TOOLS = ("previous", "next", "zoom_out", "zoom_in", "fit", "show_seen")
_OF_FILE = ("side_by_side", "show_in_folder", "open_elsewhere", "open_with")
_OF_FILE_TOO = ("copy_path", "photo_details")


class ImagesRoom(Room):
    """Shows the photos, and the current one large."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.gallery = GalleryPanel(session)
        self.viewer = PhotoViewer()
        session.seen_photos = self.gallery.view.seen_photos
        self.opening = Opening(session, tasks, window)
        self.beside = Beside(self.viewer.beside, session, tasks, window)
        self.files = PhotoFiles(session, tasks, window)
        self._thumbnails: dict[Path, Handle[npt.NDArray[np.uint8]]] = {}
        window.set_viewer(self.viewer, self.viewer.canvas, self.gallery.view, self.gallery.bars)
        self.gallery.view.thumbnails_wanted.connect(self._ask_for_thumbnails)
        self.viewer.canvas.stepped.connect(session.step)
        self.viewer.page_wanted.connect(self._show_page)
        self.viewer.pages_wanted_apart.connect(self._make_photos_of_pages)
        self.viewer.map_removed.connect(session.map_removed)
        self.returning = Returning(session, tasks)
        session.photos_found.connect(self._look_again)
        session.current_changed.connect(self._show_current)
        session.model_changed.connect(self._follow_model)
        session.map_chosen.connect(self.viewer.show_map)
        self.viewer.set_opacity(session.settings.overlay_opacity)
        self.viewer.opacity_changed.connect(self._remember_opacity)

    def panels(self) -> list[Panel]:
        left = Qt.DockWidgetArea.LeftDockWidgetArea
        shares = {CLASSIFY: 0.25, INSIDE: 0.17, LABEL: 0.45, TEACH: 0.36, CHECK: 0.2}
        return [Panel("gallery", tr("Photos"), self.gallery, left, shares, "F6")]

    def actions(self) -> list[Action]:
        return [
            *self._list_actions(),
            *self._file_actions(),
            *self._view_actions(),
            *self._zoom_actions(),
        ]

    def _list_actions(self) -> list[Action]:
        opening, has_photos = self.opening, self._has_photos
        return [
            Action(
                "open_photos", tr("Open &photos…"), opening.ask_for_photos, "file",
                key="Ctrl+O", icon="image", short=tr("Open photos"),
            ),
            Action(
                "open_folder", tr("Open &folder…"), opening.ask_for_folder, "file",
                key="Ctrl+Shift+O", icon="folder-open", short=tr("Open folder"),
            ),
            Action(
                "recent_folders", tr("Recen&t folders…"), opening.ask_for_recent, "file",
                key="Ctrl+Alt+R",
            ),
            Action(
                "open_samples", tr("Try the &sample photos"), opening.open_samples, "file",
                key="Ctrl+T", icon="sparkles", short=tr("Try the sample photos"),
            ),
            Action(
                "paste", tr("Past&e photos"), opening.paste, "file",
                key="Ctrl+V", icon="clipboard-paste",
            ),
            Action(
                "remove_selected", tr("&Remove selected from the list"), self._remove_selected,
                "file", 3, "Del", "x", enabled=has_photos,
            ),
            Action(
                "remove_all", tr("Remove &all from the list"), self.remove_all, "file", 3,
                "Ctrl+Shift+Del", "trash-2", enabled=has_photos,
            ),
        ]  # fmt: skip

    def _file_actions(self) -> list[Action]:
        files, has_photos = self.files, self._has_photos
        return [
            Action(
                "show_in_folder", tr("Sho&w in folder"), files.show_in_folder, "file", 2,
                "Ctrl+Alt+F", "folder-open", enabled=has_photos,
            ),
            Action(
                "open_elsewhere", tr("Open in the &usual program"), files.open_elsewhere, "file",
                2, "Ctrl+Alt+U", enabled=has_photos,
            ),
            Action(
                "open_with", tr("Open with another pro&gram…"), files.choose_program, "file", 2,
                "Ctrl+Alt+W", enabled=has_photos,
            ),
            Action(
                "copy_path", tr("&Copy path"), files.copy_paths, "file", 2, "Ctrl+Alt+P", "copy",
                enabled=has_photos,
            ),
            Action(
                "photo_details", tr("&Details of the photo…"), files.show_details, "file", 2,
                "Ctrl+Alt+I", "info", enabled=has_photos,
            ),
        ]  # fmt: skip

    def _view_actions(self) -> list[Action]:
        session, has_photos = self.session, self._has_photos
        return [
            Action(
                "previous", tr("&Previous photo"), lambda: session.step(-1), "view",
                key="Alt+Left", icon="chevron-left", enabled=has_photos,
            ),
            Action(
                "next", tr("&Next photo"), lambda: session.step(1), "view",
                key="Alt+Right", icon="chevron-right", enabled=has_photos,
            ),
            Action(
                "search", tr("&Search photos"), self.gallery.focus_search, "view",
                key="Ctrl+F", icon="search", enabled=has_photos,
            ),
        ]  # fmt: skip

    def _zoom_actions(self) -> list[Action]:
        canvas, has_photos = self.viewer.canvas, self._has_photos
        return [
            Action(
                "zoom_in", tr("Zoom &in"), lambda: canvas.zoom_by(1), "view", 2,
                "Ctrl++; Ctrl+=", "zoom-in", enabled=has_photos,
            ),
            Action(
                "zoom_out", tr("Zoom &out"), lambda: canvas.zoom_by(-1), "view", 2,
                "Ctrl+-", "zoom-out", enabled=has_photos,
            ),
            Action(
                "larger_thumbnails", tr("Lar&ger thumbnails"), lambda: self.gallery.zoom(1), "view",
                2, "Ctrl+.", enabled=has_photos,
            ),
            Action(
                "smaller_thumbnails", tr("Smaller t&humbnails"), lambda: self.gallery.zoom(-1),
                "view", 2, "Ctrl+,", enabled=has_photos,
            ),
            Action(
                "fit", tr("&Fit to window"), canvas.fit, "view", 2,
                "Ctrl+0", "maximize", enabled=has_photos,
            ),
            Action(
                "actual_size", tr("&Actual size"), self._show_actual_size, "view", 2,
                "Ctrl+9", enabled=has_photos,
            ),
            Action(
                "show_seen", tr("&What the model saw"), canvas.set_show_seen, "view", 2,
                "Ctrl+M", "scan-eye", checked=False, enabled=has_photos,
            ),
            Action(
                "side_by_side", tr("Compare side &by side"), self.beside.set_wanted, "view", 2,
                "Ctrl+Alt+B", checked=False, enabled=has_photos,
            ),
            Action(
                "remove_map", tr("Remove the feature &map"), self.viewer.remove_map, "view", 3,
                "Ctrl+Backspace", enabled=has_photos,
            ),
        ]  # fmt: skip

    def _has_photos(self) -> bool:
        return self.session.has_photos

    def furnish(self) -> None:
        self.viewer.add_tools(self.window.actions_table.some(*_VIEWER_TOOLS))
        beside = self.window.actions_table["side_by_side"]
        self.viewer.beside.close_button.clicked.connect(lambda: beside.setChecked(False))
        self.window.photo_menu.append(self._fill_menu)
        for widget in (self.gallery.view, self.viewer.canvas):
            self.window.give_photo_menu(widget)

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self.window.actions_table.some(*_OF_FILE))
        self.files.fill_programs(menu)
        menu.addActions(self.window.actions_table.some(*_OF_FILE_TOO))
        menu.addSeparator()
        menu.addActions(self.window.actions_table.some("remove_selected"))

    def take(self, paths: list[Path]) -> list[Path]:
        self.opening.search(paths)
        return paths

    def stop(self) -> bool:
        return self.viewer.remove_map()

    def close(self) -> None:
        self.returning.stop()
        for handle in self._thumbnails.values():
            handle.drop()

    def remove_all(self) -> None:
        """Empty the list; the files stay."""
        self.opening.stop()
        self.session.remove_photos([row.path for row in self.session.photos.rows()])
        self.window.reporter.forget_all()

    def _remove_selected(self) -> None:
        selected = self.session.selected()
        if len(selected) == self.session.photos.total:
            self.remove_all()
        else:
            self.session.remove_photos(selected)
        self.window.note(tr("Taken off the list: {n}. Files and labels stay.", n=len(selected)))

    def _show_actual_size(self) -> None:
        canvas = self.viewer.canvas
        canvas.zoom_to(1 / canvas.devicePixelRatioF())

    # The current photo

    @Slot(object)
    def _show_current(self, path: Path | None) -> None:
        if path is None:
            self.viewer.clear()
        else:
            self.viewer.announce(path.name)
            self._ask_for_photo()

    @Slot(list)
    def _look_again(self, paths: list[Path]) -> None:
        """Show what was gone and is there again."""
        self.gallery.view.forget_thumbnails(paths)
        if self.session.current in paths:
            self._ask_for_photo()

    @Slot()
    def _follow_model(self) -> None:
        self.viewer.remove_map()
        self._ask_for_photo()

    def _ask_for_photo(self) -> None:
        current, model = self.session.current, self.session.model
        if current is not None:
            preprocessing = model.spec.preprocessing if model is not None else None
            self.tasks.ask(ViewPhoto(current, preprocessing), self._show_photo, self._show_error)

    @Slot(int)
    def _show_page(self, page: int) -> None:
        if page == 0:
            self._ask_for_photo()
        elif self.session.current is not None:
            request = ViewPhoto(self.session.current, None, page)
            self.tasks.ask(request, self._show_photo, self._show_error)

    def _show_photo(self, photo: ViewedPhoto) -> None:
        if photo.path == self.session.current:
            self.viewer.show_photo(photo)
            self.session.photo_shown.emit(photo.path)

    def _show_error(self, error: BaseException) -> None:
        self.viewer.show_error(self.window.expected(error))

    @Slot()
    def _make_photos_of_pages(self) -> None:
        if self.session.current is not None:
            self.tasks.ask(SavePages(self.session.current), self.session.give)

    @Slot(int)
    def _remember_opacity(self, percent: int) -> None:
        self.session.remember(overlay_opacity=percent)

    # Thumbnails

    @Slot(list)
    def _ask_for_thumbnails(self, paths: list[Path]) -> None:
        """Ask for the thumbnails that are seen now; those that still wait are forgotten."""
        wanted = dict.fromkeys(paths)
        for path, handle in list(self._thumbnails.items()):
            if handle.future.done() or (path not in wanted and handle.future.cancel()):
                del self._thumbnails[path]
        for path in wanted:
            if path not in self._thumbnails:
                self._thumbnails[path] = self.tasks.ask(
                    Thumbnail(path, THUMBNAIL_PX),
                    partial(self._show_thumbnail, path),
                    partial(self._refuse_thumbnail, path),
                )

    def _show_thumbnail(self, path: Path, pixels: npt.NDArray[np.uint8]) -> None:
        self.gallery.view.put_thumbnail(path, QPixmap.fromImage(to_image(pixels)))

    def _refuse_thumbnail(self, path: Path, error: BaseException) -> None:
        """Show a broken picture; why the photo cannot be read is said where it is decoded."""
        self.window.expected(error)
        self.gallery.view.put_thumbnail(path, None)
