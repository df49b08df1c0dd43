"""What is done with the drawing of the network: a second photo, ResNet's two blocks, files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, Slot

from core.files import readable
from core.inside.requests import ExampleBlocks, ExportDrawing, ExportPhotoPage, LayersBeside
from core.language import tr
from gui.inside.answers import answer_of
from gui.widgets.saving import ask_where_to_save

if TYPE_CHECKING:
    from core.inside.summary import LayerTable
    from gui.inside.network_view import NetworkView
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks

_PAGE_WIDTH_PX = 1100


class Showing(QObject):
    """Serves the drawing of the model in use."""

    def __init__(
        self, view: NetworkView, session: Session, tasks: Tasks, window: MainWindow
    ) -> None:
        super().__init__()
        self._view, self._session, self._tasks, self._window = view, session, tasks, window
        self._wants_two = False
        self._beside: Path | None = None
        session.current_changed.connect(self.ask_for_second)
        session.model_changed.connect(self.ask_for_second)
        session.selection.selectionChanged.connect(self._follow_selection)
        view.redrawn = self.ask_for_second

    # Two photos

    def set_two(self, wanted: bool) -> None:
        """Show another photo beside the current one, or that one alone."""
        self._wants_two, self._beside = wanted, None
        self.ask_for_second()

    @Slot()
    def ask_for_second(self) -> None:
        """Ask for the pass of the other photo: of two selected, else of the next in the list."""
        current = self._session.current
        other = None if current is None else self._other(current)
        if not self._wants_two or current is None or other is None or not self._view.isVisible():
            self._view.pair.show_one()
            return
        if other != self._beside or not self._view.pair.has_two:
            self._window.note(tr("Looking at {name}…", name=readable(other.name)))
        self._beside = other
        self._tasks.ask(
            LayersBeside(other), partial(self._show_second, current), self._refuse_second
        )

    @Slot()
    def _follow_selection(self) -> None:
        """Take the other of two selected photos."""
        if self._wants_two and self._session.selected_count == 2:
            self._beside = None
            self.ask_for_second()

    def _other(self, current: Path) -> Path | None:
        is_there = self._beside is not None and self._session.photos.row(self._beside) is not None
        if is_there and self._beside != current:
            return self._beside
        others = [path for path in self._session.selected() if path != current]
        if others:
            return others[0]
        paths = [row.path for row in self._session.photos.rows()]
        if len(paths) < 2:
            return None
        return paths[(paths.index(current) + 1) % len(paths)] if current in paths else paths[0]

    def _show_second(self, current: Path, table: LayerTable) -> None:
        if self._wants_two and self._beside is not None and self._session.current == current:
            names = (readable(current.name), readable(self._beside.name))
            self._view.show_beside(table, names, answer_of(self._session, self._beside))

    def _refuse_second(self, error: BaseException) -> None:
        self._view.pair.show_one()
        self._window.note(self._window.expected(error))

    # ResNet's blocks

    def show_kinds(self) -> None:
        """Show a BasicBlock and a Bottleneck, each as a drawing."""
        self._tasks.ask(ExampleBlocks(), self._show_kinds)

    def _show_kinds(self, tables: tuple[LayerTable, LayerTable]) -> None:
        from gui.inside.block_kinds import BlockKindsDialog

        BlockKindsDialog(tables, self._window).open()

    # Files

    def export_drawing(self) -> None:
        """Write the drawing as it is seen now."""
        painter = self._view.canvas.painter
        if painter is None:
            return
        from gui.inside.network_export import drawing_as

        path = ask_where_to_save(
            self._window,
            tr("Save the drawing of the network"),
            self._start("network.svg"),
            tr("Drawing (*.svg)"),
            tr("Picture (*.png)"),
            tr("Document (*.pdf)"),
        )
        if path is None:
            return
        canvas = self._view.canvas
        size = (canvas.viewport().width(), canvas.viewport().height())
        content = drawing_as(path.suffix.lower(), painter, canvas.seen, size, canvas.font())
        told = tr("The drawing is saved as {path}.", path=readable(str(path)))
        self._tasks.ask(ExportDrawing(content, path), lambda _: self._window.note(told))

    def export_page(self) -> None:
        """Write how the current photo goes through the network as a page."""
        table, painter = self._view.table, self._view.canvas.painter
        current, model = self._session.current, self._session.model
        if table is None or painter is None or current is None or model is None:
            return
        if table.photo != current:
            self._window.note(tr("This photo is not through the network yet."))
            return
        path = ask_where_to_save(
            self._window,
            tr("Save this photo through this network"),
            self._start(f"{current.stem}.html"),
            tr("Page (*.html)"),
        )
        if path is None:
            return
        from core.inside.page import PhotoPage
        from gui.inside.network_export import drawing_as

        whole = painter.drawing.boxes[0]
        size = (_PAGE_WIDTH_PX, round(_PAGE_WIDTH_PX * whole.height / whole.width))
        room = QRectF(0, 0, whole.width, whole.height)
        drawn = drawing_as(".svg", painter, room, size, self._view.canvas.font()).decode()
        row = self._session.photos.row(current)
        top = () if row is None or row.prediction is None else row.prediction.top
        if self._session.taught is not None:  # what is said is learnt from labels, not by this
            top = ()
        page = PhotoPage(
            photo=readable(current.name),
            model=model.spec.title,
            answers=tuple(f"{one.class_name}: {one.figure(1)}" for one in top),
            drawing=drawn,
            stages=self._view.stages(),
            table=table,
        )
        told = tr("The page is saved as {path}.", path=readable(str(path)))
        self._tasks.ask(ExportPhotoPage(page, path), lambda _: self._window.note(told))

    def _start(self, name: str) -> Path:
        return Path(self._session.settings.last_folder or Path.home()) / name
