"""Every sentence that a person reads goes through here, upstairs and downstairs.

A sentence is written in English where it is said, whole and with named fields, and is looked up in
the catalogue of the language in use. Imported before the first paint, so it imports little.
"""

from __future__ import annotations

from typing import Protocol


class Catalogue(Protocol):
    """What ``gettext`` of the standard library gives for a language."""

    def gettext(self, message: str) -> str:
        """Return a sentence in the language."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return one of the forms of a sentence, by a number."""


class English:
    """Sentences as they stand in the program."""

    def gettext(self, message: str) -> str:
        """Return it."""
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the singular for one, else the plural."""
        return msgid1 if n == 1 else msgid2


_catalogue: Catalogue = English()
_separators = (",", ".")


def use(catalogue: Catalogue, thousands: str = ",", decimal: str = ".") -> None:
    """Say everything in another language from now on.

    Args:
        catalogue: of its sentences.
        thousands: what stands between groups of three digits.
        decimal: what stands before the decimals.
    """
    global _catalogue, _separators
    _catalogue, _separators = catalogue, (thousands, decimal)


def tr(sentence: str, /, **fields: object) -> str:
    """Return a sentence in the language in use.

    Args:
        sentence: in English, a literal; ``{name}`` stands for a field.
        fields: what stands there; whole numbers get their separators here, other numbers are
            given through ``number`` or ``percent``.
    """
    return _filled(_catalogue.gettext(sentence), fields)


def tr_n(one: str, many: str, /, n: int, **fields: object) -> str:
    """Return a sentence about a number of things, in the form that the language has for it.

    Args:
        one: in English, for one thing, a literal.
        many: for any other number, with the same fields.
        n: how many; the field ``{n}``.
        fields: the other fields.
    """
    return _filled(_catalogue.ngettext(one, many, n), {"n": n, **fields})


def number(value: float, decimals: int = 0) -> str:
    """Return a number with the separators of the language in use."""
    return _localised(f"{value:,.{decimals}f}")


def figure(value: float, digits: int = 3) -> str:
    """Return a number with so many digits that count, e.g. 0.00123 or 1,230."""
    return _localised(f"{value:,.{digits}g}")


def percent(share: float, decimals: int = 0) -> str:
    """Return a share, 0..1, in percent."""
    return _localised(f"{share:.{decimals}%}")


def _filled(text: str, fields: dict[str, object]) -> str:
    if not fields:
        return text
    shown = {
        name: _localised(f"{value:,}") if type(value) is int else value
        for name, value in fields.items()
    }
    return text.format(**shown)


def _localised(english: str) -> str:
    thousands, decimal = _separators
    if (thousands, decimal) == (",", "."):
        return english
    return english.translate({ord(","): thousands, ord("."): decimal})


class Lazy(str):
    """A sentence that was written before the language was known; said when it is shown."""

    def __str__(self) -> str:
        return _catalogue.gettext(self.english)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    @property
    def english(self) -> str:
        """Return it as it stands in the program."""
        return str.__str__(self)


def lazy(sentence: str, /) -> Lazy:
    """Mark a sentence that stands in a table; it is translated where it is filled in.

    Args:
        sentence: in English, a literal, without fields.
    """
    return Lazy(sentence)
