"""What is known of a family: architectures that share their builder, head and layout.

A family is one module of this folder and one line in its table; recognising, building, looking
inside and the window ask it, and nobody else asks how a name begins. Importing one costs little:
what needs torch is given torch's objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from core.language import lazy

if TYPE_CHECKING:
    from torch import nn

    from core.images.preprocessing import Preprocessing
    from core.models.families.blocks import RunBlock
    from core.models.families.configured import Configured

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
"""Shapes of a state dict by name."""

Names = Mapping[str, str]
"""torchvision's name → the name in the file."""

Modules = Mapping[str, "nn.Module"]
"""A network's modules by dotted name."""

Group = str
CLASSIC, LIGHTWEIGHT = lazy("Classic"), lazy("Lightweight")
SEARCHED, MODERN = lazy("Found by search"), lazy("Modern convolution")
TRANSFORMERS = lazy("Transformers")
GROUPS: tuple[Group, ...] = (CLASSIC, LIGHTWEIGHT, SEARCHED, MODERN, TRANSFORMERS)


_TELLING_LETTERS = 3
_TORCHVISION, _OURS = "torchvision.models", "core.models"


class HeadInput(Enum):
    """What the layers of a head are given."""

    VECTOR = "a vector"
    MAPS = "maps"
    MAPS_WHOLE = "maps where all of the classifier is replaced, else a vector"


class Attention(Enum):
    """How attention weights are laid out as maps."""

    TOKENS = "the class token's attention to the patches"
    SHIFTED_WINDOWS = "windows that are moved by a part of their size"
    PARTITIONS = "windows, or a grid of cells far apart"


class Variant(Protocol):
    """An architecture that no builder names, read off the shapes of a state dict."""

    @property
    def title(self) -> str:
        """Return a name that says all of it."""

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of its state dict, with 1,000 classes."""

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""


JOINED = "qkv"
"""What queries, keys and values are called once they are one tensor, as torchvision has them."""

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, eq=False)
class Dialect:
    """Another library's names for the layers of a family, where the network is the same.

    Attributes:
        title: for the summary, e.g. "timm's names".
        telling: a name that stands in every state dict of this dialect.
        rules: pattern of a whole name and what torchvision says; the first that fits counts.
        prepare: gives the names as the rules take them, where that depends on all of them.
        beside: pattern found in names of what stands beside the network, in files of several; these
            are left out. "" for none.
        reshape: torchvision's shape for a parameter that the library keeps in another one.
        batch_norm_epsilon: where it is another than torchvision's.
        configured: what a config.json beside the file tells; None where the library has none.
    """

    title: str
    telling: str
    rules: tuple[tuple[str, Replacement], ...]
    reshape: Callable[[str, Shape], Shape] = lambda _, shape: shape
    batch_norm_epsilon: float | None = None
    configured: Configured | None = None
    prepare: Callable[[Names], Names] = lambda names: names
    beside: str = ""

    def leaves_out(self, name: str) -> bool:
        """Return whether a name is of what stands beside the network."""
        return bool(self.beside) and re.search(self.beside, name) is not None

    def translate(self, names: Names) -> dict[str, str]:
        """Return the names as torchvision says them; those without a rule stay.

        Where two would become one, all stay: which of them counts, nobody knows.
        """
        kept = {name: old for name, old in names.items() if not self.leaves_out(name)}
        found = {self._one(name): old for name, old in self.prepare(kept).items()}
        return found if len(found) == len(kept) else dict(names)

    def _one(self, name: str) -> str:
        for pattern, replacement in self.rules:
            said, count = re.subn(f"^{pattern}$", replacement, name, count=1)
            if count:
                return said
        return name


@dataclass(frozen=True, eq=False)
class OwnCode:
    """Classes of a library which a family's own modules repeat, for networks pickled whole.

    Attributes:
        package: how the names of their modules begin.
        classes: each of them, and the family's class that computes the same.
        fixed: attributes that must have this value where a pickled module has them.
        same: attributes that must be the family's module's, where a pickled module has them.
    """

    package: str
    classes: Mapping[str, str]
    fixed: Mapping[str, int | bool]
    same: tuple[str, ...] = ()

    def is_of(self, module: str) -> bool:
        """Return whether a class is of this library, by the name of its module."""
        return module.removeprefix("__torch__.").startswith(self.package)


@dataclass(frozen=True)
class Unopened:
    """A network that is known and not opened; every pattern must be found in some name.

    Attributes:
        what: what it is, in words that follow the file's name and end before the full stop.
        patterns: searched in the names of its parameters.
        has_convolutions: whether it must have any.
        code: whose classes are built here, where a pickled one is refused for its other layers.
    """

    what: str
    patterns: tuple[str, ...]
    has_convolutions: bool = False
    code: OwnCode | None = None


def nothing_carried(_: Iterable[Mapping[Any, Any]]) -> None:
    """Let no file tell its preprocessing in a way of the family's own."""


def no_image_size(_: Shapes) -> int | None:
    """Let any image size do."""
    return None


def of_torchvision(architecture: str, **options: object) -> nn.Module:
    """Return torchvision's network of this name, untrained."""
    from core.models.torchvision_import import torchvision_models  # costs start-up time

    network: nn.Module = torchvision_models().get_model(architecture, weights=None, **options)
    return network


def of_timm(architecture: str, **options: object) -> nn.Module:
    """Return timm's network of this name, untrained."""
    from core.models.timm_import import build_timm  # costs start-up time

    return build_timm(architecture, **options)


def no_weights(_: str) -> list[object]:
    """Return what torchvision has of an architecture that is not its own."""
    return []


def weights_of_torchvision(architecture: str) -> list[object]:
    """Return torchvision's weights entries of an architecture."""
    from core.models.torchvision_import import torchvision_models  # costs start-up time

    return list(torchvision_models().get_model_weights(architecture))


class Shipped(NamedTuple):
    """A checkpoint of ImageNet that Droplens ships.

    Attributes:
        file: the resource.
        remark: what sets it apart from the others, for the menu.
    """

    file: str
    remark: str


@dataclass(frozen=True, eq=False, repr=False)
class Family:
    """A family of architectures; each is made once.

    Attributes:
        titles: each architecture by its library's name, as papers write it.
        group: one of ``GROUPS``, under which people look for it.
        module: the library's file that defines it, which tells its modules from others.
        library: the package of that file.
        head: dotted name of the layer that torchvision's documentation says to replace for
            another number of classes.
        heads: the same for architectures of the family that have it elsewhere.
        head_input: what the head is given.
        gives_maps: whether the parts before the head, run in order, give a feature map.
        ends_in_relu: whether a ReLU follows the head, so that no output is ever negative.
        pooled_cells: cells of the last feature map that the classifier takes one by one, not
            their mean.
        build: makes one of its networks from its name and options, with any weights.
        options: always given to the builder.
        weights: gives torchvision's weights entries of one of its architectures, in their order.
        preset: gives what one of its architectures was trained with, where no weights say it.
        auxiliary: how names of heads begin that are used in training alone.
        transforms_input: whether the network can turn its input itself, as no file tells.
        small_stem: name of the first convolution's weight, where a small one with stride 1 is a
            widespread variant for pictures of 32×32 pixels.
        image_size: the side in pixels that the shapes fix, None where any will do.
        resizable: a parameter that has another shape for another image size, and which shapes it
            may have.
        can_dilate: whether the builder takes torchvision's ``replace_stride_with_dilation``.
        variant: of shapes that no architecture of the family has; None where they are not of the
            family.
        old_names: pattern and replacement for names of older versions of torchvision.
        dialects: names that other libraries give.
        unopened: relatives that are not opened.
        blocks: how each kind of residual block adds, by its class, or its file and class where
            a library has several of that name.
        channels_last: whether a layer gives (h, w, C) instead of (C, h, w).
        attention: how the weights of each kind of attention, by its class, are laid out.
        usual: the architecture whose preprocessing stands for variants without a name.
        windows: class of the modules inside which windows stand instead of maps.
        before_pooling: a function between the last maps and their pooling, which no hook sees.
        cam_layer: where evidence is looked for, if that is not the last layer with maps.
        shipped: the checkpoints that come with Droplens, by their architecture.
        own_code: whose pickled networks the family rebuilds, class by class.
        untold: says what is assumed of a state dict without its pickled network.
        carried: gives the preprocessing that a file's mappings tell in a way of the family's own,
            and sentences about what is assumed; None where they tell none.
    """

    titles: Mapping[str, str]
    group: Group
    module: str
    head: str
    heads: Mapping[str, str] = field(default_factory=dict)
    head_input: HeadInput = HeadInput.VECTOR
    gives_maps: bool = True
    ends_in_relu: bool = False
    pooled_cells: int = 1
    library: str = _TORCHVISION
    build: Callable[..., nn.Module] = of_torchvision
    options: Mapping[str, bool] = field(default_factory=dict)
    weights: Callable[[str], Sequence[object]] = weights_of_torchvision
    preset: Callable[[str], Preprocessing] | None = None
    auxiliary: tuple[str, ...] = ()
    transforms_input: bool = False
    small_stem: str = ""
    image_size: Callable[[Shapes], int | None] = no_image_size
    resizable: Callable[[str, Shape, Shape], bool] = lambda name, found, wanted: False
    can_dilate: Callable[[Shapes], bool] = lambda _: False
    variant: Callable[[Shapes], Variant | None] = lambda _: None
    old_names: tuple[tuple[str, str], ...] = ()
    dialects: tuple[Dialect, ...] = ()
    unopened: tuple[Unopened, ...] = ()
    blocks: Mapping[str, RunBlock] = field(default_factory=dict)
    channels_last: Callable[[Modules, str], bool] = lambda modules, layer: False
    attention: Mapping[str, Attention] = field(default_factory=dict)
    windows: str = ""
    usual: str = ""
    before_pooling: Callable[[Any], Any] | None = None
    cam_layer: Callable[[Modules], str] | None = None
    shipped: Mapping[str, Shipped] = field(default_factory=dict)
    own_code: OwnCode | None = None
    untold: str = ""
    carried: Callable[[Iterable[Mapping[Any, Any]]], tuple[Preprocessing, list[str]] | None] = (
        nothing_carried
    )

    @property
    def is_of_torchvision(self) -> bool:
        """Return whether torchvision builds its networks."""
        return self.library == _TORCHVISION

    @property
    def is_built_here(self) -> bool:
        """Return whether the definition of its networks is ours."""
        return self.library == _OURS

    @property
    def configured(self) -> Configured | None:
        """Return what must be assumed of a network of ours that nothing configures."""
        found = [one.configured for one in self.dialects if one.configured is not None]
        return found[0] if found and self.is_built_here else None

    def way_of(self, module: nn.Module) -> RunBlock | None:
        """Return how a module adds; None where it is not a residual block."""
        kind, file = type(module).__name__, type(module).__module__.rpartition(".")[2]
        return self.blocks.get(kind) or self.blocks.get(f"{file}.{kind}")

    def may_be_called(self, name: str) -> bool:
        """Return whether a configuration's name of an architecture may mean one of these."""
        plain = name.lower().removeprefix("tf_")[:_TELLING_LETTERS]
        kinds = [one.configured.kinds for one in self.dialects if one.configured is not None]
        is_kind = any(name in one for one in kinds)
        return is_kind or any(plain == known[:_TELLING_LETTERS] for known in self.titles)


@dataclass(frozen=True)
class Architecture:
    """A network family member, without weights.

    Attributes:
        name: torchvision's, or what says all of a variant.
        title: as papers write it, e.g. "ResNet-50".
        family: what is known of it and its like.
    """

    name: str
    title: str
    family: Family = field(repr=False, compare=False)

    @property
    def group(self) -> Group:
        """Return what people look for it under."""
        return self.family.group

    @property
    def head(self) -> str:
        """Return the dotted name of the layer to replace for another number of classes."""
        return self.family.heads.get(self.name, self.family.head)
