"""What a Keras model's JSON says: layers, and which of them feeds which.

Keras has said it in three ways: sequences as lists, nodes as nested lists (Keras 1 and 2), and
nodes as arguments of a call (Keras 3). They become one here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import UnusableCheckpointError
from core.models.class_names.lists import clean
from core.models.sources.checkpoint.stored import DamagedError

_MODELS = ("Functional", "Model", "Sequential")
_INPUT = "InputLayer"
_CONSTANT = "_CONSTANT_VALUE"
_TENSOR = "__keras_tensor__"
_MOST_LAYERS, _MOST_CALLS, _MOST_ARGUMENTS, _DEEPEST = 5000, 10_000, 1000, 12


@dataclass(frozen=True)
class Output:
    """What one call of a layer gives."""

    layer: str
    call: int


Argument = Output | float | tuple[float, ...] | None
"""What a layer is given: another's output, or numbers; None is neither."""


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        arguments: in order.
        options: whatever else the call names.
    """

    arguments: tuple[Argument, ...]
    options: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class LayerConfig:
    """A layer.

    Attributes:
        kind: its class.
        name: among the layers of its model.
        options: its own.
        is_operation: whether it stands for a function of TensorFlow.
        calls: in the order in which other layers count them.
        model: what it consists of, where it is a model itself.
    """

    kind: str
    name: str
    options: dict[str, Any]
    is_operation: bool
    calls: tuple[Call, ...]
    model: ModelConfig | None = None


@dataclass(frozen=True)
class ModelConfig:
    """A model: layers in the order of the file.

    Attributes:
        kind: its class.
        name: as the file gives it.
        layers: by their names.
        inputs: names of its input layers.
        outputs: what it gives.
    """

    kind: str
    name: str
    layers: dict[str, LayerConfig]
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]


def read_model(path: Path, config: dict[str, Any]) -> ModelConfig:
    """Return the model that a file describes.

    Raises:
        UnusableCheckpointError: it is of a class of its own, or describes more than any model has.
        Exception: of many types, where the description makes no sense.
    """
    kind = str(config["class_name"])
    if kind not in _MODELS:
        raise UnusableCheckpointError(
            "{path} holds a model of the class {kind!r}, whose code is not in the file; Droplens "
            "opens Sequential and Functional models.",
            path=path,
            kind=clean(kind),
        )
    return _Reader(path).model(kind, config["config"], 0)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path, self._layers, self._calls = path, 0, 0

    def model(self, kind: str, config: Any, depth: int) -> ModelConfig:
        if depth > _DEEPEST:
            raise DamagedError
        described = config if isinstance(config, list) else config["layers"]
        name = "" if isinstance(config, list) else str(config.get("name", ""))
        self._layers += len(described)
        if self._layers > _MOST_LAYERS:
            raise self._too_many()
        if kind == "Sequential":
            found = self._sequence(name, [self._layer(one, depth) for one in described])
        else:
            layers = self._by_name([self._layer(one, depth) for one in described])
            inputs = tuple(one.layer for one in _places(config["input_layers"]))
            outputs = tuple(_places(config["output_layers"]))
            found = _counted_from_zero(ModelConfig(kind, name, layers, inputs, outputs))
        _check_references(found)
        return found

    def _sequence(self, name: str, layers: list[LayerConfig]) -> ModelConfig:
        """Return a model whose layers feed each other one by one."""
        if not layers or layers[0].kind != _INPUT:
            shape = _input_shape(layers[0].options) if layers else None
            layers.insert(0, LayerConfig(_INPUT, " input", {"batch_shape": shape}, False, ()))
        chained = [layers[0]]
        for layer in layers[1:]:
            call = Call((Output(chained[-1].name, 0),))
            chained.append(replace(layer, calls=(call,)))
        last = Output(chained[-1].name, 0)
        return ModelConfig("Sequential", name, self._by_name(chained), (layers[0].name,), (last,))

    def _by_name(self, layers: list[LayerConfig]) -> dict[str, LayerConfig]:
        named = {layer.name: layer for layer in layers}
        if len(named) != len(layers):
            raise DamagedError
        return named

    def _layer(self, described: Any, depth: int) -> LayerConfig:
        kind, options = str(described["class_name"]), described["config"]
        model = self.model(kind, options, depth + 1) if kind in _MODELS else None
        options = options if isinstance(options, dict) else {}
        name = described.get("name") or options.get("name") or (model.name if model else kind)
        calls = tuple(self._call(kind, one) for one in described.get("inbound_nodes") or ())
        self._calls += len(calls)
        if self._calls > _MOST_CALLS:
            raise self._too_many()
        return LayerConfig(kind, str(name), options, kind.endswith("OpLambda"), calls, model)

    def _call(self, kind: str, node: Any) -> Call:
        if isinstance(node, dict):  # Keras 3
            given, options = node.get("args", []), dict(node.get("kwargs") or {})
            if kind == "GetItem":
                given, options = given[:1], {**options, "slice_spec": given[1]}
            arguments = tuple(_arguments(given))
        else:
            entries = node if node and isinstance(node[0], list) else [node]
            found: list[Argument] = []
            options = {}
            for entry in entries:
                found += _entry(entry)
                options.update(entry[3] if len(entry) > 3 else {})
            arguments = tuple(found)
        if len(arguments) > _MOST_ARGUMENTS:
            raise self._too_many()
        return Call(arguments, options)

    def _too_many(self) -> UnusableCheckpointError:
        return UnusableCheckpointError(
            "{path} has more layers than Droplens opens ({most}).",
            path=self._path,
            most=_MOST_LAYERS,
        )


def _entry(entry: Any) -> Iterator[Argument]:
    """Return what a layer is given by one entry of a node of Keras 1 or 2."""
    if entry[0] == _CONSTANT:
        yield _numbers(entry[2])
    else:
        yield Output(str(entry[0]), _index(entry[1]))
        _first_output(entry[2])
    for name, value in (entry[3] if len(entry) > 3 else {}).items():
        if name in ("x", "y", "bias"):  # the other side of an operation
            yield from _operand(value)


def _operand(value: Any) -> Iterator[Argument]:
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
        yield Output(value[0], _index(value[1]))
        _first_output(value[2])
    elif value is not None:
        yield _numbers(value)


def _arguments(value: Any, depth: int = 0) -> Iterator[Argument]:
    """Return what a layer is given by the arguments of a node of Keras 3."""
    if isinstance(value, dict) and value.get("class_name") == _TENSOR:
        layer, call, output = value["config"]["keras_history"]
        _first_output(output)
        yield Output(str(layer), _index(call))
    elif isinstance(value, list) and depth < _DEEPEST:
        if value and all(_is_number(one) for one in value):
            yield _numbers(value)
            return
        for one in value:
            yield from _arguments(one, depth + 1)
    elif value is not None:
        yield _numbers(_plain_array(value))


def _plain_array(value: Any) -> Any:
    """Return the numbers of an array or tensor that Keras has written into its JSON."""
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"].get("value")
        while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
    return value


def _numbers(value: Any) -> float | tuple[float, ...] | None:
    if _is_number(value):
        return float(value)
    if isinstance(value, list) and len(value) <= _MOST_ARGUMENTS and all(map(_is_number, value)):
        return tuple(map(float, value))
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _index(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_CALLS:
        raise DamagedError
    return value


def _first_output(value: Any) -> None:
    """Refuse any output of a layer but its first: none of the layers that are opened has more."""
    if value != 0:
        raise DamagedError


def _places(described: Any) -> Iterator[Output]:
    """Return outputs of layers, from a list of them or from one alone."""
    if isinstance(described, dict):
        described = list(described.values())
    if described and isinstance(described[0], str):
        described = [described]
    for layer, call, output in described:
        _first_output(output)
        yield Output(str(layer), _index(call))


def _counted_from_zero(model: ModelConfig) -> ModelConfig:
    """Return a model in which the first call of each layer is its call 0.

    Some versions of Keras count the making of a nested model as its first call.
    """
    named = [
        *model.outputs,
        *(one for layer in model.layers.values() for one in _outputs_in(layer)),
    ]
    first: dict[str, int] = {}
    for one in named:
        if model.layers[one.layer].model is not None:
            first[one.layer] = min(first.get(one.layer, one.call), one.call)

    def moved(argument: Argument) -> Argument:
        if isinstance(argument, Output):
            return replace(argument, call=argument.call - first.get(argument.layer, 0))
        return argument

    def with_calls(layer: LayerConfig) -> LayerConfig:
        calls = (replace(one, arguments=tuple(map(moved, one.arguments))) for one in layer.calls)
        return replace(layer, calls=tuple(calls))

    return replace(
        model,
        layers={name: with_calls(layer) for name, layer in model.layers.items()},
        outputs=tuple(
            replace(one, call=one.call - first.get(one.layer, 0)) for one in model.outputs
        ),
    )


def _outputs_in(layer: LayerConfig) -> Iterator[Output]:
    for call in layer.calls:
        for one in call.arguments:
            if isinstance(one, Output):
                yield one


def _check_references(model: ModelConfig) -> None:
    """Make sure that whatever is named is there.

    Raises:
        DamagedError: it is not.
    """
    named = [
        *model.outputs,
        *(one for layer in model.layers.values() for one in _outputs_in(layer)),
    ]
    for one in named:
        layer = model.layers[one.layer]
        if one.call < 0 or one.call >= max(1, len(layer.calls)):
            raise DamagedError
    for name in model.inputs:
        if model.layers[name].kind != _INPUT:
            raise DamagedError


def _input_shape(options: dict[str, Any]) -> Any:
    return options.get("batch_shape", options.get("batch_input_shape"))


def shape_of_input(layer: LayerConfig) -> tuple[int | None, ...] | None:
    """Return the shape that an input layer fixes, without the batch; None where it fixes none."""
    shape = _input_shape(layer.options)
    if not isinstance(shape, list) or not shape:
        return None
    sides = [side if type(side) is int and side > 0 else None for side in shape[1:]]
    return tuple(sides)
