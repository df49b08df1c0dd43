"""The natural order of names: img2 before img10."""

from __future__ import annotations

import re

_NUMBER = re.compile("[0-9]+")


def natural_key(name: str) -> str:
    """Return a text whose plain order is the natural order of names, capitals or not.

    A number stands as the count of its digits, as one low character, and the digits without
    leading zeros; so a longer number comes later, and every number before every letter.
    """
    return _NUMBER.sub(_longer_is_later, name.casefold())


def _longer_is_later(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0")
    return chr(len(digits)) + digits
