"""Sessions of ONNX Runtime: on the processor, silent, and the first within bounds."""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.images.turning import Size
from core.models.sources.onnx.external import ExternalFile
from core.models.sources.onnx.inputs import PhotoInput
from core.models.sources.onnx.wire import field_of_bytes

log = logging.getLogger(__name__)

Array = npt.NDArray[Any]

LARGEST_PASS_BYTES = 2**30
"""What a network may take for one photo beside its parameters."""

_PASS_SECONDS = 3.0
_BYTES_A_SECOND = 20 * 2**20
"""The more parameters, the longer a first pass may take."""

_FATAL = 4
_GRAPH, _OUTPUT, _NAME = 7, 12, 1
_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", re.ASCII)
_LONGEST_REASON = 300


class RuntimeRefusalError(Exception):
    """ONNX Runtime does not compute a network, with its reason."""


class TooSlowError(Exception):
    """A pass takes longer than that of any classifier of the size."""


class TooMuchMemoryError(Exception):
    """A pass takes more memory than that of any classifier."""


@dataclass(frozen=True, eq=False)
class Content:
    """A network as ONNX Runtime is given it.

    Attributes:
        network: the file.
        external: the files with parameters beside it.
    """

    network: bytes
    external: tuple[ExternalFile, ...]

    @property
    def size_bytes(self) -> int:
        """Return how large all files are."""
        return len(self.network) + sum(len(one.content) for one in self.external)


def make_session(
    content: Content,
    threads: int,
    outputs: Sequence[str] = (),
    *,
    is_optimised: bool = True,
    is_bounded: bool = False,
    sides: Mapping[str, int] | None = None,
) -> Any:
    """Return a session on the processor.

    Constants are not computed ahead: a small file could let them fill the memory.

    Args:
        content: of the network.
        threads: that compute.
        outputs: names inside the network that it gives too.
        is_optimised: whether steps may be fused.
        is_bounded: whether a pass may take no more than ``LARGEST_PASS_BYTES``.
        sides: of axes that the network leaves free, by their names.

    Raises:
        RuntimeRefusalError: ONNX Runtime does not take it.
    """
    import onnxruntime

    options = _options(threads, is_optimised=is_optimised, is_bounded=is_bounded)
    for name, side in (sides or {}).items():
        options.add_free_dimension_override_by_name(name, side)
    if content.external:
        options.add_external_initializers_from_files_in_memory(
            [one.name for one in content.external],
            [one.content for one in content.external],
            [len(one.content) for one in content.external],
        )
    try:
        return onnxruntime.InferenceSession(
            content.network + _with_outputs(outputs),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["ConstantFolding"],
            enable_fallback=0,  # else it prints what went wrong, and tries again with all of them
        )
    except Exception as error:  # of types that only ONNX Runtime knows
        raise RuntimeRefusalError(_first_line(error)) from error


def _options(threads: int, *, is_optimised: bool, is_bounded: bool) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if not is_optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if is_bounded and _has_bounded_allocator():
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def probe(
    content: Content, photo: PhotoInput, size: Size, names: Sequence[str], extra: Sequence[str]
) -> Mapping[str, list[Array]]:
    """Run a network for two made photos, within bounds of memory and time.

    Args:
        content: of the network.
        photo: its input.
        size: (height, width) of the photos.
        names: outputs that are wanted.
        extra: those of them that the network does not give by itself.

    Returns:
        For each name what came out for each of the photos; of a fixed batch, its first.

    Raises:
        RuntimeRefusalError: ONNX Runtime does not compute it.
        TooSlowError: it takes too long.
        TooMuchMemoryError: it takes too much memory.
    """
    import torch

    threads = torch.get_num_threads()
    session = make_session(content, threads, extra, is_optimised=False, is_bounded=True)
    limit_s = _PASS_SECONDS + content.size_bytes / _BYTES_A_SECOND
    found: dict[str, list[Array]] = {name: [] for name in names}
    for given in _made_photos(photo, size):
        values = _run_within(session, {photo.name: given}, names, limit_s)
        for name, value in zip(names, values, strict=True):
            array = np.asarray(value)
            found[name].append(array[:1] if array.ndim else array)
    return found


def run(session: Any, given: Mapping[str, Array], names: Sequence[str]) -> list[Array]:
    """Return what a session computes.

    Raises:
        RuntimeError: it cannot, e.g. for want of memory.
    """
    try:
        found: list[Array] = session.run(list(names), dict(given))
    except Exception as error:  # of types that only ONNX Runtime knows
        raise RuntimeError(str(error)) from error
    return found


def _run_within(
    session: Any, given: Mapping[str, Array], names: Sequence[str], limit_s: float
) -> list[Array]:
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        options.terminate = True

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        found: list[Array] = session.run(list(names), dict(given), options)
    except Exception as error:  # of types that only ONNX Runtime knows
        if is_late.is_set():
            raise TooSlowError from error
        if isinstance(error, MemoryError) or _is_of_memory(str(error)):
            raise TooMuchMemoryError from error
        raise RuntimeRefusalError(_first_line(error)) from error
    finally:
        timer.cancel()
        timer.join()
    return found


@functools.cache
def _has_bounded_allocator() -> bool:
    """Let ONNX Runtime have one allocator with a bound, for the sessions that ask for it.

    Returns:
        Whether it has it; processors of 32 bits have none.
    """
    import onnxruntime

    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    as_asked = 1
    bounds = onnxruntime.OrtArenaCfg(
        {"max_mem": LARGEST_PASS_BYTES, "arena_extend_strategy": as_asked}
    )
    try:
        onnxruntime.create_and_register_allocator(memory, bounds)
    except Exception as error:  # noqa: BLE001 - of types that only ONNX Runtime knows
        log.warning("ONNX Runtime takes no bound of memory: %s", error)
        return False
    return True


def _with_outputs(names: Sequence[str]) -> bytes:
    """Return what makes names inside a network outputs of it, written behind its file.

    A message that stands twice in a file of Protocol Buffers counts as one with the fields of both.
    """
    ports = [field_of_bytes(_OUTPUT, field_of_bytes(_NAME, name.encode())) for name in names]
    return field_of_bytes(_GRAPH, b"".join(ports)) if ports else b""


def _made_photos(photo: PhotoInput, size: Size) -> list[Array]:
    """Return noise and its negative, as the network takes a photo."""
    random = np.random.default_rng(0)
    shape = (*size, photo.channels) if photo.is_last else (photo.channels, *size)
    noise = random.random(shape, np.float32)
    made = []
    for values in (noise, 1 - noise):
        whole = (values * 255).round() if photo.type == "uint8" else values
        made.append(np.repeat(whole[None].astype(photo.type), photo.batch or 1, axis=0))
    return made


def _is_of_memory(text: str) -> bool:
    """Return whether ONNX Runtime had no memory, which it says in words alone."""
    return "bfc_arena" in text or "Failed to allocate memory" in text or "bad_alloc" in text


def _first_line(error: Exception) -> str:
    """Return what ONNX Runtime says, without the numbers and names of its own errors."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return _PREFIX.sub("", line)[:_LONGEST_REASON]
