"""What the worker that owns the network keeps between requests: the model in use and its tools.

Torch is imported in the worker, so that importing this module and making an engine cost nothing.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.errors import (
    PreprocessingError,
    SettingsError,
    StoppedError,
    UnreadableImageError,
    UnusableCheckpointError,
)
from core.inference.hastening import Hastening
from core.language import tr
from core.models.sources.base import ALL_CAPABILITIES, Capability
from core.threads import yield_to_window
from core.work.requests import Request, is_stopped

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.images.preprocessing import Preprocessing
    from core.inference.classifier import Classifier
    from core.inference.devices import Device
    from core.inference.kept_rows import KeptRows
    from core.inference.prediction_cache import PredictionCache
    from core.inference.speed import Speed
    from core.models.overrides import SavedOverrides
    from core.models.sources.base import OpenedModel
    from core.values.predictions import ClassProbability
    from core.values.spec import ModelChoice, ModelSpec

    Decoded = npt.NDArray[np.uint8] | str
    """Pixels of shape (H, W, C), or why there are none, in words that end a sentence."""

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_SHOWN_CLASSES = 2
"""Of a photo, where answers to a question are compared."""


@dataclass(frozen=True)
class ReadyModel:
    """A model on its device.

    Attributes:
        choice: what the user picked.
        wanted_device: the device that the user picked, "auto" included.
        spec: what that turned out to be.
        device: where it runs, and why there.
        others: the devices that would work too.
        capabilities: what can be done with it beside predicting.
    """

    choice: ModelChoice
    wanted_device: str
    spec: ModelSpec
    device: Device
    others: tuple[Device, ...]
    capabilities: frozenset[Capability] = ALL_CAPABILITIES

    def can(self, capability: Capability) -> bool:
        """Return whether something can be done with it."""
        return capability in self.capabilities


class ModelRequest(Request["Engine", Answer], Generic[Answer]):
    """Base of what is asked of the worker that owns the network."""

    lane = "engine"


class Engine:
    """Belongs to the thread that owns the network, but for its making.

    Args:
        on_notice: called with a sentence that the user should see.
        decoders: threads that decode; by default one a processor core.
        memory_bytes: for what is kept of a model beside the model, outputs of layers for instance.
        saved_overrides: of checkpoints; None forgets them.
        cache: folder for what can be made again: converted networks and predictions; None makes
            it again.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None] = log.warning,
        *,
        decoders: int | None = None,
        saved_overrides: SavedOverrides | None = None,
        memory_bytes: int = 512 * 2**20,
        cache: Path | None = None,
    ) -> None:
        self.ready: ReadyModel | None = None
        self.memory_bytes = memory_bytes
        self.decoder_count = decoders or os.cpu_count() or 1
        self._on_notice = on_notice
        self._saved_overrides = saved_overrides
        self._cache = cache
        self._decoders = ThreadPoolExecutor(
            self.decoder_count, "decode", initializer=yield_to_window
        )
        self._classifier: Classifier | None = None
        self._kept: dict[Callable[..., object], Any] = {}
        self._prediction_cache: PredictionCache | None = None
        self._kept_features: KeptRows | None = None
        self._hastening = Hastening(cache)

    def open(
        self, choice: ModelChoice, device: str, *, mixed_precision: bool = False
    ) -> ReadyModel:
        """Open a model and use it; the one before stays in use where this one cannot be opened.

        Args:
            choice: what the user picked.
            device: "auto", "cpu", "cuda", "cuda:N" or "mps".
            mixed_precision: compute in half precision where that names the same classes.

        Raises:
            DroplensError: it cannot be opened.
            StoppedError: the user has picked another one meanwhile.
        """
        from core.inference.classifier import Classifier
        from core.inference.devices import choose_device, processor, working_devices
        from core.models.sources import source_of
        from core.models.sources.checkpoint.source import set_transform_input

        chosen = choose_device(device)
        opened = self._overridden_again(choice, device) or source_of(choice.checkpoint).open(
            choice, self._saved_overrides, is_stopped
        )
        if Capability.USE_GPU not in opened.capabilities:
            chosen = processor(tr("this kind of model is computed there alone"))
        classifier = Classifier(opened, chosen, self._on_notice, mixed_precision=mixed_precision)
        classifier.check_input()
        set_transform_input(classifier.network, classifier.spec)
        self._remember(choice, classifier.spec)
        if is_stopped():
            raise StoppedError
        if self._classifier is not None:
            self._classifier.close()
        self._classifier = classifier
        self._forget_kept()
        self.ready = ReadyModel(
            choice,
            device,
            classifier.spec,
            classifier.device,
            working_devices(),
            opened.capabilities,
        )
        return self.ready

    def classifier(self) -> Classifier:
        """Return the model in use.

        Raises:
            UnusableCheckpointError: there is none.
        """
        if self._classifier is None:
            raise UnusableCheckpointError("No model is loaded; choose a checkpoint first.")
        return self._classifier

    def require(self, capability: Capability, refusal: str) -> None:
        """Make sure that something can be done with the model in use.

        Args:
            capability: what is to be done.
            refusal: the sentence, where it cannot.

        Raises:
            UnusableCheckpointError: with that sentence, or there is no model.
        """
        self.classifier()
        if self.ready is not None and not self.ready.can(capability):
            raise UnusableCheckpointError(refusal)

    def kept(self, make: Callable[[Classifier, int], Answer]) -> Answer:
        """Return what a function makes of the model in use, made once a model.

        Args:
            make: given the model, and the memory in bytes that it may keep; what it gives is closed
                with the model where it can be.
        """
        if make not in self._kept:
            self._kept[make] = make(self.classifier(), self.memory_bytes)
        answer: Answer = self._kept[make]
        return answer

    def decode(
        self, photo: Path, preprocessing: Preprocessing, *, is_exact: bool
    ) -> Future[Decoded]:
        """Decode and preprocess in the pool; a photo that fails gives its reason.

        Args:
            photo: the file.
            preprocessing: makes what goes in.
            is_exact: decode every pixel first; else a JPEG decoder may shrink large photos itself.
        """
        return self._decoders.submit(_decode, photo, preprocessing, is_exact=is_exact)

    def predict_once(self, choice: ModelChoice, photo: Path) -> tuple[ClassProbability, ...] | str:
        """Return the likeliest classes of a photo by a model that is not in use, or why none.

        Args:
            choice: the model, which is opened for this photo alone, on the processor.
            photo: the file.

        Raises:
            DroplensError: the model cannot be opened.
        """
        import numpy as np

        from core.inference.classifier import Classifier
        from core.inference.devices import processor
        from core.models.sources import source_of

        opened = source_of(choice.checkpoint).open(choice, self._saved_overrides, is_stopped)
        classifier = Classifier(opened, processor(""), self._on_notice)
        try:
            classifier.check_input()
            pixels = self.decode(photo, classifier.spec.preprocessing, is_exact=True).result()
            if isinstance(pixels, str):
                return pixels
            return classifier.classify(np.stack([pixels]), _SHOWN_CLASSES)[0]
        finally:
            classifier.close()

    def prediction_cache(self, top_k: int, speed: Speed) -> PredictionCache | None:
        """Return what models said of files before; None where nothing is kept."""
        from core.inference.prediction_cache import PredictionCache

        if self._cache is None:
            return None
        if self._prediction_cache is None:
            self._prediction_cache = PredictionCache(self._cache / "predictions.sqlite")
        self._prediction_cache.use(top_k, speed)
        return self._prediction_cache

    def kept_features(self) -> KeptRows | None:
        """Return where features of photos are kept; None where nothing is."""
        from core.inference.features import LIMIT
        from core.inference.kept_rows import KeptRows

        if self._kept_features is None and self._cache is not None:
            self._kept_features = KeptRows(self._cache / "features.sqlite", LIMIT)
        return self._kept_features

    def hasten(self, photos_left: int) -> None:
        """Go over to a faster backend, once that is worth it and made.

        Args:
            photos_left: that wait at least.
        """
        if self._may_be_hastened():
            assert self.ready is not None
            self._hastening.before_batch(self.classifier(), self.ready.choice, photos_left)

    def end_run(self) -> None:
        """Let the next run be faster, where that can be made while nothing else is to do."""
        if self._may_be_hastened():
            assert self.ready is not None
            self._hastening.after_run(self.classifier(), self.ready.choice)

    def close(self) -> None:
        """End what was begun, and free what is kept. The last that is asked of it."""
        self._forget_kept()
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self._hastening.close()
        if self._classifier is not None:
            self._classifier.close()
            self._classifier = None
        if self._prediction_cache is not None:
            self._prediction_cache.close()
        if self._kept_features is not None:
            self._kept_features.close()

    def _forget_kept(self) -> None:
        for kept in self._kept.values():
            close = getattr(kept, "close", None)
            if close is not None:
                close()
        self._kept.clear()

    def _may_be_hastened(self) -> bool:
        convertible = self.ready is not None and self.ready.can(Capability.CONVERT)
        return convertible and self.classifier().device.name == "cpu"

    def _overridden_again(self, choice: ModelChoice, device: str) -> OpenedModel | None:
        """Return the model in use where only its names or preprocessing are to change."""
        from core.models.sources.base import OpenedModel
        from core.models.sources.checkpoint.source import override_again

        ready, classifier = self.ready, self._classifier
        if ready is None or classifier is None or choice.overrides is None:
            return None
        same = choice == replace(ready.choice, overrides=choice.overrides)
        same &= device == ready.wanted_device
        before = ready.spec.overrides
        same &= choice.overrides.dilation == before.dilation
        if not same or choice.overrides.answers != before.answers:
            return None
        spec = override_again(ready.spec, choice.overrides)
        if spec.preprocessing.channels != ready.spec.preprocessing.channels:
            return None
        return OpenedModel(spec, classifier.network, classifier.plan, ready.capabilities)

    def _remember(self, choice: ModelChoice, spec: ModelSpec) -> None:
        if self._saved_overrides is None or choice.overrides is None:
            return
        try:
            self._saved_overrides.keep(spec.sha256, choice.overrides)
        except SettingsError as error:
            self._on_notice(str(error))


def import_torch() -> None:
    """Import what every model and photo needs, without looking for garbage, of which there is none.

    That would take a fifth of the time, and keep the window waiting for a tenth of a second at
    a time; and so would every later look at what is imported and never goes.
    """
    if "core.inference.classifier" in sys.modules:
        return  # what is frozen is never freed
    collects = gc.isenabled()
    gc.disable()
    try:
        from PIL import Image

        import core.images.thumbnails
        import core.images.viewing
        import core.inference.classifier  # noqa: F401
        from core.models.torchvision_import import torchvision_models

        torchvision_models()
        Image.preinit()  # what the first photos need, while nobody waits for it
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def _decode(photo: Path, preprocessing: Preprocessing, *, is_exact: bool) -> Decoded:
    try:
        return preprocessing.see_file(photo, is_exact=is_exact).pixels
    except MemoryError:
        return tr("it does not fit in memory")
    except UnreadableImageError as error:
        return error.reason
    except PreprocessingError as error:
        return str(error)
