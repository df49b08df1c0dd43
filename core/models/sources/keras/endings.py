"""How a Keras model ends: its last activation is taken off, as the engine has its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.models.sources.keras.activations import name_in
from core.models.sources.keras.configs import LayerConfig, ModelConfig, Output
from core.models.sources.keras.parameters import LayerPath
from core.models.sources.keras.translating import kind_of
from core.values.spec import Outputs

_TAKEN_OFF = ("softmax", "log_softmax", "sigmoid")
_PASSING = ("Flatten", "Reshape", "Dropout", "Identity", "ActivityRegularization")
_LINEAR = ("BatchNormalization", "Dense", "Conv2D", "SeparableConv2D", "DepthwiseConv2D")
"""Layers that give logits, where they have no activation."""
_WITH_ACTIVATION = ("Activation", "Dense", "Conv2D", "SeparableConv2D", "DepthwiseConv2D")


@dataclass(frozen=True)
class Ending:
    """How a model ends.

    Attributes:
        activation: Keras's name of the last one, or the kind of a layer that computes something
            else; "linear" where there is none.
        layer: which was taken off, None where none was.
        is_reshaped: whether what it gives goes on in another shape.
    """

    activation: str
    layer: LayerPath | None = None
    is_reshaped: bool = False


def without_activation(model: ModelConfig) -> tuple[ModelConfig, Ending]:
    """Return a model that gives logits, and how it ended before."""
    return _without(model, (), is_reshaped=False)


def outputs_of(ending: Ending, compiled: dict[str, Any], count: int) -> tuple[Outputs, bool]:
    """Return what the outputs are, and whether that had to be assumed.

    Args:
        ending: of the model.
        compiled: how it was trained, as the file says it.
        count: of the outputs.
    """
    if ending.layer is not None:
        return ("sigmoid" if ending.activation == "sigmoid" else "softmax"), False
    loss, takes_logits = _loss(compiled)
    if ending.activation != "linear" and not takes_logits:
        return "value", False
    if "categoricalcrossentropy" in loss:
        return "softmax", False
    if "binarycrossentropy" in loss:
        return "sigmoid", False
    if loss:
        return "value", False
    return ("sigmoid" if count == 1 else "softmax"), True


def _loss(compiled: dict[str, Any]) -> tuple[str, bool]:
    """Return the name of the loss, "" where the file has none, and whether it takes logits."""
    loss = compiled.get("loss")
    if isinstance(loss, list | tuple) and len(loss) == 1:
        loss = loss[0]
    takes_logits = False
    if isinstance(loss, dict):
        kind, inner = loss.get("class_name"), loss.get("config")
        takes_logits = isinstance(inner, dict) and inner.get("from_logits") is True
        loss = inner if kind == "function" else kind
    name = loss if isinstance(loss, str) else ""
    return name.lower().replace("_", ""), takes_logits


def _without(
    model: ModelConfig, path: LayerPath, *, is_reshaped: bool
) -> tuple[ModelConfig, Ending]:
    if len(model.outputs) != 1:
        return model, Ending("linear")
    place = model.outputs[0]
    seen: set[Output] = set()
    while place not in seen:
        seen.add(place)
        layer = model.layers[place.layer]
        here, is_shared = (*path, layer.name), len(layer.calls) > 1
        if layer.model is not None:
            inner, ending = _without(layer.model, here, is_reshaped=is_reshaped)
            if is_shared:  # elsewhere its activation is needed
                return model, replace(ending, layer=None)
            return _with(model, replace(layer, model=inner)), ending
        name = _activation_of(layer)
        if name in _TAKEN_OFF and not is_shared:
            return _with(model, _made_linear(layer)), Ending(name, here, is_reshaped)
        passes = layer.kind in _PASSING or (layer.kind == "Activation" and name == "linear")
        given = layer.calls[0].arguments[:1] if layer.calls else ()
        if not passes or is_shared or not given or not isinstance(given[0], Output):
            return model, Ending(name)
        is_reshaped |= layer.kind in ("Flatten", "Reshape")
        place = given[0]
    return model, Ending("linear")


def _activation_of(layer: LayerConfig) -> str:
    if layer.kind in _WITH_ACTIVATION:
        return name_in(layer.options.get("activation")) or "another"
    if layer.kind == "Softmax" or kind_of(layer) == "op nn.softmax":
        return "softmax"
    return "linear" if layer.kind in (*_LINEAR, *_PASSING) else layer.kind


def _made_linear(layer: LayerConfig) -> LayerConfig:
    if layer.kind in _WITH_ACTIVATION:
        return replace(layer, options={**layer.options, "activation": "linear"})
    options = {"name": layer.name, "activation": "linear"}
    return replace(layer, kind="Activation", options=options, is_operation=False)


def _with(model: ModelConfig, layer: LayerConfig) -> ModelConfig:
    return replace(model, layers={**model.layers, layer.name: layer})
