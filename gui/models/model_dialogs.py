"""Opens the dialogs about the model in use and passes on what the user settles there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QFileDialog

from core.models.architectures import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from core.images.loader import ViewedPhoto
    from core.images.preprocessing import Preprocessing
    from core.inference.engine import ReadyModel
    from core.models.downloads import Progress
    from core.models.weights import Weights
    from core.settings import Settings
    from gui.engine_bridge import EngineBridge
    from gui.models.model_picker import ModelPicker
    from gui.models.preprocessing_dialog import PreprocessingDialog
    from gui.models.weights_dialog import WeightsDialog


class ModelDialogs(QObject):
    """Each dialog is made when it is first wanted."""

    noted = Signal(str)
    """What is going on, for the bar at the bottom."""
    refused = Signal(str)
    """A sentence that says why something did not work, while its dialog is closed."""

    def __init__(
        self,
        window: QWidget,
        picker: ModelPicker,
        bridge: EngineBridge,
        settings: Settings,
        current_photo: Callable[[], Path | None],
    ) -> None:
        """Wait for wishes.

        Args:
            window: over which the dialogs stand.
            picker: opens models, and knows the one in use.
            bridge: to the engine and the loader.
            settings: hold the mirror and the last folder.
            current_photo: the photo that a preview is made of.
        """
        super().__init__()
        self._window, self._picker, self._bridge = window, picker, bridge
        self._settings, self._current_photo = settings, current_photo
        self._weights: WeightsDialog | None = None
        self._preprocessing: PreprocessingDialog | None = None
        picker.opened.connect(self._follow_model)
        picker.checkpoint_missing.connect(self.open_weights)
        bridge.preview_ready.connect(self._show_preview)
        bridge.weights_listed.connect(self._list_weights)
        bridge.download_progressed.connect(self._show_progress)
        bridge.weights_file_taken.connect(self._use_weights)
        bridge.not_written.connect(self._refresh_weights)

    @Slot()
    def open_class_names(self) -> None:
        """Let the user name the classes of the model in use."""
        ready = self._picker.ready
        if ready is None:
            return
        if not ready.spec.predicts:
            self.refused.emit(self.tr("This model has no head, and so no classes to name."))
            return
        from gui.models.class_names_dialog import ClassNamesDialog

        dialog = ClassNamesDialog(ready.spec, self._settings.last_folder, self._window)
        dialog.given.connect(self._settle_names)
        self._open(dialog)

    @Slot()
    def open_details(self) -> None:
        """Say all that is known of the model in use."""
        ready = self._picker.ready
        if ready is None:
            return
        from gui.models.details_dialog import DetailsDialog

        dialog = DetailsDialog(ready.spec, self._window)
        dialog.settled.connect(self._picker.settle)
        self._open(dialog)

    @Slot()
    def open_preprocessing(self) -> None:
        """Let the user change the way from photo to input."""
        ready = self._picker.ready
        if ready is None:
            return
        from gui.models.preprocessing_dialog import PreprocessingDialog

        if self._preprocessing is not None:
            self._preprocessing.close()
        found, spec = ready.spec.inspection.preprocessing, ready.spec
        assert found is not None
        dialog = PreprocessingDialog(found, spec.preprocessing, spec.architecture, self._window)
        dialog.preview_wanted.connect(self._preview)
        dialog.applied.connect(self._settle_preprocessing)
        dialog.finished.connect(self._forget_preprocessing)
        self._preprocessing = dialog
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    @Slot()
    @Slot(str)
    def open_weights(self, architecture: str = "") -> None:
        """Offer torchvision's own weights, of one architecture or all."""
        from gui.models.weights_dialog import WeightsDialog

        if self._weights is None:
            dialog = WeightsDialog(
                self._settings.mirror, lambda: self._settings.last_folder, self._window
            )
            dialog.picked.connect(self._use_weights)
            dialog.download_wanted.connect(self._download)
            dialog.pause_wanted.connect(self._bridge.pause_download)
            dialog.cancel_wanted.connect(self._bridge.cancel_download)
            dialog.file_given.connect(self._bridge.take_weights_file)
            dialog.own_file_wanted.connect(self._open_own)
            dialog.mirror_changed.connect(self._remember_mirror)
            self._weights = dialog
            self._bridge.list_weights()
        title = BY_NAME[architecture].title if architecture in BY_NAME else ""
        self._weights.open_for(architecture, title)

    @Slot()
    def save_model(self) -> None:
        """Write the model in use as a file that opens with no question."""
        ready = self._picker.ready
        if ready is None:
            return
        start = Path(self._settings.last_folder) / f"{ready.spec.checkpoint.stem}.safetensors"
        file, _ = QFileDialog.getSaveFileName(
            self._window,
            self.tr("Save the model"),
            str(start),
            self.tr("Models (*.safetensors)"),
        )
        if not file:
            return
        path = Path(file)
        if path.suffix != ".safetensors":
            path = path.with_name(f"{path.name}.safetensors")
        self._settings.last_folder = str(path.parent)
        told = self.tr("The model is saved as {path}, with class names and preprocessing.").format(
            path=path
        )
        self._bridge.save_model(path, told)

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    @Slot(object)
    def _settle_names(self, names: tuple[str, ...] | None) -> None:
        self._picker.settle(replace(self._picker.settled, class_names=names))

    @Slot(object)
    def _settle_preprocessing(self, preprocessing: Preprocessing | None) -> None:
        self._picker.settle(replace(self._picker.settled, preprocessing=preprocessing))

    @Slot(object)
    def _preview(self, preprocessing: Preprocessing) -> None:
        path = self._current_photo()
        if path is not None:
            self._bridge.preview(path, preprocessing)
        elif self._preprocessing is not None:
            self._preprocessing.show_no_photo()

    @Slot(object)
    def _show_preview(self, photo: ViewedPhoto) -> None:
        if self._preprocessing is not None:
            self._preprocessing.show_preview(photo)

    @Slot()
    def _forget_preprocessing(self) -> None:
        self._preprocessing = None

    @Slot(object)
    def _follow_model(self, ready: ReadyModel) -> None:
        """Close an editor that is about another file than the one in use now."""
        editor = self._preprocessing
        if editor is not None and editor.found != ready.spec.inspection.preprocessing:
            editor.close()

    @Slot(object)
    def _list_weights(self, found: tuple[Weights, ...]) -> None:
        if self._weights is not None:
            self._weights.show_weights(found)

    @Slot(object)
    def _download(self, weights: Weights) -> None:
        self._bridge.start_download(weights, self._settings.mirror)

    @Slot(object)
    def _show_progress(self, progress: Progress) -> None:
        if self._weights is None:
            return
        self._weights.show_progress(progress)
        if self._weights.isVisible():
            return
        if progress.state == "failed":
            self.refused.emit(progress.problem)
        elif progress.state == "downloading":
            share = progress.done_bytes / max(1, progress.total_bytes)
            self.noted.emit(
                self.tr("Downloading {name}: {share}").format(
                    name=progress.weights.title, share=f"{share:.0%}"
                )
            )

    @Slot(object)
    def _use_weights(self, weights: Weights) -> None:
        if self._weights is not None:
            self._weights.refresh()
            self._weights.hide()
        self._picker.pick_both(weights.path, weights.architecture)

    @Slot()
    def _refresh_weights(self) -> None:
        if self._weights is not None:
            self._weights.refresh()

    @Slot(str)
    def _open_own(self, architecture: str) -> None:
        if architecture not in BY_NAME:
            self._picker.ask_for_checkpoint()
            return
        title = BY_NAME[architecture].title
        path = self._picker.look_for_checkpoint(
            self.tr("Choose the checkpoint of the {name}").format(name=title)
        )
        if path is not None:
            self._picker.pick_both(path, architecture)

    @Slot(str)
    def _remember_mirror(self, address: str) -> None:
        self._settings.mirror = address
