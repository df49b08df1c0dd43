"""Find the head that follows a body: in its documented place, renamed, or outside of it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.language import tr
from core.models.families.base import Shapes
from core.models.recognition.fingerprints import Cut
from core.models.recognition.heads import Head, Pooling, UnreadHeadError, pickled_head, read_head
from core.models.recognition.matching import Recognition
from core.models.sources.checkpoint.inert import Stub

_NO_HEADS = re.compile(
    r"(?:^|[./])(?:proj|predictor|prototypes|queue|teacher|momentum|decoder|encoder_k|pooler)"
)
"""Parts of self-supervised training and of language models, which are no classes."""


_MOST_HEADS = 8
_MOST_MODULES = 20_000

OUTER = "//"
"""Begins the names of what stands beside the body, so that none is taken for one of the body's."""


@dataclass(frozen=True)
class FoundHead:
    """What follows a body.

    Attributes:
        head: None where there is none, several, or one that would not predict rightly.
        cut: where it is put; None without a head.
        label: its name in the file.
        names: its parameters, torchvision's name → the name among those given.
        others: labels of further heads of the same body.
        left_out: names that belong to no part of the network.
        unread: what stands at the head's place and makes none, in words; "" for nothing.
        own_layers: names of layers with weights whose place in the network nobody knows.
        own_code: class of a pickled head whose computation is code of its own; "" for none.
    """

    head: Head | None = None
    cut: Cut | None = None
    label: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unread: str = ""
    own_layers: tuple[str, ...] = ()
    own_code: str = ""


@dataclass(frozen=True)
class _Candidate:
    """A chain of layers that takes the body's features; its parts → the names given."""

    label: str
    head: Head
    cut: Cut
    parts: Mapping[str, str]
    own_code: str


def find_head(
    body: Recognition, inner: Shapes, outer: Shapes, modules: Sequence[Stub]
) -> FoundHead:
    """Return what follows a body.

    Args:
        body: the network without its head.
        inner: shapes of the entries below the body's prefix, as torchvision names them.
        outer: of the entries beside that prefix, as the file names them after ``OUTER``.
        modules: pickled modules of the same file; one may tell what shapes do not.
    """
    place = body.cut.place
    rest = {name: inner[name] for name in body.unexpected} | dict(outer)
    documented = {
        name.removeprefix(f"{place}."): name for name in inner if name.startswith(f"{place}.")
    }
    every = itertools.chain.from_iterable(module.modules() for module in modules)
    parts = {id(one): one for _, one in itertools.islice(every, _MOST_MODULES)}
    search = _Search(body, rest | dict(inner), [(_held(one), one) for one in parts.values()])
    further = {name.removeprefix(OUTER): name for name in rest if not _NO_HEADS.search(name)}
    try:
        if documented:
            found = search.documented(place, documented, further)
        else:
            found = list(itertools.islice(search.candidates("", further), _MOST_HEADS))
    except UnreadHeadError as error:
        return FoundHead(left_out=_plain(rest), unread=tr("a layer {kind}", kind=error))
    if len(found) != 1:
        return FoundHead(
            others=tuple(one.label for one in found),
            left_out=_plain(rest),
            unread=tr("something") if documented else "",
        )
    return _with_rest(found[0], rest)


def _with_rest(one: _Candidate, rest: Shapes) -> FoundHead:
    """Return a head with what belongs to no part of the network."""
    used = set(one.parts.values())
    left = {name: shape for name, shape in rest.items() if name not in used}
    own = tuple(
        name
        for name, shape in left.items()
        if sum(side > 1 for side in shape) > 1 and not _NO_HEADS.search(name)
    )
    if own:
        return FoundHead(left_out=_plain(rest), own_layers=_plain(own))
    target = one.cut.place
    return FoundHead(
        head=replace(one.head, place=target),
        cut=one.cut,
        label=one.label,
        names={f"{target}.{new}": old for new, old in _renamed(one).items()},
        left_out=_plain(left),
        own_code=one.own_code,
    )


def _plain(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.removeprefix(OUTER) for name in names)


@dataclass(frozen=True)
class _Search:
    body: Recognition
    shapes: Shapes
    modules: Sequence[tuple[frozenset[str], Stub]]
    """Each pickled module once, after the names of its parts and parameters."""

    def candidates(self, label: str, parts: Mapping[str, str]) -> Iterator[_Candidate]:
        """Yield the heads among parts: all of them together, else each group by itself."""
        groups: dict[str, dict[str, str]] = {}
        for part, name in parts.items():
            first, _, below = part.partition(".")
            if below:
                groups.setdefault(first, {})[below] = name
        together = sum(map(len, groups.values())) == len(parts) and len(groups) == 1
        whole = None if together else self.candidate(label, parts)
        if whole is not None:
            yield whole
            return
        for first, group in groups.items():
            yield from self.candidates(f"{label}.{first}".lstrip("."), group)

    def documented(
        self, place: str, parts: Mapping[str, str], further: Mapping[str, str]
    ) -> list[_Candidate]:
        """Return the head in its documented place, with what may follow it."""
        found = (self.longer(place, parts, further), self.candidate(place, parts))
        return [one for one in found if one is not None][:1]

    def longer(
        self, place: str, documented: Mapping[str, str], further: Mapping[str, str]
    ) -> _Candidate | None:
        """Return the documented head with a chain behind it that takes its outputs, if any."""
        first = self.candidate(place, documented)
        if first is None or not further:
            return None
        both = {f"{place}.{part}": name for part, name in documented.items()}
        both |= dict(further)
        found = self.candidate("", both)
        return found if found is not None and found.head.layers[0].shape else None

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
        module = self._pickled(shapes)
        own_code = ""
        if module is not None:
            told = pickled_head(shapes, module)
            own_code = module.origin[1] if told is None else ""
            head = told or head
        layers = ", ".join(one.source for one in head.layers if one.shape)
        built = self._as_built(replace(head, pooling=pooling), cut)
        if built is None:
            return None
        return _Candidate(label or layers, built, cut, parts, own_code)

    def _pickled(self, shapes: Shapes) -> Stub | None:
        """Return the pickled module that has exactly these parameters."""
        firsts = {name.split(".", 1)[0] for name in shapes}
        return next(
            (one for held, one in self.modules if firsts <= held and _has_shapes(one, shapes)), None
        )

    def _as_built(self, head: Head, cut: Cut) -> Head | None:
        """Return the head with a name for its one layer where a pooling comes before it."""
        fingerprint = self.body.fingerprint
        if head.pooling != "own" or not fingerprint.takes_maps(cut.place):
            return head
        if cut is fingerprint.cuts[0]:  # a convolution over the maps
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
        if not fingerprint.family.gives_maps:
            return None
        cells, left = divmod(features, channels)
        if features == channels:
            return last, "average"
        if features == 2 * channels:
            return last, "average and maximum"
        return (last, "flatten") if not left and math.isqrt(cells) ** 2 == cells else None


def _held(module: Stub) -> frozenset[str]:
    return frozenset(module.parts) | frozenset(module.own_tensors)


def _has_shapes(module: Stub, shapes: Shapes) -> bool:
    """Return whether a pickled module has exactly these parameters."""
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
