"""Read the head of a network off the shapes of its parameters.

Layers without parameters leave no trace but a gap in the numbering: a ReLU between two linear
layers, or a Dropout, which does nothing in evaluation. The usual form decides: one ReLU between
two linear layers, in the first gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, ...]
Kind = Literal["linear", "convolution", "batch norm", "relu"]

_BATCH_NORM_PARTS = frozenset({"weight", "bias", "running_mean", "running_var"})
_COMPUTED = "num_batches_tracked"


@dataclass(frozen=True)
class HeadLayer:
    """One layer of a head.

    Attributes:
        name: below the head's own name; "" where the head is this one layer.
        kind: what it computes.
        shape: of its weight; () for a ReLU.
        bias: whether it has one.
    """

    name: str
    kind: Kind
    shape: Shape = ()
    bias: bool = True


@dataclass(frozen=True)
class Head:
    """The layers of a head in order."""

    layers: tuple[HeadLayer, ...]

    @property
    def outputs(self) -> int:
        """Return the number of classes."""
        return next(one.shape[0] for one in reversed(self.layers) if len(one.shape) > 1)

    @property
    def is_plain(self) -> bool:
        """Return whether it is the one layer that torchvision's documentation replaces."""
        return len(self.layers) == 1 and self.layers[0].name == ""

    @property
    def assumes_relu(self) -> bool:
        """Return whether an activation was put where the file has a gap."""
        return any(layer.kind == "relu" for layer in self.layers)

    def __str__(self) -> str:
        """Return the layers in words, e.g. "linear 512→256, relu, linear 256→2"."""
        return ", ".join(_said(layer) for layer in self.layers)


def read_head(parts: Mapping[str, Shape], usual: Shape) -> Head | None:
    """Return the head that a state dict holds, or None where it makes no sense.

    Args:
        parts: shapes of all entries below the head's name, without it: "weight", "0.weight".
        usual: shape of torchvision's own head's weight, (1000, features) or
            (1000, features, 1, 1).
    """
    groups: dict[str, dict[str, Shape]] = {}
    for name, shape in parts.items():
        layer, _, part = name.rpartition(".")
        if part != _COMPUTED:
            groups.setdefault(layer, {})[part] = shape
    layers = [_layer(name, group) for name, group in groups.items()]
    if not layers or None in layers:
        return None
    found = sorted((layer for layer in layers if layer is not None), key=_order)
    return Head(_with_relus(found)) if _fits(found, usual) else None


def _layer(name: str, group: Mapping[str, Shape]) -> HeadLayer | None:
    weight = group.get("weight")
    if weight is None or any(part not in _BATCH_NORM_PARTS for part in group):
        return None
    bias = group.get("bias")
    if bias not in (None, weight[:1]):
        return None
    if "running_mean" in group:
        whole = set(group) == _BATCH_NORM_PARTS and set(group.values()) == {weight}
        return HeadLayer(name, "batch norm", weight) if whole and len(weight) == 1 else None
    if len(weight) == 2:
        return HeadLayer(name, "linear", weight, bias is not None)
    if len(weight) == 4 and weight[2:] == (1, 1):
        return HeadLayer(name, "convolution", weight, bias is not None)
    return None


def _order(layer: HeadLayer) -> tuple[int, ...]:
    """Sort by number; layers with other names keep the order of the file."""
    return tuple(int(part) for part in layer.name.split(".") if part.isdecimal())


def _fits(layers: list[HeadLayer], usual: Shape) -> bool:
    """Return whether each layer takes what the one before gives."""
    if layers[-1].kind == "batch norm" or any("." in layer.name for layer in layers):
        return False
    if len(usual) == 4:
        plain = layers[0].kind == "convolution" and layers[0].name == ""
        return len(layers) == 1 and plain and layers[0].shape[1:] == usual[1:]
    features = usual[1]
    for layer in layers:
        if layer.kind == "convolution" or layer.shape[-1] != features:
            return False
        features = layer.shape[0]
    return features > 0


def _with_relus(layers: list[HeadLayer]) -> tuple[HeadLayer, ...]:
    """Put one ReLU between two linear layers, where the numbering first leaves room for it."""
    done: list[HeadLayer] = []
    needs_relu = False
    for at, layer in enumerate(layers):
        done.append(layer)
        if layer.kind == "linear":
            needs_relu = any(later.kind == "linear" for later in layers[at + 1 :])
        if needs_relu and at + 1 < len(layers) and _has_gap(layer, layers[at + 1]):
            done.append(HeadLayer(_name_after(layer), "relu"))
            needs_relu = False
    return tuple(done)


def _has_gap(layer: HeadLayer, following: HeadLayer) -> bool:
    here, there = _order(layer), _order(following)
    if len(here) == 1 and len(there) == 1:
        return there[0] - here[0] > 1
    return True  # named layers leave no numbers; people put an activation between them


def _name_after(layer: HeadLayer) -> str:
    return str(int(layer.name) + 1) if layer.name.isdecimal() else f"{layer.name}_relu"


def _said(layer: HeadLayer) -> str:
    if layer.kind in ("relu", "batch norm"):
        return layer.kind
    kind = "1×1 convolution" if layer.kind == "convolution" else "linear"
    return f"{kind} {layer.shape[1]}→{layer.shape[0]}"
