"""Photos as a network is taught on them: decoded once, kept on the disk, seen in random views."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import TeachingError, cannot_write
from core.models.torchvision_import import torchvision_models

if TYPE_CHECKING:
    from core.images.preprocessing import Preprocessing
    from core.inference.engine import Engine

Pixels = npt.NDArray[np.uint8]

_AHEAD = 16
_FEW = 300
"""Photos below which views differ more from one another."""


def with_margin(preprocessing: Preprocessing) -> Preprocessing:
    """Return a preprocessing that keeps what is around the crop, so that views can move."""
    if preprocessing.crop is None or preprocessing.resize is None:
        return preprocessing
    height, width = preprocessing.crop
    if isinstance(preprocessing.resize, int):
        side = preprocessing.resize
        return replace(preprocessing, crop=(max(height, side), max(width, side)))
    above, beside = preprocessing.resize
    return replace(preprocessing, crop=(max(height, above), max(width, beside)))


class DecodedPhotos:
    """Photos as pixels in one file, which the system keeps in memory as far as there is room.

    Attributes:
        pixels: uint8, shape (N, H, W, C).
    """

    def __init__(self, path: Path, count: int, preprocessing: Preprocessing) -> None:
        self._path, self._preprocessing = path, preprocessing
        shape = (count, *preprocessing.input_size, preprocessing.channels)
        self._is_whole = path.is_file() and path.stat().st_size == int(np.prod(shape))
        self._shape = shape
        self.pixels: Pixels = np.zeros((0,), np.uint8)

    def decode(self, photos: Sequence[Path], engine: Engine) -> Iterator[int]:
        """Decode all photos, unless that was done before; yield how many are there.

        Args:
            photos: as many as were counted on; all can be opened, as was seen before.
            engine: whose threads decode.

        Raises:
            TeachingError: there is no room for them, or one cannot be opened any more.
        """
        if not self._is_whole:
            unfinished = self._path.with_suffix(".unfinished")
            try:
                with unfinished.open("wb") as file:
                    for begin in range(0, len(photos), _AHEAD):
                        self._write(photos[begin : begin + _AHEAD], engine, file)
                        yield min(begin + _AHEAD, len(photos))
                unfinished.replace(self._path)
            except OSError as error:
                unfinished.unlink(missing_ok=True)
                raise TeachingError(
                    "The photos could not be laid out for training. {reason}",
                    reason=cannot_write(unfinished, error),
                ) from error
        self.pixels = np.memmap(self._path, np.uint8, "r", shape=self._shape)

    def _write(self, photos: Sequence[Path], engine: Engine, file: BinaryIO) -> None:
        asked = [
            (photo, engine.decode(photo, self._preprocessing, is_exact=True)) for photo in photos
        ]
        for photo, decoding in asked:
            decoded = decoding.result()
            if isinstance(decoded, str):
                raise TeachingError(
                    "{photo} cannot be opened any more: {reason}.", photo=photo, reason=decoded
                )
            file.write(np.ascontiguousarray(decoded).data)


class Views:
    """Random views of photos: a part of each, turned over or not, in other light.

    Args:
        size: height and width of a view.
        channels: of a photo.
        photos: how many there are to learn from: with few of them views differ more.
    """

    def __init__(self, size: tuple[int, int], channels: int, photos: int) -> None:
        torchvision_models()
        from torchvision.transforms import v2

        least = 0.35 if photos < _FEW else 0.5
        steps: list[object] = [
            v2.RandomResizedCrop(size, scale=(least, 1.0), ratio=(0.8, 1.25), antialias=True),
            v2.RandomHorizontalFlip(),
        ]
        if channels == 3:
            steps.append(v2.ColorJitter(0.25, 0.25, 0.25))
        self._view = v2.Compose(steps)

    def of(self, pixels: Pixels, seed: int) -> Pixels:
        """Return a view of each photo, the same for the same seed.

        Args:
            pixels: shape (N, H, W, C).
            seed: of the choice.
        """
        with chance(seed):
            seen = [self._view(_planes(one)) for one in pixels]
        return np.stack([one.permute(1, 2, 0).numpy() for one in seen])


@contextlib.contextmanager
def chance(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Let chance be the same for the same seed, and that of others be as it was."""
    devices = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _planes(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
