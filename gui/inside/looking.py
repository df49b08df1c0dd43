"""Asks for what the tab in front shows of the current photo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from core.errors import UnreadableImageError
from core.inside.names import ATTENTION, BlockName
from core.inside.requests import (
    AttentionMaps,
    BeforeAndAfter,
    Block,
    Compare,
    Evidence,
    FeatureMaps,
    Layers,
)
from core.language import tr
from gui.inside.answers import answer_of

if TYPE_CHECKING:
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.lens import BlockOfPhoto, EvidenceOfPhoto
    from core.inside.summary import LayerTable
    from core.values.predictions import Prediction
    from core.work.handles import Handle
    from gui.inside.inside_panel import InsidePanel
    from gui.main_window import MainWindow
    from gui.session import Session
    from gui.tasks import Tasks


class Looking(QObject):
    """Keeps the panel on the current photo; answers for others are dropped."""

    def __init__(
        self, panel: InsidePanel, session: Session, tasks: Tasks, window: MainWindow
    ) -> None:
        super().__init__()
        self._panel, self._session, self._tasks, self._window = panel, session, tasks, window
        self._comparison: Handle[None] | None = None
        self._evidence: Handle[None] | None = None
        self._network: list[object] | None = None
        session.current_changed.connect(self._follow_current)
        session.model_changed.connect(self._follow_model)
        session.predicted.connect(self._follow_predictions)
        session.photo_shown.connect(panel.enlarge_again)
        session.selection.selectionChanged.connect(self._follow_selection)
        panel.shown = self._follow_panel
        panel.layer_chosen.connect(self.look)
        panel.tab_changed.connect(self.look)
        panel.block.block_chosen.connect(self.look)
        panel.maps.order_changed.connect(self._follow_order)
        panel.compare.photo_chosen.connect(session.show_photo)

    @Slot()
    def look(self) -> None:
        """Ask for what the tab in front shows of the photo."""
        self._drop_evidence()
        if not self._panel.isVisible():
            return
        current, layer, tab = self._session.current, self._panel.layer, self._panel.tab
        if current is None or self._session.model is None:
            return
        if tab != "compare" and self._comparison is not None:
            self._comparison.drop()
            self._comparison = None
        if tab in ("network", "maps") and layer is not None:
            self._ask_for_maps(current, layer.name, self._panel.call)
        elif tab == "block" and self._panel.block.name is not None:
            request = Block(current, self._panel.block.name)
            self._tasks.ask(request, self._show_block, self._show_block_error)
        elif tab == "compare" and layer is not None:
            self._compare(layer.name)
        elif tab == "evidence" and self._session.taught is not None:
            self._panel.evidence.show_error(
                tr(
                    "The proposals are of your labels. Teach a model (Labels menu) and use it to "
                    "see where its evidence lies."
                )
            )
        elif tab == "evidence":
            row = self._session.photos.row(current)
            classes = self._panel.evidence.wanted(None if row is None else row.prediction)
            if classes:
                self._evidence = self._tasks.stream(
                    Evidence(current, classes),
                    self._show_evidence,
                    otherwise=self._show_evidence_error,
                )

    # What is followed

    def _follow_panel(self) -> None:
        if self._session.current is not None:
            self.look()
            self._ask_for_layers()

    @Slot(object)
    def _follow_current(self, path: Path | None) -> None:
        if path is None:
            self._drop_evidence()
            self._panel.clear()
            return
        self.look()
        self._ask_for_layers()

    @Slot()
    def _follow_model(self) -> None:
        self._panel.compare.forget()
        spec = None if self._session.model is None else self._session.model.spec
        network = None if spec is None else spec.network_key
        if network != self._network:  # else its layers are the same
            self._network = network
            self._panel.forget()
        self.look()
        self._ask_for_layers()

    @Slot(list)
    def _follow_predictions(self, predictions: list[Prediction]) -> None:
        current = self._session.current
        if any(one.photo == current for one in predictions):
            self._tell_answer()
        if self._panel.tab == "evidence" and any(one.photo == current for one in predictions):
            self.look()

    def _tell_answer(self) -> None:
        """Let the drawing say what the model says of the photo."""
        answer = answer_of(self._session, self._session.current)
        self._panel.network.set_answer(answer)

    @Slot(str)
    def _follow_order(self, order: str) -> None:
        self._session.remember(feature_maps_order=order)
        if order == "class":
            self.look()

    @Slot()
    def _follow_selection(self) -> None:
        if self._panel.tab == "compare" and self._session.selected_count > 1:
            self.look()

    # Layers

    def _ask_for_layers(self) -> None:
        if self._session.model is not None and self._panel.isVisible():
            self._panel.network.wait()
            self._tell_answer()
            request = Layers(self._session.current)
            self._tasks.ask(request, self._show_layers, self._show_layers_error)

    def _show_layers(self, table: LayerTable) -> None:
        if self._panel.set_table(table):
            self.look()

    def _show_layers_error(self, error: BaseException) -> None:
        if isinstance(error, UnreadableImageError):  # the viewer says why
            self._panel.network.clear_pictures()
        else:
            self._panel.show_no_layers(self._window.expected(error))

    # Maps

    def _ask_for_maps(self, photo: Path, layer: str, call: int) -> None:
        request: AttentionMaps | FeatureMaps
        if call == ATTENTION:
            request = AttentionMaps(photo, layer)
        else:
            request = FeatureMaps(photo, layer, call, self._class_asked_about(photo))
        self._tasks.ask(request, self._show_maps, self._show_maps_error)

    def _class_asked_about(self, photo: Path) -> int | None:
        """Return the likeliest class, where the maps are sorted by their say for it."""
        model = self._session.model
        row = self._session.photos.row(photo)
        if self._panel.maps.order != "class" or row is None or row.prediction is None:
            return None
        if self._session.taught is not None:  # what it says is not of the network's own classes
            return None
        top = row.prediction.top
        if not top or model is None:
            return None
        return 0 if model.spec.inspection.num_classes == 1 else top[0].class_index

    def _show_maps(self, found: FeatureMapsOfPhoto) -> None:
        layer, call = self._panel.layer, self._panel.call
        asked = (self._session.current, layer and layer.name, call == ATTENTION, max(1, call))
        if asked == (found.photo, found.maps.layer, found.is_attention, found.maps.call):
            self._panel.maps.show_maps(found)

    def _show_maps_error(self, error: BaseException) -> None:
        self._panel.maps.show_error(self._none_of_this_photo(error))

    # Block, evidence

    def _show_block(self, found: BlockOfPhoto) -> None:
        name = BlockName(found.block.info.name, found.block.part)
        if (self._session.current, self._panel.block.name) == (found.photo, name):
            self._panel.block.show_block(found)

    def _show_block_error(self, error: BaseException) -> None:
        self._panel.block.show_error(self._none_of_this_photo(error))

    def _drop_evidence(self) -> None:
        """End what is looked for: of another photo, model or tab, or about to be asked anew."""
        if self._evidence is not None:
            self._evidence.drop()
            self._evidence = None

    def _show_evidence(self, found: list[EvidenceOfPhoto]) -> None:
        if self._session.current == found[-1].photo:
            self._panel.evidence.show_evidence(found[-1])

    def _show_evidence_error(self, error: BaseException) -> None:
        self._panel.evidence.show_error(self._none_of_this_photo(error))

    # Comparison

    def _compare(self, layer: str) -> None:
        """Look at the layer over the selected photos, or over all where one is selected."""
        view, session = self._panel.compare, self._session
        selected = session.selected()
        photos = tuple(selected if len(selected) > 1 else _paths(session))
        if len(selected) < 2 and session.current in view.images:
            photos = view.images  # one of those compared was chosen, to look at it
        channel = (layer, max(1, self._panel.call), self._panel.maps.channel)
        if view.begin(photos, *channel):
            self._comparison = self._tasks.stream(
                Compare(photos, *channel), view.add, otherwise=self._show_comparison_error
            )
        assert session.model is not None
        spec = session.model.spec
        if spec.preprocessing != spec.inspection.preprocessing and session.current is not None:
            self._tasks.ask(
                BeforeAndAfter(session.current, *channel),
                view.show_before_and_after,
                self._show_comparison_error,
            )
        else:
            view.show_before_and_after(None)

    def _show_comparison_error(self, error: BaseException) -> None:
        self._panel.compare.show_error(self._window.expected(error))

    def _none_of_this_photo(self, error: BaseException) -> str:
        if isinstance(error, UnreadableImageError):  # the viewer says why
            return tr("Nothing of this photo.")
        return self._window.expected(error)


def _paths(session: Session) -> list[Path]:
    return [row.path for row in session.photos.rows()]
