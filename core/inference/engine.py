"""The engine: one worker thread owns the network, a small pool decodes.

Requests are immutable and answered by futures. Torch is imported in the worker, so that
importing this module and making an engine cost nothing.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import (
    SettingsError,
    UnusableCheckpointError,
)
from core.inference.runs import Comparison, Run, decode
from core.inference.speed import EXACT
from core.threads import yield_to_window

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing
    from core.inference.backends import OnnxBackend
    from core.inference.classifier import Classifier
    from core.inference.conversion import Conversions
    from core.inference.devices import Device
    from core.inference.known import KnownPredictions
    from core.inference.predictions import Prediction
    from core.inference.runs import Decoded
    from core.inference.speed import Speed
    from core.inside.feature_maps import FeatureMapsOfPhoto
    from core.inside.lens import BlockOfPhoto, ComparedPhoto, EvidenceOfPhoto, Lens
    from core.inside.summary import LayerTable
    from core.models.checkpoints import OpenedModel
    from core.models.settlements import Settlements
    from core.models.spec import ModelChoice, ModelSpec
    from core.models.weights import Weights

log = logging.getLogger(__name__)

_WORTH_CONVERTING = 2.0
"""Seconds that PyTorch has computed for runs; shorter work is done before a conversion is."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class ReadyModel:
    """A model on its device.

    Attributes:
        choice: what the user picked.
        wanted_device: the device that the user picked, "auto" included.
        spec: what that turned out to be.
        device: where it runs, and why there.
        others: the devices that would work too.
    """

    choice: ModelChoice
    wanted_device: str
    spec: ModelSpec
    device: Device
    others: tuple[Device, ...]


class Engine:
    """Runs requests in the order of their arrival; may be called from any one thread.

    Args:
        on_notice: called in the worker with a sentence that the user should see.
        decoders: threads that decode; by default one a processor core.
        lens_bytes: memory for what layers computed, so that it need not be computed again.
        settlements: where what the user settles about checkpoints is kept; None forgets it.
        cache: folder for what can be made again: converted networks and predictions; None makes
            it again.
        speed: what the user gives up for speed.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None] = log.warning,
        *,
        decoders: int | None = None,
        settlements: Settlements | None = None,
        lens_bytes: int = 512 * 2**20,
        cache: Path | None = None,
        speed: Speed = EXACT,
    ) -> None:
        self._on_notice = on_notice
        self._settlements = settlements
        self._cache = cache
        self.speed = speed
        self._worker = ThreadPoolExecutor(1, "engine", initializer=yield_to_window)
        self.decoder_count = decoders or os.cpu_count() or 1
        self._decoders = ThreadPoolExecutor(
            self.decoder_count, "decode", initializer=yield_to_window
        )
        self._conversions: Conversions | None = None
        self._hastened: Classifier | None = None
        self._known: KnownPredictions | None = None
        self._classifier: Classifier | None = None
        self._newest: dict[str, Future[Any]] = {}
        self._runs: set[Run] = set()
        self._lens_of: tuple[Classifier, Lens] | None = None
        self._lens_bytes = lens_bytes
        self._comparison: Comparison | None = None
        self._look_alikes: Comparison | None = None
        self._opening = 0
        self.ready: ReadyModel | None = None
        """The model in use, also where the answer that told of it was overtaken."""

    def warm_up(self) -> Future[None]:
        """Import torch in the worker, which takes seconds, before anything is asked."""
        return self._worker.submit(_import_torch)

    def open_model(self, choice: ModelChoice, device: str) -> Future[ReadyModel]:
        """Open a model; the one before stays in use where this one cannot be opened.

        Args:
            choice: what the user picked.
            device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        """
        self._opening += 1
        request = self._opening
        return self._interactive("model", lambda: self._open(choice, device, request))

    def layer_table(self, image: Path | None) -> Future[LayerTable]:
        """Describe every layer for a photo, or for an empty one."""
        return self._interactive("table", lambda: self.lens().table(image))

    def feature_maps(
        self, image: Path, layer: str, call: int, for_class: int | None = None
    ) -> Future[FeatureMapsOfPhoto]:
        """Return what one layer computes for one photo.

        Args:
            image: the photo.
            layer: dotted name.
            call: from 1, where the layer runs several times; 0 for its attention.
            for_class: also find out how much each channel counts for this class.
        """
        if call == 0:
            return self._interactive("maps", lambda: self.lens().attention(image, layer))
        return self._interactive(
            "maps", lambda: self.lens().feature_maps(image, layer, call, for_class)
        )

    def residual_block(self, image: Path, name: str) -> Future[BlockOfPhoto]:
        """Return both paths of a residual block for one photo."""
        return self._interactive("block", lambda: self.lens().block(image, name))

    def evidence(self, image: Path, classes: Sequence[int]) -> Future[EvidenceOfPhoto]:
        """Return where in a photo the evidence for classes lies."""
        return self._interactive("evidence", lambda: self.lens().evidence(image, classes))

    def compare(
        self,
        images: Iterable[Path],
        layer: str,
        call: int,
        channel: int | None,
        on_found: Callable[[ComparedPhoto], None],
    ) -> Comparison:
        """Look at one channel of a layer over many photos, one after the other.

        Args:
            images: the photos.
            layer: dotted name.
            call: from 1.
            channel: None for the mean of all.
            on_found: called in the worker with each photo.
        """
        if self._comparison is not None:
            self._comparison.stop()
        comparison = Comparison(
            self, images, lambda lens, image: lens.compare(image, layer, call, channel), on_found
        )
        self._comparison = comparison
        self.queue(comparison.step)
        return comparison

    def look_alikes(
        self,
        images: Iterable[Path],
        references: Sequence[Path],
        on_found: Callable[[tuple[Path, float]], None],
    ) -> Comparison:
        """Say of photos how alike they are to some of them, by the model's pooled features.

        Args:
            images: the photos.
            references: those that they are compared with; their mean counts.
            on_found: called in the worker with each photo and the cosine, -1..1; -2 for one that
                is unreadable.
        """
        sought: list[Any] = []

        def look(lens: Lens, image: Path) -> tuple[Path, float]:
            if not sought:
                found = [lens.pooled(one) for one in references]
                known = [one for one in found if one is not None]
                sought.append(sum(known) / len(known) if known else None)
            features = lens.pooled(image)
            if features is None or sought[0] is None:
                return image, -2.0
            return image, float(features @ sought[0])

        if self._look_alikes is not None:
            self._look_alikes.stop()
        self._look_alikes = Comparison(self, images, look, on_found)
        self.queue(self._look_alikes.step)
        return self._look_alikes

    def before_and_after(
        self, image: Path, layer: str, call: int, channel: int | None
    ) -> Future[tuple[ComparedPhoto, ComparedPhoto]]:
        """Return a photo's channel as the checkpoint's own preprocessing and the user's give it."""

        def look() -> tuple[ComparedPhoto, ComparedPhoto]:
            found = self.classifier().spec.inspection.preprocessing
            assert found is not None
            lens = self.lens()
            return (
                lens.under(image, found, layer, call, channel),
                lens.compare(image, layer, call, channel),
            )

        return self._interactive("before and after", look)

    def list_weights(self) -> Future[tuple[Weights, ...]]:
        """List torchvision's own weights."""
        return self._interactive("weights", _list_weights)

    def save_model(self, path: Path) -> Future[Path]:
        """Write the model in use as a file of our own, and return the file."""
        return self._interactive("save", lambda: self._save(path))

    def classify(
        self,
        paths: Iterable[Path],
        on_predictions: Callable[[list[Prediction]], None],
        *,
        top_k: int = 5,
        batch_size: int | None = None,
        recall: bool = False,
    ) -> Run:
        """Start a run over photos; predictions come in their order, recalled ones first.

        Args:
            paths: may be lazy; read in the worker.
            on_predictions: called in the worker with each batch, failures included.
            top_k: classes a photo.
            batch_size: photos run together; None lets the device decide.
            recall: take what this model said of a file before, while the file is the same.
        """
        run = Run(self, paths, on_predictions, top_k=top_k, batch_size=batch_size, recall=recall)
        self._runs.add(run)
        run.finished.add_done_callback(lambda _: self._runs.discard(run))
        self.queue(run.step)
        return run

    def shut_down(self) -> None:
        """Stop all runs and wait for the worker: one batch at most."""
        self._opening += 1  # a file that is being hashed need not be read to its end
        for run in tuple(self._runs):
            run.stop()
        for comparison in (self._comparison, self._look_alikes):
            if comparison is not None:
                comparison.stop()
        for future in self._newest.values():
            future.cancel()
        self.queue(self._close)
        self._worker.shutdown(wait=True)
        self._decoders.shutdown(wait=True, cancel_futures=True)
        for run in tuple(self._runs):
            run.finished.cancel()

    def classifier(self) -> Classifier:
        """Return the model in use. For jobs in the worker."""
        if self._classifier is None:
            raise UnusableCheckpointError("No model is loaded; choose a checkpoint first.")
        return self._classifier

    def queue(self, job: Callable[[], None]) -> None:
        """Append a job to the worker's queue; silently not, while shutting down."""
        try:
            self._worker.submit(job)
        except RuntimeError:
            log.debug("job refused: the engine is shutting down")

    def decode(self, path: Path, preprocessing: Preprocessing) -> Future[Decoded]:
        """Decode and preprocess in the pool; a photo that fails gives its reason."""
        return self._decoders.submit(
            decode, path, preprocessing, is_exact=self.speed.decoding == "exact"
        )

    def hasten(self) -> None:
        """Look for a faster backend, once that is worth it. For the worker."""
        classifier = self.classifier()
        if self._cache is None or self._hastened is classifier or classifier.device.name != "cpu":
            return
        from core.inference.conversion import Conversion, Conversions

        assert self.ready is not None
        if self._conversions is None:
            self._conversions = Conversions(self._cache / "converted")
        conversion = Conversion(self.ready.choice, classifier.spec)
        if classifier.busy_seconds > _WORTH_CONVERTING or self._conversions.is_kept(conversion):
            self._hastened = classifier
            found = self._conversions.start(conversion)
            found.add_done_callback(
                lambda future: self.queue(lambda: self._adopt(classifier, future))
            )

    def _interactive(self, kind: str, job: Callable[[], _Answer]) -> Future[_Answer]:
        """Queue a request whose predecessors of the same kind are no longer wanted."""
        earlier = self._newest.get(kind)
        if earlier is not None:
            earlier.cancel()
        try:
            future = self._worker.submit(job)
        except RuntimeError:
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
        self._newest[kind] = future
        return future

    def _open(self, choice: ModelChoice, device: str, request: int) -> ReadyModel:
        from core.inference.classifier import Classifier
        from core.inference.devices import choose_device, working_devices
        from core.models.checkpoints import open_model, set_transform_input

        chosen = choose_device(device)
        opened = self._settled_again(choice, device) or open_model(
            choice, self._settlements, lambda: request != self._opening
        )
        classifier = Classifier(
            opened, chosen, self._on_notice, mixed_precision=self.speed.mixed_precision
        )
        classifier.check_input()
        set_transform_input(classifier.network, classifier.spec)
        self._remember(choice, classifier.spec)
        ready = ReadyModel(choice, device, classifier.spec, classifier.device, working_devices())
        if request == self._opening:  # else the user has picked another one meanwhile
            if self._classifier is not None:
                self._classifier.close()
            self._classifier, self.ready = classifier, ready
        return ready

    def _adopt(self, classifier: Classifier, found: Future[OnnxBackend]) -> None:
        """Use a faster backend for a model, where that is in use still."""
        from core.inference.conversion import ConversionError

        if found.cancelled():
            return
        error = found.exception()
        if error is not None:
            level = logging.INFO if isinstance(error, ConversionError) else logging.WARNING
            log.log(level, "PyTorch goes on: %s", error)
            return
        if classifier is not self._classifier or not classifier.adopt(found.result()):
            found.result().close()

    def known_predictions(self, top_k: int) -> KnownPredictions | None:
        """Return what models said before; None where nothing is kept. For the worker."""
        from core.inference.known import KnownPredictions

        if self._cache is None:
            return None
        if self._known is None:
            self._known = KnownPredictions(self._cache / "predictions.sqlite")
        self._known.use(top_k, self.speed)
        return self._known

    def _close(self) -> None:
        """End what the worker has begun. Runs there, as its last job."""
        if self._conversions is not None:
            self._conversions.shut_down()
        if self._classifier is not None:
            self._classifier.close()
        if self._known is not None:
            self._known.close()

    def _settled_again(self, choice: ModelChoice, device: str) -> OpenedModel | None:
        """Return the model in use where only its names or preprocessing are to change."""
        from core.models.checkpoints import OpenedModel, settle_again

        ready, classifier = self.ready, self._classifier
        if ready is None or classifier is None or choice.settled is None:
            return None
        same = choice == replace(ready.choice, settled=choice.settled)
        same &= device == ready.wanted_device
        if not same or choice.settled.dilation != ready.spec.settled.dilation:
            return None
        spec = settle_again(ready.spec, choice.settled)
        if spec.preprocessing.channels != ready.spec.preprocessing.channels:
            return None
        return OpenedModel(spec, classifier.network, classifier.plan)

    def _remember(self, choice: ModelChoice, spec: ModelSpec) -> None:
        if self._settlements is None or choice.settled is None:
            return
        try:
            self._settlements.keep(spec.sha256, choice.settled)
        except SettingsError as error:
            self._on_notice(str(error))

    def _save(self, path: Path) -> Path:
        from core.models.saving import save_model

        classifier = self.classifier()
        save_model(classifier.network, classifier.spec, classifier.plan, path)
        return path

    def lens(self) -> Lens:
        """Return the lens of the model in use, made anew for another one. For the worker."""
        from core.inside.lens import Lens

        classifier = self.classifier()
        if self._lens_of is None or self._lens_of[0] is not classifier:
            self._lens_of = (
                classifier,
                Lens(classifier.network, classifier.spec.preprocessing, self._lens_bytes),
            )
        return self._lens_of[1]


def _list_weights() -> tuple[Weights, ...]:
    from core.models.weights import list_weights

    return list_weights()


def _import_torch() -> None:
    """Import what every model needs, without looking for garbage, of which there is none.

    That would take a fifth of the time, and keep the window waiting for a tenth of a second at
    a time; and so would every later look at what is imported and never goes.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        import core.inference.classifier  # noqa: F401
        from core.models.torchvision_import import torchvision_models

        torchvision_models()
    finally:
        gc.freeze()
        if collects:
            gc.enable()
