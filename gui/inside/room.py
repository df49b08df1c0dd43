"""The room of the network's inside: layers, feature maps, blocks, evidence, look-alikes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot

from core.inside.requests import ExportMaps, ExportTable
from core.language import tr
from core.models.sources.base import Capability
from gui.actions import Action
from gui.inside.inside_panel import InsidePanel
from gui.inside.look_alikes import FindingLookAlikes
from gui.inside.looking import Looking
from gui.room import Room
from gui.workspaces import INSIDE, Panel

if TYPE_CHECKING:
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class InsideRoom(Room):
    """Shows what the network computes for the current photo."""

    def __init__(self, session: Session, tasks: Tasks, window: MainWindow) -> None:
        super().__init__(session, tasks, window)
        self.panel = InsidePanel()
        self.looking = Looking(self.panel, session, tasks, window)
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
        return [Panel("inside", tr("Inside"), self.panel, right, {INSIDE: 0.66}, "F8")]

    def actions(self) -> list[Action]:
        tabs = (
            ("network", tr("&Network as a drawing"), "Alt+0"),
            ("maps", tr("&Feature maps"), "Alt+1"),
            ("block", tr("&Residual block"), "Alt+2"),
            ("evidence", tr("&Evidence"), "Alt+3"),
            ("compare", tr("&Compare photos"), "Alt+4"),
            ("table", tr("Layer &table"), "Alt+5"),
        )

        def can_look() -> bool:
            session = self.session  # while a model is loaded, what it can do is not known yet
            return session.has_photos and (
                session.model is None or session.can(Capability.SHOW_LAYERS)
            )

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
            Action(
                "look_alikes", tr("Loo&k-alikes of the selected photos"),
                self.look_alikes.find_of_selected, "labels", 3,
                "Ctrl+L", "copy-plus", enabled=can_look,
            ),
        ]  # fmt: skip

    def stop(self) -> bool:
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
