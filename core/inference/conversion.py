"""Convert networks for ONNX Runtime, in a process of its own, and keep what was converted.

The exporter holds Python's interpreter for up to seconds; in a process of its own it keeps
nobody waiting, and whatever goes wrong in it goes wrong there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import multiprocessing
import os
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import hash_of, make_private_folder, open_ordinary, write_atomically
from core.threads import yield_to_window

if TYPE_CHECKING:
    from torch import nn

    from core.images.preprocessing import Preprocessing
    from core.inference.backends import OnnxBackend
    from core.values.spec import ModelChoice, ModelSpec

log = logging.getLogger(__name__)

LIMIT_BYTES = 2 * 2**30
"""Room for converted networks on the disk; those unused for longest go."""

_LARGEST_NETWORK_BYTES = 2**30
"""Larger networks stay with PyTorch: they would lie in memory twice, and twice on the disk."""

_FORMAT = 1
_OPSET = 18
_EXPORT_BATCH = 2
_BROKEN_OFF_SECONDS = 3600


@dataclass(frozen=True)
class Conversion:
    """What is to be converted.

    Attributes:
        choice: opens the model once more, in the other process.
        spec: what it was here.
    """

    choice: ModelChoice
    spec: ModelSpec

    @property
    def key(self) -> str:
        """Return a name for everything that the converted network depends on."""
        import onnxruntime
        import torch

        from core.models.torchvision_import import torchvision_version

        used = self.spec.preprocessing
        depends_on = [
            _FORMAT,
            torch.__version__,
            torchvision_version(),
            onnxruntime.__version__,
            self.spec.sha256,
            self.spec.architecture,
            self.spec.overrides.dilation,
            self.spec.overrides.answers,
            self.spec.inspection.changes,
            used.transform_input,
            used.input_size,
            used.channels,
        ]
        return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:32]


class ConversionError(Exception):
    """A network was not converted; PyTorch goes on with it."""


class Conversions:
    """Converts in the background; may be called from any one thread.

    Args:
        folder: where converted networks are kept.
        limit_bytes: of all of them together.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder, self._limit = folder, limit_bytes
        self._thread = ThreadPoolExecutor(1, "convert", initializer=yield_to_window)
        self._lock = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._is_over = False

    def is_kept(self, conversion: Conversion) -> bool:
        """Return whether it was converted before."""
        return self._path(conversion).exists()

    def start(self, conversion: Conversion) -> Future[OnnxBackend]:
        """Convert a network, or take what is kept of it, and load it.

        Returns:
            A future that ends with ConversionError where PyTorch is to go on.
        """
        return self._thread.submit(self._backend, conversion)

    def shut_down(self) -> None:
        """Break off what is being converted."""
        with self._lock:
            self._is_over = True
            if self._process is not None:
                self._process.kill()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _backend(self, conversion: Conversion) -> OnnxBackend:
        path = self._path(conversion)
        try:
            if not path.exists():
                self._convert(conversion, path)
                self._prune(path)
        except OSError as error:
            raise ConversionError(str(error)) from error
        return self._load(conversion, path)

    def _path(self, conversion: Conversion) -> Path:
        return self._folder / f"{conversion.key}.onnx"

    def _load(self, conversion: Conversion, path: Path) -> OnnxBackend:
        from core.inference.backends import OnnxBackend

        try:
            network = _read_whole(path)
            made = OnnxBackend(network, conversion.spec.preprocessing)
            os.utime(path)
        except Exception as error:  # a library refuses a damaged file in many ways
            for file in (path, _sum_file(path)):
                with contextlib.suppress(OSError):
                    file.unlink()
            raise ConversionError(f"{path} cannot be loaded: {error}") from error
        return made

    def _convert(self, conversion: Conversion, path: Path) -> None:
        make_private_folder(self._folder)
        begun = time.monotonic()
        spawning = multiprocessing.get_context("spawn")
        here, there = spawning.Pipe(duplex=False)
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        process = spawning.Process(
            target=_convert_here, args=(conversion, unfinished, there), daemon=True
        )
        with self._lock:
            if self._is_over:
                raise ConversionError("the program is closing")
            process.start()
            self._process = process
        there.close()
        try:
            reason = here.recv()
        except EOFError:
            reason = "its process ended early"
        finally:
            process.join()
            here.close()
            with self._lock:
                self._process = None
        if reason:
            unfinished.unlink(missing_ok=True)
            raise ConversionError(reason)
        with open_ordinary(unfinished) as file:
            written = hash_of(file).hex()
        write_atomically(_sum_file(path), written.encode("ascii"), is_private=True)
        unfinished.replace(path)
        log.info("%s converted in %.1f s", conversion.spec.title, time.monotonic() - begun)

    def _prune(self, newest: Path) -> None:
        """Delete what was unused for longest, until the rest fits, and what was broken off."""
        kept = sorted(
            (path for path in self._folder.glob("*.onnx") if path != newest),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )
        room = self._limit - newest.stat().st_size
        for path in kept:
            room -= path.stat().st_size
            if room < 0:
                path.unlink(missing_ok=True)
                _sum_file(path).unlink(missing_ok=True)
        for path in self._folder.glob("*.unfinished"):
            if time.time() - path.stat().st_mtime > _BROKEN_OFF_SECONDS:
                path.unlink(missing_ok=True)


def _sum_file(path: Path) -> Path:
    """Return where it is noted what we wrote there: a network is not trusted by its name."""
    return path.with_suffix(".sha256")


def _read_whole(path: Path) -> bytes:
    """Return a converted network.

    Raises:
        ConversionError: it is not the one that was written.
    """
    network = path.read_bytes()
    if hashlib.sha256(network).hexdigest() != _sum_file(path).read_text(encoding="ascii"):
        raise ConversionError("it is not what was written")
    return network


def _convert_here(conversion: Conversion, path: Path, answer: Connection) -> None:
    """Write a converted network and answer with "", or with why there is none."""
    quiet = os.open(os.devnull, os.O_WRONLY)  # the exporter prints whole graphs
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    yield_to_window()
    try:
        _open_and_export(conversion, path)
    except Exception:  # noqa: BLE001 - the answer carries it
        answer.send(traceback.format_exc(limit=-3))
    else:
        answer.send("")


def _open_and_export(conversion: Conversion, path: Path) -> None:
    import warnings

    import torch

    from core.models.sources.checkpoint.source import open_model

    opened = open_model(replace(conversion.choice, overrides=conversion.spec.overrides))
    if opened.spec.sha256 != conversion.spec.sha256:
        raise ConversionError("the checkpoint has changed on the disk")
    size = sum(one.nbytes for one in opened.network.state_dict().values())
    if size > _LARGEST_NETWORK_BYTES:
        raise ConversionError(f"the network has {size // 2**20} MB")
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # it has no counterpart outside torch
    warnings.simplefilter("ignore")  # the exporter's, for programmers
    export(opened.network, conversion.spec.preprocessing, path)


def export(network: nn.Module, preprocessing: Preprocessing, path: Path) -> None:
    """Write a network for ONNX Runtime, its first step being the arithmetic on pixels.

    Args:
        network: on the processor, in evaluation mode, torch's fast path of attention disabled.
        preprocessing: says the input's size; its mean and std are inputs of what is written.
        path: the file.

    Raises:
        Exception: of many types, where the exporter does not know what the network does.
    """
    import torch

    from core.inference.backends import FACTOR, LOGITS, OFFSET, PIXELS, FromPixels

    channels = preprocessing.channels
    pixels = torch.zeros(_EXPORT_BATCH, *preprocessing.input_size, channels, dtype=torch.uint8)
    numbers = torch.ones(channels)
    with torch.no_grad():
        torch.onnx.export(
            FromPixels(network).eval(),
            (pixels, numbers, numbers),
            str(path),
            dynamo=False,
            input_names=[PIXELS, FACTOR, OFFSET],
            output_names=[LOGITS],
            dynamic_axes={PIXELS: {0: "photos"}, LOGITS: {0: "photos"}},
            opset_version=_OPSET,
        )
