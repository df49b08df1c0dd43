"""The room of the network's inside: layers, feature maps, blocks, evidence, look-alikes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QMenu

from core.inside.requests import ExportMaps, ExportTable
from core.language import tr
from core.models.sources.base import Capability
from gui.actions import Action
from gui.inside.inside_panel import InsidePanel
from gui.inside.look_alikes import FindingLookAlikes
from gui.inside.looking import Looking
from gui.inside.showing import Showing
from gui.room import Room
from gui.workspaces import INSIDE, Panel

if TYPE_CHECKING:
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


_OF_DRAWING = (
    "tour_network",
    "tour_block",
    "play_network",
    "two_through_network",
    "block_kinds",
    "export_drawing",
    "export_photo_page",
)


class InsideRoom(Room):
    """Shows what the network computes for the current photo."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.panel = InsidePanel()
        self.looking = Looking(self.panel, session, tasks, window)
        self.showing = Showing(self.panel.network, session, tasks, window)
        self.look_alikes = FindingLookAlikes(session, tasks, window)
        self.panel.map_chosen.connect(session.map_chosen)
        session.map_removed.connect(self.panel.forget_map)
        self.panel.maps.set_order(session.settings.feature_maps_order)
        self.panel.set_tab(session.settings.inside_tab)
        self.panel.tab_changed.connect(self._remember_tab)
        self.panel.maps.export_wanted.connect(self._export_maps)
        self.panel.table.csv_wanted.connect(self._export_table)

    def panels(self) -> list[Panel]:
        right = Qt.DockWidgetArea.RightDockWidgetArea
        return [Panel("inside", tr("Inside"), self.panel, right, {INSIDE: 0.56}, "F8")]

    def actions(self) -> list[Action]:
        tabs = (
            ("network", tr("&Network as a drawing"), "Alt+0"),
            ("maps", tr("&Feature maps"), "Alt+1"),
            ("block", tr("&Residual block"), "Alt+2"),
            ("evidence", tr("&Evidence"), "Alt+3"),
            ("compare", tr("&Compare photos"), "Alt+4"),
            ("table", tr("Layer &table"), "Alt+5"),
        )

        can_look = self._can_look
        return [
            Action(
                "choose_layer", tr("Choose &layer"), self._focus_layer, "view", 3,
                "Ctrl+Shift+Y", enabled=can_look,
            ),
            *(
                Action(
                    f"inside_{tab}", text, partial(self._show_tab, tab), "view", 3, key,
                    submenu=tr("Insi&de"), enabled=can_look,
                )
                for tab, text, key in tabs
            ),
            *self._drawing_actions(),
            Action(
                "look_alikes", tr("Loo&k-alikes of the selected photos"),
                self.look_alikes.find_of_selected, "labels", 3,
                "Ctrl+L", "copy-plus", enabled=can_look,
            ),
        ]  # fmt: skip

    def _drawing_actions(self) -> list[Action]:
        """Return what is done with the drawing; each brings it to the front first."""
        view, showing, inside = self.panel.network, self.showing, tr("Insi&de")
        on_drawing = self._on_drawing
        plain = (
            (
                "tour_network", tr("&What does the network see? (tour)"),
                on_drawing(view.tour_network), "Ctrl+Shift+U",
            ),
            (
                "tour_block", tr("A residual &block (tour)"), on_drawing(view.tour_block),
                "Ctrl+Shift+B",
            ),
            (
                "play_network", tr("&Play: the photo runs through"), on_drawing(view.play.start),
                "Ctrl+Shift+R",
            ),
            (
                "exciting_photos", tr("Photos that e&xcite the chosen map"),
                self.panel.show_exciting, "Ctrl+Shift+Q",
            ),
            (
                "block_kinds", tr("BasicBlock and B&ottleneck…"), showing.show_kinds,
                "Ctrl+Shift+V",
            ),
            (
                "export_drawing", tr("&Save the drawing…"), on_drawing(showing.export_drawing),
                "Ctrl+Shift+M",
            ),
            (
                "export_photo_page", tr("Save this photo t&hrough this network…"),
                on_drawing(showing.export_page), "Ctrl+Shift+H",
            ),
        )  # fmt: skip
        return [
            Action(
                "two_through_network", tr("Two photos s&ide by side"), self._set_two, "view", 3,
                "Ctrl+Shift+J", submenu=inside, checked=False, enabled=self._can_look,
            ),
            *(
                Action(name, text, do, "view", 3, key, submenu=inside, enabled=self._can_look)
                for name, text, do, key in plain
            ),
        ]  # fmt: skip

    def _on_drawing(self, do: Callable[[], object]) -> Callable[[], None]:
        """Return what brings the drawing to the front and does something with it."""

        def bring_and_do() -> None:
            self._show_tab("network")
            do()

        return bring_and_do

    def _set_two(self, wanted: bool) -> None:
        if wanted:
            self._show_tab("network")
        self.showing.set_two(wanted)

    def furnish(self) -> None:
        menu = QMenu(self.panel.network)
        menu.addActions(self.window.actions_table.some(*_OF_DRAWING))
        self.panel.network.menu.setMenu(menu)

    def _can_look(self) -> bool:
        session = self.session  # while a model is loaded, what it can do is not known yet
        return session.has_photos and (session.model is None or session.can(Capability.SHOW_LAYERS))

    def stop(self) -> bool:
        if self.panel.network.play.is_running:
            self.panel.network.play.stop()
            return True
        return self.look_alikes.stop()

    @Slot(str)
    def _remember_tab(self, tab: str) -> None:
        self.session.remember(inside_tab=tab)

    @Slot(object, str)
    def _export_maps(self, found: FeatureMapsOfPhoto, file: str) -> None:
        told = tr("The feature maps are saved as {path}.", path=file)
        self.tasks.ask(ExportMaps(found, Path(file)), lambda _: self.window.note(told))

    @Slot(str)
    def _export_table(self, file: str) -> None:
        table = self.panel.table.model.table
        if table is not None:
            told = tr("The layer table is saved as {path}.", path=file)
            self.tasks.ask(ExportTable(table, Path(file)), lambda _: self.window.note(told))

    def _focus_layer(self) -> None:
        self.window.workspaces.reveal("inside")
        self.panel.focus_layer()

    def _show_tab(self, tab: str) -> None:
        self.window.workspaces.reveal("inside")
        self.panel.set_tab(tab)
        self.panel.focus_tab()
