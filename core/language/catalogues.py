"""Which languages there are, and which one the user's system asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping

import resources
from core import language

DOMAIN = "droplens"
ENGLISH = "en"
_VARIABLES = ("DROPLENS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
THOUSANDS, DECIMAL = ",|thousands separator", ".|decimal separator"
"""In a catalogue; their translation is the separator itself."""


def begin(environment: Mapping[str, str] = os.environ) -> str:
    """Say everything in the language that the environment names; return its code.

    A language without a catalogue is English. For English nothing is read.

    Args:
        environment: variables; DROPLENS_LANGUAGE goes before the system's own.
    """
    wanted = next((environment[name] for name in _VARIABLES if environment.get(name)), ENGLISH)
    for code in (wanted.split(".")[0].split("@")[0], wanted.split("_")[0].split(".")[0]):
        if code in (ENGLISH, "C", "POSIX"):
            break
        if _use(code):
            return code
    language.use(language.English())
    return ENGLISH


def _use(code: str) -> bool:
    """Use a language's catalogue; return whether there is one."""
    import gettext  # costs start-up time, so not for English

    try:
        catalogue = gettext.translation(DOMAIN, resources.path("locale"), [code])
    except (OSError, UnicodeDecodeError):  # none, or a damaged one
        return False
    thousands = catalogue.gettext(THOUSANDS).split("|")[0]
    decimal = catalogue.gettext(DECIMAL).split("|")[0]
    language.use(catalogue, thousands, decimal)
    return True
