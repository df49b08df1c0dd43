"""Opens the dialogs about the model in use and passes on what the user sets there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QDialog, QFileDialog

from core.images.requests import PreviewPhoto
from core.inference.requests import SaveForPyTorch, SaveModel
from core.inference.saving_onnx import SaveAsOnnx
from core.language import percent, tr
from core.models.families import BY_NAME
from core.models.weights.requests import ListWeights
from gui.models.downloading import Downloading
from gui.models.questions import Questions
from gui.widgets.saving import ask_where_to_save

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing
    from core.images.viewing import ViewedPhoto
    from core.inference.engine import ReadyModel
    from core.models.weights.downloads import Progress
    from core.models.weights.named import Weights
    from core.values.spec import ModelSpec
    from gui.main_window import MainWindow
    from gui.models.model_picker import ModelPicker
    from gui.models.preprocessing_dialog import PreprocessingDialog
    from gui.models.weights_dialog import WeightsDialog
    from gui.session import Session
    from gui.tasks import Tasks


class ModelDialogs(QObject):
    """Each dialog is made when it is first wanted."""

    def __init__(
        self, picker: ModelPicker, session: Session, tasks: Tasks, window: MainWindow
    ) -> None:
        super().__init__()
        self._picker, self._session, self._tasks, self._window = picker, session, tasks, window
        self._downloads = Downloading(tasks)
        self._weights: WeightsDialog | None = None
        self._preprocessing: PreprocessingDialog | None = None
        session.model_changed.connect(self._follow_model)
        session.name_classes = self.open_class_names
        picker.checkpoint_missing.connect(self._look_for_one_of)
        self.questions = Questions(picker, session, tasks, window)
        self._downloads.progressed.connect(self._show_progress)
        self._downloads.ended.connect(self._refresh_weights)

    @Slot()
    def open_class_names(self, file: Path | None = None) -> None:
        """Let the user name the classes of the model in use.

        Args:
            file: whose names stand there at first.
        """
        ready = self._session.model
        if ready is None:
            return
        if not ready.spec.predicts:
            self._window.reporter.say(tr("This model has no head, and so no classes to name."))
            return
        from gui.models.class_names_dialog import ClassNamesDialog

        dialog = ClassNamesDialog(ready.spec, self._session.settings.last_folder, self._window)
        dialog.given.connect(self._override_names)
        if file is not None:
            dialog.take_file(file)
        self._open(dialog)

    @Slot()
    def open_details(self) -> None:
        """Say all that is known of the model in use."""
        ready = self._session.model
        if ready is None:
            return
        from gui.models.details_dialog import DetailsDialog

        dialog = DetailsDialog(ready.spec, self._window)
        dialog.overrides.connect(self._picker.override)
        dialog.finished.connect(self._after_details)
        self._open(dialog)

    @Slot(int)
    def _after_details(self, result: int) -> None:
        from gui.models.details_dialog import ASK

        if result == ASK and self._session.model is not None:
            self.questions.ask_about(self._session.model)

    @Slot()
    def open_preprocessing(self) -> None:
        """Let the user change the way from photo to input."""
        ready = self._session.model
        if ready is None:
            return
        from gui.models.preprocessing_dialog import PreprocessingDialog

        if self._preprocessing is not None:
            self._preprocessing.close()
        found, spec = ready.spec.inspection.preprocessing, ready.spec
        assert found is not None
        dialog = PreprocessingDialog(found, spec.preprocessing, spec.architecture, self._window)
        dialog.preview_wanted.connect(self._preview)
        dialog.applied.connect(self._override_preprocessing)
        dialog.finished.connect(self._forget_preprocessing)
        self._preprocessing = dialog
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    @Slot()
    @Slot(str)
    def open_weights(self, architecture: str = "", why: str = "") -> None:
        """Offer torchvision's own weights, of one architecture or all, and say why."""
        from gui.models.weights_dialog import WeightsDialog

        if self._weights is None:
            dialog = WeightsDialog(
                self._session.settings.mirror, self._last_folder, self._downloads, self._window
            )
            dialog.picked.connect(self._use_weights)
            dialog.own_file_wanted.connect(self._open_own)
            dialog.mirror_changed.connect(self._remember_mirror)
            self._weights = dialog
            self._tasks.ask(ListWeights(), dialog.show_weights)
        title = BY_NAME[architecture].title if architecture in BY_NAME else ""
        self._weights.open_for(architecture, title, why)

    @Slot(str)
    def _look_for_one_of(self, architecture: str) -> None:
        """Offer weights of an architecture; there are none to download but torchvision's."""
        if architecture in BY_NAME:
            title = BY_NAME[architecture].title
            self.open_weights(
                architecture, tr("The model in use is no {title}; these are.", title=title)
            )
        else:
            self._open_own(architecture)

    @Slot()
    def save_model(self) -> None:
        """Write the model in use as a file that opens with no question."""
        ready = self._session.model
        if ready is None:
            return
        path = self._ask_where(tr("Save the model"), ".safetensors", tr("Models (*.safetensors)"))
        if path is None:
            return
        self._session.remember(last_folder=str(path.parent))
        self._tasks.ask(SaveModel(path), partial(self._tell_saved, ready.spec))

    def save_for_pytorch(self) -> None:
        """Write the model in use for people who program."""
        ready = self._session.model
        if ready is None:
            return
        start = Path(self._session.settings.last_folder) / f"{ready.spec.checkpoint.stem} PyTorch"
        file, _ = QFileDialog.getSaveFileName(
            self._window, tr("Folder to make for PyTorch"), str(start), tr("Folders (*)")
        )
        if file:
            self._session.remember(last_folder=str(Path(file).parent))
            self._tasks.ask(SaveForPyTorch(Path(file)), self._tell_saved_for_pytorch)

    def save_as_onnx(self) -> None:
        """Write the model in use for programs that run ONNX."""
        if self._session.model is None:
            return
        path = self._ask_where(tr("Save as ONNX"), ".onnx", tr("ONNX networks (*.onnx)"))
        if path is None:
            return
        self._session.remember(last_folder=str(path.parent))
        self._window.note(tr("{path} is being made; that takes some seconds.", path=path))
        self._tasks.stream(SaveAsOnnx(path), self._tell_saved_as_onnx)

    def _ask_where(self, title: str, ending: str, kinds: str) -> Path | None:
        assert self._session.model is not None
        name = self._session.model.spec.checkpoint.stem + ending
        return ask_where_to_save(
            self._window, title, Path(self._session.settings.last_folder) / name, kinds
        )

    def _tell_saved_as_onnx(self, found: list[Path | None]) -> None:
        if found[-1] is not None:
            self._window.note(
                tr(
                    "{path} holds the model for ONNX Runtime and others, with class names and "
                    "preprocessing.",
                    path=found[-1],
                )
            )

    def _tell_saved_for_pytorch(self, folder: Path) -> None:
        self._window.note(
            tr("{folder} holds the model, a script that opens it, and a note.", folder=folder)
        )

    def _tell_saved(self, spec: ModelSpec, path: Path) -> None:
        if spec.unanswered:
            self._window.note(
                tr(
                    "The model is saved as {path}, with what was assumed of it; that file asks no "
                    "questions.",
                    path=path,
                )
            )
            return
        self._window.note(
            tr("The model is saved as {path}, with class names and preprocessing.", path=path)
        )

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    @Slot(object)
    def _override_names(self, names: tuple[str, ...] | None) -> None:
        self._picker.override(replace(self._picker.overrides, class_names=names))

    @Slot(object)
    def _override_preprocessing(self, preprocessing: Preprocessing | None) -> None:
        self._picker.override(replace(self._picker.overrides, preprocessing=preprocessing))

    @Slot(object)
    def _preview(self, preprocessing: Preprocessing) -> None:
        current, dialog = self._session.current, self._preprocessing
        if dialog is None:
            return
        if current is None:
            dialog.show_no_photo()
            return
        request = PreviewPhoto(current, preprocessing)
        self._tasks.ask(request, self._show_preview, self._show_no_preview)

    def _show_preview(self, photo: ViewedPhoto) -> None:
        if self._preprocessing is not None:
            self._preprocessing.show_preview(photo)

    def _show_no_preview(self, error: BaseException) -> None:
        if self._preprocessing is not None:
            self._preprocessing.show_refusal(self._window.expected(error))

    @Slot()
    def _forget_preprocessing(self) -> None:
        self._preprocessing = None

    @Slot(object)
    def _follow_model(self, ready: ReadyModel) -> None:
        """Close an editor that is about another file than the one in use now."""
        editor = self._preprocessing
        if editor is not None and editor.found != ready.spec.inspection.preprocessing:
            editor.close()

    def _last_folder(self) -> str:
        return self._session.settings.last_folder

    @Slot(object)
    def _show_progress(self, progress: Progress) -> None:
        if self._weights is None:
            return
        self._weights.show_progress(progress)
        if self._weights.isVisible():
            return
        if progress.state == "failed":
            self._window.reporter.say(progress.problem)
        elif progress.state == "downloading":
            share = percent(progress.done_bytes / max(1, progress.total_bytes))
            self._window.note(
                tr("Downloading {name}: {share}", name=progress.weights.title, share=share)
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
        if not architecture:
            self._picker.ask_for_checkpoint()
            return
        title = BY_NAME[architecture].title if architecture in BY_NAME else architecture
        path = self._picker.look_for_checkpoint(
            tr("Choose the checkpoint of the {name}", name=title)
        )
        if path is not None:
            self._picker.pick_both(path, architecture)

    @Slot(str)
    def _remember_mirror(self, address: str) -> None:
        self._session.remember(mirror=address)
