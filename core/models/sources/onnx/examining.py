"""Find out what an ONNX file holds: read it, refuse what is no classifier, and run it once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import StoppedError, UnusableCheckpointError, cannot_read, os_reason
from core.files import open_ordinary
from core.models.sources.onnx.estimating import refuse_endless
from core.models.sources.onnx.external import read_external, unheld
from core.models.sources.onnx.graph import Network
from core.models.sources.onnx.inputs import PhotoInput, photo_input
from core.models.sources.onnx.naming import metadata_names
from core.models.sources.onnx.outputs import Candidate, ClassOutput, candidates, class_output
from core.models.sources.onnx.preprocessing import input_size
from core.models.sources.onnx.reading import SparseError, UnheldError, read_network
from core.models.sources.onnx.refusing import refuse_others, too_many_parts
from core.models.sources.onnx.sessions import (
    LARGEST_PASS_BYTES,
    Content,
    RuntimeRefusalError,
    TooMuchMemoryError,
    TooSlowError,
    probe,
)
from core.models.sources.onnx.wire import DamagedError, TooManyPartsError

LARGEST_BYTES = 2**31 - 1
"""Of the file itself; Protocol Buffers allow no more."""

_BLOCK_BYTES = 2**24


@dataclass(frozen=True, eq=False)
class Examined:
    """A usable ONNX file.

    Attributes:
        path: of the file.
        content: what ONNX Runtime is given.
        network: what the file says.
        photo: its input.
        output: the output that tells the classes.
        sha256: of the file, or of it and the files with its parameters.
    """

    path: Path
    content: Content
    network: Network
    photo: PhotoInput
    output: ClassOutput
    sha256: str


def examine(path: Path, is_stopped: Callable[[], bool]) -> Examined:
    """Find out what a file holds.

    Args:
        path: of the file.
        is_stopped: asked while it is read.

    Raises:
        UnusableCheckpointError: why it does not open, in one sentence.
        StoppedError: it was asked to stop.
    """
    try:
        file = _read(path, is_stopped)
        network = _network(path, memoryview(file))
        refuse_others(path, network)
        photo = photo_input(path, network.graph)
        external = read_external(path, network.external, is_stopped)
        content = Content(file, external)
        output = _output(path, network, photo, content)
    except MemoryError as error:
        raise UnusableCheckpointError("{path} does not fit in memory.", path=path) from error
    found = hashlib.sha256(file)
    if external:
        parts = b"".join(one.sha256 for one in external)
        found = hashlib.sha256(found.digest() + parts)
    return Examined(path, content, network, photo, output, found.hexdigest())


def _read(path: Path, is_stopped: Callable[[], bool]) -> bytes:
    """Return all of a file, of one state of it."""
    try:
        with open_ordinary(path) as file:
            before = os.fstat(file.fileno())
            if before.st_size == 0:
                raise UnusableCheckpointError(
                    "{path} is empty; copy or download it again.", path=path
                )
            if before.st_size > LARGEST_BYTES:
                raise UnusableCheckpointError(
                    "{path} has more than 2 GB, which no ONNX file has; its parameters must lie "
                    "beside it.",
                    path=path,
                )
            blocks: list[bytes] = []
            while block := file.read(_BLOCK_BYTES):
                if is_stopped():
                    raise StoppedError
                if not blocks and not block.strip(b"\0"):
                    raise UnusableCheckpointError(
                        "{path} holds nothing but zeros; copy it again.", path=path
                    )
                blocks.append(block)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise UnusableCheckpointError(cannot_read(path, os_reason(error))) from error
    content = b"".join(blocks)
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not same or len(content) != before.st_size:
        raise UnusableCheckpointError(
            "{path} was changed while it was being opened; open it again once it is written.",
            path=path,
        )
    return content


def _network(path: Path, file: memoryview) -> Network:
    try:
        return read_network(file)
    except DamagedError as error:
        raise UnusableCheckpointError(
            "{path} is damaged or incomplete, or is not an ONNX network; copy or download it "
            "again.",
            path=path,
        ) from error
    except TooManyPartsError as error:
        raise too_many_parts(path) from error
    except SparseError as error:
        raise UnusableCheckpointError(
            "{path} holds sparse parameters; export it with dense ones.", path=path
        ) from error
    except UnheldError as error:
        raise unheld(path, error.name) from error


def _output(path: Path, network: Network, photo: PhotoInput, content: Content) -> ClassOutput:
    """Run the network for made photos, and find the output that tells the classes."""
    found = candidates(path, network.graph)
    names = list(dict.fromkeys(one.name for one in found))
    own = {port.name for port in network.graph.outputs}
    size = input_size(network, photo)[0]
    try:
        refuse_endless(content, network.graph, photo, size)
        values = probe(content, photo, size, names, [name for name in names if name not in own])
    except TooMuchMemoryError as error:
        raise UnusableCheckpointError(
            "{path} takes more than {n} GB for one photo of {height}×{width} pixels, more than any "
            "classifier needs.",
            path=path,
            n=LARGEST_PASS_BYTES // 2**30,
            height=size[0],
            width=size[1],
        ) from error
    except TooSlowError as error:
        raise UnusableCheckpointError(
            "{path} computes far more for one photo than any classifier of its size; it is not "
            "opened.",
            path=path,
        ) from error
    except RuntimeRefusalError as error:
        raise UnusableCheckpointError(
            "{path} is not computed by ONNX Runtime: {error}.", path=path, error=_reason(error)
        ) from error
    rows: dict[Candidate, list[object]] = {one: list(values[one.name]) for one in found}
    return class_output(path, network.graph, rows, metadata_names(network))  # type: ignore[arg-type]


def _reason(error: RuntimeRefusalError) -> str:
    from core.models.class_names.lists import clean

    return clean(str(error)).rstrip(". ")
