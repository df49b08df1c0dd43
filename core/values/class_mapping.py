"""Which class of a model means which class of labels, where they are written differently."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

KEPT_AS = "mapping"
"""Name under which a project keeps what a person has said of it."""

RIGHT_LABELS = "right labels"
"""Under which it keeps the labels that a person has looked at and left, by file."""

_APART = re.compile(r"[\W_]+")


def to_text(given: Mapping[str, str]) -> str:
    """Return names, and what each means, as a project keeps them."""
    return json.dumps(dict(given), ensure_ascii=False)


def of_text(text: str) -> dict[str, str]:
    """Return what a project keeps so; what cannot be read is passed over."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: meant for name, meant in found.items() if isinstance(meant, str)}


def joined(
    model_classes: Sequence[str],
    label_classes: Sequence[str],
    given: Mapping[str, str] | None = None,
    synonyms: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """Return for classes of a model the class of labels that each means.

    Names are compared as they are; then by letters and digits alone; then by other names of a
    class; then without the ending of a plural. A name that could mean several is left out at that
    step. What is given counts before all.

    Args:
        model_classes: names.
        label_classes: names.
        given: by a person, from a model's class to one of labels; many may mean one, and an empty
            text means none.
        synonyms: other names of a model's class, its number in WordNet for instance.

    Returns:
        Pairs; a class of the model that is not among them means none.
    """
    given = given or {}
    known = set(model_classes)
    settled = {name: meant for name, meant in given.items() if name in known and meant}
    found: dict[str, str] = {}
    left = [name for name in dict.fromkeys(model_classes) if name not in given]
    open_ = list(label_classes)
    for way in (_composed, _plain, _singular):
        if way is _singular and synonyms is not None:
            found |= _join_synonyms(left, open_, synonyms)
            left, open_ = _rest(left, open_, found)
        found |= _join(left, open_, way)
        left, open_ = _rest(left, open_, found)
    return {**settled, **found}


def _join(
    model_classes: Sequence[str], label_classes: Sequence[str], way: Callable[[str], str]
) -> dict[str, str]:
    """Return the pairs whose names become the same, where each side has one such."""
    sides: list[dict[str, str]] = []
    for names in (model_classes, label_classes):
        by_key: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            by_key[way(name)].append(name)
        sides.append({key: same[0] for key, same in by_key.items() if key and len(same) == 1})
    ours, theirs = sides
    return {ours[key]: theirs[key] for key in ours if key in theirs}


def _join_synonyms(
    model_classes: Sequence[str],
    label_classes: Sequence[str],
    synonyms: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for name in model_classes:
        for other in synonyms.get(name, ()):
            owners[_plain(other)].add(name)
    found = {}
    for label in label_classes:
        names = owners.get(_plain(label), set())
        if len(names) == 1:
            found[next(iter(names))] = label
    return found


def _rest(
    model_classes: Sequence[str], label_classes: Sequence[str], found: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    taken = set(found.values())
    return (
        [name for name in model_classes if name not in found],
        [name for name in label_classes if name not in taken],
    )


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _plain(name: str) -> str:
    return _APART.sub("", _composed(name).casefold())


def _singular(name: str) -> str:
    plain = _plain(name)
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch")):
        if plain.endswith(ending):
            return plain.removesuffix(ending) + instead
    return plain.removesuffix("s") if len(plain) > 3 and not plain.endswith("ss") else plain
