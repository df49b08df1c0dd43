"""Files of torchvision's weights on this computer."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from core.errors import DownloadError, StoppedError, cannot_read, cannot_write, os_reason
from core.files import hash_of, open_ordinary
from core.models.weights.named import Weights, hub_folder

_COPY_BYTES = 2**23


def delete_part(weights: Weights) -> None:
    """Delete what is there of a download that was cancelled."""
    with contextlib.suppress(OSError):
        weights.part_path.unlink(missing_ok=True)


def take_file(
    weights: Weights, given: Path, is_stopped: Callable[[], bool] = lambda: False
) -> Path:
    """Put a file that the user has already where torch hub would put it.

    Args:
        weights: what it is to be.
        given: the file.
        is_stopped: asked often; ends it.

    Raises:
        DownloadError: it is another file, or there is no room for it.
        StoppedError: it was stopped; nothing has changed.
    """
    try:
        with open_ordinary(given) as file:
            if os.fstat(file.fileno()).st_size > weights.largest_bytes:
                raise DownloadError(
                    "{given} is not {name}: it is too large.", given=given, name=weights.name
                )
            found = hash_of(file, is_stopped).hex()
    except OSError as error:
        raise DownloadError(cannot_read(given, os_reason(error))) from error
    if not found.startswith(weights.hash_start):
        raise DownloadError(
            "{given} is not {name}: its hash does not begin with {hash_start}. The right "
            "file is called {file_name}.",
            given=given,
            name=weights.name,
            hash_start=weights.hash_start,
            file_name=weights.file_name,
        )
    target = weights.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or not target.samefile(given):
            _copy(given, weights.part_path, is_stopped)
            weights.part_path.replace(target)
    except OSError as error:
        raise DownloadError(cannot_write(target, error)) from error
    return target


def _copy(given: Path, target: Path, is_stopped: Callable[[], bool]) -> None:
    with given.open("rb") as source, target.open("wb") as copy:
        while chunk := source.read(_COPY_BYTES):
            if is_stopped():
                break
            copy.write(chunk)
    if is_stopped():
        target.unlink()
        raise StoppedError


def delete_file(weights: Weights) -> None:
    """Delete the file of weights from the disk.

    Raises:
        DownloadError: the system refuses.
    """
    try:
        weights.path.unlink(missing_ok=True)
        weights.part_path.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(
            "{path} could not be deleted: {reason}.", path=weights.path, reason=os_reason(error)
        ) from error


def sizes_on_disk(all_weights: tuple[Weights, ...]) -> dict[str, tuple[int, bool]]:
    """Return what lies on the disk: name → (bytes, whether the file is whole)."""
    lying = {}
    with contextlib.suppress(OSError):
        lying = {one.name: one.stat().st_size for one in os.scandir(hub_folder())}
    found = {}
    for one in all_weights:
        if one.file_name in lying:
            found[one.name] = (lying[one.file_name], True)
        elif one.part_path.name in lying:
            found[one.name] = (lying[one.part_path.name], False)
    return found
