"""The process that converts a network for ONNX Runtime, begun by ``core.inference.conversion``.

It answers by files alone, so that it can end its work where the program that began it is gone.
"""

from __future__ import annotations

import faulthandler
import json
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DroplensError
from core.files import hash_of, open_ordinary, write_atomically
from core.inference.conversion import (
    LASTING,
    LIMIT_SECONDS,
    choice_from_json,
    refusal_file,
    sum_file,
)

if TYPE_CHECKING:
    from torch import nn

    from core.images.preprocessing import Preprocessing

_LARGEST_NETWORK_BYTES = 2**30
"""Larger networks stay with PyTorch: they would lie in memory twice, and twice on the disk."""

_OPSET = 18
_EXPORT_BATCH = 2
_YIELDING, _IDLE = 5, 19
"""Niceness: as that of the threads that wait for the network, and the lowest priority."""


class TooLargeError(Exception):
    """A network is not worth its place on the disk."""


def main(given: str) -> int:
    """Write a converted network and its sum, or why there is none; return the exit status.

    Args:
        given: JSON: as ``begin_process`` has it.
    """
    asked = json.loads(given)
    quiet = os.open(os.devnull, os.O_RDWR)  # the exporter prints whole graphs
    for standard in (1, 2):
        os.dup2(quiet, standard)
    if hasattr(os, "nice"):
        os.nice(_IDLE if asked["is_idle"] else _YIELDING)
    with os.fdopen(quiet, "w") as nowhere:
        faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True, file=nowhere)
        return _convert(asked, Path(asked["path"]))


def _convert(asked: dict[str, Any], path: Path) -> int:
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    try:
        unfinished.touch()  # says to others that somebody is at it
        _open_and_export(asked, unfinished)
        with open_ordinary(unfinished) as file:
            written = hash_of(file).hex()
        write_atomically(sum_file(path), written.encode("ascii"), is_private=True)
        unfinished.replace(path)
    except Exception as error:  # noqa: BLE001 - the file tells it
        unfinished.unlink(missing_ok=True)
        reason = traceback.format_exc(limit=-3).encode()
        write_atomically(refusal_file(path), reason, is_private=True)
        may_change = isinstance(error, OSError | MemoryError | DroplensError)
        return 1 if may_change else LASTING
    return 0


def _open_and_export(asked: dict[str, Any], path: Path) -> None:
    import warnings

    import torch

    from core.models.sources import source_of

    choice = choice_from_json(asked)
    opened = source_of(choice.checkpoint).open(choice, None, lambda: False)
    if opened.spec.sha256 != asked["sha256"]:
        raise OSError("the checkpoint has changed on the disk")
    size = sum(one.nbytes for one in opened.network.state_dict().values())
    if size > _LARGEST_NETWORK_BYTES and not asked.get("is_plain"):
        raise TooLargeError(f"the network has {size // 2**20} MB")
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # it has no counterpart outside torch
    warnings.simplefilter("ignore")  # the exporter's, for programmers
    write = _export_plain if asked.get("is_plain") else export
    write(opened.network, opened.spec.preprocessing, path)


def _export_plain(network: nn.Module, preprocessing: Preprocessing, path: Path) -> None:
    """Write a network as it is, for other programs.

    Args:
        network: as for ``export``.
        preprocessing: says the input's size.
        path: the file.
    """
    import torch

    from core.inference.saving_onnx import INPUT, OUTPUT

    values = torch.zeros(_EXPORT_BATCH, preprocessing.channels, *preprocessing.input_size)
    with torch.no_grad():
        torch.onnx.export(
            network,
            (values,),
            str(path),
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "photos"}, OUTPUT: {0: "photos"}},
            opset_version=_OPSET,
        )


def export(
    network: nn.Module, preprocessing: Preprocessing, path: Path, *, keeps_parameters: bool = False
) -> None:
    """Write a network for ONNX Runtime, its first step being the arithmetic on pixels.

    Args:
        network: on the processor, in evaluation mode, torch's fast path of attention disabled.
        preprocessing: says the input's size; its mean and std are inputs of what is written.
        path: the file.
        keeps_parameters: write the parameters as the network has them, by their names, instead
            of joining those of convolutions and normalisations.

    Raises:
        Exception: of many types, where the exporter does not know what the network does.
    """
    import torch

    from core.inference.backends import FACTOR, LOGITS, OFFSET, PIXELS, FromPixels

    modes = torch.onnx.TrainingMode
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
            training=modes.PRESERVE if keeps_parameters else modes.EVAL,
            do_constant_folding=not keeps_parameters,
        )
