"""Words above classes, such as "dog", by which photos are found: WordNet's and the user's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.language import tr

Groups = Mapping[str, frozenset[int]]
"""Indexes of a model's classes, by a word above them, or by several with "; " between."""

_BETWEEN = "; "
_MOST_LISTED = 2_000


def merged(names: Sequence[str], above: Groups, meant: Sequence[str]) -> Groups:
    """Return groups by titles that are no names of classes.

    Args:
        names: of the model's classes.
        above: words above them, as WordNet has them.
        meant: for each class of the model the class of the labels that it means, or "". A class of
            labels that is written otherwise, or that several mean, is a group; it counts before a
            word of WordNet.
    """
    own: defaultdict[str, set[int]] = defaultdict(set)
    for index, label in enumerate(meant):
        if label:
            own[label].add(index)
    known = set(names)
    groups = {
        _title(label, known): frozenset(indexes)
        for label, indexes in own.items()
        if len(indexes) > 1 or label not in known
    }
    for words, members in above.items():
        first, _, others = words.partition(_BETWEEN)
        title = _title(first, known)
        if title in groups and groups[title] != members and others:  # two sets share their word
            title = f"{first}{_BETWEEN}{others.partition(_BETWEEN)[0]}"
        groups.setdefault(title, members)
    return groups


def found(terms: Sequence[str], names: Sequence[str], groups: Groups, above: Groups) -> set[int]:
    """Return the classes that any of the terms means.

    A term that is a class or a group, whatever its case, means just that; any other text means all
    classes whose name, or a word above which, holds it.

    Args:
        terms: chosen, or typed.
        names: of the model's classes.
        groups: as ``merged`` returns them.
        above: words above the classes, with all their synonyms.
    """
    exact: dict[str, set[int]] = {}
    for title, members in groups.items():
        exact.setdefault(title.casefold(), set()).update(members)
    for index, name in enumerate(names):
        exact.setdefault(name.casefold(), set()).add(index)
    indexes: set[int] = set()
    for term in terms:
        text = term.strip().casefold()
        indexes |= exact[text] if text in exact else _holding(text, names, {**above, **groups})
    return indexes


def _holding(text: str, names: Sequence[str], groups: Groups) -> set[int]:
    if not text:
        return set()
    indexes = {index for index, name in enumerate(names) if text in name.casefold()}
    return indexes.union(
        *(members for words, members in groups.items() if text in words.casefold())
    )


def _title(word: str, known: set[str]) -> str:
    return tr("{word} (group)", word=word) if word in known else word


class Offer(NamedTuple):
    """A class or a group to choose.

    Attributes:
        title: a term for ``found``.
        photos: how many it would show.
        is_telling: whether it was found, and no narrower one stands for the same photos.
    """

    title: str
    photos: int
    is_telling: bool


def offers(counts: Mapping[int, int], names: Sequence[str], groups: Groups) -> list[Offer]:
    """Return all classes and groups, those of most photos first.

    Args:
        counts: photos by class index.
        names: of the model's classes; where they are many, those not found are left out.
        groups: as ``merged`` returns them.
    """
    classes: Counter[str] = Counter()
    for index, name in enumerate(names):
        if counts.get(index, 0) or len(names) <= _MOST_LISTED:
            classes[name] += counts.get(index, 0)
    made = [Offer(name, count, count > 0) for name, count in classes.items()]
    told: set[frozenset[int]] = set()
    for title, members in sorted(groups.items(), key=lambda one: len(one[1])):
        found_ = frozenset(index for index in members if counts.get(index, 0))
        count = sum(counts[index] for index in found_)
        made.append(Offer(title, count, len(found_) > 1 and found_ not in told))
        told.add(found_)
    return sorted(made, key=lambda one: (-one.photos, one.title.casefold()))
