"""A model built and ready on a device."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import PreprocessingError, UnusableCheckpointError
from core.inference.backends import Backend, EagerBackend, filled_size, probe_batch, size_within
from core.inference.devices import Device, processor
from core.inference.memory import is_out_of_memory
from core.language import lazy, percent, tr
from core.models.sources.base import OpenedModel
from core.values.predictions import ClassProbability
from core.values.spec import ModelSpec

log = logging.getLogger(__name__)

NO_HEAD = lazy("the network has no head, so it predicts nothing; its feature maps can be looked at")
TOO_LARGE = lazy("it does not fit in memory")
NO_NUMBERS = lazy("the model computes no numbers for it; its parameters may be damaged")
_BATCH_SECONDS = 0.25
_AGREEMENT = 1e-4
_GPU_PROBE = 8

_Answer = TypeVar("_Answer")

Tops = list[tuple[ClassProbability, ...] | str]
"""For each photo its classes, most likely first, or why there are none, in words that end a
sentence."""


class Classifier:
    """Answers what classes photos show. Belongs to one thread.

    Args:
        opened: the model; its network is moved to the device.
        device: where it runs.
        on_notice: called with a sentence when memory ran out and what was done about it.
        mixed_precision: on CUDA, compute in half precision, where that names the same classes;
            ``check_input`` finds out.

    Attributes:
        busy_seconds: how long it has computed for runs so far.
    """

    def __init__(
        self,
        opened: OpenedModel,
        device: Device,
        on_notice: Callable[[str], None],
        *,
        mixed_precision: bool = False,
    ) -> None:
        self.spec: ModelSpec = opened.spec
        self.device = device
        self.plan = opened.plan
        self.network: nn.Module = opened.network
        self.busy_seconds = 0.0
        self._largest_batch: int | None = None
        self._photo_seconds = 0.0
        self._planned: set[int] = set()
        self._last_answer = 0.0
        self._on_notice = on_notice
        try:
            self.network.to(device.name)
            self._eager = self._eagerly()
        except RuntimeError as error:
            if not is_out_of_memory(error) or device.name == "cpu":
                raise
            self._move_to_processor()
        self._backend: Backend = self._eager
        self._wants_mixed_precision = mixed_precision

    @property
    def backend(self) -> str:
        """Return what computes, for people."""
        return self._backend.title

    @property
    def photo_seconds(self) -> float:
        """Return how long a photo of the last batch took; 0 before the first."""
        return self._photo_seconds

    @property
    def runs_ahead(self) -> bool:
        """Return whether a batch is computed while the worker goes on."""
        return self._backend.runs_ahead

    @property
    def is_on_cuda(self) -> bool:
        """Return whether an NVIDIA GPU computes."""
        return self.device.name.startswith("cuda")

    def batch_size(self, asked: int | None) -> int:
        """Return how many photos to run together.

        Args:
            asked: by the user; None lets the backend decide, within a quarter of a second that
                a click may have to wait. Memory that ran out decides over both.
        """
        size = asked or self._backend.batch_size
        if asked is None and self._photo_seconds > 0:
            streams = self._backend.streams
            rounds = int(_BATCH_SECONDS / self._photo_seconds / streams)
            size = min(size, max(1, rounds) * streams)
            if self.is_on_cuda:
                size = min(size_within(max(size, _GPU_PROBE)), self._backend.batch_size)
        return size if self._largest_batch is None else min(size, self._largest_batch)

    def check_input(self) -> None:
        """Run empty photos, so that an impossible preprocessing is refused at once.

        On CUDA that also tells how many photos fit in the memory that is free, and whether
        mixed precision names the same classes.

        Raises:
            PreprocessingError: the network cannot take inputs of this size.
        """
        height, width = self.spec.preprocessing.input_size
        channels = self.spec.preprocessing.channels
        count = _GPU_PROBE if self.is_on_cuda else 1
        empty = np.zeros((count, height, width, channels), np.uint8)
        try:
            if self.is_on_cuda:
                torch.cuda.reset_peak_memory_stats(self.device.name)
            before = torch.cuda.memory_allocated(self.device.name) if self.is_on_cuda else 0
            self.classify(empty, top_k=1)
            if self.is_on_cuda and self._wants_mixed_precision:
                self._take_mixed_precision()
            if self.is_on_cuda:
                self._fit_gpu_batch(before, count)
        except (RuntimeError, AssertionError, ValueError) as error:
            log.warning("the network refuses its input", exc_info=True)
            raise PreprocessingError(
                "{title} cannot take photos of {height}×{width} pixels, as the "
                "preprocessing makes them; set another crop or size.",
                title=self.spec.title,
                height=height,
                width=width,
            ) from error

    def classify(self, pixels: npt.NDArray[np.uint8], top_k: int) -> Tops:
        """Return the likeliest classes of each photo.

        A batch that does not fit in memory is halved, and so are all after it; one photo that
        does not fit on the GPU sends the network to the processor.

        Args:
            pixels: as ``Preprocessing.seen_by_model`` gives them, uint8, shape (N, H, W, C).
            top_k: how many classes; at most as many as there are.
        """
        return self.begin(pixels, top_k)()

    def begin(self, pixels: npt.NDArray[np.uint8], top_k: int) -> Callable[[], Tops]:
        """Do as ``classify``, but return a function that waits for the answer.

        A backend that runs ahead computes meanwhile; another batch may begin before.
        """
        begun = time.perf_counter()
        finish = self._attempt(lambda: self._begin(pixels, top_k))

        def answer() -> Tops:
            tops = None if finish is None else self._attempt(finish)
            if tops is None:
                return self._in_less_memory(pixels, top_k)
            self._note_pace(begun, len(pixels))
            return tops

        return answer

    def outputs(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the raw outputs, shape (N, K), of photos as for ``classify``.

        Raises:
            UnusableCheckpointError: memory does not suffice for one photo.
        """
        return self._rows(pixels, lambda outputs: outputs)

    def shares(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the probability of each class, shape (N, K), of photos as for ``classify``.

        Raises:
            UnusableCheckpointError: memory does not suffice for one photo.
        """
        return self._rows(pixels, self._probabilities)

    def _rows(
        self, pixels: npt.NDArray[np.uint8], then: Callable[[Tensor], Tensor]
    ) -> npt.NDArray[np.float32]:
        def on_processor(outputs: Tensor) -> npt.NDArray[np.float32]:
            with torch.inference_mode():
                return np.asarray(then(outputs).cpu().numpy(), np.float32)

        rows = self._attempt(lambda: self._backend.begin(pixels, on_processor)())
        if rows is not None:
            return rows
        if len(pixels) == 1:
            raise UnusableCheckpointError(
                "{title} needs more memory for one photo than there is; close other programs.",
                title=self.spec.title,
            )
        half = (len(pixels) + 1) // 2
        self._largest_batch = self._eager.batch_size = self.batch_size(half)
        return np.concatenate([self._rows(pixels[:half], then), self._rows(pixels[half:], then)])

    def difference(self, other: Backend, *, in_full: bool = False) -> float:
        """Return how far a backend's probabilities are from PyTorch's, on photos made for that.

        Args:
            other: the backend.
            in_full: compare with full precision, also where half of it is in use.

        Returns:
            The largest difference, of plain values relative to the largest one; infinity where
            the likeliest class of a photo is another.
        """
        pixels = probe_batch(self.spec.preprocessing)
        with torch.inference_mode():
            reference = self._eagerly() if in_full else self._eager
            expected = reference.begin(pixels, self._probabilities)()
            found = other.begin(pixels, self._probabilities)().to(expected.device)
        if expected.shape != found.shape or not torch.equal(expected.argmax(1), found.argmax(1)):
            return math.inf
        difference = (expected - found).abs().max() / expected.abs().max().clamp(min=1)
        return float(difference) if math.isfinite(difference) else math.inf

    def adopt(self, faster: Backend) -> bool:
        """Compute with a faster backend from now on, where it agrees with PyTorch."""
        difference = self.difference(faster)
        log.info("%s: %s is within %.1e", self.spec.title, faster.title, difference)
        if self.device.name != "cpu" or difference > _AGREEMENT:
            return False
        self._backend = faster
        self._photo_seconds = 0.0
        return True

    def fill_template(self) -> bool:
        """Compute with the shipped graph of the architecture from now on, where there is one."""
        from core.inference.templates import backend_from_template  # when first needed

        faster = None
        try:
            faster = backend_from_template(self.network, self.plan, self.spec.preprocessing)
            if faster is not None and self.adopt(faster):
                return True
        except Exception:  # of a type that only ONNX Runtime knows
            log.warning("%s does not fit its graph", self.spec.title, exc_info=True)
        if faster is not None:
            faster.close()
        return False

    def fold(self) -> bool:
        """Compute with batch norms folded into convolutions from now on, where that is the same."""
        from core.inference.folding import folded  # when first needed

        height, width = self.spec.preprocessing.input_size
        photo = torch.rand(1, self.spec.preprocessing.channels, height, width)
        try:
            made = folded(self.network, photo)
            if made is None:
                return False
            return self.adopt(EagerBackend(made, self.spec.preprocessing, self.device.name))
        except Exception:  # whatever code does that cannot be copied, or reads what is gone
            log.info("%s cannot be folded", self.spec.title, exc_info=True)
            return False

    def close(self) -> None:
        """End the threads of the backend."""
        self._backend.close()

    def _attempt(self, step: Callable[[], _Answer]) -> _Answer | None:
        """Return what a step gives; None where memory ran out."""
        try:
            return step()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.warning("a batch does not fit in memory: %s", error)
        return None  # outside the except clause: the traceback would keep failed tensors alive

    def _begin(self, pixels: npt.NDArray[np.uint8], top_k: int) -> Callable[[], Tops]:
        if not self.spec.predicts:
            finish = self._backend.begin(pixels, lambda _: [NO_HEAD] * len(pixels))
            return lambda: [*finish()]

        def likeliest(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            with torch.inference_mode():
                probabilities = self._probabilities(outputs)
                values, indices = probabilities.topk(min(top_k, probabilities.shape[1]), dim=1)
                raw = outputs.expand_as(probabilities).gather(1, indices)
            return indices, values, raw

        found = self._backend.begin(pixels, likeliest)
        return lambda: self._named(*found())

    def _named(self, indices: Tensor, values: Tensor, raw: Tensor) -> Tops:
        names = self.spec.class_names
        shows_raw = self.spec.shows_outputs
        return [
            tuple(
                ClassProbability(index, names[index], value, output if shows_raw else None)
                for index, value, output in zip(*row, strict=True)
            )
            if all(map(math.isfinite, row[1]))
            else NO_NUMBERS
            for row in zip(indices.tolist(), values.tolist(), raw.tolist(), strict=True)
        ]

    def _probabilities(self, outputs: Tensor) -> Tensor:
        """Return what the outputs say of each class, shape (N, K), as the model means them.

        One output is a yes or no, which a softmax would always call certain; where both
        answers have names, it is the probability of the second.
        """
        if self.spec.outputs == "value":
            return outputs
        if self.spec.outputs == "softmax" and outputs.shape[1] > 1:
            return outputs.softmax(1)
        answers = outputs.sigmoid()
        if outputs.shape[1] == 1 and len(self.spec.class_names) == 2:
            return torch.cat([1 - answers, answers], dim=1)
        return answers

    def _note_pace(self, begun: float, photos: int) -> None:
        """Note how long a batch took, from its own beginning or the end of the one before.

        On CUDA the card says it, and the first of its size tells nothing: it is planned for.
        """
        now = time.perf_counter()
        seconds = now - max(begun, self._last_answer)
        self._last_answer = now
        self.busy_seconds += seconds
        if self.is_on_cuda:
            photos = filled_size(photos, self._eager.batch_size)
            if photos not in self._planned:
                self._planned.add(photos)
                return
            seconds = self._eager.seconds
        self._photo_seconds = seconds / photos

    def _in_less_memory(self, pixels: npt.NDArray[np.uint8], top_k: int) -> Tops:
        """Classify a batch that did not fit: its halves, or its one photo on the processor."""
        if self.is_on_cuda:
            torch.cuda.empty_cache()
        if len(pixels) == 1:
            if self.device.name == "cpu":
                return [TOO_LARGE]
            self._move_to_processor()
            self._backend = self._eager
            return self.classify(pixels, top_k)
        half = (len(pixels) + 1) // 2
        self._largest_batch = self._eager.batch_size = self.batch_size(half)
        self._on_notice(tr("Memory is short: photos now go in groups of {half}.", half=half))
        return self.classify(pixels[:half], top_k) + self.classify(pixels[half:], top_k)

    def _fit_gpu_batch(self, before: int, count: int) -> None:
        """Let a batch take half of the GPU's memory that is free."""
        a_photo = (torch.cuda.max_memory_allocated(self.device.name) - before) / count
        free, _ = torch.cuda.mem_get_info(self.device.name)
        fitting = int(free / 2 / max(a_photo, 1))
        self._eager.batch_size = size_within(fitting)

    def _take_mixed_precision(self) -> None:
        mixed = self._eagerly(mixed_precision=True)
        difference = self.difference(mixed)
        if math.isfinite(difference):
            said = tr(
                "mixed precision, probabilities within {difference} of full precision",
                difference=percent(difference, 1),
            )
            self._backend = self._eager = mixed
        else:
            said = tr("full precision, since mixed precision names other classes")
        self.device = replace(self.device, reason=f"{self.device.reason}; {said}")

    def _eagerly(self, *, mixed_precision: bool = False) -> EagerBackend:
        return EagerBackend(
            self.network, self.spec.preprocessing, self.device.name, mixed_precision=mixed_precision
        )

    def _move_to_processor(self) -> None:
        reason = tr("the memory of {title} does not suffice", title=self.device.title)
        self._on_notice(tr("Droplens goes on with the processor: {reason}.", reason=reason))
        self.device = processor(reason)
        self.network.to("cpu")
        self._eager = self._eagerly()
