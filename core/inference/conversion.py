"""Convert networks for ONNX Runtime, in a process of its own, and keep what was converted.

The exporter holds Python's interpreter for up to seconds; in a process of its own it keeps
nobody waiting, and whatever goes wrong in it goes wrong there. That process ends its work where
the program is closed before, so that the next run finds the network converted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.files import make_private_folder
from core.models import overrides as overrides_file
from core.threads import yield_to_window
from core.values.spec import ModelChoice, ModelSpec

if TYPE_CHECKING:
    from core.inference.backends import OnnxBackend

log = logging.getLogger(__name__)

CONVERT = "--convert"
"""The argument that makes the frozen program such a process; what is asked of it follows."""

LIMIT_BYTES = 2 * 2**30
"""Room for converted networks on the disk; those unused for longest go."""

LIMIT_SECONDS = 600
"""After which a conversion gives up."""

_FORMAT = 1
LASTING = 2
"""Exit status of a conversion that would end in the same way again."""

_LOOKING_SECONDS = 0.05


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
            *self.spec.network_key,
            used.transform_input,
            used.input_size,
            used.channels,
        ]
        return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:32]

    def to_json(self) -> dict[str, object]:
        """Return what another process needs to open the same network."""
        checkpoint = self.choice.checkpoint
        overrides = replace(
            self.spec.overrides, class_names=None, preprocessing=self.spec.preprocessing
        )
        return {
            "checkpoint": None if checkpoint is None else str(checkpoint.absolute()),
            "architecture": self.choice.architecture,
            "overrides": overrides_file.to_json(overrides),
            "sha256": self.spec.sha256,
        }


def choice_from_json(given: dict[str, Any]) -> ModelChoice:
    """Return what opens the network of ``Conversion.to_json``."""
    return ModelChoice(
        None if given["checkpoint"] is None else Path(given["checkpoint"]),
        given["architecture"],
        overrides=overrides_file.from_json(given["overrides"]),
    )


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
        self._is_over = threading.Event()

    def is_kept(self, conversion: Conversion) -> bool:
        """Return whether it was converted before."""
        return self._path(conversion).exists()

    def start(self, conversion: Conversion, *, is_idle: bool = False) -> Future[OnnxBackend]:
        """Convert a network, or take what is kept of it, and load it.

        Args:
            conversion: of which network.
            is_idle: let everything else that wants the processor go first.

        Returns:
            A future that ends with ConversionError where PyTorch is to go on.
        """
        return self._thread.submit(self._backend, conversion, is_idle=is_idle)

    def shut_down(self) -> None:
        """Wait no longer for what is being converted; its process goes on to its end."""
        self._is_over.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _backend(self, conversion: Conversion, *, is_idle: bool) -> OnnxBackend:
        path = self._path(conversion)
        try:
            if not path.exists():
                self._convert(conversion, path, is_idle=is_idle)
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
            for file in (path, sum_file(path)):
                with contextlib.suppress(OSError):
                    file.unlink()
            raise ConversionError(f"{path} cannot be loaded: {error}") from error
        return made

    def _convert(self, conversion: Conversion, path: Path, *, is_idle: bool) -> None:
        """Let a process convert a network, and wait for its end or for the program's.

        Raises:
            ConversionError: it cannot be converted, or not now.
        """
        make_private_folder(self._folder)
        if refusal_file(path).exists():
            raise ConversionError(refusal_file(path).read_text(errors="replace"))
        if any(map(_is_at_work, self._folder.glob(f"{path.stem}.*.unfinished"))):
            raise ConversionError("another process converts it")
        begun = time.monotonic()
        asked = {**conversion.to_json(), "path": str(path.absolute()), "is_idle": is_idle}
        process = begin_process(json.dumps(asked), is_idle=is_idle)
        while process.poll() is None:
            if self._is_over.wait(_LOOKING_SECONDS):
                process.returncode = 0  # nobody waits for it any more
                raise ConversionError("the program is closing; its process goes on")
        if process.returncode:
            reason = "its process ended early"
            with contextlib.suppress(FileNotFoundError):
                reason = refusal_file(path).read_text(errors="replace")
                if process.returncode != LASTING:
                    refusal_file(path).unlink()
            raise ConversionError(reason)
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
                sum_file(path).unlink(missing_ok=True)
        for path in self._folder.glob("*.unfinished"):
            if not _is_at_work(path):
                path.unlink(missing_ok=True)


def sum_file(path: Path) -> Path:
    """Return where it is noted what was written there: a network is not trusted by its name."""
    return path.with_suffix(".sha256")


def refusal_file(path: Path) -> Path:
    """Return where it is noted why a network cannot be converted."""
    return path.with_suffix(".refused")


def begin_process(asked: str, *, is_idle: bool) -> subprocess.Popen[bytes]:
    """Begin the process that converts; it answers by files, and outlives this one.

    Args:
        asked: JSON: ``Conversion.to_json``, where the result goes (``path``), whether to let all
            else go first (``is_idle``), and whether it is for other programs (``is_plain``).
        is_idle: the same.
    """
    command = [sys.executable, CONVERT, asked]
    environment = dict(os.environ)
    if not getattr(sys, "frozen", False):
        program = (
            "import sys; from core.inference.converting import main; sys.exit(main(sys.argv[1]))"
        )
        command = [sys.executable, "-P", "-c", program, asked]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        flags |= (
            subprocess.IDLE_PRIORITY_CLASS if is_idle else subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    nothing = subprocess.DEVNULL
    return subprocess.Popen(
        command,
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        env=environment,
        start_new_session=True,  # Ctrl+C is meant for the program
        creationflags=flags,
    )


def _is_at_work(unfinished: Path) -> bool:
    """Return whether a process may still be writing a network."""
    with contextlib.suppress(FileNotFoundError):
        return time.time() - unfinished.stat().st_mtime < LIMIT_SECONDS
    return False


def _read_whole(path: Path) -> bytes:
    """Return a converted network.

    Raises:
        ConversionError: it is not the one that was written.
    """
    network = path.read_bytes()
    if hashlib.sha256(network).hexdigest() != sum_file(path).read_text(encoding="ascii"):
        raise ConversionError("it is not what was written")
    return network
