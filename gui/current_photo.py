"""Keeps viewer, predictions and feature maps on the photo that is chosen in the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from core.errors import DroplensError, UnreadableImageError

if TYPE_CHECKING:
    from core.images.loader import ViewedPhoto
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.lens import BlockOfPhoto, EvidenceOfPhoto
    from core.inside.summary import LayerTable
    from gui.engine_bridge import EngineBridge
    from gui.images.gallery_panel import GalleryPanel
    from gui.images.viewer import PhotoViewer
    from gui.inference.classifying import Classifying
    from gui.inference.predictions_panel import PredictionsPanel
    from gui.inside.inside_panel import InsidePanel
    from gui.models.model_picker import ModelPicker


class CurrentPhoto(QObject):
    """Asks for what the panels show of the current photo, and drops answers for others."""

    refused = Signal(str)
    """A sentence that says why something could not be done."""
    surprised = Signal(object)
    """An exception that nobody expected."""

    def __init__(
        self,
        gallery: GalleryPanel,
        viewer: PhotoViewer,
        predictions: PredictionsPanel,
        inside: InsidePanel,
        bridge: EngineBridge,
        picker: ModelPicker,
        classifying: Classifying,
    ) -> None:
        super().__init__()
        self.gallery, self.viewer = gallery, viewer
        self.predictions, self.inside = predictions, inside
        self.bridge, self.picker, self.classifying = bridge, picker, classifying
        gallery.current_changed.connect(self._show_current)
        viewer.canvas.stepped.connect(gallery.step)
        viewer.page_wanted.connect(self._show_page)
        viewer.pages_wanted_apart.connect(self._make_photos_of_pages)
        bridge.pages_failed.connect(self._report_pages)
        bridge.photo_ready.connect(self._show_photo)
        bridge.photo_failed.connect(self._show_photo_error)
        bridge.layer_table_ready.connect(self._show_table)
        bridge.layer_table_failed.connect(self._show_table_error)
        bridge.block_ready.connect(self._show_block)
        bridge.block_failed.connect(self._show_block_error)
        bridge.evidence_ready.connect(self._show_evidence)
        bridge.evidence_failed.connect(self._show_evidence_error)
        bridge.compared.connect(inside.compare.add)
        bridge.before_and_after_ready.connect(inside.compare.show_before_and_after)
        inside.maps.order_changed.connect(self._follow_order)
        bridge.comparison_failed.connect(self._show_comparison_error)
        inside.compare.photo_chosen.connect(gallery.show_photo)
        gallery.view.selectionModel().selectionChanged.connect(self._follow_selection)
        bridge.feature_maps_ready.connect(self._show_maps)
        bridge.feature_maps_failed.connect(self._show_maps_error)
        inside.layer_chosen.connect(self._request_inside)
        inside.tab_changed.connect(self._request_inside)
        inside.block.block_chosen.connect(self._request_inside)
        inside.map_chosen.connect(viewer.show_map)
        viewer.map_removed.connect(inside.forget_map)

    def use_model(self) -> None:
        """Look at the photo anew with the model that has just opened."""
        self.viewer.remove_map()
        self.inside.compare.forget()
        self._request_photo()
        self._request_inside()
        self.bridge.request_layer_table(self.gallery.current)

    @Slot(object)
    def _show_current(self, path: Path | None) -> None:
        if path is None:
            self.viewer.clear()
            self.inside.clear()
            self.predictions.show_waiting("")
            return
        self.viewer.announce(path.name)
        self._request_photo()
        self.classifying.put_first(path)
        self.show_prediction()
        self._request_inside()
        if self.picker.ready is not None:
            self.bridge.request_layer_table(path)

    def _request_photo(self) -> None:
        current, ready = self.gallery.current, self.picker.ready
        if current is not None:
            self.bridge.view(current, ready.spec.preprocessing if ready is not None else None)

    @Slot(int)
    def _show_page(self, page: int) -> None:
        if page == 0:
            self._request_photo()
        elif self.gallery.current is not None:
            self.bridge.view(self.gallery.current, None, page)

    @Slot()
    def _make_photos_of_pages(self) -> None:
        if self.gallery.current is not None:
            self.bridge.save_pages(self.gallery.current)

    @Slot(object)
    def _report_pages(self, error: BaseException) -> None:
        if isinstance(error, DroplensError):
            self.refused.emit(str(error))
        else:
            self.surprised.emit(error)

    def show_prediction(self) -> None:
        """Show what the model says of the photo, or what it waits for."""
        current = self.gallery.current
        row = self.gallery.row(current) if current is not None else None
        panel = self.predictions
        if row is not None and row.prediction is not None:
            panel.show_prediction(row.prediction)
            if self.inside.tab == "evidence":
                self._request_inside()
        elif self.picker.ready is None:
            panel.show_waiting(self.tr("The model is being loaded…"))
        elif not self.picker.ready.spec.predicts:
            panel.show_waiting(
                self.tr("This model has no head, so it predicts nothing. Its feature maps show.")
            )
        elif self.classifying.is_running:
            panel.show_waiting(self.tr("Waiting for its turn…"))
        else:
            panel.show_waiting(self.tr("Not classified. F5 classifies all photos again."))

    @Slot(object)
    def _show_photo(self, photo: ViewedPhoto) -> None:
        if photo.path == self.gallery.current:
            self.viewer.show_photo(photo)
            self.inside.enlarge_again(photo.path)

    @Slot(object)
    def _show_photo_error(self, error: BaseException) -> None:
        self.viewer.show_error(self._expected(error))

    @Slot(object)
    def _show_table(self, table: LayerTable) -> None:
        if self.inside.set_table(table):
            self._request_inside()

    @Slot(object)
    def _show_table_error(self, error: BaseException) -> None:
        if not isinstance(error, UnreadableImageError):  # the viewer says why
            self._expected(error)

    @Slot()
    def _request_inside(self) -> None:
        """Ask for what the tab in front shows of the photo."""
        current, layer = self.gallery.current, self.inside.layer
        if current is None or self.picker.ready is None:
            return
        tab = self.inside.tab
        if tab != "compare":
            self.bridge.stop_comparison()
        if tab == "maps" and layer is not None:
            wanted = self._class_asked_about(current)
            self.bridge.request_feature_maps(current, layer.name, self.inside.call, wanted)
        elif tab == "block" and self.inside.block.name:
            self.bridge.request_block(current, self.inside.block.name)
        elif tab == "compare" and layer is not None:
            self._compare(layer.name)
        elif tab == "evidence":
            row = self.gallery.row(current)
            classes = self.inside.evidence.wanted(None if row is None else row.prediction)
            if classes:
                self.bridge.request_evidence(current, classes)

    def _compare(self, layer: str) -> None:
        """Look at the layer over the selected photos, or over all where one is selected."""
        selected = self.gallery.selected()
        before = self.inside.compare.images
        images = tuple(selected if len(selected) > 1 else self.gallery.paths())
        if len(selected) < 2 and self.gallery.current in before:
            images = before  # one of those compared was chosen, to look at it
        asked = (images, layer, max(1, self.inside.call), self.inside.maps.channel)
        if self.inside.compare.begin(*asked):
            self.bridge.compare(*asked)
        current, ready = self.gallery.current, self.picker.ready
        assert ready is not None
        edited = ready.spec.preprocessing != ready.spec.inspection.preprocessing
        if edited and current is not None:
            self.bridge.request_before_and_after(current, *asked[1:])
        else:
            self.inside.compare.show_before_and_after(None)

    def _class_asked_about(self, image: Path) -> int | None:
        """Return the likeliest class, where the maps are sorted by their say for it."""
        if self.inside.maps.order != "class":
            return None
        row = self.gallery.row(image)
        top = row.prediction.top if row is not None and row.prediction is not None else ()
        if not top or self.picker.ready is None:
            return None
        return 0 if self.picker.ready.spec.inspection.num_classes == 1 else top[0].class_index

    @Slot(str)
    def _follow_order(self, order: str) -> None:
        if order == "class":
            self._request_inside()

    @Slot()
    def _follow_selection(self) -> None:
        if self.inside.tab == "compare" and len(self.gallery.selected()) > 1:
            self._request_inside()

    @Slot(object)
    def _show_comparison_error(self, error: BaseException) -> None:
        self.inside.compare.show_error(self._expected(error))

    @Slot(object)
    def _show_maps(self, found: FeatureMapsOfPhoto) -> None:
        layer, call = self.inside.layer, self.inside.call
        asked = (self.gallery.current, layer and layer.name, call == 0, max(1, call))
        if asked == (found.image, found.maps.layer, found.is_attention, found.maps.call):
            self.inside.maps.show_maps(found)

    @Slot(object)
    def _show_block(self, found: BlockOfPhoto) -> None:
        name = found.block.info.name + (f":{found.block.part}" if found.block.part else "")
        if (self.gallery.current, self.inside.block.name) == (found.image, name):
            self.inside.block.show_block(found)

    @Slot(object)
    def _show_evidence(self, found: EvidenceOfPhoto) -> None:
        if self.gallery.current == found.image:
            self.inside.evidence.show_evidence(found)

    @Slot(object)
    def _show_maps_error(self, error: BaseException) -> None:
        self.inside.maps.show_error(self._none_of_this_photo(error))

    @Slot(object)
    def _show_block_error(self, error: BaseException) -> None:
        self.inside.block.show_error(self._none_of_this_photo(error))

    @Slot(object)
    def _show_evidence_error(self, error: BaseException) -> None:
        self.inside.evidence.show_error(self._none_of_this_photo(error))

    def _none_of_this_photo(self, error: BaseException) -> str:
        if isinstance(error, UnreadableImageError):  # the viewer says why
            return self.tr("Nothing of this photo.")
        return self._expected(error)

    def _expected(self, error: BaseException) -> str:
        """Return the sentence for a panel; an unexpected error is reported as well."""
        if isinstance(error, DroplensError):
            return str(error)
        self.surprised.emit(error)
        return self.tr("This did not work; see the message above.")
