"""What a pickled network tells of its layers that no shape does: strides, epsilons, activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from core.language import tr
from core.models.activations import OWN_ACTIVATIONS
from core.models.families.base import OwnCode
from core.models.families.configured import EDGES
from core.models.padded import padded
from core.models.sources.checkpoint.inert import Stub

_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "Conv2d": ("stride", "padding", "dilation"),
    "BatchNorm2d": ("eps",),
    "BatchNorm1d": ("eps",),
    "LayerNorm": ("eps",),
    "LayerNorm2d": ("eps",),
    "MaxPool2d": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "AvgPool2d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    "AdaptiveAvgPool2d": ("output_size",),
    "AdaptiveMaxPool2d": ("output_size",),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "TokenAttention": ("num_heads",),
}
_REPLACEABLE = frozenset(
    {"ReLU", "ReLU6", "SiLU", "GELU", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh", "Mish",
     "Softplus", "SELU", "CELU", "Identity", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d",
     "AdaptiveMaxPool2d", "LeakyReLU", "ELU"}
)  # fmt: skip
_NOTHING = frozenset({"Dropout", "Identity", "StochasticDepth", "Dropout2d"})
_ALIKE = {
    "SyncBatchNorm": "BatchNorm2d",
    "NonDynamicallyQuantizableLinear": "Linear",
    "FrozenBatchNorm2d": "BatchNorm2d",
}
_KNOWN_CODE = ("torch.", "torchvision.", "__torch__.torch", "functools")

_MOST_CHANGES = 2_000

Value = int | float | bool | tuple[int, ...]


@dataclass(frozen=True)
class Change:
    """How one layer differs from torchvision's.

    Attributes:
        name: dotted, in torchvision's network.
        kind: class of ``torch.nn`` or of ours that stands there instead; "" for the same.
        values: of its attributes, by name.
    """

    name: str
    kind: str
    values: tuple[tuple[str, Value], ...]

    def to_json(self) -> list[object]:
        """Return the fields as JSON values."""
        return [self.name, self.kind, [[key, value] for key, value in self.values]]


def changes_from_json(found: object) -> tuple[Change, ...]:
    """Read changes from JSON values; odd ones are passed over."""
    changes = []
    for entry in found[:_MOST_CHANGES] if isinstance(found, list) else ():
        try:
            name, kind, pairs = entry
            values = tuple((str(key), _as_value(value)) for key, value in pairs)
        except (TypeError, ValueError):
            continue
        if kind == "" or kind in _REPLACEABLE or kind in OWN_ACTIVATIONS:
            changes.append(Change(str(name), kind, values))
    return tuple(changes)


def compare(
    network: nn.Module,
    prefix: str,
    pickled: Mapping[str, Stub],
    place: str,
    code: OwnCode | None = None,
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Compare torchvision's network with a pickled one, layer by layer.

    Args:
        network: as it is built from the shapes alone.
        prefix: of its names in the pickled network.
        pickled: the parts of that by dotted name.
        place: of the head, which is not compared.
        code: whose classes the network's own repeat.

    Returns:
        The changes that can be made, and sentences' ends about those that cannot.
    """
    changes, strange = [], []
    for name, module in network.named_modules():
        stub = pickled.get(f"{prefix}{name}".rstrip("."))
        if stub is None or f"{name}.".startswith(f"{place}.") or not (name or code):
            continue
        kind = _ALIKE.get(stub.origin[1], stub.origin[1])
        own = _ALIKE.get(type(module).__name__, type(module).__name__)
        if any(True for _ in module.children()):
            odd = _odd(name or prefix.rstrip("."), module, stub, code)
            strange += [odd] if odd else []
        elif kind == own:
            values = _differing(module, stub, kind)
            if values:
                changes.append(Change(name, "", values))
        elif {kind, own} <= _NOTHING:
            continue
        elif kind in _REPLACEABLE and not any(True for _ in module.parameters()):
            changes.append(Change(name, kind, _values(stub, kind)))
        else:
            strange.append(
                tr("{name!r} is a {kind} instead of a {own}", name=name, kind=kind, own=own)
            )
    return tuple(changes), tuple(strange)


def unknown_layer(network: Stub, code: OwnCode) -> tuple[str, str] | None:
    """Return the first numbered layer of a library that the family of its code does not build.

    Returns:
        Its dotted name and its class; None where all can be built.
    """
    for name, stub in network.modules():
        is_numbered = any(part.isdecimal() for part in name.split("."))
        if is_numbered and code.is_of(stub.origin[0]) and stub.origin[1] not in code.classes:
            return name, stub.origin[1]
    return None


def _odd(name: str, module: nn.Module, stub: Stub, code: OwnCode | None) -> str:
    """Return what a layer with layers inside is, where it may compute otherwise; else ""."""
    package, kind = stub.origin
    own = "Sequential" if isinstance(module, nn.Sequential) else type(module).__name__
    if code is not None and code.is_of(package):
        is_known = code.classes.get(kind) == own
    else:
        is_known = package.startswith(_KNOWN_CODE) and (code is None or kind == own)
    if not is_known:
        return tr("{name!r} is a {kind} of somebody's own", name=name, kind=kind)
    if code is None:
        return ""
    wanted = {key: getattr(module, key) for key in code.same if hasattr(module, key)}
    for key, value in {**code.fixed, **wanted}.items():
        found = stub.state.get(key, value)
        if type(found) is not type(value) or found != value:
            return tr("{name!r} is a {kind} with another {key}", name=name, kind=kind, key=key)
    return ""


def apply(network: nn.Module, changes: tuple[Change, ...]) -> None:
    """Make a network's layers what a pickled one tells."""
    known = dict(network.named_modules())
    for change in changes:
        if change.name not in known or not change.name:
            continue
        values = dict(change.values)
        layer = known[change.name]
        made: nn.Module | None = padded(layer, values.get(EDGES))
        if change.kind:
            made = (OWN_ACTIVATIONS.get(change.kind) or getattr(nn, change.kind))(**values)
        if made is not None:
            parent, _, name = change.name.rpartition(".")
            setattr(network.get_submodule(parent), name, made)
            continue
        for key, value in values.items():
            if key in _ATTRIBUTES.get(type(layer).__name__, ()):
                setattr(layer, key, value)


def _differing(module: nn.Module, stub: Stub, kind: str) -> tuple[tuple[str, Value], ...]:
    return tuple(
        (key, value)
        for key, value in _values(stub, kind)
        if _same_length(value, getattr(module, key, value))
        != _same_length(getattr(module, key, value), value)
    )


def _same_length(value: object, other: object) -> object:
    """Return a number as often as the other has it: 3 and (3, 3) are the same to a layer."""
    return (value,) * len(other) if isinstance(other, tuple) and isinstance(value, int) else value


def _values(stub: Stub, kind: str) -> tuple[tuple[str, Value], ...]:
    found = []
    for key in _ATTRIBUTES.get(kind, ()):
        try:
            if stub.state.get(key) is not None:
                found.append((key, _as_value(stub.state[key])))
        except (TypeError, ValueError):
            continue
    return tuple(found)


def _as_value(value: object) -> Value:
    if isinstance(value, bool | int | float):
        if not abs(value) <= 10**6:  # not a number either
            raise ValueError
        return value
    if isinstance(value, list | tuple) and 1 <= len(value) <= 2:
        sides = tuple(int(side) for side in value)
        if all(0 <= side < 10**4 for side in sides):
            return sides
    raise TypeError
