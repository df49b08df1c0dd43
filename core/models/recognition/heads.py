"""Read the head of a network off the shapes of its parameters.

Layers without parameters leave no trace but a gap in the numbering: a ReLU between two linear
layers, or a Dropout, which does nothing in evaluation. The usual form decides, one ReLU between
two linear layers, in the first gap; a pickled network tells it itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from core.models.families.base import Shape
from core.models.sources.checkpoint.inert import Stub
from core.values.spec import Outputs

Kind = Literal[
    "linear",
    "convolution",
    "batch norm",
    "layer norm",
    "relu",
    "leaky relu",
    "elu",
    "gelu",
    "silu",
    "tanh",
    "sigmoid",
    "hardswish",
    "selu",
    "celu",
    "relu6",
    "mish",
    "softplus",
]
Pooling = Literal["own", "average", "average and maximum", "average before maximum", "flatten"]

_BATCH_NORM_PARTS = frozenset({"weight", "bias", "running_mean", "running_var"})
_COMPUTED = "num_batches_tracked"
_WITH_WEIGHTS = ("linear", "convolution")
_ACTIVATIONS: dict[str, Kind] = {
    "ReLU": "relu",
    "LeakyReLU": "leaky relu",
    "ELU": "elu",
    "GELU": "gelu",
    "SiLU": "silu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Hardswish": "hardswish",
    "SELU": "selu",
    "CELU": "celu",
    "ReLU6": "relu6",
    "Mish": "mish",
    "Softplus": "softplus",
}
_NOTHING = frozenset({"Dropout", "Identity", "Flatten", "AlphaDropout", "Dropout2d"})
_POOLS = frozenset({"AdaptiveAvgPool2d", "AdaptiveConcatPool2d", "AvgPool2d"})
_KNOWN_CODE = ("torch.nn", "fastai", "__torch__.torch.nn")
LAST_LAYERS: dict[str, Outputs] = {
    "LogSoftmax": "softmax",
    "Softmax": "softmax",
    "Sigmoid": "sigmoid",
}


@dataclass(frozen=True)
class HeadLayer:
    """One layer of a head.

    Attributes:
        name: below the head's own name, without dots; "" where the head is this one layer.
        kind: what it computes.
        shape: of its weight; () for an activation.
        bias: whether it has one.
        slope: of a leaky ReLU below zero, or an ELU's alpha.
        source: the layer's name in the file, below the head's.
    """

    name: str
    kind: Kind
    shape: Shape = ()
    bias: bool = True
    slope: float = 0.01
    source: str = ""


@dataclass(frozen=True)
class Head:
    """The layers of a head in order.

    Attributes:
        layers: from features to outputs.
        place: dotted name of the module that it takes the place of.
        pooling: how the last feature maps become its input; "own" is the architecture's.
        outputs_are: what the outputs are by the file; "softmax" where it does not say.
        is_assumed: whether an activation was put where the file has a gap.
    """

    layers: tuple[HeadLayer, ...]
    place: str = ""
    pooling: Pooling = "own"
    outputs_are: Outputs = "softmax"
    is_assumed: bool = False

    @property
    def outputs(self) -> int:
        """Return the number of outputs."""
        return next(one.shape[0] for one in reversed(self.layers) if one.kind in _WITH_WEIGHTS)

    @property
    def features(self) -> int:
        """Return the number of inputs."""
        first = next(one for one in self.layers if one.shape)
        return first.shape[1] if first.kind in _WITH_WEIGHTS else first.shape[0]

    @property
    def is_plain(self) -> bool:
        """Return whether it is the one layer that torchvision's documentation replaces."""
        return len(self.layers) == 1 and self.layers[0].name == ""

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the layers in words, e.g. "linear 512→256, relu, linear 256→2"."""
        before = [] if self.pooling == "own" else [f"{self.pooling} pooling"]
        return ", ".join([*before, *map(_said, self.layers)])


def head_from_json(found: Any) -> Head | None:
    """Read a head from JSON values; None where they make no sense."""
    try:
        known = {field.name for field in fields(HeadLayer)}
        layers = tuple(
            HeadLayer(**{key: value for key, value in one.items() if key in known})
            for one in found["layers"]
        )
        layers = tuple(replace(one, shape=tuple(map(int, one.shape))) for one in layers)
        head = Head(layers, str(found["place"]), found["pooling"], found["outputs_are"])
        names = {one.name for one in layers}
        sensible = all(one.kind in get_args(Kind) for one in layers)
        sensible &= len(names) == len(layers) and not any("." in name for name in names)
        sensible &= "" not in names or len(names) == 1
        sensible &= head.pooling in get_args(Pooling) and head.outputs_are in get_args(Outputs)
        return head if sensible and _is_chain(list(layers)) else None
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, StopIteration):
        return None


def read_head(parts: Mapping[str, Shape]) -> Head | None:
    """Return the head that parameters make up, or None where they make no sense.

    Args:
        parts: shapes of all entries below the head's name, without it: "weight", "0.weight".
    """
    groups: dict[str, dict[str, Shape]] = {}
    for name, shape in parts.items():
        layer, _, part = name.rpartition(".")
        if part != _COMPUTED:
            groups.setdefault(layer, {})[part] = shape
    found = [_layer(name, group) for name, group in groups.items()]
    layers = [layer for layer in found if layer is not None]
    if not layers or len(layers) < len(found):
        return None
    for order in (layers, sorted(layers, key=_number)):
        if _is_chain(order):
            done = _with_relus(order)
            return Head(done, is_assumed=len(done) > len(order))
    return None


class UnreadHeadError(Exception):
    """A pickled head has a layer that cannot be rebuilt; its text is the layer's kind."""


def pickled_head(parts: Mapping[str, Shape], module: Stub) -> Head | None:
    """Return the head as its pickled module tells it; None where that is code of its own.

    Args:
        parts: as for ``read_head``.
        module: a pickled ``nn.Sequential``, a single layer, or a class of somebody's.

    Raises:
        UnreadHeadError: a sequence holds a layer that cannot be rebuilt.
    """
    guessed = read_head(parts)
    if guessed is None or not module.origin[0].startswith(_KNOWN_CODE):
        return None
    if not module.parts:
        return replace(guessed, is_assumed=False)
    if module.origin[1] != "Sequential":
        return None
    by_source = {one.source: one for one in guessed.layers if one.shape}
    layers: list[HeadLayer] = []
    outputs_are: Outputs = "softmax"
    for name, part in _flat(module):
        kind = part.origin[1]
        if outputs_are != "softmax" or not part.origin[0].startswith(_KNOWN_CODE):
            raise UnreadHeadError(kind)
        if name in by_source:
            layers.append(by_source.pop(name))
        elif kind in LAST_LAYERS and not by_source:
            outputs_are = LAST_LAYERS[kind]
        elif kind in _ACTIVATIONS:
            slope = part.state.get("negative_slope", part.state.get("alpha", 0.01))
            slope = float(slope) if isinstance(slope, int | float) else 0.01
            layers.append(HeadLayer(_plain(name), _ACTIVATIONS[kind], slope=slope, source=name))
        elif kind not in _NOTHING | _POOLS:
            raise UnreadHeadError(kind)
    if by_source or not _is_chain([one for one in layers if one.shape]):
        return None
    return Head(tuple(layers), outputs_are=outputs_are)


def _flat(module: Stub, depth: int = 4) -> list[tuple[str, Stub]]:
    """Return the layers of a sequence, and of the sequences in it, in order."""
    found: list[tuple[str, Stub]] = []
    for name, part in module.parts.items():
        if part.origin[1] == "Sequential" and depth > 0:
            found += [(f"{name}.{inner}", one) for inner, one in _flat(part, depth - 1)]
        else:
            found.append((name, part))
    return found


def _layer(name: str, group: Mapping[str, Shape]) -> HeadLayer | None:
    weight = group.get("weight")
    if weight is None or any(part not in _BATCH_NORM_PARTS for part in group) or 0 in weight:
        return None
    bias = group.get("bias")
    if bias not in (None, weight[:1]):
        return None
    kind = _kind(group, weight)
    plain = _plain(name)
    return None if kind is None else HeadLayer(plain, kind, weight, bias is not None, source=name)


def _kind(group: Mapping[str, Shape], weight: Shape) -> Kind | None:
    if len(weight) == 1:
        if set(group) == _BATCH_NORM_PARTS:
            return "batch norm" if set(group.values()) == {weight} else None
        return "layer norm" if set(group) == {"weight", "bias"} else None
    if "running_mean" in group or "running_var" in group:
        return None
    if len(weight) == 2:
        return "linear"
    return "convolution" if len(weight) == 4 and weight[2:] == (1, 1) else None


def _plain(name: str) -> str:
    return name.replace(".", "_")


def _number(layer: HeadLayer) -> tuple[int, ...]:
    """Sort by number; layers with other names keep the order of the file."""
    return tuple(int(part) for part in layer.source.split(".") if part.isdecimal())


def _is_chain(layers: list[HeadLayer]) -> bool:
    """Return whether each layer takes what the one before gives, up to the outputs."""
    features: int | None = None
    for layer in layers:
        if not layer.shape:
            continue
        weighted = layer.kind in _WITH_WEIGHTS
        inputs = layer.shape[1] if weighted else layer.shape[0]
        if features not in (None, inputs):
            return False
        features = layer.shape[0]
    return bool(layers) and [one for one in layers if one.shape][-1].kind in _WITH_WEIGHTS


def _with_relus(layers: list[HeadLayer]) -> tuple[HeadLayer, ...]:
    """Put one ReLU between two linear layers, where the numbering first leaves room for it."""
    done: list[HeadLayer] = []
    needs_relu = False
    for at, layer in enumerate(layers):
        done.append(layer)
        if layer.kind in _WITH_WEIGHTS:
            needs_relu = any(later.kind in _WITH_WEIGHTS for later in layers[at + 1 :])
        if needs_relu and at + 1 < len(layers) and _has_gap(layer, layers[at + 1]):
            done.append(HeadLayer(_name_after(layer), "relu"))
            needs_relu = False
    return tuple(done)


def _has_gap(layer: HeadLayer, following: HeadLayer) -> bool:
    here, there = _number(layer), _number(following)
    if len(here) == 1 and len(there) == 1 and layer.source.isdecimal():
        return there[0] - here[0] > 1
    return True  # named layers leave no numbers; people put an activation between them


def _name_after(layer: HeadLayer) -> str:
    return str(int(layer.name) + 1) if layer.name.isdecimal() else f"{layer.name}_relu"


def _said(layer: HeadLayer) -> str:
    if layer.kind not in _WITH_WEIGHTS:
        return layer.kind
    kind = "1×1 convolution" if layer.kind == "convolution" else "linear"
    return f"{kind} {layer.shape[1]}→{layer.shape[0]}"
