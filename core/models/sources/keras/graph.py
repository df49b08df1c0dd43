"""A Keras model as one network of torch: a module a layer, run in an order in which each can."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import UnusableCheckpointError
from core.models.class_names.lists import clean
from core.models.sources.checkpoint.stored import CheckpointFile
from core.models.sources.keras.configs import Argument, Call, LayerConfig, ModelConfig, Output
from core.models.sources.keras.making import Convert, misfit
from core.models.sources.keras.modules import MisfitError
from core.models.sources.keras.parameters import Arrays, LayerPath
from core.models.sources.keras.translating import Translator

_LONGEST_NAME = 100


@dataclass(frozen=True)
class _Step:
    """One call of a module.

    Attributes:
        module: its name in the graph.
        arguments: earlier results, or names of numbers that the graph keeps.
        result: what its output is known by.
        over: results that nobody needs any more.
    """

    module: str
    arguments: tuple[Output | str, ...]
    result: Output
    over: tuple[Output, ...]


class Graph(nn.Module):
    """Layers of which each is given what others gave.

    Args:
        inputs: the names of its input layers.
        output: what it gives.
    """

    def __init__(self, inputs: tuple[str, ...], output: Output) -> None:
        super().__init__()
        self._inputs = tuple(Output(name, 0) for name in inputs)
        self._output = output
        self._steps: list[_Step] = []
        self._numbers: dict[str, Tensor] = {}

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the output for the inputs; maps have the shape (N, C, H, W)."""
        if len(inputs) != len(self._inputs):
            raise MisfitError
        results = dict(zip(self._inputs, inputs, strict=True))
        for step in self._steps:
            given = [
                self.get_buffer(one) if isinstance(one, str) else results[one]
                for one in step.arguments
            ]
            results[step.result] = self.get_submodule(step.module)(*given)
            del given
            for result in step.over:
                del results[result]
        return results[self._output]

    def append(self, step: _Step) -> None:
        """Add a call behind the others."""
        self._steps.append(step)

    def add_layer(self, name: str, module: nn.Module) -> str:
        """Register a layer's module and return the name that it could be given."""
        plain = clean(name).replace(".", "_")[:_LONGEST_NAME] or "layer"
        while hasattr(self, plain):
            plain += "_"
        self.add_module(plain, module)
        return plain

    def add_numbers(self, numbers: float | tuple[float, ...]) -> str:
        """Keep numbers that a layer is given, and return their name."""
        name = f"numbers_{len(self._buffers)}"
        while hasattr(self, name):
            name += "_"
        values = torch.tensor(numbers, dtype=torch.float32)
        self.register_buffer(name, values.to("meta"), persistent=False)
        self._numbers[name] = values
        return name

    def load_numbers(self) -> None:
        """Give the numbers that it keeps their values."""
        for name, values in self._numbers.items():
            setattr(self, name, values.clone())


@dataclass(frozen=True)
class Built:
    """A network on the meta device, and where its values come from.

    Attributes:
        network: of the whole model.
        modules: by the path of their layers.
        values: array of the file and conversion, by module and name in its state.
    """

    network: Graph
    modules: dict[LayerPath, nn.Module]
    values: list[tuple[nn.Module, str, Tensor, Convert]]


def build(translator: Translator, model: ModelConfig, arrays: Arrays) -> Built:
    """Return the network of a model, without values.

    Raises:
        UnusableCheckpointError: a layer is unknown or does not fit.
    """
    builder = _Builder(translator, arrays)
    network = builder.graph(model, ())
    return Built(network.eval(), builder.modules, builder.values)


def load_values(built: Built, file: CheckpointFile) -> None:
    """Give a network its values, read from the file.

    Raises:
        DamagedError: the file has become shorter.
    """
    loaded: dict[nn.Module, dict[str, Tensor]] = {}
    for module, name, array, convert in built.values:
        values = convert(file.take(array)).to(torch.float32).contiguous()
        loaded.setdefault(module, {})[name] = values
    for module, state in loaded.items():
        if isinstance(module, nn.BatchNorm2d):
            state["num_batches_tracked"] = torch.tensor(0)
        module.load_state_dict(state, assign=True)
    for graph in built.network.modules():
        if isinstance(graph, Graph):
            graph.load_numbers()
    built.network.requires_grad_(True)


class _Builder:
    def __init__(self, translator: Translator, arrays: Arrays) -> None:
        self._translator, self._arrays = translator, arrays
        self.modules: dict[LayerPath, nn.Module] = {}
        self.values: list[tuple[nn.Module, str, Tensor, Convert]] = []

    def graph(self, model: ModelConfig, path: LayerPath) -> Graph:
        file = self._translator.path
        if len(model.outputs) != 1:
            raise UnusableCheckpointError(
                "{path} holds a network with {count} outputs; Droplens opens classifiers with one.",
                path=file,
                count=len(model.outputs),
            )
        order = _in_order(file, model)
        last_use: dict[Output, int] = {}
        for number, one in enumerate(order):
            last_use.update(
                dict.fromkeys(_outputs(model.layers[one.layer].calls[one.call]), number)
            )
        last_use.pop(model.outputs[0], None)
        over: dict[int, list[Output]] = {}
        for result, number in last_use.items():
            over.setdefault(number, []).append(result)
        made = Graph(model.inputs, model.outputs[0])
        names: dict[str, str] = {}
        for number, one in enumerate(order):
            layer = model.layers[one.layer]
            call = layer.calls[one.call]
            self._refuse_training(layer, call)
            if one.layer not in names:
                names[one.layer] = made.add_layer(
                    layer.name, self._module(layer, (*path, layer.name))
                )
            arguments = tuple(self._argument(made, layer, given) for given in call.arguments)
            made.append(_Step(names[one.layer], arguments, one, tuple(over.get(number, ()))))
        return made

    def _module(self, layer: LayerConfig, path: LayerPath) -> nn.Module:
        module: nn.Module
        if layer.model is not None:
            module = self.graph(layer.model, path)
        else:
            translated = self._translator.translate(layer, self._arrays.get(path, {}))
            module = translated.module
            for name, (array, convert) in translated.values.items():
                self._check(layer, module, name, array, convert)
                self.values.append((module, name, array, convert))
        self.modules[path] = module
        return module

    def _argument(self, made: Graph, layer: LayerConfig, given: Argument) -> Output | str:
        if given is None:
            raise misfit(self._translator.path, layer.name, layer.kind)
        return given if isinstance(given, Output) else made.add_numbers(given)

    def _check(
        self, layer: LayerConfig, module: nn.Module, name: str, array: Tensor, convert: Convert
    ) -> None:
        """Make sure that an array has the shape that its place in the module has."""
        try:
            fits = convert(array.to("meta")).shape == module.state_dict()[name].shape
        except (RuntimeError, ValueError, IndexError):
            fits = False
        if not fits:
            raise misfit(self._translator.path, layer.name, layer.kind)

    def _refuse_training(self, layer: LayerConfig, call: Call) -> None:
        trains = call.options.get("training") is True
        if trains and (layer.model is not None or layer.kind == "BatchNormalization"):
            raise UnusableCheckpointError(
                "{path} cannot be used: its layer {layer!r} is always run as in training, where "
                "what a photo gives depends on the other photos.",
                path=self._translator.path,
                layer=clean(layer.name),
            )


def _outputs(call: Call) -> Iterable[Output]:
    return (one for one in call.arguments if isinstance(one, Output))


def _in_order(path: Path, model: ModelConfig) -> list[Output]:
    """Return the calls that the output needs, each after those that feed it.

    Raises:
        UnusableCheckpointError: they run in a circle, or need an input of their own.
    """
    ordered: dict[Output, None] = {}
    begun: set[Output] = set()
    inputs = {Output(name, 0) for name in model.inputs}
    waiting: list[tuple[Output, bool]] = [(model.outputs[0], False)]
    while waiting:
        one, is_ready = waiting.pop()
        if is_ready:
            ordered[one] = None
        elif one not in ordered and one not in inputs:
            layer = model.layers[one.layer]
            if one in begun or one.call >= len(layer.calls):
                raise UnusableCheckpointError(
                    "{path} cannot be used: its layers feed each other in a circle, or one of "
                    "them is fed by none.",
                    path=path,
                )
            begun.add(one)
            waiting.append((one, True))
            waiting += [(given, False) for given in _feeding(layer.calls[one.call])]
    return list(ordered)


def _feeding(call: Call) -> list[Output]:
    """Return what a call needs, the last first, as the stack takes it."""
    found: list[Argument] = [one for one in call.arguments if isinstance(one, Output)]
    return [one for one in reversed(found) if isinstance(one, Output)]
