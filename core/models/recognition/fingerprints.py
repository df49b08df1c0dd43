"""The names and shapes of every architecture's parameters, and where its head begins."""

from __future__ import annotations

import functools
import gzip
import json
from dataclasses import dataclass

import resources
from core.models.families import ARCHITECTURES, Architecture, Family
from core.models.families.base import HeadInput, Shape, Shapes, Variant


@dataclass(frozen=True)
class Cut:
    """An architecture without its head.

    Attributes:
        place: dotted name of the module that is cut off.
        features: how many numbers it takes.
        body: names and shapes of what stays.
        head: of what is cut off.
    """

    place: str
    features: int
    body: Shapes
    head: Shapes


@dataclass(frozen=True)
class Fingerprint:
    """An architecture by its parameters.

    Attributes:
        architecture: which one.
        cuts: the head that torchvision's documentation says to replace first; then, where it
            is only the last layer of a classifier, that whole classifier.
        first: name of the first convolution's weight.
        channels: of the last feature map.
        children: the network's direct parts, in order.
        variant: of one that no builder names.
    """

    architecture: Architecture
    cuts: tuple[Cut, ...]
    first: str
    channels: int
    children: tuple[str, ...]
    variant: Variant | None = None

    @property
    def family(self) -> Family:
        """Return what is known of it and its like."""
        return self.architecture.family

    def takes_maps(self, place: str) -> bool:
        """Return whether what stands at a place of the head is given maps, not a vector."""
        if self.family.head_input is HeadInput.MAPS_WHOLE:
            return place == self.cuts[-1].place != self.cuts[0].place
        return self.family.head_input is HeadInput.MAPS


@functools.cache
def fingerprint_of(architecture: str) -> Fingerprint:
    """Return the fingerprint of one of torchvision's architectures."""
    return _fingerprints()[architecture]


def fingerprints() -> tuple[Fingerprint, ...]:
    """Return the fingerprints of all architectures."""
    return tuple(_fingerprints().values())


def fingerprint_of_variant(variant: Variant, family: Family) -> Fingerprint:
    """Return the fingerprint of a family's architecture that no builder names."""
    shapes = variant.shapes()
    children = fingerprint_of(family.usual).children if family.usual else _parts(shapes)
    architecture = Architecture(variant.title, variant.title, family)
    return _fingerprint(architecture, shapes, children, variant)


def fingerprint_with_head(
    name: str, family: Family, shapes: Shapes, first: str, variant: Variant
) -> Fingerprint:
    """Return the fingerprint of an architecture whose family is of it alone.

    Args:
        name: its library's.
        family: says where the head stands.
        shapes: of the state dict.
        first: name of the first convolution's weight.
        variant: builds it.
    """
    cut = _cut(family.head, shapes)
    architecture = Architecture(name, name, family)
    return Fingerprint(architecture, (cut,), first, cut.features, _parts(shapes), variant)


def _parts(shapes: Shapes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.split(".", 1)[0] for name in shapes))


@functools.cache
def _fingerprints() -> dict[str, Fingerprint]:
    packed = resources.path("fingerprints.json.gz").read_bytes()
    content = json.loads(gzip.decompress(packed))
    names, shapes = content["names"], [tuple(shape) for shape in content["shapes"]]
    found = {}
    for architecture in ARCHITECTURES:
        numbers = content["architectures"][architecture.name]
        entries = {names[numbers[at]]: shapes[numbers[at + 1]] for at in range(0, len(numbers), 2)}
        children = tuple(content["children"][architecture.name])
        found[architecture.name] = _fingerprint(architecture, entries, children, None)
    return found


def _fingerprint(
    architecture: Architecture, shapes: Shapes, children: tuple[str, ...], variant: Variant | None
) -> Fingerprint:
    places = dict.fromkeys((architecture.head, architecture.head.split(".", 1)[0]))
    cuts = tuple(_cut(place, shapes) for place in places)
    first = next(name for name, shape in shapes.items() if len(shape) == 4 and shape[1] == 3)
    channels = cuts[-1].features // architecture.family.pooled_cells
    return Fingerprint(architecture, cuts, first, channels, children, variant)


def _cut(place: str, shapes: Shapes) -> Cut:
    body: dict[str, Shape] = {}
    head: dict[str, Shape] = {}
    for name, shape in shapes.items():
        (head if name.startswith(f"{place}.") else body)[name] = shape
    first = next(iter(head.values()))
    return Cut(place, first[1] if len(first) > 1 else first[0], body, head)
