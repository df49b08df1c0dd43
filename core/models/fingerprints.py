"""The names and shapes of every architecture's parameters, and where its head begins."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass

import resources
from core.models.architectures import ARCHITECTURES, Architecture
from core.models.heads import Shape
from core.models.resnets import ResNetForm

Shapes = Mapping[str, Shape]

_POOLED_CELLS = {"alexnet": 36, "vgg": 49}
"""Cells of the last feature map that the classifier takes one by one, not their mean."""


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
        form: of a ResNet that no builder names.
    """

    architecture: Architecture
    cuts: tuple[Cut, ...]
    first: str
    channels: int
    children: tuple[str, ...]
    form: ResNetForm | None = None

    @property
    def gives_maps(self) -> bool:
        """Return whether the parts before the head, run in order, give a feature map."""
        return not self.architecture.name.startswith(("vit", "maxvit"))

    def takes_maps(self, place: str) -> bool:
        """Return whether what stands at a place of the head is given maps, not a vector."""
        if self.architecture.name.startswith("squeezenet"):
            return True
        whole = place == self.cuts[-1].place != self.cuts[0].place
        return whole and self.architecture.name.startswith(("convnext", "maxvit"))


@functools.cache
def fingerprint_of(architecture: str) -> Fingerprint:
    """Return the fingerprint of one of torchvision's architectures."""
    return _fingerprints()[architecture]


def fingerprints() -> tuple[Fingerprint, ...]:
    """Return the fingerprints of all architectures."""
    return tuple(_fingerprints().values())


def fingerprint_of_form(form: ResNetForm) -> Fingerprint:
    """Return the fingerprint of a ResNet that no builder names."""
    children = fingerprint_of("resnet50").children
    return _fingerprint(form.architecture, form.shapes(), children, form)


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
    architecture: Architecture,
    shapes: Shapes,
    children: tuple[str, ...],
    form: ResNetForm | None,
) -> Fingerprint:
    places = dict.fromkeys((architecture.head, architecture.head.split(".", 1)[0]))
    cuts = tuple(_cut(place, shapes) for place in places)
    first = next(name for name, shape in shapes.items() if len(shape) == 4 and shape[1] == 3)
    cells = _POOLED_CELLS.get(architecture.name.split("1")[0], 1)
    return Fingerprint(architecture, cuts, first, cuts[-1].features // cells, children, form)


def _cut(place: str, shapes: Shapes) -> Cut:
    body: dict[str, Shape] = {}
    head: dict[str, Shape] = {}
    for name, shape in shapes.items():
        (head if name.startswith(f"{place}.") else body)[name] = shape
    first = next(iter(head.values()))
    return Cut(place, first[1] if len(first) > 1 else first[0], body, head)
