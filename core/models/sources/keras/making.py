"""What modules are made from: a layer's options and its parameters' shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from core.errors import UnusableCheckpointError
from core.models.class_names.lists import clean
from core.models.sources.keras import activations
from core.models.sources.keras.activations import Activation
from core.models.sources.keras.configs import LayerConfig
from core.models.sources.keras.options import Options, axes_of, measure, pair

Convert = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Translated:
    """A layer as a module on the meta device.

    Attributes:
        module: of torch.
        values: for each name of its state dict, the array of the file and what makes torch's
            value of it.
    """

    module: nn.Module
    values: Mapping[str, tuple[Tensor, Convert]] = field(default_factory=dict)


def misfit(path: Path, layer: str, kind: str) -> UnusableCheckpointError:
    """Return what to say of a layer that does not fit its options, parameters or inputs."""
    return UnusableCheckpointError(
        "{path} cannot be used: its layer {layer!r} ({kind}) does not fit its own options, its "
        "parameters or the layers before it.",
        path=path,
        layer=clean(layer),
        kind=clean(kind),
    )


@dataclass(frozen=True)
class Making:
    """What a module is made from.

    Attributes:
        path: of the file.
        is_keras_3: whether Keras 3 wrote it.
        layer: as the file describes it.
        arrays: its parameters without values, by Keras's names.
    """

    path: Path
    is_keras_3: bool
    layer: LayerConfig
    arrays: Mapping[str, Tensor]

    @property
    def options(self) -> Options:
        """Return the layer's options."""
        return self.layer.options

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """Return the shape of one of the layer's parameters."""
        shape = tuple(self.arrays[name].shape)
        if len(shape) != rank or 0 in shape:
            raise ValueError(name)
        return shape

    def activation(self) -> Activation:
        """Return the activation that the options name.

        Raises:
            UnusableCheckpointError: Droplens does not know it.
        """
        described = self.options.get("activation")
        name = activations.name_in(described)
        if name is not None:
            known = activations.of_name(name, is_keras_3=self.is_keras_3)
        else:
            known = self._activation_layer(described)
        if known is None:
            shown = name or (described.get("class_name") if isinstance(described, dict) else "")
            raise UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} has the activation {name!r}, which "
                "Droplens does not know.",
                path=self.path,
                layer=clean(self.layer.name),
                name=clean(str(shown)),
            )
        return known

    def _activation_layer(self, described: Any) -> Activation | None:
        """Return an activation that is given as a layer of its own."""
        if not isinstance(described, dict) or not isinstance(described.get("config"), dict):
            return None
        known = ACTIVATION_LAYERS.get(str(described.get("class_name")))
        return None if known is None else known(described["config"])


def geometry(making: Making) -> dict[str, Any]:
    """Return stride and dilation, and whether the padding is "same"."""
    padding = making.options.get("padding", "valid")
    if padding not in ("same", "valid"):
        raise ValueError(padding)
    return {
        "stride": pair(making.options.get("strides", 1)),
        "dilation": pair(making.options.get("dilation_rate", 1)),
        "is_same": padding == "same",
    }


def _relu_of(options: Options) -> Activation:
    maximum = options.get("max_value")
    return activations.rectified(
        None if maximum is None else measure(options, "max_value"),
        measure(options, "negative_slope", default=0.0),
        measure(options, "threshold", default=0.0),
    )


def _leaky_of(options: Options) -> Activation:
    name = "alpha" if "alpha" in options else "negative_slope"
    return activations.leaky(measure(options, name, default=0.3))


def _softmax_of(options: Options) -> Activation:
    axis = axes_of(options)
    if axis not in ((-1,), (3,)):
        raise ValueError(axis)
    found = activations.of_name("softmax", is_keras_3=True)
    assert found is not None
    return found


ACTIVATION_LAYERS: Mapping[str, Callable[[Options], Activation]] = {
    "ReLU": _relu_of,
    "LeakyReLU": _leaky_of,
    "ELU": lambda options: activations.exponential_linear(measure(options, "alpha", default=1.0)),
    "Softmax": _softmax_of,
}
