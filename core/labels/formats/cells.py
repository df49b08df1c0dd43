"""Class names in the cells of a table: one, several with something between them, or numbers."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Collection, Sequence

from core.labels.locating import looks_like_file

_BETWEEN = ("|", ";", ",", " ")
"""What may stand between several classes in a cell, the likelier first."""

_OF_SEVERAL = ("tags", "attributeids")
"""Columns whose names say that a cell holds several."""

_LONGEST_LIST = 10_000
_BRACKETS = (("[", "]"), ("{", "}"), ("(", ")"))
_ELEMENT = re.compile(r"""'[^']*'|"[^"]*"|-?\d+""")
_ARRAY = re.compile(r"""\[\s*(?:'[^']*'|"[^"]*"|-?\d+)(?:\s+(?:'[^']*'|"[^"]*"|-?\d+))+\s*\]""")
_TRUE = frozenset("1 1.0 1,0 true yes x wahr ja vrai oui verdadero sí prawda tak истина да".split())
_FALSE = frozenset(
    ("", *"0 0.0 0,0 -1 -1.0 false no falsch nein faux non falso fałsz nie ложь нет".split())
)
_EVEN = 0.05
_HALF = 0.5


def classes_in(
    title: str, cells: Sequence[str], known: Collection[str] = ()
) -> tuple[list[tuple[str, ...]], str]:
    """Return the classes of each cell of a column, and one that was divided; or "".

    A cell is divided where all its parts are classes of their own: other cells hold each of them
    alone, or the project knows them.

    Args:
        title: of the column, in small letters.
        cells: of it.
        known: names of the project's classes.
    """
    listed = [_listed(cell) for cell in cells]
    plain = [cell.strip() for cell, several in zip(cells, listed, strict=True) if several is None]
    between = next((one for one in _BETWEEN if _divides(title, plain, one)), None)
    found = []
    divided = ""
    for cell, several in zip(cells, listed, strict=True):
        text = cell.strip()
        if several is not None:
            found.append(several)
        elif not text:
            found.append(())
        else:
            found.append(_classes_of(text, between, known))
            divided = divided or (text if len(found[-1]) > 1 else "")
    return found, divided


def _classes_of(text: str, between: str | None, known: Collection[str]) -> tuple[str, ...]:
    if text in known:
        return (text,)
    by_known = (_known_parts(text, one, known) for one in _BETWEEN) if known else ()
    told = next((parts for parts in by_known if parts), ())
    if told:
        return told
    return _parts(text, between) if between is not None else (text,)


def chosen(headers: Sequence[str], cells: Sequence[str]) -> tuple[str, ...]:
    """Return the classes of a row that has a column for each of them.

    Those above one half count; where the row holds shares of one, the greatest.
    """
    shares = [share(cell) or 0.0 for cell in cells]
    positive = [name for name, one in zip(headers, shares, strict=False) if one > _HALF]
    total = sum(max(0.0, one) for one in shares)
    is_shares = any(0 < one < 1 for one in shares) and abs(total - 1) < _EVEN
    if positive or not is_shares:
        return tuple(positive)
    best = max(shares)
    at_best = [name for name, one in zip(headers, shares, strict=False) if one == best]
    return tuple(at_best) if len(at_best) == 1 else ()


def share(cell: str) -> float | None:
    """Return what a cell says of a class, from 0 to 1; None where it says something else."""
    text = cell.strip().casefold()
    if text in _TRUE:
        return 1.0
    if text in _FALSE:
        return 0.0
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def names_in(value: object) -> tuple[str, ...]:
    """Return the class names of a JSON value: none, one, or a list of them."""
    if isinstance(value, dict):
        for key in ("choices", "label", "class", "class_name", "category", "name"):
            if key in value and not looks_like_file(str(value[key])):
                return names_in(value[key])
        return tuple(str(name) for name, is_set in value.items() if is_set is True)
    values = value if isinstance(value, list) else [value]
    found: list[str] = []
    for one in values:
        if isinstance(one, dict):
            found += names_in(one)
        elif isinstance(one, float) and one.is_integer():
            found.append(str(int(one)))
        elif isinstance(one, str | int) and not isinstance(one, bool) and str(one).strip():
            found.append(str(one))
    return tuple(found)


def _listed(cell: str) -> tuple[str, ...] | None:
    """Return the names of a cell that is written as a list; None where it is not."""
    text = cell.strip()
    if (text[:1], text[-1:]) not in _BRACKETS or len(text) > _LONGEST_LIST:
        return None
    try:
        return names_in(json.loads(text))
    except (ValueError, RecursionError):
        pass
    if _ARRAY.fullmatch(text):  # as numpy writes it, without commas
        return tuple(one.strip("'\"") for one in _ELEMENT.findall(text))
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        if text[0] == "[":  # as MakeSense writes it
            return tuple(name.strip() for name in text[1:-1].split(",") if name.strip())
        return None
    if isinstance(found, set):
        found = sorted(found, key=str)
    return names_in(list(found) if isinstance(found, tuple) else found)


def _divides(title: str, cells: Sequence[str], between: str) -> bool:
    """Return whether cells hold several classes with something between them."""
    distinct = {cell for cell in cells if cell}
    several = [cell for cell in distinct if len(_parts(cell, between)) > 1]
    if not several:
        return False
    if between == "|" and any(" | " not in cell for cell in several):
        return True
    counts = Counter(part for cell in distinct for part in set(_parts(cell, between)))
    parts = {part for cell in several for part in _parts(cell, between)}
    alone = distinct - {*several}
    if title in _OF_SEVERAL and (between != " " or not any("," in cell for cell in distinct)):
        return any(counts[part] > 1 for part in parts)
    if parts <= alone or all(part.isdigit() for cell in distinct for part in cell.split(between)):
        return True
    is_tight = between != " " and not any(f"{between} " in cell for cell in several)
    return is_tight and all(counts[part] > 1 or part in alone for part in parts)


def _parts(cell: str, between: str) -> tuple[str, ...]:
    words = (word.strip() for word in cell.split(between))
    return tuple(dict.fromkeys(word for word in words if word))


def _known_parts(cell: str, between: str, known: Collection[str]) -> tuple[str, ...]:
    """Divide a cell into names that are known, the longest first; () where others are left."""
    words = [word.strip() for word in cell.split(between)]
    found: list[str] = []
    at = 0
    joint = between if between == " " else f"{between} "
    while at < len(words):
        ends = range(len(words), at, -1)
        end = next((end for end in ends if joint.join(words[at:end]) in known), None)
        if end is None:
            return ()
        found.append(joint.join(words[at:end]))
        at = end
    return tuple(dict.fromkeys(found))
