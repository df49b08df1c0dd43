"""What computes the outputs: PyTorch as the reference, ONNX Runtime where it is faster."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.images.preprocessing import Preprocessing
from core.threads import yield_to_window

PIXELS, FACTOR, OFFSET, LOGITS = "pixels", "factor", "offset", "logits"
"""Names in a converted network: its inputs and its output."""

_Answer = TypeVar("_Answer")

_GPU_SIZES = (8, 32, 128)
"""Photos of a batch on CUDA. There are few sizes, since cuDNN takes a second to plan for each that
it has not met: with sizes that follow the pace 115 photos a second, with one size 1,031."""

_PHOTOS_A_CALL = 2
_CALLS_A_STREAM = 8


class Backend(Protocol):
    """Computes a network's outputs from photos as ``Preprocessing.seen_by_model`` gives them.

    Attributes:
        title: for people.
        batch_size: how many photos it likes to run together.
        streams: how many of them it computes at a time, each for itself.
        runs_ahead: whether it computes a batch while the worker goes on.
    """

    title: str
    batch_size: int
    streams: int
    runs_ahead: bool

    def begin(
        self, pixels: npt.NDArray[np.uint8], then: Callable[[Tensor], _Answer]
    ) -> Callable[[], _Answer]:
        """Start to compute the raw outputs, float32, shape (N, K).

        Args:
            pixels: shape (N, H, W, C).
            then: what is to be done with the outputs, on their device.

        Returns:
            A function that waits for the outputs and returns what ``then`` made of them.
        """
        ...

    def close(self) -> None:
        """End its threads."""
        ...


def filled_size(count: int, most: int) -> int:
    """Return the size on CUDA of a batch of so many photos, where memory holds ``most``."""
    return next((size for size in _GPU_SIZES if count <= size <= most), count)


def size_within(most: int) -> int:
    """Return how many photos to run together on CUDA, where memory or patience ends at ``most``."""
    return max((size for size in _GPU_SIZES if size <= most), default=max(1, most))


class Normalisation:
    """The arithmetic, and its order, of torchvision's ``ImageClassification``.

    Args:
        preprocessing: whose scale, mean and std turn pixels into the input.
        device: of the input.
    """

    def __init__(self, preprocessing: Preprocessing, device: torch.device) -> None:
        self._scale = preprocessing.scale
        self._mean = _by_channel(preprocessing.mean, device)
        self._std = _by_channel(preprocessing.std, device)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return the input for uint8 pixels of shape (N, H, W, C).

        It is left as the pixels lie, channels last: convolutions are faster so, on CPUs too.
        """
        values = pixels.permute(0, 3, 1, 2).float().div_(255)
        if self._scale != 1:
            values *= self._scale
        return values.sub_(self._mean).div_(self._std)


class EagerBackend:
    """The network as PyTorch runs it, on any device.

    On CUDA photos go through pinned memory on a stream of their own, so that copying one batch
    overlaps with computing the one before; batches are filled up to few sizes. Full precision is
    all of float32: cuDNN would round the input of convolutions to ten bits.

    Args:
        network: on the device, in evaluation mode.
        preprocessing: whose scale, mean and std turn pixels into the input.
        device: torch's name of it.
        mixed_precision: on CUDA, compute in half precision what bears it.

    Attributes:
        seconds: on CUDA, how long the last batch took that was waited for.
    """

    title = "PyTorch"
    seconds = 0.0

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        device: str,
        *,
        mixed_precision: bool = False,
    ) -> None:
        self._network, self._device = network, torch.device(device)
        self._normalisation = Normalisation(preprocessing, self._device)
        self._copying: torch.cuda.Stream | None = None
        self._mixed = mixed_precision
        self.batch_size = 8
        self.streams = 1
        self.runs_ahead = self._device.type == "cuda"
        if self.runs_ahead:
            torch.backends.cudnn.allow_tf32 = False
            self._copying = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            self.batch_size = _GPU_SIZES[1]
            # torch's stubs do not know what its documentation says.
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(
        self, pixels: npt.NDArray[np.uint8], then: Callable[[Tensor], _Answer]
    ) -> Callable[[], _Answer]:
        """Compute the outputs; on CUDA they, and what is made of them, may not be there yet."""
        if not self.runs_ahead:
            answer = self._computed(pixels, len(pixels), then)
            return lambda: answer
        computing = torch.cuda.current_stream(self._device)
        begun = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        ended = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        begun.record(computing)
        filled = _filled(pixels, filled_size(len(pixels), self.batch_size))
        found = self._computed(filled, len(pixels), then)
        ended.record(computing)

        def finish() -> _Answer:
            ended.synchronize()
            self.seconds = begun.elapsed_time(ended) / 1000
            return found

        return finish

    def close(self) -> None:
        """There is nothing to end."""

    def _computed(
        self, pixels: npt.NDArray[np.uint8], count: int, then: Callable[[Tensor], _Answer]
    ) -> _Answer:
        with torch.inference_mode(), self._precision():
            values = self._normalisation(self._on_device(pixels))
            return then(self._network(values)[:count].float())

    def _on_device(self, pixels: npt.NDArray[np.uint8]) -> Tensor:
        batch = torch.from_numpy(pixels)
        if self._copying is None:
            return batch.to(self._device)
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._copying):
            batch = batch.pin_memory().to(self._device, non_blocking=True)
        computing.wait_stream(self._copying)
        batch.record_stream(computing)
        return batch

    def _precision(self) -> contextlib.AbstractContextManager[object]:
        if self._mixed and self._copying is not None:
            return torch.autocast("cuda", torch.float16)
        return contextlib.nullcontext()


class FromPixels(nn.Module):
    """A network behind the arithmetic that turns pixels into its input, to be converted."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
        """Return the outputs for uint8 pixels of shape (N, H, W, C)."""
        outputs: Tensor = self.network((pixels.float() * factor + offset).permute(0, 3, 1, 2))
        return outputs


class OnnxBackend:
    """A network converted for ONNX Runtime, on the processor.

    Each core runs photos of its own on one thread, instead of all cores sharing one photo: no
    core then waits for another.

    Args:
        network: as ``core.inference.conversion`` has written it, or from a template.
        preprocessing: whose scale, mean and std turn pixels into the input.
        parameters: that the network says to be elsewhere, by its names; used where they lie.
    """

    title = "ONNX Runtime"
    runs_ahead = True

    def __init__(
        self,
        network: bytes,
        preprocessing: Preprocessing,
        parameters: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> None:
        import onnxruntime  # takes time, and short work never needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        given = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(one)
            for name, one in (parameters or {}).items()
        }
        if given:
            options.add_external_initializers([*given], [*given.values()])
        self._parameters = parameters, given  # what the session computes with, and does not own
        self._session = onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"]
        )
        mean = np.asarray(preprocessing.mean, np.float64)
        std = np.asarray(preprocessing.std, np.float64)
        self._factor = (preprocessing.scale / 255 / std).astype(np.float32)
        self._offset = (-mean / std).astype(np.float32)
        self.streams = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self.streams, "stream", initializer=yield_to_window)
        self.batch_size = _CALLS_A_STREAM * _PHOTOS_A_CALL * self.streams

    def begin(
        self, pixels: npt.NDArray[np.uint8], then: Callable[[Tensor], _Answer]
    ) -> Callable[[], _Answer]:
        """Let the streams compute the outputs.

        A second batch may begin before the first has ended, so that no stream waits for another.
        """
        calls = math.ceil(len(pixels) / self.streams / _PHOTOS_A_CALL) * self.streams
        parts = np.array_split(pixels, min(calls, len(pixels)))
        computing = [self._pool.submit(self._run, part) for part in parts]
        return lambda: then(torch.from_numpy(np.concatenate([one.result() for one in computing])))

    def close(self) -> None:
        """End its threads."""
        self._pool.shutdown(wait=True)

    def _run(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        given = {PIXELS: pixels, FACTOR: self._factor, OFFSET: self._offset}
        try:
            outputs: npt.NDArray[np.float32] = self._session.run([LOGITS], given)[0]
        except Exception as error:  # of a type that only ONNX Runtime knows
            raise RuntimeError(str(error)) from error
        return outputs


def probe_batch(preprocessing: Preprocessing) -> npt.NDArray[np.uint8]:
    """Return photos on which two backends can be compared: noise from coarse to fine.

    Returns:
        uint8, shape (3, H, W, C).
    """
    height, width = preprocessing.input_size
    random = np.random.default_rng(0)
    made = []
    for cells in (4, 16, 64):
        coarse = random.integers(0, 256, (cells, cells, preprocessing.channels), np.uint8)
        down, across = np.arange(height) * cells // height, np.arange(width) * cells // width
        made.append(coarse[down[:, None], across])
    return np.stack(made)


def _filled(pixels: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    empty = np.zeros((size - len(pixels), *pixels.shape[1:]), np.uint8)
    return np.concatenate([pixels, empty]) if len(empty) else pixels


def _by_channel(values: Sequence[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, -1, 1, 1)
