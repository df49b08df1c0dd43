"""A model built and ready on a device."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import PreprocessingError
from core.inference.devices import Device, processor
from core.inference.predictions import ClassProbability
from core.models.checkpoints import OpenedModel
from core.models.spec import ModelSpec

log = logging.getLogger(__name__)

NO_HEAD = "the network has no head, so it predicts nothing; its feature maps can be looked at"
TOO_LARGE = "it does not fit in memory"
_NO_NUMBERS = "the model computes no numbers for it; its parameters may be damaged"
_CPU_BATCH = 8
_GPU_BATCH = 32


class Classifier:
    """Answers what classes photos show. Belongs to one thread.

    Args:
        opened: the model; its network is moved to the device.
        device: where it runs.
        on_notice: called with a sentence when memory ran out and what was done about it.
    """

    def __init__(
        self, opened: OpenedModel, device: Device, on_notice: Callable[[str], None]
    ) -> None:
        self.spec: ModelSpec = opened.spec
        self.device = device
        self.plan = opened.plan
        self.network: nn.Module = opened.network
        self._largest_batch: int | None = None
        self._on_notice = on_notice
        try:
            self.network.to(device.name)
        except RuntimeError as error:
            if not is_out_of_memory(error) or device.name == "cpu":
                raise
            self._move_to_processor()

    def batch_size(self, asked: int | None) -> int:
        """Return how many photos to run together.

        Args:
            asked: by the user; None lets the device decide. Memory that ran out decides
                over both.
        """
        size = asked or (_CPU_BATCH if self.device.name == "cpu" else _GPU_BATCH)
        return size if self._largest_batch is None else min(size, self._largest_batch)

    def check_input(self) -> None:
        """Run one empty photo, so that an impossible preprocessing is refused at once.

        Raises:
            PreprocessingError: the network cannot take inputs of this size.
        """
        height, width = self.spec.preprocessing.input_size
        try:
            channels = self.spec.preprocessing.channels
            self.classify(np.zeros((1, channels, height, width), np.float32), top_k=1)
        except (RuntimeError, AssertionError, ValueError) as error:
            log.warning("the network refuses its input", exc_info=True)
            raise PreprocessingError(
                f"{self.spec.title} cannot take photos of {height}×{width} pixels, as the "
                "preprocessing makes them; set another crop or size."
            ) from error

    def classify(
        self, inputs: npt.NDArray[np.float32], top_k: int
    ) -> list[tuple[ClassProbability, ...] | str]:
        """Return the likeliest classes of each photo.

        A batch that does not fit in memory is halved, and so are all after it; one photo that
        does not fit on the GPU sends the network to the processor.

        Args:
            inputs: preprocessed, float32, shape (N, C, H, W).
            top_k: how many classes; at most as many as there are.

        Returns:
            For each photo its classes, most likely first, or why there are none, in words
            that end a sentence.
        """
        try:
            return self._run(inputs, top_k)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.warning("a batch of %d does not fit in memory", len(inputs))
        # Outside the except clause: the traceback would keep the failed tensors alive.
        if self.device.name.startswith("cuda"):
            torch.cuda.empty_cache()
        if len(inputs) == 1:
            if self.device.name == "cpu":
                return [TOO_LARGE]
            self._move_to_processor()
            return self.classify(inputs, top_k)
        half = (len(inputs) + 1) // 2
        self._largest_batch = self.batch_size(half)
        self._on_notice(f"Memory is short: photos now go in groups of {half}.")
        return self.classify(inputs[:half], top_k) + self.classify(inputs[half:], top_k)

    def logits(self, inputs: npt.NDArray[np.float32]) -> Tensor:
        """Return the raw outputs, shape (N, K), on the device."""
        with torch.inference_mode():
            batch = torch.from_numpy(inputs).to(self.device.name)
            outputs: Tensor = self.network(batch)
            return outputs

    def _run(
        self, inputs: npt.NDArray[np.float32], top_k: int
    ) -> list[tuple[ClassProbability, ...] | str]:
        with torch.inference_mode():
            outputs = self.logits(inputs).float()
            if not self.spec.predicts:
                return [NO_HEAD] * len(inputs)
            probabilities = self._probabilities(outputs)
            values, indices = probabilities.topk(min(top_k, probabilities.shape[1]), dim=1)
            raw = outputs.expand_as(probabilities).gather(1, indices)
            rows = zip(indices.tolist(), values.tolist(), raw.tolist(), strict=True)
        names = self.spec.class_names
        shows_raw = self.spec.inspection.num_classes == 1 or self.spec.outputs == "value"
        return [
            tuple(
                ClassProbability(index, names[index], value, output if shows_raw else None)
                for index, value, output in zip(*row, strict=True)
            )
            if all(map(math.isfinite, row[1]))
            else _NO_NUMBERS
            for row in rows
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

    def _move_to_processor(self) -> None:
        reason = f"the memory of {self.device.title} does not suffice"
        self._on_notice(f"Droplens goes on with the processor: {reason}.")
        self.device = processor(reason)
        self.network.to("cpu")


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error of torch means that memory ran out.

    CUDA raises a type of its own; the processor's allocator and MPS say it in words alone.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    said = ("can't allocate memory", "not enough memory", "out of memory")  # Linux, Windows, MPS
    return any(words in text for words in said)
