"""Find the head that follows a body: in its documented place, renamed, or outside of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.models.fingerprints import Cut, Shapes
from core.models.heads import Head, Pooling, pickled_head, read_head
from core.models.inert import Stub
from core.models.recognising import Recognition

_NO_HEADS = re.compile(r"proj|predictor|prototypes|queue|teacher|momentum|decoder|encoder_k")
"""Parts of self-supervised training, which are no classes."""


@dataclass(frozen=True)
class FoundHead:
    """What follows a body.

    Attributes:
        head: None where there is none, or several.
        cut: where it is put; None without a head.
        label: its name in the file.
        names: its parameters, torchvision's name → the name among those given.
        others: labels of further heads of the same body.
        left_out: names that belong to no part of the network.
        unread: whether something stands at the head's place that makes no head.
    """

    head: Head | None = None
    cut: Cut | None = None
    label: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unread: bool = False


@dataclass(frozen=True)
class _Candidate:
    """A chain of layers that takes the body's features; its parts → the names given."""

    label: str
    head: Head
    cut: Cut
    parts: Mapping[str, str]


def find_head(
    body: Recognition, inner: Shapes, outer: Shapes, modules: Sequence[Stub]
) -> FoundHead:
    """Return what follows a body.

    Args:
        body: the network without its head.
        inner: shapes of the entries below the body's prefix, as torchvision names them.
        outer: of the entries beside that prefix, as the file names them.
        modules: pickled modules of the same file; one may tell what shapes do not.
    """
    place = body.cut.place
    rest = {name: inner[name] for name in body.unexpected} | dict(outer)
    documented = {
        name.removeprefix(f"{place}."): name for name in inner if name.startswith(f"{place}.")
    }
    search = _Search(body, rest | dict(inner), modules)
    if documented:
        found = [one for one in [search.candidate(place, documented)] if one is not None]
    else:
        possible = {name: name for name in rest if not _NO_HEADS.search(name)}
        found = search.candidates("", possible)
    if len(found) != 1:
        return FoundHead(
            others=tuple(one.label for one in found),
            left_out=tuple(rest),
            unread=bool(documented),
        )
    (one,) = found
    target = one.cut.place
    used = set(one.parts.values())
    return FoundHead(
        head=replace(one.head, place=target),
        cut=one.cut,
        label=one.label,
        names={f"{target}.{new}": old for new, old in _renamed(one).items()},
        left_out=tuple(name for name in rest if name not in used),
    )


@dataclass(frozen=True)
class _Search:
    body: Recognition
    shapes: Shapes
    modules: Sequence[Stub]

    def candidates(self, label: str, parts: Mapping[str, str]) -> list[_Candidate]:
        """Return the heads among parts: all of them together, else each group by itself."""
        groups: dict[str, dict[str, str]] = {}
        for part, name in parts.items():
            first, _, below = part.partition(".")
            if below:
                groups.setdefault(first, {})[below] = name
        together = sum(map(len, groups.values())) == len(parts) and len(groups) == 1
        whole = None if together else self.candidate(label, parts)
        if whole is not None:
            return [whole]
        return [
            one
            for first, group in groups.items()
            for one in self.candidates(f"{label}.{first}".lstrip("."), group)
        ]

    def candidate(self, label: str, parts: Mapping[str, str]) -> _Candidate | None:
        """Return the head that all these parts make up, if it takes the body's features."""
        shapes = {part: self.shapes[name] for part, name in parts.items()}
        head = read_head(shapes)
        if head is None:
            return None
        joint = self._joint(head.features)
        if joint is None:
            return None
        cut, pooling = joint
        for module in self.modules:
            head = next(
                (
                    told
                    for _, one in module.modules()
                    if _has_shapes(one, shapes) and (told := pickled_head(shapes, one))
                ),
                head,
            )
        layers = ", ".join(one.source for one in head.layers if one.shape)
        head = self._as_built(replace(head, pooling=pooling), cut)
        return None if head is None else _Candidate(label or layers, head, cut, parts)

    def _as_built(self, head: Head, cut: Cut) -> Head | None:
        """Return the head with a name for its one layer where a pooling comes before it."""
        fingerprint = self.body.fingerprint
        if head.pooling != "own" or not fingerprint.takes_maps(cut.place):
            return head
        if cut is fingerprint.cuts[0]:  # SqueezeNet's own: a convolution over the maps
            return head if head.is_plain and head.layers[0].kind == "convolution" else None
        if not head.is_plain:
            return head
        return replace(head, layers=(replace(head.layers[0], name="linear"),))

    def _joint(self, features: int) -> tuple[Cut, Pooling] | None:
        """Return where a head of so many features is put, and how they are pooled for it."""
        fingerprint = self.body.fingerprint
        if features == self.body.cut.features:
            return self.body.cut, "own"
        last, channels = fingerprint.cuts[-1], fingerprint.channels
        if not fingerprint.gives_maps:
            return None
        cells, left = divmod(features, channels)
        if features == channels:
            return last, "average"
        if features == 2 * channels:
            return last, "average and maximum"
        return (last, "flatten") if not left and math.isqrt(cells) ** 2 == cells else None


def _has_shapes(module: Stub, shapes: Shapes) -> bool:
    """Return whether a pickled module has exactly these parameters."""
    held = set(module.parts) | set(module.own_tensors)
    if not {name.split(".", 1)[0] for name in shapes} <= held:
        return False
    found = module.parameters()
    return {name: tuple(one.shape) for name, one in found.items()} == dict(shapes)


def _renamed(one: _Candidate) -> dict[str, str]:
    """Return the parts by the names that the rebuilt head gives them."""
    names = {layer.source: layer.name for layer in one.head.layers}
    renamed = {}
    for part, given in one.parts.items():
        layer, _, kind = part.rpartition(".")
        if layer in names:
            renamed[f"{names[layer]}.{kind}".lstrip(".")] = given
    return renamed
