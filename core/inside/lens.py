"""Looks inside one network, photo after photo, and keeps what it saw within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import NotSpatialError, PreprocessingError, UnknownLayerError, UnreadableImageError
from core.images.preprocessing import Box, Preprocessing, SeenPhoto
from core.inside.class_activation import ClassActivation, channel_counts, class_activation
from core.inside.covering import cover
from core.inside.feature_maps import (
    FeatureMapsOfPhoto,
    as_shown_for,
    attention_of,
    capture_feature_maps,
    maps_of,
)
from core.inside.idle_parts import IdlePart, idle_parts
from core.inside.layers import Recording, count_multiply_adds, record
from core.inside.names import BlockName
from core.inside.pooled import pooled_features
from core.inside.residual_blocks import ResidualBlock, hidden_additions, list_blocks, run_block
from core.inside.score_cam import score_cam
from core.inside.summary import LayerTable
from core.values.spec import Outputs

LIMIT_BYTES = 512 * 2**20
_KEPT_PHOTOS = 4
_POOLED_LIMIT_BYTES = 128 * 2**20


@dataclass(frozen=True)
class BlockOfPhoto:
    """Both paths of a block, and the photo that they are of."""

    photo: Path
    block: ResidualBlock


@dataclass(frozen=True)
class EvidenceOfPhoto:
    """Class activation maps with what is needed to lay them over the photo."""

    photo: Path
    found: ClassActivation
    seen: npt.NDArray[np.uint8]
    box: Box | None


@dataclass(frozen=True)
class ComparedPhoto:
    """One channel of a layer for one of several photos.

    Attributes:
        photo: the file.
        values: the channel's map, or the mean of all channels, float32, shape (h, w).
        seen: what the model saw, uint8, shape (H, W, 3).
        reason: why there is no map, in a sentence; "" where there is one.
    """

    photo: Path
    values: npt.NDArray[np.float32]
    seen: npt.NDArray[np.uint8]
    reason: str = ""


@dataclass(frozen=True)
class _Seen:
    """A photo as the network takes it, and its pass."""

    batch: Tensor
    seen: npt.NDArray[np.uint8]
    box: Box | None
    recording: Recording


class Lens:
    """Belongs to the thread that owns the network.

    Args:
        network: in evaluation mode, on any device; always left as it was found.
        preprocessing: from photo to input.
        limit_bytes: memory for the outputs that are kept, over all photos.
        outputs: what the network's outputs are.
    """

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        limit_bytes: int = LIMIT_BYTES,
        outputs: Outputs = "softmax",
    ) -> None:
        self._network, self._preprocessing = network, preprocessing
        self._limit = limit_bytes
        self._outputs: Outputs = outputs
        self._photos: OrderedDict[Path, _Seen] = OrderedDict()
        self._counts: Mapping[str, int] | None = None
        self._idle: tuple[IdlePart, ...] | None = None
        self._pooled: dict[str, npt.NDArray[np.float16]] = {}
        self._blocks = list_blocks(network)

    @property
    def kept_bytes(self) -> int:
        """Return how much memory the kept outputs take."""
        return sum(one.recording.kept_bytes for one in self._photos.values())

    def table(self, photo: Path | None) -> LayerTable:
        """Return every layer with what it computes for a photo; None takes an empty one.

        Raises:
            UnreadableImageError: the photo cannot be decoded.
        """
        empty = self._empty()
        look = None if photo is None else self._look(photo)
        recording = record(self._network, empty) if look is None else look.recording
        if self._counts is None:
            self._counts = {} if recording.error else count_multiply_adds(self._network, empty)
        if self._idle is None:
            ran = [layer.name for layer in recording.layers]
            self._idle = () if recording.error else idle_parts(self._network, empty, ran)
        _, channels, height, width = empty.shape
        hidden = hidden_additions(self._network, recording.layers)
        return LayerTable(
            layers=recording.layers,
            multiply_adds=self._counts,
            blocks={one.name: one for one in self._blocks if one.name not in hidden},
            error=recording.error,
            input_shape=(channels, height, width),
            flow=recording.flow,
            strengths=None if look is None else recording.strengths,
            seen=None if look is None else look.seen,
            idle=self._idle,
            parameters=sum(one.numel() for one in self._network.parameters()),
            photo=photo,
        )

    def feature_maps(
        self, photo: Path, layer: str, call: int, for_class: int | None = None
    ) -> FeatureMapsOfPhoto:
        """Return what one call of one layer computes for a photo.

        Args:
            photo: the file.
            layer: dotted name.
            call: from 1.
            for_class: also find out how much each channel counts for this class.

        Raises:
            UnknownLayerError: no such layer, or no such call.
            NotSpatialError: the layer's output cannot be shown.
            UnreadableImageError: the photo cannot be decoded.
        """
        seen = self._look(photo)
        maps = maps_of(seen.recording, layer, call)
        if maps is None:  # beyond the limit, or unknown
            calls = capture_feature_maps(self._network, seen.batch, layer)
            if not 1 <= call <= len(calls):
                times = "once" if len(calls) == 1 else f"{len(calls)} times"
                raise UnknownLayerError(
                    "The layer {layer!r} runs {times}; there is no call {call}.",
                    layer=layer,
                    times=times,
                    call=call,
                )
            maps = calls[call - 1]
        shown = as_shown_for(photo, maps, seen.seen, seen.box)
        if for_class is None:
            return shown
        counts = channel_counts(self._network, seen.batch, layer, call, for_class)
        return replace(shown, counts=counts)

    def attention(self, photo: Path, layer: str) -> FeatureMapsOfPhoto:
        """Return a layer's attention, one map a head.

        Raises:
            NotSpatialError: the layer is no attention that can be laid out as an image.
            UnreadableImageError: the photo cannot be decoded.
        """
        seen = self._look(photo)
        maps = attention_of(self._network, seen.batch, layer)
        return as_shown_for(photo, maps, seen.seen, seen.box, is_attention=True)

    def block(self, photo: Path, name: BlockName) -> BlockOfPhoto:
        """Return both paths of a residual block.

        Raises:
            NotResidualError: it is none.
            UnreadableImageError: the photo cannot be decoded.
        """
        return BlockOfPhoto(photo, run_block(self._network, self._look(photo).batch, name))

    def evidence(
        self, photo: Path, classes: Sequence[int], *, has_gradients: bool = True
    ) -> Iterator[EvidenceOfPhoto]:
        """Yield where in a photo the evidence for classes lies: at once, or ever finer.

        Args:
            photo: the file.
            classes: class indices.
            has_gradients: whether the network gives any; it is Score-CAM without them. Where no
                layer has an image's layout, parts of the photo are covered.

        Raises:
            UnreadableImageError: the photo cannot be decoded.
        """
        seen = self._look(photo)
        for found in self._activations(seen, classes, has_gradients=has_gradients):
            yield EvidenceOfPhoto(photo, found, seen.seen, seen.box)

    def _activations(
        self, seen: _Seen, classes: Sequence[int], *, has_gradients: bool
    ) -> Iterator[ClassActivation]:
        network, batch = self._network, seen.batch
        try:
            if has_gradients:
                yield class_activation(network, batch, classes)
            else:
                yield from score_cam(network, batch, classes, seen.recording.layers)
        except NotSpatialError:
            yield from cover(network, batch, classes, self._outputs)

    def under(
        self, photo: Path, preprocessing: Preprocessing, layer: str, call: int, channel: int | None
    ) -> ComparedPhoto:
        """Return one channel of a layer for a photo under another preprocessing.

        Raises:
            UnknownLayerError: no such layer.
            NotSpatialError: the layer's output cannot be shown.
        """
        return Lens(self._network, preprocessing).compare(photo, layer, call, channel)

    def compare(self, photo: Path, layer: str, call: int, channel: int | None) -> ComparedPhoto:
        """Return one channel of a layer for one photo of many; nothing of it is kept.

        Args:
            photo: the file.
            layer: dotted name.
            call: from 1.
            channel: None for the mean of all.

        Raises:
            UnknownLayerError: no such layer.
            NotSpatialError: the layer's output cannot be shown.
        """
        try:
            seen = self._preprocessing.see_file(photo)
        except UnreadableImageError as error:
            empty = np.zeros((1, 1), np.float32)
            return ComparedPhoto(photo, empty, np.zeros((1, 1, 3), np.uint8), str(error))
        batch = self._batch_of(seen)
        maps = capture_feature_maps(self._network, batch, layer)[call - 1].values
        known = channel is not None and channel < len(maps)
        one = maps[channel] if known else maps.mean(axis=0)
        return ComparedPhoto(photo, np.array(one), seen.shown)

    def pooled(self, photo: Path) -> npt.NDArray[np.float32] | None:
        """Return a photo's pooled features, shape (D,), length 1; None where it is unreadable."""
        known = self._pooled.get(str(photo))
        if known is not None:
            return np.asarray(known, np.float32)
        try:
            batch = self._batch_of(self._preprocessing.see_file(photo))
        except (UnreadableImageError, PreprocessingError):
            return None
        found: npt.NDArray[np.float32] = pooled_features(self._network, batch)[0]
        if (len(self._pooled) + 1) * found.nbytes // 2 <= _POOLED_LIMIT_BYTES:
            self._pooled[str(photo)] = found.astype(np.float16)
        return found

    def _look(self, photo: Path) -> _Seen:
        """Return a photo's pass, run now or kept from before."""
        known = self._photos.get(photo)
        if known is not None:
            self._photos.move_to_end(photo)
            return known
        seen = self._preprocessing.see_file(photo)
        batch = self._batch_of(seen)
        while self._photos and (
            len(self._photos) >= _KEPT_PHOTOS or self.kept_bytes > self._limit // 2
        ):
            self._photos.popitem(last=False)
        recording = record(self._network, batch, limit_bytes=self._limit - self.kept_bytes)
        found = _Seen(batch, seen.shown, seen.box, recording)
        self._photos[photo] = found
        return found

    def _batch_of(self, seen: SeenPhoto) -> Tensor:
        values = torch.from_numpy(self._preprocessing.to_input(seen.pixels))
        return values.unsqueeze(0).to(self._device())

    def _empty(self) -> Tensor:
        size = self._preprocessing.input_size
        return torch.zeros(1, self._preprocessing.channels, *size, device=self._device())

    def _device(self) -> torch.device:
        return next(self._network.parameters()).device


def require_maps(found: FeatureMapsOfPhoto) -> FeatureMapsOfPhoto:
    """Refuse a vector where maps with height and width are asked for.

    Raises:
        NotSpatialError: it is a vector.
    """
    if found.maps.layout == "vector":
        raise NotSpatialError(
            "The output of {layer!r} has no height and width; it is a vector of {n} numbers.",
            layer=found.maps.layer,
            n=len(found.maps.values),
        )
    return found
