"""Write the model in use as an ONNX file, which programs of others run."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.errors import UnusableCheckpointError
from core.files import refuse_unwritable, write_result
from core.inference.conversion import LASTING, Conversion, begin_process, refusal_file
from core.inference.engine import Engine, ModelRequest
from core.language import tr
from core.models.sources.base import Capability

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from core.images.preprocessing import Preprocessing

log = logging.getLogger(__name__)

INPUT, OUTPUT = "input", "logits"
"""Names in the file: photos after the preprocessing, float32, shape (N, C, H, W); (N, K)."""

_AGREEMENT = 1e-4
_MOST_BYTES = 2 * 2**30 - 2**20
"""Of parameters: protocol buffers hold no more than 2 GB."""

_LOOKING_SECONDS = 0.05

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class SaveAsOnnx(ModelRequest["Iterator[Path | None]"]):
    """Write the model in use as an ONNX file with its class names and preprocessing.

    The network is exported in a process of its own, from the file that it was opened from; what
    comes of it must answer as the model in use does.
    """

    path: Path

    def run(self, engine: Engine) -> Iterator[Path | None]:
        """Yield None while it is being made, then the file.

        Raises:
            UnusableCheckpointError: the network has no counterpart in ONNX.
            DroplensError: the file cannot be written.
        """
        from core.models.sources.onnx.own_metadata import metadata_of

        engine.require(Capability.SAVE, tr("This kind of model cannot be written as ONNX."))
        refuse_unwritable(self.path)
        ready, classifier = engine.ready, engine.classifier()
        assert ready is not None
        size = sum(one.nbytes for one in classifier.network.state_dict().values())
        if size > _MOST_BYTES:
            raise UnusableCheckpointError(
                "{title} cannot be written as ONNX: such a file holds 2 GB at most.",
                title=classifier.spec.title,
            )
        conversion = Conversion(ready.choice, classifier.spec)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "network.onnx"
            yield from _exported(conversion, made)
            content = made.read_bytes() + _metadata(metadata_of(classifier.spec))
        if engine.classifier() is not classifier:
            raise UnusableCheckpointError(
                "Another model was opened while {path} was being made; it is not written.",
                path=self.path,
            )
        written = _Written(content, classifier.spec.preprocessing)
        difference = classifier.difference(written, in_full=True)
        if difference > _AGREEMENT:
            log.warning("%s: as ONNX it differs by %g", classifier.spec.title, difference)
            raise _has_no_counterpart(classifier.spec.title)
        write_result(self.path, content)
        yield self.path


class _Written:
    """The file that is to be written, as other programs run it."""

    title, batch_size, streams, runs_ahead = "ONNX", 1, 1, False

    def __init__(self, content: bytes, preprocessing: Preprocessing) -> None:
        import onnxruntime
        import torch

        from core.inference.backends import Normalisation

        self._session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        self._normalisation = Normalisation(preprocessing, torch.device("cpu"))

    def begin(
        self, pixels: npt.NDArray[np.uint8], then: Callable[[Tensor], _Answer]
    ) -> Callable[[], _Answer]:
        """Compute the outputs."""
        import torch

        values = self._normalisation(torch.from_numpy(pixels)).contiguous().numpy()
        (outputs,) = self._session.run([OUTPUT], {INPUT: values})
        answer = then(torch.from_numpy(outputs))
        return lambda: answer

    def close(self) -> None:
        """There is nothing to end."""


def _exported(conversion: Conversion, path: Path) -> Iterator[None]:
    """Let a process write the network, and yield while it does.

    Raises:
        UnusableCheckpointError: it does not end with a file.
    """
    asked = {**conversion.to_json(), "path": str(path), "is_idle": False, "is_plain": True}
    process = begin_process(json.dumps(asked), is_idle=False)
    try:
        while process.poll() is None:
            yield
            time.sleep(_LOOKING_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode:
        refusal = refusal_file(path)
        log.warning("no ONNX file: %s", refusal.read_text() if refusal.exists() else "")
        if process.returncode == LASTING:
            raise _has_no_counterpart(conversion.spec.title)
        raise UnusableCheckpointError(
            "{title} could not be written as ONNX: its file is gone or was changed, or there is "
            "no room; open the model again.",
            title=conversion.spec.title,
        )


def _has_no_counterpart(title: str) -> UnusableCheckpointError:
    return UnusableCheckpointError(
        "{title} could not be written as ONNX: what it computes has no counterpart there that "
        "answers the same. “Save the model as…” writes it whole.",
        title=title,
    )


def _metadata(texts: dict[str, str]) -> bytes:
    """Return bytes that, behind those of an ONNX file, add texts to it.

    Protocol buffers are joined by writing one behind the other: lists are joined, of single
    values the last counts. Source: protobuf.dev, "Encoding", "Last one wins".
    """
    import onnx

    addition = onnx.ModelProto(producer_name="Droplens")
    for key, value in texts.items():
        addition.metadata_props.add(key=key, value=value)
    return bytes(addition.SerializeToString())
