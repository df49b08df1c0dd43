"""What transformers' config.json tells of a network beyond the shapes of its parameters.

The classes of one kind of network compute by their configuration: activations, epsilons and
strides leave no trace in a state dict. Each field that matters is held against what torchvision's
network computes; nothing opens that would answer otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.models.families.base import Shapes

Settings = Mapping[str, Any]
"""The fields of a config.json, of whatever types."""

Difference = tuple[str, str, float | bool | tuple[int, int]]
"""Dotted name of a layer in torchvision's network, one of its attributes, and its value."""

EDGES = "edges"
"""The attribute that says how many zeros a convolution puts before and after; True for as many as
TensorFlow's "same" does."""

GELU = ("gelu", "gelu_python")


@dataclass(frozen=True)
class Setting:
    """A field of a config.json that torchvision's network cannot follow everywhere.

    Attributes:
        default: what transformers takes where the field is missing.
        fitting: values with which torchvision computes the same.
    """

    default: object
    fitting: tuple[object, ...]


def always(value: object, *others: object) -> Setting:
    """Return a setting whose default is one of the values that fit."""
    return Setting(value, (value, *others))


def no_difference(_: Settings, __: Shapes) -> Iterable[Difference]:
    """Return no difference: what the fields tell, torchvision's network has by itself."""
    return ()


@dataclass(frozen=True, eq=False)
class Configured:
    """How one kind of network of transformers follows its configuration.

    Attributes:
        kinds: each ``model_type`` with these names and this computation, and the epsilon that it
            has where its configuration names none. The first is assumed without a configuration.
        settings: what must be so, by field; given the architecture's name and its shapes.
        epsilon: the field of the epsilon; "" where it is not configured.
        normalised: pattern of the whole names of torchvision's layers that have this epsilon.
        differences: other attributes of layers; given the configuration and the shapes.
    """

    kinds: Mapping[str, float]
    settings: Callable[[str, Shapes], Mapping[str, Setting]]
    epsilon: str = ""
    normalised: str = ""
    differences: Callable[[Settings, Shapes], Iterable[Difference]] = no_difference

    @property
    def usual(self) -> str:
        """Return the kind that is assumed without a configuration."""
        return next(iter(self.kinds))
