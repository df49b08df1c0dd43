"""Keeps viewer, predictions and feature maps on the photo that is chosen in the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from core.errors import DroplensError, UnreadableImageError

if TYPE_CHECKING:
    from core.images.loader import ViewedPhoto
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.layers import Layer
    from gui.engine_bridge import EngineBridge
    from gui.images.gallery_panel import GalleryPanel
    from gui.images.viewer import PhotoViewer
    from gui.inference.classifying import Classifying
    from gui.inference.predictions_panel import PredictionsPanel
    from gui.inside.feature_maps_panel import FeatureMapsPanel
    from gui.models.model_picker import ModelPicker


class CurrentPhoto(QObject):
    """Asks for what the panels show of the current photo, and drops answers for others."""

    surprised = Signal(object)
    """An exception that nobody expected."""

    def __init__(
        self,
        gallery: GalleryPanel,
        viewer: PhotoViewer,
        predictions: PredictionsPanel,
        feature_maps: FeatureMapsPanel,
        bridge: EngineBridge,
        picker: ModelPicker,
        classifying: Classifying,
    ) -> None:
        super().__init__()
        self.gallery, self.viewer = gallery, viewer
        self.predictions, self.feature_maps = predictions, feature_maps
        self.bridge, self.picker, self.classifying = bridge, picker, classifying
        gallery.current_changed.connect(self._show_current)
        viewer.canvas.stepped.connect(gallery.step)
        bridge.photo_ready.connect(self._show_photo)
        bridge.photo_failed.connect(self._show_photo_error)
        bridge.layers_listed.connect(self._offer_layers)
        bridge.feature_maps_ready.connect(self._show_maps)
        bridge.feature_maps_failed.connect(self._show_maps_error)
        feature_maps.layer_chosen.connect(self._request_maps)
        feature_maps.map_chosen.connect(viewer.show_map)
        viewer.map_removed.connect(feature_maps.forget_channel)

    def use_model(self) -> None:
        """Look at the photo anew with the model that has just opened."""
        self.viewer.remove_map()
        self.bridge.list_layers()
        self._request_photo()

    @Slot(object)
    def _show_current(self, path: Path | None) -> None:
        if path is None:
            self.viewer.clear()
            self.feature_maps.clear()
            self.predictions.show_waiting("")
            return
        self.viewer.announce(path.name)
        self._request_photo()
        self.classifying.put_first(path)
        self.show_prediction()
        self._request_maps()

    def _request_photo(self) -> None:
        current, ready = self.gallery.current, self.picker.ready
        if current is not None:
            self.bridge.view(current, ready.spec.preprocessing if ready is not None else None)

    def show_prediction(self) -> None:
        """Show what the model says of the photo, or what it waits for."""
        current = self.gallery.current
        row = self.gallery.row(current) if current is not None else None
        panel = self.predictions
        if row is not None and row.prediction is not None:
            panel.show_prediction(row.prediction)
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
            self.feature_maps.enlarge_again(photo.path)

    @Slot(object)
    def _show_photo_error(self, error: BaseException) -> None:
        self.viewer.show_error(self._expected(error))

    @Slot(object)
    def _offer_layers(self, layers: tuple[Layer, ...]) -> None:
        self.feature_maps.set_layers(layers)

    @Slot()
    def _request_maps(self) -> None:
        current, layer = self.gallery.current, self.feature_maps.layer
        if current is not None and layer is not None and self.picker.ready is not None:
            self.bridge.request_feature_maps(current, layer.name, layer.call)

    @Slot(object)
    def _show_maps(self, found: FeatureMapsOfPhoto) -> None:
        layer = self.feature_maps.layer
        asked = (self.gallery.current, layer and layer.name, layer and layer.call)
        if asked == (found.image, found.maps.layer, found.maps.call):
            self.feature_maps.show_maps(found)

    @Slot(object)
    def _show_maps_error(self, error: BaseException) -> None:
        sentence = self._expected(error)
        if isinstance(error, UnreadableImageError):  # the viewer says why
            sentence = self.tr("No feature maps for this photo.")
        self.feature_maps.show_error(sentence)

    def _expected(self, error: BaseException) -> str:
        """Return the sentence for a panel; an unexpected error is reported as well."""
        if isinstance(error, DroplensError):
            return str(error)
        self.surprised.emit(error)
        return self.tr("This did not work; see the message above.")
