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

Difference = tuple[str, str, float | bool | str | tuple[int, int]]
"""Dotted name of a layer in the network here, one of its attributes, and its value; where that is a
text, the class of the activation that stands there instead."""

EDGES = "edges"
"""The attribute that says how many zeros a convolution puts before and after; True for as many as
TensorFlow's "same" does."""

GELU = ("gelu", "gelu_python")

ACTIVATIONS: Mapping[str, str] = {
    **dict.fromkeys(GELU, "GELU"),
    **dict.fromkeys(
        ("gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh"),
        "TanhGELU",
    ),
    "quick_gelu": "QuickGELU",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "silu": "SiLU",
    "swish": "SiLU",
    "mish": "Mish",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "hardswish": "Hardswish",
}
"""The class of each activation that Droplens can put into a network, by transformers' name."""

_AS_BY_DEFAULT = object()


@dataclass(frozen=True)
class Setting:
    """A field of a config.json that the network here cannot follow everywhere.

    Attributes:
        default: what transformers takes where the field is missing.
        fitting: values with which the network here computes the same.
        alone: what is taken without any configuration, where that is not the default.
    """

    default: object
    fitting: tuple[object, ...]
    alone: object = _AS_BY_DEFAULT

    def value(self, settings: Settings, field: str) -> object:
        """Return a field's value in a configuration, which is empty where there is none."""
        if not settings and self.alone is not _AS_BY_DEFAULT:
            return self.alone
        return settings.get(field, self.default)


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
        differences: other attributes of layers; given the configuration, in which no setting is
            missing, and the shapes.
        within: the field of config.json that holds the configuration; "" for all of it.
    """

    kinds: Mapping[str, float]
    settings: Callable[[str, Shapes], Mapping[str, Setting]]
    epsilon: str = ""
    normalised: str = ""
    differences: Callable[[Settings, Shapes], Iterable[Difference]] = no_difference
    within: str = ""

    def settings_in(self, config: Settings) -> Settings:
        """Return the configuration of the network in a config.json of one of these kinds.

        Older versions of transformers write a second field, which counts where it is there.
        """
        if not self.within:
            return config
        parts = (config.get(f"{self.within}_dict"), config.get(self.within))
        inner: object = next((part for part in parts if part is not None), {})
        return {"model_type": config["model_type"], **(inner if isinstance(inner, dict) else {})}

    @property
    def usual(self) -> str:
        """Return the kind that is assumed without a configuration."""
        return next(iter(self.kinds))
