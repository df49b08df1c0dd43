"""Which array of a Keras file belongs to which layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from core.errors import UnusableCheckpointError
from core.models.class_names.lists import clean
from core.models.sources.keras.configs import LayerConfig, ModelConfig
from core.models.sources.keras.files import KerasContent
from core.models.sources.keras.hdf5 import Node, OddArrayError
from core.models.sources.keras.options import flag

LayerPath = tuple[str, ...]
"""A layer's name behind the names of the models that it is in."""
Arrays = Mapping[LayerPath, Mapping[str, Tensor]]

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
_NOT_TRAINED = ("moving_mean", "moving_variance", "mean", "variance", "count")
_COUNT = "count"
"""Of photos that a Normalization was adapted to, which nothing is computed with."""


@dataclass(frozen=True)
class _Leaf:
    """A layer with parameters.

    Attributes:
        path: names of the models that it is in, and its own.
        layer: of no model.
        names: of its parameters in Keras's order.
    """

    path: LayerPath
    layer: LayerConfig
    names: tuple[str, ...]


def parameters_of(layer: LayerConfig) -> tuple[str, ...]:
    """Return the names of a layer's parameters, in the order in which Keras writes them."""
    options = layer.options
    bias = ("bias",) if flag(options, "use_bias", default=True) else ()
    if layer.is_operation:
        return ()
    match layer.kind:
        case "Conv2D" | "Dense":
            return ("kernel", *bias)
        case "DepthwiseConv2D":
            return ("depthwise_kernel", *bias)
        case "SeparableConv2D":
            return ("depthwise_kernel", "pointwise_kernel", *bias)
        case "BatchNormalization" | "SyncBatchNormalization":
            return (*_scale_and_centre(layer), "moving_mean", "moving_variance")
        case "LayerNormalization":
            return _scale_and_centre(layer)
        case "PReLU":
            return ("alpha",)
        case "Normalization" if options.get("mean") is None:
            return ("mean", "variance", _COUNT)
    return ()


def _scale_and_centre(layer: LayerConfig) -> tuple[str, ...]:
    options = {"gamma": "scale", "beta": "center"}
    return tuple(
        name for name, option in options.items() if flag(layer.options, option, default=True)
    )


def find_arrays(path: Path, content: KerasContent, model: ModelConfig) -> Arrays:
    """Return the arrays of each layer of a model, without values, by their Keras names.

    Raises:
        UnusableCheckpointError: one is missing, or kept as Keras keeps none.
        DamagedError: the file is not of the form that Keras writes.
    """
    finder = _Finder(path)
    if content.is_by_name:
        for layer in model.layers.values():
            finder.by_name(content.parameters, layer)
    else:
        finder.by_class(content.parameters, model, ())
    return finder.found


class _Finder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: dict[LayerPath, dict[str, Tensor]] = {}

    # Files of Keras 1 and 2: a group a layer of the model, with the names of its parameters

    def by_name(self, parameters: Node, layer: LayerConfig) -> None:
        """Find the arrays of a layer of the model, and of all layers within it."""
        leaves = list(_leaves(layer, ()))
        if not leaves:
            return
        group = parameters.find(layer.name)
        names = [] if group is None else list(_names_in(group))
        if group is None or not names:
            raise self._missing(leaves[0], leaves[0].names[0])
        nodes = [group.find(name) for name in names]
        owners = [_owner(name, leaves, is_nested=layer.model is not None) for name in names]
        complete = {(leaf.path, name) for leaf in leaves for name in leaf.names}
        if len(set(owners)) < len(owners) or set(owners) - {None} != complete:
            owners = self._in_order(leaves, len(names))
        for owner, node in zip(owners, nodes, strict=True):
            if owner is None:
                continue
            if node is None:
                raise self._missing_at(owner[0], owner[1])
            self._keep(owner[0], owner[1], node)

    def _in_order(self, leaves: list[_Leaf], count: int) -> list[tuple[LayerPath, str] | None]:
        """Return whose arrays are these, by Keras's order: what is trained comes first."""
        if len(leaves) > 1 and any(leaf.layer.options.get("trainable") is False for leaf in leaves):
            raise self._unfit()
        pairs = [(leaf.path, name) for leaf in leaves for name in leaf.names]
        ordered: list[tuple[LayerPath, str] | None] = []
        ordered += [one for one in pairs if one[1] not in _NOT_TRAINED]
        ordered += [one for one in pairs if one[1] in _NOT_TRAINED]
        if len(ordered) != count:
            raise self._unfit()
        return ordered

    # Files of Keras 3: groups named by the layers' classes and numbered

    def by_class(self, group: Node, model: ModelConfig, path: LayerPath) -> None:
        """Find the arrays of all layers of a model, and of the models within it."""
        names = [name for name in _CONTAINERS if name in group.children]
        container = group.find(names[0]) if names else None
        by_kind: dict[str, list[LayerConfig]] = {}
        for layer in model.layers.values():
            if layer.model is not None or parameters_of(layer):
                by_kind.setdefault(_snake_case(layer.kind), []).append(layer)
        for kind, layers in by_kind.items():
            members = [] if container is None else list(_numbered(container, kind))
            held = [one for one in members if _holds_arrays(one)]
            wanted = [one for one in layers if one.model is None or _has_parameters(one.model)]
            if len(held) != len(wanted):
                raise self._unfit()
            for layer, member in _paired(wanted, held):
                self._take(layer, member, (*path, layer.name))

    def _take(self, layer: LayerConfig, member: Node, path: LayerPath) -> None:
        if layer.model is not None:
            self.by_class(member, layer.model, path)
            return
        for number, name in enumerate(parameters_of(layer)):
            node = member.find(f"vars/{number}")
            if node is None:
                raise self._missing_at(path, name)
            self._keep(path, name, node)

    # Both

    def _keep(self, path: LayerPath, name: str, node: Node) -> None:
        if name == _COUNT:
            return
        try:
            self.found.setdefault(path, {})[name] = node.array()
        except OddArrayError as error:
            raise UnusableCheckpointError(
                "{path} cannot be used: the {name} of its layer {layer!r} is compressed, split, "
                "of whole numbers or kept elsewhere, as Keras writes none; save the model again "
                "with model.save(…).",
                path=self._path,
                name=name,
                layer=clean(path[-1]),
            ) from error

    def _missing(self, leaf: _Leaf, name: str) -> UnusableCheckpointError:
        return self._missing_at(leaf.path, name)

    def _missing_at(self, path: LayerPath, name: str) -> UnusableCheckpointError:
        return UnusableCheckpointError(
            "{path} cannot be used: the {name} of its layer {layer!r} is missing; save the whole "
            "model again with model.save(…).",
            path=self._path,
            name=name,
            layer=clean(path[-1]),
        )

    def _unfit(self) -> UnusableCheckpointError:
        return UnusableCheckpointError(
            "{path} cannot be used: its weights do not fit the layers that it describes; save the "
            "whole model again with model.save(…).",
            path=self._path,
        )


def _leaves(layer: LayerConfig, path: LayerPath) -> Iterator[_Leaf]:
    """Return the layers with parameters in a layer, itself or those within it."""
    path = (*path, layer.name)
    if layer.model is not None:
        for inner in layer.model.layers.values():
            yield from _leaves(inner, path)
    elif parameters_of(layer):
        yield _Leaf(path, layer, parameters_of(layer))


def _has_parameters(model: ModelConfig) -> bool:
    return any(True for layer in model.layers.values() for _ in _leaves(layer, ()))


def _names_in(group: Node) -> Iterator[str]:
    """Return the names of a group's arrays; Keras splits long lists."""
    names = group.texts("weight_names")
    if names is not None:
        yield from names
        return
    number = 0
    while (part := group.texts(f"weight_names{number}")) is not None:
        yield from part
        number += 1


def _owner(name: str, leaves: list[_Leaf], *, is_nested: bool) -> tuple[LayerPath, str] | None:
    """Return whose array has a name such as "block/conv/kernel:0", and what it is of it."""
    place, _, kind = name.split(":")[0].rpartition("/")
    if not is_nested:
        (leaf,) = leaves
        return _of(leaf, kind)
    named = [leaf for leaf in leaves if f"/{place}".endswith(f"/{leaf.layer.name}")]
    longest = max((len(leaf.layer.name) for leaf in named), default=0)
    named = [leaf for leaf in named if len(leaf.layer.name) == longest]
    if len(named) > 1:  # of two models with layers of one name
        named = [leaf for leaf in named if f"/{place}".endswith("/" + "/".join(leaf.path[-2:]))]
    return _of(named[0], kind) if len(named) == 1 else None


def _of(leaf: _Leaf, kind: str) -> tuple[LayerPath, str] | None:
    if kind == "kernel" and "depthwise_kernel" in leaf.names:  # Keras 3's name
        kind = "depthwise_kernel"
    return (leaf.path, kind) if kind in leaf.names else None


def _numbered(container: Node, kind: str) -> Iterator[Node]:
    """Return the members "conv2d", "conv2d_1", … in the order of their numbers."""
    numbers = {}
    for name in container.children:
        found = re.fullmatch(rf"{re.escape(kind)}(?:_([0-9]{{1,6}}))?", name)
        if found is not None:
            numbers[int(found[1] or 0)] = name
    for number in sorted(numbers):
        member = container.find(numbers[number])
        assert member is not None
        yield member


def _holds_arrays(member: Node) -> bool:
    """Return whether a member has an array of its own or in what it contains."""
    variables = member.find("vars")
    if variables is not None and variables.children:
        return True
    for name in _CONTAINERS:
        container = member.find(name)
        if container is not None:
            inner = (container.find(one) for one in container.children)
            return any(one is not None and _holds_arrays(one) for one in inner)
    return False


def _paired(layers: list[LayerConfig], members: list[Node]) -> list[tuple[LayerConfig, Node]]:
    """Return each layer with its member: by the names that newer files give, else by order."""
    names = [_name_of(member) for member in members]
    if sorted(names) == sorted(layer.name for layer in layers):
        by_name = dict(zip(names, members, strict=True))
        return [(layer, by_name[layer.name]) for layer in layers]
    return list(zip(layers, members, strict=True))


def _name_of(member: Node) -> str:
    variables = member.find("vars")
    return "" if variables is None else variables.text("name") or ""


def _snake_case(kind: str) -> str:
    """Return a class's name as Keras 3 writes it into files.

    Source: Keras, ``src/utils/naming.py``.
    """
    plain = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", plain).lower()
