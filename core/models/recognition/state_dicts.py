"""Find the state dict in a checkpoint's content, clean its names and find its head."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from core.errors import UnusableCheckpointError
from core.models.families import FAMILIES
from core.models.families.base import Dialect, Names, Shape
from core.models.recognition.choosing import Choice, Naming, choose
from core.models.recognition.fingerprints import Fingerprint
from core.models.recognition.head_finding import OUTER, FoundHead, find_head
from core.models.recognition.joining import joined
from core.models.recognition.lookalikes import find_lookalikes, timm_fingerprint
from core.models.recognition.matching import Recognition, fit, recognise
from core.models.recognition.sequences import sequences
from core.models.recognition.tools import without_tools
from core.models.sources.checkpoint.inert import Stub
from core.models.sources.checkpoint.reading import FileContent
from core.models.sources.checkpoint.stored import CheckpointFile

_OLD_NAMES = [
    (re.compile(pattern), replacement)
    for family in FAMILIES
    for pattern, replacement in family.old_names
]
_INNER_WRAPPERS = re.compile(r"\.(?:module|_orig_mod)\.")
_LONGEST_NAME = 500
"""Longer ones are no layer's, and searching them takes its time."""

_MOST_TENSORS = 8_000
"""The deepest of torchvision's networks have 1,500."""

_MOST_PLACES = 5
_MUCH_SMALLER = 4
_PREFIX_DEPTH = 4
_NESTING_DEPTH = 3
_NEARLY_ALL = 0.9
_COMMON_SHARE = 0.3
_PREFIXES_A_LEVEL = 2


@dataclass(frozen=True)
class StateDict:
    """The parameters as torchvision names them.

    Attributes:
        tensors: by torchvision's name, those of the head included.
        wrapper: the dotted keys that the state dict stood under; "" for a bare one.
        key_prefix: what was taken off the front of the names, e.g. "module.".
        dialect: whose names they were; None for torchvision's own.
        recognition: the architecture that the names fit best; None where none agrees.
        head: what follows the body.
        names: all names of the file at this place, as they stood there.
        network: the pickled network that they were read from, if any.
        untranslated: names of a dialect that torchvision has no layer for.
        choice: which of the architectures that look alike it was taken for; None where only one
            has these parameters.
    """

    tensors: dict[str, Tensor]
    wrapper: str
    key_prefix: str
    dialect: Dialect | None
    recognition: Recognition | None
    head: FoundHead
    names: tuple[str, ...]
    network: Stub | None
    untranslated: tuple[str, ...]
    choice: Choice | None = None

    @property
    def shapes(self) -> dict[str, Shape]:
        """Return the shapes of the parameters by cleaned name."""
        return _shapes(self.tensors)


@dataclass(frozen=True)
class _Place:
    """Where tensors stand in a checkpoint.

    Attributes:
        path: the dotted keys.
        tensors: by name.
        network: the pickled network that they are of, if any.
        beside: small mappings of tensors next to it, such as a head kept by itself.
    """

    path: str
    tensors: dict[str, Tensor]
    network: Stub | None = None
    beside: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class _Reading:
    """One way to read the names: torchvision's name → the name in the file."""

    prefix: str
    names: dict[str, str]
    dialect: Dialect | None
    recognition: Recognition | None
    choice: Choice | None = None

    @property
    def rank(self) -> float:
        return 0.0 if self.recognition is None else self.recognition.similarity

    def leaves_out(self, name: str) -> bool:
        """Return whether a name of the file is of what stands beside the network."""
        return self.dialect is not None and self.dialect.leaves_out(name)


def find_state_dict(held: FileContent, naming: Naming) -> StateDict | None:
    """Return the state dict of a checkpoint, cleaned; None where there is none.

    Args:
        held: what the file holds.
        naming: what is said of its architecture.

    Raises:
        UnusableCheckpointError: it has more parameters than any network here.
        UnclearArchitectureError: several architectures have them.
    """
    content, file = held.content, held.file
    place = _unwrap(file, content, held.network)
    as_written = without_tools(place.tensors)
    tensors = joined(file, as_written)
    if not tensors:
        return None
    plain = _best_reading(_shapes(tensors))
    best = plain
    if not _is_torchvisions(place.network):
        best = _among_lookalikes(plain, _shapes(as_written), naming)
    if best.recognition is not plain.recognition:  # timm's networks take what stands apart apart
        tensors = as_written
    read = {new: tensors[old] for new, old in best.names.items()}
    named = {name: _as_torchvision(file, best.dialect, name, one) for name, one in read.items()}
    head = FoundHead()
    if best.recognition is not None:
        outer = _outer(file, tensors, best, place)
        modules = [one for one in (place.network, *_stubs(content)) if one is not None]
        head = find_head(best.recognition, _shapes(named), _shapes(outer), modules)
        beside = tuple(name for name in tensors if best.leaves_out(name))
        head = replace(head, left_out=(*head.left_out, *beside))
        every = named | outer
        named |= {new: every[given] for new, given in head.names.items()}
    return StateDict(
        tensors=named,
        wrapper=place.path,
        key_prefix=best.prefix,
        dialect=best.dialect,
        recognition=best.recognition,
        head=head,
        names=tuple(place.tensors),
        network=place.network,
        untranslated=_untranslated(best),
        choice=best.choice,
    )


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def is_averaged(wrapper: str) -> bool:
    """Return whether a state dict is an average over training, by the key it stands under."""
    return "ema" in wrapper.lower().split(".")[-1].split("_")


def _outer(
    file: CheckpointFile, tensors: Mapping[str, Tensor], best: _Reading, place: _Place
) -> dict[str, Tensor]:
    """Return what stands beside the body, each name marked so that it is none of the body's.

    A part of the body that its owner also keeps under another name is no part of its own.
    """
    used = set(best.names.values())
    body = {file.address(tensors[name]) for name in used} - {None}
    outer = {
        name: one for name, one in tensors.items() if name not in used and not best.leaves_out(name)
    }
    outer |= {name: one for name, one in place.beside.items() if name not in outer}
    return {f"{OUTER}{name}": one for name, one in outer.items() if file.address(one) not in body}


def _untranslated(best: _Reading) -> tuple[str, ...]:
    """Return names below the parts that a dialect translates, which it has no word for."""
    if not best.dialect or best.recognition is None:
        return ()
    known = {
        old.removeprefix(best.prefix).split(".", 1)[0]
        for new, old in best.names.items()
        if new != old.removeprefix(best.prefix)
    }
    return tuple(name for name in best.recognition.unexpected if name.split(".", 1)[0] in known)


def _unwrap(file: CheckpointFile, content: Mapping[object, object], network: Stub | None) -> _Place:
    """Return the place with most tensors; of nearly equal ones the averaged, else the first."""
    places, total = [], 0
    for place in _places(content, "", _NESTING_DEPTH, network, set()):
        places.append(place)
        total += len(place.tensors)
        if len(place.tensors) > _MOST_TENSORS or total > _MOST_PLACES * _MOST_TENSORS:
            raise UnusableCheckpointError(
                "{path} holds {total} tensors, more than any classifier that Droplens opens.",
                path=file.path,
                total=total,
            )
    most = max(len(place.tensors) for place in places)
    full = [place for place in places if len(place.tensors) >= _NEARLY_ALL * most]
    averaged = [place for place in full if is_averaged(place.path)]
    found = (averaged or full)[0]
    return replace(found, beside=_beside(content, found))


def _beside(content: Mapping[object, Any], found: _Place) -> dict[str, Tensor]:
    """Return the tensors of small mappings next to a state dict at the top of a file."""
    if not found.path or "." in found.path:
        return {}
    beside: dict[str, Tensor] = {}
    seen: set[int] = set()
    for key, value in content.items():
        is_small = isinstance(value, Mapping) and len(value) * _MUCH_SMALLER <= len(found.tensors)
        if is_small and _is_name(key) and key != found.path and id(value) not in seen:
            seen.add(id(value))
            beside |= {f"{key}.{name}": tensor for name, tensor in _tensors(value).items()}
        if len(beside) > _MOST_TENSORS:
            return {}
    return beside


def _places(
    content: Mapping[Any, object], path: str, depth: int, network: Stub | None, seen: set[int]
) -> Iterator[_Place]:
    """Yield every mapping and every pickled network in a checkpoint, each once."""
    seen.add(id(content))
    yield _Place(path, _tensors(content), network)
    for key, value in content.items():
        if not _is_name(key) or id(value) in seen:
            continue
        inner = f"{path}.{key}" if path else key
        if isinstance(value, Stub) and value.is_module:
            seen.add(id(value))
            yield _Place(inner, value.parameters(), value)
            continue
        nested = value.state if isinstance(value, Stub) else value
        if isinstance(nested, Mapping) and depth > 0:
            yield from _places(nested, inner, depth - 1, None, seen)


def _stubs(content: Mapping[object, object]) -> list[Stub]:
    """Return the pickled modules that stand beside the state dict."""
    modules = {id(one): one for one in content.values() if isinstance(one, Stub)}
    return [one for one in modules.values() if one.is_module]


def _tensors(mapping: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {
        name: value
        for name, value in mapping.items()
        if _is_name(name) and isinstance(value, Tensor)
    }


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and len(key) <= _LONGEST_NAME


def _best_reading(shapes: Mapping[str, Shape]) -> _Reading:
    """Return the reading whose names fit best; one that fits without a rest ends the search."""
    best: _Reading | None = None
    for one in _readings(shapes):
        if best is None or one.rank > best.rank:
            best = one
        if one.rank == 1:
            break
    assert best is not None
    return best


def _among_lookalikes(best: _Reading, shapes: Mapping[str, Shape], naming: Naming) -> _Reading:
    """Return the reading as one of timm's networks where it is one, or is said to be.

    Those that torchvision provides too stay torchvision's, unless something tells otherwise.
    """
    for prefix in _prefixes(shapes):
        # torchvision's older names are not taken off: some of timm's own look like them.
        names = {name[len(prefix) :]: name for name in shapes if name.startswith(prefix)}
        named = {new: shapes[old] for new, old in names.items()}
        found = find_lookalikes(named)
        groups = found.groups
        if not groups:
            continue
        if naming.wanted is not None and all(naming.wanted not in group for group in groups):
            return best  # it will be held against what the user named
        known = best.recognition
        whole = known is not None and known.is_whole
        own = known.architecture if known is not None and whole else None
        is_plain = own is not None and own.family.is_of_torchvision and best.dialect is None
        choice = choose(
            groups, naming, found.outputs, own.name if own is not None and is_plain else ""
        )
        if own is not None and (choice.architecture == own.name or len(groups) == 1):
            return replace(best, choice=choice)
        fingerprint = timm_fingerprint(choice.architecture, named)
        if fingerprint is not None:
            return _Reading(prefix, names, None, fit(fingerprint, named), choice)
    return best


def _is_torchvisions(network: Stub | None) -> bool:
    """Return whether a pickled network says of itself that it is torchvision's."""
    parts = () if network is None else network.modules()
    return any(part.origin[0].startswith("torchvision.") for _, part in parts)


def _readings(shapes: Mapping[str, Shape]) -> Iterator[_Reading]:
    """Yield the ways to read the names, likeliest first."""
    for prefix in _prefixes(shapes):
        names = {_clean(name, prefix): name for name in shapes if name.startswith(prefix)}
        plain = _reading(prefix, names, None, shapes, None)
        yield plain
        for dialect in (one for family in FAMILIES for one in family.dialects):
            if dialect.telling in names:
                yield _reading(prefix, dialect.translate(names), dialect, shapes, None)
        if plain.recognition is None or not plain.recognition.is_whole:
            for among, renamed in sequences(names):
                yield _reading(prefix, renamed, None, shapes, among)


def _reading(
    prefix: str,
    names: Names,
    dialect: Dialect | None,
    shapes: Mapping[str, Shape],
    among: tuple[Fingerprint, ...] | None,
) -> _Reading:
    read = {new: _shape_as_torchvision(dialect, new, shapes[old]) for new, old in names.items()}
    return _Reading(prefix, dict(names), dialect, recognise(read, among))


def _prefixes(names: Collection[str]) -> list[str]:
    """Return the beginnings that many names share: "", then "module.", and so on."""
    found, level = [""], [""]
    for _ in range(_PREFIX_DEPTH):
        deeper = []
        for prefix in level:
            firsts = Counter(
                name[len(prefix) :].split(".", 1)[0]
                for name in names
                if name.startswith(prefix) and "." in name[len(prefix) :]
            )
            deeper += [
                f"{prefix}{segment}."
                for segment, count in firsts.most_common(_PREFIXES_A_LEVEL)
                if count >= _COMMON_SHARE * len(names)
            ]
        found += deeper
        level = deeper
    return found


def _clean(name: str, prefix: str) -> str:
    """Take off the prefix, and what only older versions or wrappers write into the middle.

    DataParallel leaves ``module.`` inside VGG and AlexNet.
    """
    plain = _INNER_WRAPPERS.sub(".", name[len(prefix) :])
    for pattern, replacement in _OLD_NAMES:
        plain = pattern.sub(replacement, plain)
    return plain


def _shape_as_torchvision(dialect: Dialect | None, name: str, shape: Shape) -> Shape:
    return shape if dialect is None else dialect.reshape(name, shape)


def _as_torchvision(
    file: CheckpointFile, dialect: Dialect | None, name: str, tensor: Tensor
) -> Tensor:
    shape = _shape_as_torchvision(dialect, name, tuple(tensor.shape))
    return tensor if shape == tuple(tensor.shape) else file.reshaped(tensor, shape)
