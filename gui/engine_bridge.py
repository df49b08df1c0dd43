"""Passes what the window wants to the engine and the image loader."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot

from gui.futures import FutureWatcher

if TYPE_CHECKING:
    from core.images.loader import ImageLoader
    from core.images.preprocessing import Preprocessing
    from core.inference.engine import Engine, ReadyModel
    from core.inference.predictions import Prediction
    from core.inference.runs import Comparison, Run
    from core.inference.speed import Speed
    from core.inside.lens import ComparedPhoto
    from core.models.downloads import Downloads, Progress
    from core.models.spec import ModelChoice
    from core.models.weights import Weights


CHUNK_MS = 50
"""Predictions reach the window in chunks, at most 20 a second."""


class EngineBridge(FutureWatcher):
    """Passes requests to the engine and the image loader and brings the answers back."""

    model_opened = Signal(object)
    """ReadyModel."""
    model_failed = Signal(object)
    """An exception; the model before stays in use."""
    layer_table_ready = Signal(object)
    """LayerTable."""
    layer_table_failed = Signal(object)
    """An exception."""
    block_ready = Signal(object)
    """BlockOfPhoto."""
    block_failed = Signal(object)
    """An exception."""
    evidence_ready = Signal(object)
    """EvidenceOfPhoto."""
    evidence_failed = Signal(object)
    """An exception."""
    compared = Signal(list)
    """ComparedPhotos of the comparison in progress, in chunks."""
    before_and_after_ready = Signal(object)
    """Two ComparedPhotos of one photo: under the checkpoint's preprocessing, and the user's."""
    alike_told = Signal(list)
    """Pairs of a path and its likeness, in chunks."""
    look_alikes_found = Signal()
    """All photos were compared, or it was stopped."""
    look_alikes_failed = Signal(object)
    """An exception."""
    comparison_failed = Signal(object)
    """An exception."""
    feature_maps_ready = Signal(object)
    """FeatureMapsOfPhoto."""
    feature_maps_failed = Signal(object)
    """An exception."""
    predictions_ready = Signal(list)
    """Predictions of the run in progress, in order."""
    run_finished = Signal(object)
    """RunOutcome."""
    photos_found = Signal(list)
    """Paths, in order."""
    search_finished = Signal(object, list)
    """SearchResult, and the paths that were searched."""
    photo_ready = Signal(object)
    """ViewedPhoto."""
    photo_failed = Signal(object)
    """An exception, as a rule an UnreadableImageError."""
    thumbnail_ready = Signal(object, object)
    """Path, and RGB uint8 of shape (h, w, 3) or None where it cannot be read."""
    written = Signal(object)
    """What ``write`` was given to tell, once it is written."""
    not_written = Signal(object)
    """An exception."""
    pages_saved = Signal(list)
    """Paths of the photos that were made of a file's pages."""
    pages_failed = Signal(object)
    preview_ready = Signal(object)
    """ViewedPhoto, with a preprocessing that is being edited."""
    weights_listed = Signal(object)
    """tuple of Weights."""
    download_progressed = Signal(object)
    """Progress of a download, the newest of each at most 20 times a second."""
    weights_file_taken = Signal(object)
    """Weights whose file the user had already, now in its place."""
    noticed = Signal(str)
    """A sentence that the user should see."""
    _found = Signal(list)
    _noticed = Signal(str)
    _predictions_waiting = Signal()
    _downloads_waiting = Signal()

    def __init__(
        self, make_engine: Callable[[Callable[[str], None]], Engine], loader: ImageLoader
    ) -> None:
        super().__init__()
        self._engine = make_engine(self._noticed.emit)
        self._loader = loader
        self._run: Run | None = None
        self._searches = 0
        self._downloads: Downloads | None = None
        self._progress: dict[str, Progress] = {}
        self._writing = ThreadPoolExecutor(1, "write")
        self._lock = threading.Lock()
        self._waiting: list[Prediction] = []
        self._comparison: Comparison | None = None
        self._compared: list[ComparedPhoto] = []
        self._look_alikes: Comparison | None = None
        self._alike: list[tuple[Path, float]] = []
        self._chunks = QTimer(self, singleShot=True, interval=CHUNK_MS)
        self._chunks.timeout.connect(self._flush)
        self._download_chunks = QTimer(self, singleShot=True, interval=CHUNK_MS)
        self._download_chunks.timeout.connect(self._flush_downloads)
        queued = Qt.ConnectionType.QueuedConnection
        self._found.connect(self._pass_found, queued)
        self._noticed.connect(self._pass_notice, queued)
        self._predictions_waiting.connect(self._start_chunk, queued)
        self._downloads_waiting.connect(self._start_download_chunk, queued)

    # Requests

    def warm_up(self) -> None:
        """Let the engine import torch, now that the window stands."""
        self._watch("warm-up", self._engine.warm_up(), lambda _: None)

    def open_model(self, choice: ModelChoice, device: str) -> None:
        """Open a model; any run is stopped first."""
        self.stop_run()
        self._watch(
            "model",
            self._engine.open_model(choice, device),
            self.model_opened.emit,
            self.model_failed.emit,
        )

    @property
    def model_in_use(self) -> ReadyModel | None:
        """Return what the engine classifies with, None before the first model has opened."""
        return self._engine.ready

    def request_layer_table(self, image: Path | None) -> None:
        """Ask for every layer of the model in use, measured for a photo."""
        self._watch(
            "table",
            self._engine.layer_table(image),
            self.layer_table_ready.emit,
            self.layer_table_failed.emit,
        )

    def request_block(self, image: Path, name: str) -> None:
        """Ask for both paths of a residual block; the newest request wins."""
        self._watch(
            "block",
            self._engine.residual_block(image, name),
            self.block_ready.emit,
            self.block_failed.emit,
        )

    def request_evidence(self, image: Path, classes: Sequence[int]) -> None:
        """Ask where the evidence for classes lies; the newest request wins."""
        self._watch(
            "evidence",
            self._engine.evidence(image, classes),
            self.evidence_ready.emit,
            self.evidence_failed.emit,
        )

    def request_before_and_after(
        self, image: Path, layer: str, call: int, channel: int | None
    ) -> None:
        """Ask what the user's preprocessing changes in a channel of a photo."""
        self._watch(
            "before and after",
            self._engine.before_and_after(image, layer, call, channel),
            self.before_and_after_ready.emit,
            self.comparison_failed.emit,
        )

    def request_feature_maps(
        self, image: Path, layer: str, call: int, for_class: int | None = None
    ) -> None:
        """Ask for what a layer computes for a photo; the newest request wins."""
        self._watch(
            "maps",
            self._engine.feature_maps(image, layer, call, for_class),
            self.feature_maps_ready.emit,
            self.feature_maps_failed.emit,
        )

    def set_speed(self, speed: Speed) -> None:
        """Say what may be given up for speed, from the next photo and the next model on."""
        self._engine.speed = speed

    def start_run(self, paths: Iterable[Path], *, recall: bool) -> None:
        """Classify photos; a run in progress is stopped and its late answers are dropped.

        Args:
            paths: may be lazy.
            recall: take what this model said of a photo before.
        """
        self.drop_run()
        run: Run | None = None

        def deliver(predictions: list[Prediction]) -> None:
            with self._lock:
                if self._run is not run:
                    return
                self._waiting.extend(predictions)
            self._predictions_waiting.emit()

        with self._lock:  # the worker may deliver before its run has a name here
            run = self._engine.classify(paths, deliver, recall=recall)
            self._run = run
        self._watch("run", run.finished, self._end_run)

    def stop_run(self) -> None:
        """Ask the run in progress to end."""
        if self._run is not None:
            self._run.stop()

    def drop_run(self) -> None:
        """Stop the run in progress and take no more of its predictions."""
        self.stop_run()
        with self._lock:
            self._run = None
            self._waiting.clear()
        self._newest.pop("run", None)

    def search(self, paths: Iterable[Path]) -> None:
        """List the photos below paths."""
        searched = list(paths)
        future = self._loader.search(searched, self._found.emit, self._noticed.emit)
        self._searches += 1
        self._watch(
            f"search {self._searches}",
            future,
            lambda found: self.search_finished.emit(found, searched),
        )

    def stop_searches(self) -> None:
        """Look for no more photos."""
        self._loader.stop_searches()

    def view(
        self, path: Path, preprocessing: Preprocessing | None, frame: int | None = None
    ) -> None:
        """Decode a photo, or a page of it, for the viewer; the newest request wins."""
        self._watch(
            "view",
            self._loader.view(path, preprocessing, frame),
            self.photo_ready.emit,
            self.photo_failed.emit,
        )

    def save_pages(self, path: Path) -> None:
        """Make a photo of each page of a file."""
        self._watch(
            "pages", self._loader.save_pages(path), self.pages_saved.emit, self.pages_failed.emit
        )

    def preview(self, path: Path, preprocessing: Preprocessing) -> None:
        """Ask what an edited preprocessing makes of a photo; the newest request wins."""
        self._watch(
            "preview",
            self._loader.preview(path, preprocessing),
            self.preview_ready.emit,
            lambda _: None,  # the viewer says why the photo cannot be read
        )

    def list_weights(self) -> None:
        """Ask for torchvision's own weights."""
        self._watch("weights", self._engine.list_weights(), self.weights_listed.emit)

    def start_download(self, weights: Weights, mirror: str) -> None:
        """Download weights in the background, or go on with it."""
        self._made_downloads().start(weights, mirror)

    def pause_download(self, weights: Weights) -> None:
        """End a download and keep what is there."""
        if self._downloads is not None:
            self._downloads.pause(weights.name)

    def cancel_download(self, weights: Weights) -> None:
        """End a download, or one that was paused before, and delete what is there."""
        self._made_downloads().cancel(weights)

    def _made_downloads(self) -> Downloads:
        from core.models.downloads import Downloads  # costs start-up time, so only when needed

        if self._downloads is None:
            self._downloads = Downloads(self._note_progress)
        return self._downloads

    def take_weights_file(self, weights: Weights, given: Path) -> None:
        """Put a file of weights that the user has already in its place."""
        from core.models.downloads import take_file

        self._watch(
            f"take {weights.name}",
            self._writing.submit(take_file, weights, given),
            lambda _: self.weights_file_taken.emit(weights),
            self.not_written.emit,
        )

    def save_model(self, path: Path, told: object) -> None:
        """Write the model in use; ``told`` is given to ``written`` afterwards."""
        self._watch(
            "save model",
            self._engine.save_model(path),
            lambda _: self.written.emit(told),
            self.not_written.emit,
        )

    def compare(self, images: Iterable[Path], layer: str, call: int, channel: int | None) -> None:
        """Look at one channel over many photos; the newest comparison wins."""
        comparison: Comparison | None = None

        def deliver(found: ComparedPhoto) -> None:
            with self._lock:
                if self._comparison is not comparison:
                    return
                self._compared.append(found)
            self._predictions_waiting.emit()

        with self._lock:  # the worker may deliver before the comparison has a name here
            self._compared.clear()
            comparison = self._engine.compare(images, layer, call, channel, deliver)
            self._comparison = comparison
        self._watch(
            "comparison", comparison.finished, lambda _: self._flush(), self.comparison_failed.emit
        )

    def find_look_alikes(self, images: Iterable[Path], references: Sequence[Path]) -> None:
        """Ask how alike photos are to some of them; the newest question wins."""
        asked: Comparison | None = None

        def deliver(found: tuple[Path, float]) -> None:
            with self._lock:
                if self._look_alikes is not asked:
                    return
                self._alike.append(found)
            self._predictions_waiting.emit()

        with self._lock:
            self._alike.clear()
            asked = self._engine.look_alikes(images, references, deliver)
            self._look_alikes = asked
        self._watch(
            "look-alikes", asked.finished, self._end_look_alikes, self.look_alikes_failed.emit
        )

    def stop_look_alikes(self) -> None:
        """Compare no more photos."""
        if self._look_alikes is not None:
            self._look_alikes.stop()

    def _end_look_alikes(self, _: int) -> None:
        self._flush()
        self.look_alikes_found.emit()

    def stop_comparison(self) -> None:
        """Look at no more photos."""
        if self._comparison is not None:
            self._comparison.stop()

    def request_thumbnails(self, paths: Iterable[Path], size_px: int) -> None:
        """Ask for the thumbnails that are seen now."""
        for path, future in self._loader.thumbnails(paths, size_px).items():
            self._watch(
                f"thumbnail {path}",
                future,
                partial(self.thumbnail_ready.emit, path),
                partial(self._refuse_thumbnail, path),
            )

    def write(self, job: Callable[[], object], told: object) -> None:
        """Write a file without keeping the window waiting.

        Args:
            job: runs in a thread.
            told: given to ``written`` afterwards.
        """
        self._watch(
            f"write {told}",
            self._writing.submit(job),
            lambda _: self.written.emit(told),
            self.not_written.emit,
        )

    def ask(self, job: Callable[[], object], on_answer: Callable[[Any], object]) -> None:
        """Let something be found out in the background, by the network for instance."""
        self._watch(f"ask {job}", self._writing.submit(job), on_answer, self.not_written.emit)

    def shut_down(self) -> None:
        """Stop everything and wait: one batch at most."""
        if self._downloads is not None:
            self._downloads.shut_down()
        self._writing.shutdown(wait=True)
        self._chunks.stop()
        self._download_chunks.stop()
        self.drop_run()
        self._newest.clear()
        self._engine.shut_down()
        self._loader.shut_down()

    # Answers

    def _refuse_thumbnail(self, path: Path, _: BaseException) -> None:
        self.thumbnail_ready.emit(path, None)

    def _refuse(self, kind: str, error: BaseException) -> None:
        self._end_failed_run(kind)
        super()._refuse(kind, error)

    def _end_failed_run(self, kind: str) -> None:
        if kind == "run":
            self._flush()
            self._run = None
            self.run_finished.emit(None)

    def _end_run(self, outcome: object) -> None:
        self._flush()
        self._run = None
        self.run_finished.emit(outcome)

    @Slot(list)
    def _pass_found(self, paths: list[Path]) -> None:
        self.photos_found.emit(paths)

    @Slot(str)
    def _pass_notice(self, sentence: str) -> None:
        self.noticed.emit(sentence)

    @Slot()
    def _start_chunk(self) -> None:
        if not self._chunks.isActive():
            self._chunks.start()

    def _note_progress(self, progress: Progress) -> None:
        """Keep the newest news of a download. Runs in its thread."""
        with self._lock:
            self._progress[progress.weights.name] = progress
        self._downloads_waiting.emit()

    @Slot()
    def _start_download_chunk(self) -> None:
        if not self._download_chunks.isActive():
            self._download_chunks.start()

    @Slot()
    def _flush_downloads(self) -> None:
        with self._lock:
            news, self._progress = self._progress, {}
        for progress in news.values():
            self.download_progressed.emit(progress)

    @Slot()
    def _flush(self) -> None:
        with self._lock:
            predictions, self._waiting = self._waiting, []
            compared, self._compared = self._compared, []
            alike, self._alike = self._alike, []
        if predictions:
            self.predictions_ready.emit(predictions)
        if compared:
            self.compared.emit(compared)
        if alike:
            self.alike_told.emit(alike)
