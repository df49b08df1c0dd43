"""An ONNX network as a module of torch, whose nodes are modules that hooks can be put on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.models.additions import Addition
from core.models.sources.onnx.inputs import PhotoInput
from core.models.sources.onnx.layers import LayerNode, channels_stand_last
from core.models.sources.onnx.outputs import ClassOutput, Meaning
from core.models.sources.onnx.refusing import shown
from core.models.sources.onnx.sessions import Array, Content, RuntimeRefusalError, make_session, run

_LEAST_SHARE = 1e-38
_NEAREST_TO_ONE = 6e-8
_FLOATS = ("float16", "float32", "float64")


class OnnxLayer(nn.Module):
    """Stands for a node: its call gives what the node gave; its class is named for the operator."""

    def __init__(self, parameters: int, settings: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__()
        self.settings = settings
        self.given: Tensor | None = None
        if parameters:  # so that tables count them; the values lie with ONNX Runtime
            empty = torch.empty(parameters, device="meta")
            self.values = nn.Parameter(empty, requires_grad=False)

    def forward(self, *_: Tensor) -> Tensor | None:
        """Return what the node gave."""
        return self.given


class OnnxNetwork(nn.Module):
    """Computes logits on the processor, whatever device its input lies on.

    Photos run one by one: batches are no faster there, and a quantised network would choose its
    steps for all of them together.

    Args:
        content: of the file.
        photo: its input.
        output: the output that tells the classes.
        layers: nodes that are shown as layers.
        outputs: names that the graph gives by itself.

    Attributes:
        additions: what closes its residual blocks.
        names: of its layers, by that of the output of each node.

    Raises:
        RuntimeRefusalError: ONNX Runtime does not take it.
    """

    def __init__(
        self,
        content: Content,
        photo: PhotoInput,
        output: ClassOutput,
        layers: Sequence[LayerNode],
        outputs: Sequence[str],
    ) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1), requires_grad=False)
        self._content, self._photo, self._output = content, photo, output
        self._own_outputs = frozenset(outputs)
        self._session = make_session(content, torch.get_num_threads(), self._missing([]))
        self._watching: Any = None
        self.additions: tuple[Addition, ...] = ()
        self.names: dict[str, str] = {}
        self._layers = tuple((self._add(layer), layer) for layer in layers)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits.

        Args:
            inputs: preprocessed, float32, shape (N, C, H, W), on any device.

        Returns:
            float32, shape (N, K), on the same device.

        Raises:
            RuntimeError: ONNX Runtime refuses the input, or has not enough memory.
        """
        at_a_time = self._photo.batch or 1
        photos = inputs.detach().to("cpu", torch.float32)
        rows = [self._logits(part) for part in torch.split(photos, at_a_time)]
        return torch.cat(rows).to(inputs.device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> OnnxNetwork:
        """Stay on the processor, and in single precision."""
        return self

    def _add(self, layer: LayerNode) -> OnnxLayer:
        name = layer.name
        while hasattr(self, name):
            name += "_"
        module = _layer_class(layer.operator)(layer.parameters, layer.settings)
        self.add_module(name, module)
        self.names[layer.output] = name
        return module

    def _logits(self, photos: Tensor) -> Tensor:
        count = len(photos)
        if self._photo.batch is not None and count < self._photo.batch:
            photos = torch.cat([photos, photos[-1:].expand(self._photo.batch - count, -1, -1, -1)])
        given = {self._photo.name: self._as_taken(photos)}
        name = self._output.candidate.name
        if self._is_watched():
            values = self._show_layers(given, photos)
        else:
            values = run(self._session, given, [name])[0]
        rows = torch.from_numpy(np.asarray(values, np.float32).reshape(len(photos), -1)[:count])
        return _as_logits(rows.clone(), self._output.meaning)

    def _as_taken(self, photos: Tensor) -> Array:
        """Return photos with the axes and the numbers that the network takes."""
        if self._photo.is_last:
            photos = photos.permute(0, 2, 3, 1)
        values = photos.numpy()
        if self._photo.type == "uint8":
            values = values.round().clip(0, 255)
        return np.ascontiguousarray(values, self._photo.type)

    def _is_watched(self) -> bool:
        return any(one._forward_hooks or one._forward_pre_hooks for one, _ in self._layers)

    def _missing(self, wanted: Sequence[str]) -> list[str]:
        """Return the names that the graph has to be asked for; each once."""
        names = dict.fromkeys([*wanted, self._output.candidate.name])
        return [name for name in names if name not in self._own_outputs]

    def _show_layers(self, given: Mapping[str, Array], photos: Tensor) -> Array:
        """Run with the output of every node, and call its module with it; return the classes'."""
        names = list(dict.fromkeys([*self.names, self._output.candidate.name]))
        if self._watching is None:
            try:
                self._watching = make_session(
                    self._content, torch.get_num_threads(), self._missing(names), is_optimised=False
                )
            except RuntimeRefusalError as error:
                raise RuntimeError(str(error)) from error
        values = dict(zip(names, run(self._watching, given, names), strict=True))
        tensors = {self._photo.name: photos}
        for module, layer in self._layers:
            tensor = _as_maps(values[layer.output], layer.is_last)
            if tensor is None:
                continue
            tensors[layer.output] = tensor
            module.given = tensor
            try:
                module(*(tensors[one] for one in layer.inputs if one in tensors))
            finally:
                module.given = None
        return values[self._output.candidate.name]


@functools.lru_cache
def _layer_class(operator: str) -> type[OnnxLayer]:
    """Return a class of an operator's name, which tables show as the kind of the layer."""
    return type(shown(operator), (OnnxLayer,), {})


def _as_maps(value: object, is_last: bool | None) -> Tensor | None:
    """Return an output with its channels first; None where it is no tensor of real numbers."""
    if not isinstance(value, np.ndarray) or value.ndim < 2 or value.dtype.name not in _FLOATS:
        return None
    tensor = torch.from_numpy(np.asarray(value, np.float32))
    if channels_stand_last(is_last, value.shape):
        return tensor.permute(0, 3, 1, 2)
    return tensor


def _as_logits(rows: Tensor, meaning: Meaning) -> Tensor:
    """Return logits whose softmax, or sigmoid, is what the network gives."""
    if meaning is Meaning.SHARES:
        return rows.clamp_min_(_LEAST_SHARE).log_()
    if meaning is Meaning.ANSWERS:
        return torch.logit(rows.double(), eps=_NEAREST_TO_ONE).float()
    return rows
